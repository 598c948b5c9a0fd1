"""Dates and times of English as they are said."""

import re

from wyoming_tts.text.english_words import MONTHS
from wyoming_tts.text.numbers import Speller

_ENDS = re.compile(r"\s*(?:$|[A-Z][a-z])")
_NAMES = {number: name for name, number in reversed(MONTHS.items())}


def read_date(match: re.Match[str], speller: Speller, *, day_first: bool) -> str:
    """Read the groups year, month or name, day; or first and second, whose order `day_first` says.

    What cannot be a date stays as it is.
    """
    groups = match.groupdict()
    year = groups.get("year") or ""
    if groups.get("first"):
        month, day = int(groups["first"]), int(groups["second"])
        if day_first or month > 12 or "." in match[0]:
            month, day = day, month
        if month > 12:
            month, day = day, month
    else:
        name = groups.get("name") or ""
        month = MONTHS[name] if name else int(groups.get("month") or 0)
        day = int(groups.get("day") or 0)
    if not 1 <= month <= 12 or not (0 <= day <= 31) or ("day" in groups and day == 0):
        return match[0]
    said = _NAMES[month]
    if day and (groups.get("of") or groups.get("the")):
        until = _until(groups, speller)
        said = f"{groups.get('the') or 'the '}{speller.ordinal(day)}{until} of {said}"
    elif day:
        said += f" {speller.ordinal(day)}{_until(groups, speller)}"
    if year:
        said += f", {read_year(int(year), speller)}" if day else f" {read_year(int(year), speller)}"
    return said + (", " if match[0].endswith(("T", " ")) else "")


def _until(groups: dict[str, str], speller: Speller) -> str:
    until = groups.get("until")
    return f" to {speller.ordinal(int(until))}" if until else ""


def read_year(year: int, speller: Speller) -> str:
    """Years of two digits lie between 1970 and 2069, as POSIX has it, 1969 to 2068, nearly."""
    if year < 100:
        year += 1900 if year >= 70 else 2000
    return speller.year(year)


def read_time(match: re.Match[str], speller: Speller) -> str:
    """Read the groups hour, minute, second, and half, which is "a" or "p"."""
    hour, half = int(match["hour"]), (match["half"] or "").upper()
    minute = int(match.groupdict().get("minute") or 0)
    groups = match.groupdict()
    said = speller.cardinal(hour)
    if hour == 0 and not half:
        said = "midnight" if not minute else "zero"
    if minute:
        said += f" oh {speller.cardinal(minute)}" if minute < 10 else f" {speller.cardinal(minute)}"
    elif not half and hour:
        said += " o'clock" if hour <= 12 else " hundred hours"
    if half:
        said += f" {half}M"
    if seconds := int(groups.get("second") or 0):
        said += f" and {speller.cardinal(seconds)} second{'' if seconds == 1 else 's'}"
    if groups.get("zulu"):
        said += " U.T.C"
    if half and match[0].endswith(".") and _ENDS.match(match.string, match.end()):
        said += "."
    return said
