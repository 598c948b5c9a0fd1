"""Dates and times of English."""

import re
from collections.abc import Iterator
from functools import partial

from wyoming_tts.text.en import words
from wyoming_tts.text.en.numbers import ENGLISH, read_year
from wyoming_tts.text.grammar import Rule, rule, text_after, text_before
from wyoming_tts.text.units import any_of

# ruff: noqa: E501, RUF001 - patterns on one line; dashes of dates

_MONTH = any_of(words.MONTHS)
_MONTH_FIRST = any_of(name for name in words.MONTHS if name not in ("may", "mar", "sep", "dec"))
"""Names that are no other word in lower case"""
_CAPITAL_MONTH = any_of(name for name in words.MONTHS if name[0].isupper())
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_UNTIL = r"(?:\s?[-–]\s?(?P<until>\d{1,2})(?:st|nd|rd|th)?)?"
_WEEKDAY = r"(?P<day>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"
_WEEKDAYS = r"(?:Mon|Tues?|Wednes|Wed|Thurs|Thur?|Fri|Satur|Sat|Sun)(?:day)?"
_STOP = r"(?:\.(?=,|\s+[a-z\d–-]|[–-]))?"
"""The full stop of an abbreviation, unless it ends the sentence as well."""
_ALONE = r"(?<![^\W_])(?<![/.])"
_HALF = r"(?P<half>[ap])\.?\s?m\b\.?"
_LEFT = "(?:left|remaining|long|elapsed|to go)"
_BEFORE_CLOCK = re.compile(
    r"(?i)(?:\b(?:at|by|from|until|till|to|before|after|since|around|now|and|it'?s|it is|time is|today|"
    r"[a-z]{3,6}day|\d)|[\dT,\[(-])\s?$"
)
"""The word before the time of a day with seconds, rather than a duration"""
_ENDS = re.compile(r"\s*(?:$|[A-Z][a-z])")


def dates(*, day_first: bool) -> Iterator[Rule]:
    """Yield weekdays, dates and times; `day_first` says which of two numbers is the day."""
    date = partial(_date, day_first=day_first)
    yield from _weekdays()
    yield rule("time", "0",
               rf"(?i)(?<![\w:.])(?P<hour>\d{{1,2}})(?::(?P<minute>\d\d))?(?:\s?{_HALF})?\s?[-–—]\s?(?=\d{{1,2}}(?::\d\d\b|(?::\d\d)?\s?[ap]\.?m\b))",
               _time_range)  # fmt: skip
    yield rule(
        "zone",
        "a",
        r"\b(?P<zone>UTC|GMT)\s?(?P<sign>[+−-])0?(?P<hour>\d{1,2})(?::?(?P<minute>[0-5]\d))?\b",
        _zone,
    )
    yield rule("month", "a", rf"\b(?P<name>{_CAPITAL_MONTH})\.?\s?[-–]\s?(?=(?:{_CAPITAL_MONTH})\b)",
               lambda match: f"{words.MONTH_NAMES[words.MONTHS[match['name']]]} to ")  # fmt: skip
    yield rule(
        "month",
        "a",
        rf"(?<=[-–])(?P<name>{_CAPITAL_MONTH})\b\.?(?P<year> \d{{4}}\b)?(?! \d)",
        _last_month,
    )
    yield rule("date", "0",
               rf"{_ALONE}(?P<year>\d{{4}})(?P<mark>[-/])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})(?:[T ](?=[0-2]?\d:\d)|\b(?![-/]))",
               date)  # fmt: skip
    yield rule("date", "0",
               rf"{_ALONE}(?<!-)(?P<first>\d{{1,2}})(?P<mark>[/.-])(?P<second>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}}(?<!-\d\d))\b(?![/\d-])",
               date)  # fmt: skip
    yield rule("date", "0",
               r"(?:(?<=\b[Bb]y )|(?<=\b[Oo]n )|(?<=\b[Uu]ntil )|(?<=\b[Ss]ince )|(?<=\b[Dd]ue )|(?<=\b[Bb]efore ))"
               r"(?P<first>\d{1,2})/(?P<second>\d{1,2})\b(?![/\d]| (?:of|cup|inch|mile))", date)  # fmt: skip
    yield rule("date", "0",
               r"(?<![\w/.,-])(?P<first>0?[1-9]|1[0-2])/(?P<second>1[3-57-9]|2[1-9]|3[01])\b(?![/\d]|\s?[\"″%]| (?:of|cup|inch|mile|full)|\s?(?:in|mi|lb)\b)"
               if not day_first else
               r"(?<![\w/.,-])(?P<first>1[3-57-9]|2[1-9]|3[01])/(?P<second>0?[1-9]|1[0-2])\b(?![/\d])(?<!24/7)",
               date)  # fmt: skip
    yield rule("date", "0",
               r"(?:(?<=day )|(?<=Mon )|(?<=Tue )|(?<=Wed )|(?<=Thu )|(?<=Fri )|(?<=Sat )|(?<=Sun )|(?<=day, )|(?<=Mon, )|(?<=Tue, )|(?<=Wed, )|(?<=Thu, )|(?<=Fri, )|(?<=Sat, )|(?<=Sun, ))"
               r"(?P<first>\d{1,2})/(?P<second>\d{1,2})\b(?![/\d])", date)  # fmt: skip
    if day_first:
        yield rule(
            "date",
            "a",
            r"\b(?P<the>[Tt]he )(?P<first>\d{1,2})/(?P<second>\d{1,2})\b(?![/\d]| [a-z])",
            date,
        )
        yield rule(
            "date",
            "0",
            rf"{_ALONE}(?P<the>)(?P<first>\d\d)/(?P<second>0[1-9]|1[0-2])\b(?![/\d]| [a-z])",
            date,
        )
    yield rule(
        "date", "0", rf"{_ALONE}(?P<month>0[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)\b(?!/)", date
    )
    yield rule(
        "date",
        "a",
        rf"(?<![^\W_])(?P<name>{_MONTH_FIRST})\.? {_DAY}{_UNTIL}(?:,? (?P<year>\d{{4}}))?\b(?![:.,]\d|%|\s?[ap]\.?m\b)",
        date,
    )
    yield rule("date", "a0",
               rf"{_ALONE}(?P<the>[Tt]he )?{_DAY}{_UNTIL}(?P<of> of)? (?P<name>{_MONTH})\b(?:\.(?=,? \d{{4}}|\s[a-z])|\.(?=,))?(?:,? (?P<year>\d{{4}})\b)?",
               date)  # fmt: skip
    yield rule(
        "date",
        "0",
        rf"(?<!.)(?P<day>\d{{1,2}})\. (?P<name>{_MONTH})\b(?:,? (?P<year>\d{{4}})\b)?",
        date,
    )
    yield rule(
        "date",
        "a",
        rf"(?<![^\W_])(?P<name>{_MONTH_FIRST})\.? (?P<year>\d{{4}})\b(?![:.,/-]\d)",
        date,
    )
    yield rule("duration", "0",
               r"(?<![\w:./-])(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d)(?![\w:]|\.\d|\s?[ap]\.?m)",
               _duration)  # fmt: skip
    yield rule("duration", "0",
               rf"(?<![\w:./-])(?P<hours>)(?P<minutes>\d{{1,2}}):(?P<seconds>[0-5]\d)(?= {_LEFT}\b)",
               _duration)  # fmt: skip
    yield rule("time", "0",
               rf"(?i)(?:(?<![\w:.])|(?<=\dT))(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?(?:\s?{_HALF}|\b|(?=[Zh]\b))(?: ?h\b)?(?P<zulu>Z\b)?",
               _time)  # fmt: skip
    yield rule(
        "time",
        "0",
        rf"(?i)(?<![\w:.])(?P<hour>1[0-2]|0?[1-9])\.(?P<minute>[0-5]\d)\s?{_HALF}",
        _time,
    )
    yield rule("time", "0", rf"(?i)(?<![\w:.])(?P<hour>1[0-2]|0?[1-9])\s?{_HALF}", _time)
    yield rule("time", "0", r"(?<![\w:.,])(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d)(?= (?:hours|hrs)\b)",
               _military)  # fmt: skip
    yield rule("years", "0", rf"{_ALONE}(?P<from>(?:19|20)\d\d)[/](?=\d\d\b(?![/\d]))",
               lambda match: f"{read_year(int(match['from']))} to ")  # fmt: skip
    yield rule(
        "era",
        "0",
        rf"{_ALONE}(?P<year>\d{{1,4}}) ?(?:(?P<era>[AB])\.\s?(?P<more>[DC])\b\.?(?:E\.?)?|(?P<whole>AD|CE|BCE?)\b)",
        _era,
    )


def _weekdays() -> Iterator[Rule]:
    yield rule("weekday", "a", rf"\b{_WEEKDAY}\.?\s?[-–]\s?(?={_WEEKDAYS}\b)",
               lambda match: f"{_weekday(match)} to ")  # fmt: skip
    yield rule("weekday", "a", rf"\b{_WEEKDAY}{_STOP}(?=,? (?:{_MONTH})\b|,? \d)", _weekday)
    # "Sat" and "Sun" are words as well: they are days beside other days, and after "on".
    yield rule(
        "weekday",
        "a",
        rf"\b{_WEEKDAY}\b{_STOP}(?=\s?[-–/,&]\s?{_WEEKDAYS}\b|,? (?:and|or|to|through) {_WEEKDAYS}\b)",
        _weekday,
    )
    yield rule("weekday", "a", rf"\b(?P<day>Mon|Tues?|Thu(?:rs?)?|Fri)\b{_STOP}", _weekday)
    yield rule("weekday", "a", rf"(?<=[\w.][-–/&]){_WEEKDAY}\b{_STOP}", _weekday)
    yield rule("weekday", "a",
               rf"(?:(?<=\b[Oo]n )|(?<=day, )|(?<=day and )|(?<=day or )|(?<=day to )"
               rf"|(?<=Mon, )|(?<=Tue, )|(?<=Wed, )|(?<=Thu, )|(?<=Fri, )|(?<=Sat, )|(?<=Mon and )|(?<=Wed and )|(?<=Thu and )|(?<=Fri and )|(?<=Sat and ))"
               rf"{_WEEKDAY}\b{_STOP}", _weekday)  # fmt: skip
    yield rule(
        "weekday",
        "+",
        rf"(?:(?<=day)|(?<=\bMon)|(?<=\bTue)|(?<=\bWed)|(?<=\bThu)|(?<=\bFri)|(?<=\bSat)|(?<=\bSun))\s?[-–]\s?(?={_WEEKDAYS}\b)",
        " to ",
    )


def _weekday(match: re.Match[str]) -> str:
    return words.WEEKDAYS[match["day"]]


def _last_month(match: re.Match[str]) -> str:
    said = words.MONTH_NAMES[words.MONTHS[match["name"]]]
    if match["year"]:
        return f"{said} {read_year(int(match['year']))}"
    ended = match[0].endswith(".") and _ENDS.match(match.string, match.end())
    return f"{said}." if ended else said


def _military(match: re.Match[str]) -> str:
    """ "0630 hours" is "oh six thirty hours"."""
    hour, minute = match["hour"], int(match["minute"])
    first = f"{'oh ' if hour[0] == '0' else ''}{ENGLISH.cardinal(int(hour))}"
    if not minute:
        return f"{first} hundred"
    return f"{first} {'oh ' if minute < 10 else ''}{ENGLISH.cardinal(minute)}"


def _zone(match: re.Match[str]) -> str:
    """ "UTC+01:00" is "UTC plus one"."""
    sign = "plus" if match["sign"] == "+" else "minus"
    minute = int(match["minute"] or 0)
    said = f"{match['zone']} {sign} {ENGLISH.cardinal(int(match['hour']))}"
    return f"{said} {ENGLISH.cardinal(minute)}" if minute else said


def _era(match: re.Match[str]) -> str:
    year = int(match["year"])
    said = ENGLISH.year(year) if year >= 1100 else ENGLISH.cardinal(year)
    return f"{said} {match['whole'] or match['era'] + match['more']}"


def _date(match: re.Match[str], *, day_first: bool) -> str | None:
    """Read the groups year, month or name, day; or first and second, whose order `day_first` says."""
    groups = match.groupdict()
    year = groups.get("year") or ""
    if groups.get("first"):
        month, day = int(groups["first"]), int(groups["second"])
        if day_first or month > 12 or groups.get("mark") == ".":
            month, day = day, month
        if month > 12:
            month, day = day, month
    else:
        name = groups.get("name") or ""
        month = words.MONTHS[name] if name else int(groups.get("month") or 0)
        day = int(groups.get("day") or 0)
    if not 1 <= month <= 12 or not (0 <= day <= 31) or ("day" in groups and day == 0):
        return None
    said = words.MONTH_NAMES[month]
    if day and (groups.get("of") or groups.get("the") is not None):
        said = f"{groups.get('the') or 'the '}{ENGLISH.ordinal(day)}{_until(groups)} of {said}"
    elif day:
        said += f" {ENGLISH.ordinal(day)}{_until(groups)}"
    if year:
        said += f", {read_year(int(year))}" if day else f" {read_year(int(year))}"
    return said + (", " if match[0].endswith(("T", " ")) else "")


def _until(groups: dict[str, str]) -> str:
    until = groups.get("until")
    return f" to {ENGLISH.ordinal(int(until))}" if until else ""


def _time_range(match: re.Match[str]) -> str | None:
    if match["minute"] or match["half"]:
        said = _time(match)
        return said and f"{said.rstrip('.')} to "
    return f"{ENGLISH.cardinal(int(match['hour']))} to "


def _time(match: re.Match[str]) -> str | None:
    """Read the groups hour, minute, second, and half, which is "a" or "p"."""
    groups = match.groupdict()
    hour, half = int(match["hour"]), (groups.get("half") or "").upper()
    minute = int(groups.get("minute") or 0)
    if hour > 24:
        return None
    said = _hour_and_minute(hour, minute, half=bool(half))
    if half:
        said += f" {half}M"
    if seconds := int(groups.get("second") or 0):
        said += f" and {_counted(seconds, 'second')}"
    if groups.get("zulu"):
        said += " U.T.C"
    if half and match[0].endswith(".") and _ENDS.match(match.string, match.end()):
        said += "."
    return said


def _duration(match: re.Match[str]) -> str | None:
    """ "1:05:30" is "one hour five minutes and thirty seconds" where no time of day is told."""
    if match["hours"] and (
        int(match["hours"]) > 12
        or (
            _BEFORE_CLOCK.search(text_before(match))
            and not re.match(f" {_LEFT}\\b", text_after(match))
        )
    ):
        return None
    parts = [
        _counted(int(match[f"{unit}s"]), unit)
        for unit in ("hour", "minute", "second")
        if int(match[f"{unit}s"] or 0)
    ]
    return " and ".join(filter(None, (" ".join(parts[:-1]), *parts[-1:]))) or "zero seconds"


def _counted(number: int, unit: str) -> str:
    return f"{ENGLISH.cardinal(number)} {unit}{'' if number == 1 else 's'}"


def _hour_and_minute(hour: int, minute: int, *, half: bool) -> str:
    said = ENGLISH.cardinal(hour)
    if hour == 0 and not half:
        said = "midnight" if not minute else "zero"
    if minute:
        return f"{said} {'oh ' if minute < 10 else ''}{ENGLISH.cardinal(minute)}"
    if half or not hour:
        return said
    return f"{said} o'clock" if hour <= 12 else f"{said} hundred hours"
