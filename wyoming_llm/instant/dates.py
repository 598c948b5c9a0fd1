"""Dates and lengths of time: weekdays, days until, calendar weeks, time until an hour."""

import functools
import re
from calendar import isleap, monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final

from babel.dates import format_date
from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from wyoming_llm.instant import saying
from wyoming_llm.instant.reading import match
from wyoming_llm.instant.units import vocabulary
from wyoming_llm.instant.words import LanguageWords, months, ordinals, weekdays

_ANY: Final = r".{2,60}?"
_FIXED: Final = {
    "christmas_eve": (12, 24), "christmas": (12, 25), "new_year_eve": (12, 31),
    "new_year": (1, 1), "valentine": (2, 14), "halloween": (10, 31),
}  # fmt: skip
_SPANS: Final = {
    "duration-day": "days", "duration-week": "weeks", "duration-month": "months",
    "duration-year": "years",
}  # fmt: skip
_ORDINAL: Final = r"\d{1,2}(?:st|nd|rd|th|er|e|º|\.)?"
_MAX_SPAN: Final = 10_000


def answer(said: str, words: LanguageWords, now: datetime) -> str | None:
    """Return the answer to a question about a date or an hour, None for other text."""
    table, today = words.section("dates"), now.date()
    if match(table["ask_week"], said) is not None:
        return words.phrase("week", value=str(today.isocalendar().week))
    return (
        _of_the_calendar(said, words, today)
        or _time_until(said, words, now)
        or _between(said, words, today)
        or _count(said, words, today)
        or _which_day(said, words, today)
    )


def _of_the_calendar(said: str, words: LanguageWords, today: date) -> str | None:
    """Return whether a year is a leap year, or how many days a month has."""
    table, names = words.section("dates"), months(words)
    groups = {"y": r"\d{4}", "month": _any_of(names)}
    if (found := match(table["ask_leap"], said, **groups)) is not None:
        return words.phrase("yes" if isleap(int(found["y"])) else "no")
    if (found := match(table["ask_month"], said, **groups)) is not None:
        year = int(found.get("y") or today.year)
        return saying.measure(
            Fraction(monthrange(year, names[found["month"]])[1]), "duration-day", words
        )
    return None


def _which_day(said: str, words: LanguageWords, today: date) -> str | None:
    table = words.section("dates")
    for question in ("ask_weekday", "ask_date"):
        for found in _matches(table[question], said):
            day = parse_date(found["date"], words, today) if "date" in found else today
            if day is not None:
                return format_date(day, "full", locale=words.locale)
    return None


def _count(said: str, words: LanguageWords, today: date) -> str | None:
    table = words.section("dates")
    for question in ("ask_days", "ask_weeks"):
        for found in _matches(_with_until(table, question), said):
            day = parse_date(found["date"], words, today)
            if day is not None and day >= today:
                return _span(day - today, words, weeks=question == "ask_weeks")
    for found in _matches(table["ask_since"], said):
        day = parse_date(found["date"], words, today, past=True)
        if day is not None and day <= today:
            return _span(today - day, words)
    return None


def _between(said: str, words: LanguageWords, today: date) -> str | None:
    for found in _matches(words.section("dates")["ask_between"], said):
        first = parse_date(found["date"], words, today)
        if first is None:
            continue
        second = parse_date(found["date2"], words, max(first, today) if first > today else first)
        if second is not None:
            return _span(abs(second - first), words)
    return None


def _with_until(table: Mapping[str, str], question: str) -> str:
    return table[question].replace("{until}", table["until"])


def _matches(pattern: str, said: str) -> list[dict[str, str]]:
    """Return what each alternative of a question makes of `said`: one may read it wrongly."""
    found = []
    for alternative in _alternatives(pattern):
        one = match(alternative, said, date=_ANY, date2=_ANY, time=_ANY)
        if one is not None:
            found.append(one)
    return found


@functools.cache
def _alternatives(pattern: str) -> list[str]:
    """Return the alternatives of a pattern that stand outside of groups."""
    parts, depth = [""], 0
    for letter in pattern:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _span(length: timedelta, words: LanguageWords, *, weeks: bool = False) -> str:
    many, rest = divmod(length.days, 7) if weeks else (0, length.days)
    named = [(many, "duration-week"), (rest, "duration-day")]
    parts = [saying.measure(Fraction(count), unit, words) for count, unit in named if count]
    return saying.several(parts, words) if parts else saying.measure(
        Fraction(0), "duration-day", words
    )  # fmt: skip


def parse_date(said: str, words: LanguageWords, today: date, *, past: bool = False) -> date | None:
    """Return the date that `said` is, None for other text.

    A date without a year is the next one, or the last one where it must be in the `past`.
    """
    table = words.section("dates")
    near = {"today": 0, "tomorrow": 1, "yesterday": -1, "after_tomorrow": 2}
    for key, days in near.items():
        if re.fullmatch(table[key], said):
            return today + timedelta(days=days)
    for key, years in (("this_year", 0), ("next_year", 1), ("last_year", -1)):
        if (found := match(table[key], said, date=_ANY)) is not None:
            begins = date(today.year + years, 1, 1)
            day = parse_date(found["date"], words, begins)
            return day if day is not None and day.year == begins.year else None
    return (
        _relative(said, words, today)
        or _in_next_week(said, words, today)
        or _weekday(said, words, today, past=past)
        or _calendar_day(said, words, today, past=past)
        or _feast(said, words, today, past=past)
    )


def _relative(said: str, words: LanguageWords, today: date) -> date | None:
    table, names = words.section("dates"), vocabulary(words)
    spans = {name: _SPANS[unit] for name, unit in names.items() if unit in _SPANS}
    groups = {"n": rf"\d{{1,5}}|{table['one']}", "span": "|".join(map(re.escape, spans))}
    for key, sign in (("ahead", 1), ("ago", -1)):
        if (found := match(table[key], said, **groups)) is not None:
            many = int(found["n"]) if found["n"].isdecimal() else 1
            if many > _MAX_SPAN:
                return None
            try:
                return today + relativedelta(**{spans[found["span"]]: sign * many})  # type: ignore[arg-type]
            except (ValueError, OverflowError):
                return None
    return None


def _in_next_week(said: str, words: LanguageWords, today: date) -> date | None:
    names = weekdays(words)
    found = match(words.section("dates")["next_week"], said, weekday=_any_of(names))
    if found is None:
        return None
    return today + timedelta(days=7 - today.weekday() + names[found["weekday"]])


def _weekday(said: str, words: LanguageWords, today: date, *, past: bool) -> date | None:
    names = weekdays(words)
    found = match(words.section("dates")["weekday"], said, weekday=_any_of(names))
    if found is None:
        return None
    ahead = (names[found["weekday"]] - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead - 7 if past and ahead < 7 else -7 if past else ahead)


def _calendar_day(said: str, words: LanguageWords, today: date, *, past: bool) -> date | None:
    names, spelled = months(words), ordinals(words.code)
    groups = {"d": f"{_ORDINAL}|{_any_of(spelled)}", "month": _any_of(names), "y": r"\d{4}"}
    found = match(words.section("dates")["day"], said, **groups)
    if found is None:
        return None
    digits = re.match(r"\d+", found["d"])
    day = int(digits[0]) if digits else spelled[found["d"]]
    year = int(found["y"]) if "y" in found else None
    return _in_year(names[found["month"]], day, year, today, past=past)


def _in_year(month: int, day: int, year: int | None, today: date, *, past: bool) -> date | None:
    years = [year] if year is not None else range(today.year - 8, today.year + 9)
    days = [one for year in years if (one := _date(year, month, day)) is not None]
    if year is None:
        days = [one for one in days if (one <= today if past else one >= today)]
    return None if not days else days[-1] if past else days[0]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _feast(said: str, words: LanguageWords, today: date, *, past: bool) -> date | None:
    dated = match(r"{feast}(?:,? {year})?", said, feast=r".+?", year=r"\d{4}")
    if dated is None:
        return None
    year = int(dated["year"]) if "year" in dated else None
    for name, pattern in words.section("dates")["named"].items():
        if not re.fullmatch(pattern, dated["feast"]):
            continue
        if name in _FIXED:
            return _in_year(*_FIXED[name], year, today, past=past)
        years = [year] if year else [today.year - 1, today.year, today.year + 1]
        days = [easter(one) for one in years]
        fitting = [one for one in days if year or (one <= today if past else one >= today)]
        return fitting[-1] if past else fitting[0]
    return None


def _any_of(names: Mapping[str, int]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


def _time_until(said: str, words: LanguageWords, now: datetime) -> str | None:
    table = words.section("dates")
    for question in ("ask_time", "ask_minutes", "ask_hours"):
        for found in _matches(_with_until(table, question), said):
            target = parse_time(found["time"], words, now)
            if target is None:
                continue
            seconds = round((target - now.replace(second=0, microsecond=0)).total_seconds())
            if question == "ask_minutes":
                return saying.measure(Fraction(seconds // 60), "duration-minute", words)
            return saying.seconds(seconds, words)
    return None


def parse_time(said: str, words: LanguageWords, now: datetime) -> datetime | None:
    """Return the next moment at which it is the hour that `said` is, None for other text.

    An hour that may be one of the morning or of the evening is the one that comes first.
    """
    table = words.section("times")
    if re.fullmatch(table["noon"], said):
        return _next(now, 12, 0)
    if re.fullmatch(table["midnight"], said):
        return _next(now, 0, 0)
    groups = {"h": r"\d{1,2}", "m": r"\d{1,2}", "ampm": f"{table['am']}|{table['pm']}"}
    minutes = {"clock": 0, "past": 30, "before": -30, "quarter_past": 15, "quarter_to": -15}
    for key, offset in minutes.items():
        found = match(table[key], said, **groups) if key in table else None
        if found is None:
            continue
        hour, minute = int(found["h"]), int(found.get("m", 0))
        if hour > 24 or minute > 59:
            return None
        if "ampm" in found:
            evening = re.fullmatch(table["pm"], found["ampm"]) is not None
            return _next(now, hour % 12 + 12 * evening, minute)
        literal = hour > 12 or hour == 0 or ("m" in found and words.code != "en")
        return _nearest(now, hour, minute + offset, literal=literal)
    return None


def _nearest(now: datetime, hour: int, minute: int, *, literal: bool) -> datetime:
    hours = [hour % 24] if literal else [hour % 12, hour % 12 + 12]
    begun = [divmod(60 * one + minute, 60) for one in hours]
    return min(_next(now, one % 24, rest) for one, rest in begun)


def _next(now: datetime, hour: int, minute: int) -> datetime:
    target = now.replace(hour=hour % 24, minute=minute, second=0, microsecond=0)
    return target if target > now else target + timedelta(days=1)
