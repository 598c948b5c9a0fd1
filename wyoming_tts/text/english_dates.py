"""Dates and times of English, found in text."""

import re
from functools import partial

from wyoming_tts.text import english_words as words
from wyoming_tts.text.calendar import read_date, read_time
from wyoming_tts.text.english_numbers import ENGLISH
from wyoming_tts.text.rules import Read, Rules, any_of, rules

# ruff: noqa: RUF001 - dashes of dates

_MONTH = any_of(words.MONTHS)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?P<day>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"
_WEEKDAYS = r"(?:Mon|Tues?|Wednes|Wed|Thurs|Thur?|Fri|Satur|Sat|Sun)(?:day)?"
_STOP = r"(?:\.(?=,|\s+[a-z\d–-]|[–-]))?"
"""The full stop of an abbreviation, unless it ends the sentence as well."""
_TIME_RANGE = (
    r"(?i)\b(\d{1,2}(?::\d\d)?\s?(?:[ap]\.?m\b\.?)?)\s?[-–—]\s?"
    r"(?=\d{1,2}(?::\d\d\b|(?::\d\d)?\s?[ap]\.?m\b))"
)


def _weekday(match: re.Match[str]) -> str:
    return words.WEEKDAYS[match["day"]]


def _zone(match: re.Match[str]) -> str:
    """ "UTC+01:00" is "UTC plus one"."""
    sign = "plus" if match["sign"] == "+" else "minus"
    minute = int(match["minute"] or 0)
    said = f"{match['zone']} {sign} {ENGLISH.cardinal(int(match['hour']))}"
    return f"{said} {ENGLISH.cardinal(minute)}" if minute else said


_DAYS_OF_WEEK = rules(
    (rf"\b{_WEEKDAY}{_STOP}(?=,? (?:{_MONTH})\b|,? \d)", _weekday),
    # "Sat" and "Sun" are words as well: they are days beside other days, and after "on".
    (rf"\b{_WEEKDAY}\b{_STOP}(?=\s?[-–/,&]\s?{_WEEKDAYS}\b|,? (?:and|or|to|through) {_WEEKDAYS}\b)",
     _weekday),
    (r"\b(?P<day>Mon|Tues?|Thu(?:rs?)?|Fri)\b" + _STOP, _weekday),
    (r"(?<=\w[-–/&])" + _WEEKDAY + r"\b" + _STOP, _weekday),
    (rf"(?:(?<=\bon )|(?<=day, )|(?<=day and )|(?<=day or )|(?<=day to )){_WEEKDAY}\b{_STOP}",
     _weekday),
    (r"(?<=day)\s?[-–]\s?(?=(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b)", " to "),
)  # fmt: skip


def _dates(*, day_first: bool) -> Rules:
    date: Read = partial(read_date, speller=ENGLISH, day_first=day_first)
    time: Read = partial(read_time, speller=ENGLISH)
    return _DAYS_OF_WEEK + rules(
        (_TIME_RANGE, r"\1 to "),
        (
            r"\b(?P<zone>UTC|GMT)\s?(?P<sign>[+−-])0?(?P<hour>\d{1,2})(?::?(?P<minute>[0-5]\d))?\b",
            _zone,
        ),
        (r"(?<=\d:\d\d) ?h\b", ""),
        (
            (
                r"\b(?P<year>\d{4})(?P<mark>[-/])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
                r"(?:[T ](?=[0-2]?\d:\d)|\b(?![-/]))"
            ),
            date,
        ),
        (
            (
                r"(?:(?<=\bby )|(?<=\bon )|(?<=\buntil )|(?<=\bsince )|(?<=\bdue )|(?<=\bbefore ))"
                r"(?P<first>\d{1,2})/(?P<second>\d{1,2})\b(?![/\d]| (?:of|cup|inch|mile))"
            ),
            date,
        ),
        (
            (
                r"(?<![\w/.])(?P<first>\d{1,2})(?P<mark>[/.])(?P<second>\d{1,2})(?P=mark)"
                r"(?P<year>\d{4}|\d{2})\b(?![/\d])"
            ),
            date,
        ),
        (r"(?<![\w/.])(?P<month>0[1-9]|1[0-2])/(?P<year>(?:19|20)\d\d)\b(?!/)", date),
        (
            (
                rf"\b(?P<name>{_MONTH})\.? {_DAY}(?:\s?[-–]\s?(?P<until>\d{{1,2}})"
                r"(?:st|nd|rd|th)?)?(?:,? (?P<year>\d{4}))?\b(?![:.,]\d)"
            ),
            date,
        ),
        (
            (
                rf"\b(?P<the>[Tt]he )?{_DAY}(?:\s?[-–]\s?(?P<until>\d{{1,2}})(?:st|nd|rd|th)?)?"
                rf"(?P<of> of)? (?P<name>{_MONTH})\b(?:\.(?=,? \d{{4}}|\s[a-z])|\.(?=,))?"
                rf"(?:,? (?P<year>\d{{4}})\b)?"
            ),
            date,
        ),
        (rf"\b(?P<name>{_MONTH})\.? (?P<year>\d{{4}})\b", date),
        (
            (
                r"(?i)\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?"
                r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?|\b|(?=Z\b))(?P<zulu>Z\b)?"
            ),
            time,
        ),
        (
            r"(?i)\b(?P<hour>1[0-2]|0?[1-9])\.(?P<minute>[0-5]\d)\s?(?P<half>[ap])\.?m\b\.?",
            time,
        ),
        (r"(?i)\b(?P<hour>1[0-2]|0?[1-9])\s?(?P<half>[ap])\.?m\b\.?", time),
        (r"(?<![\w/.])(?P<from>(?:19|20)\d\d)/(?=\d\d\b(?![/\d]))", r"\g<from>-"),
    )


DATES_DAY_FIRST = _dates(day_first=True)
DATES_MONTH_FIRST = _dates(day_first=False)
