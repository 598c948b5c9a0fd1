"""Spoken forms of exact results: numbers, lengths of time, lists."""

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Final

from babel.lists import format_list
from babel.numbers import get_decimal_symbol
from babel.units import format_unit

from wyoming_llm.instant.words import LanguageWords

_FORMAT: Final = "0.####################"
_EXACT_DECIMALS: Final = 4
_ROUNDED_DECIMALS: Final = 2
_SMALL_DIGITS: Final = 3
"""Significant digits of a rounded number below one"""


def rounded(value: Fraction) -> tuple[Decimal, bool]:
    """Return the number that is said for `value`, and whether it is exact.

    Up to four decimals are said exactly; else two, or three significant digits below one.
    """
    exact = value * 10**_EXACT_DECIMALS
    if exact.denominator == 1:
        return _decimal(value, _EXACT_DECIMALS).normalize(), True
    places = _ROUNDED_DECIMALS
    if 0 < abs(value) < 1:
        while abs(value) * 10**places < 10 ** (_SMALL_DIGITS - 1):
            places += 1
    return _decimal(value, places), False


def _decimal(value: Fraction, places: int) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        step = Decimal(1).scaleb(-places)
        whole = Decimal(value.numerator) / Decimal(value.denominator)
        return whole.quantize(step, ROUND_HALF_UP)


def number(value: Fraction, words: LanguageWords) -> str:
    """Return what is said for `value`; without groups of digits, which voices take for a list."""
    shown, exact = rounded(value)
    return about(f"{shown:f}".replace(".", get_decimal_symbol(words.locale)), exact, words)


def measure(value: Fraction, unit: str, words: LanguageWords) -> str:
    """Return what is said for `value` of a unit by its CLDR name."""
    shown, exact = rounded(value)
    said = format_unit(shown, unit, length="long", format=_FORMAT, locale=words.locale)
    if unit in said:
        # The CLDR has no long form where the short one is as long.
        said = format_unit(shown, unit, length="short", format=_FORMAT, locale=words.locale)
    return about(said.replace("\u00a0", " "), exact, words)


def about(said: str, exact: bool, words: LanguageWords) -> str:
    """Return `said`, marked where it is rounded."""
    return said if exact else words.phrase("about", value=said)


def several(parts: list[str], words: LanguageWords) -> str:
    """Return `parts` as one list."""
    return format_list(parts, locale=words.locale)


def seconds(value: int, words: LanguageWords) -> str:
    """Return a length of time in hours and minutes; seconds only below one minute."""
    minutes, rest = divmod(value, 60)
    hours, minutes = divmod(minutes, 60)
    named = (
        (hours, "duration-hour"),
        (minutes, "duration-minute"),
        (rest if not hours and not minutes else 0, "duration-second"),
    )
    parts = [measure(Fraction(many), unit, words) for many, unit in named if many]
    return several(parts, words)
