"""Languages other than English: numbers, units, currencies and dates by the rules of CLDR."""

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale
from babel.dates import format_date

from wyoming_tts.text.numbers import Speller, speller
from wyoming_tts.text.units import (
    CURRENCIES,
    CURRENCY_CODES,
    SYMBOL_PATTERN,
    currency_phrase,
    locale_of,
    unit_phrase,
)

_CLOCK = {
    "de": "{} Uhr {}", "es": "{} y {}", "fr": "{} heures {}", "it": "{} e {}", "nl": "{} uur {}",
    "pt": "{} e {}", "sv": "{} och {}",
}  # fmt: skip
"""How hours and minutes are joined; elsewhere the voice reads the colon as it likes."""
_ONE_OF_THEM = {"de": ("eins", "ein"), "zh": ("二", "两")}
"""A number that changes before a unit."""
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_TIME = re.compile(r"\b([01]?\d|2[0-4]):([0-5]\d)(?: (?:Uhr|uur))?\b(?!:)")
_MONEY_SIGN = "|".join(re.escape(sign) for sign in (*CURRENCIES, *CURRENCY_CODES))


def read_language(text: str, language: str) -> str:
    """Return `text` with what CLDR has words for written out; unknown languages stay as they are.

    A number that a full stop follows is left to the voice: in many languages it is an ordinal.
    """
    reader = _reader(language)
    return reader(text) if reader is not None else text


class _Reader:
    def __init__(self, locale: Locale, numbers: Speller, language: str) -> None:
        self._locale = locale
        self._numbers = numbers
        self._base = language.partition("_")[0]
        symbols = locale.number_symbols.get("latn", {})
        self._point = symbols.get("decimal", ".")
        group = symbols.get("group", ",")
        spaces = " \u00a0\u202f" if group.isspace() else ""
        groups = f"[{re.escape(group + spaces)}'’]"  # noqa: RUF001
        point = re.escape(self._point)
        number = rf"(?:\d{{1,3}}(?:{groups}\d{{3}})+(?:{point}\d+)?|\d+(?:{point}\d+)?)"
        self._strip = re.compile(groups)
        alone, sign = r"(?<![\w.,:/-])", r"(?P<sign>[-−])?"  # noqa: RUF001
        self._unit = re.compile(rf"{alone}{sign}(?P<n>{number})\s?(?P<unit>{SYMBOL_PATTERN})(?!\w)")
        self._money_before = re.compile(rf"(?<!\w)(?P<code>{_MONEY_SIGN})\s?(?P<n>{number})")
        self._money_after = re.compile(rf"{alone}(?P<n>{number})\s?(?P<code>{_MONEY_SIGN})(?!\w)")
        self._plain = re.compile(rf"{alone}{sign}(?P<n>{number})(?!\w|[.,:/-]\d|\.(?:\s|$))")

    def __call__(self, text: str) -> str:
        text = _ISO_DATE.sub(self._date, text)
        text = _TIME.sub(self._time, text)
        text = self._money_before.sub(self._money, text)
        text = self._money_after.sub(self._money, text)
        text = self._unit.sub(self._measure, text)
        return self._plain.sub(self._number, text)

    def _value(self, match: re.Match[str]) -> Decimal:
        digits = self._strip.sub("", match["n"]).replace(self._point, ".")
        number = Decimal(digits)
        return -number if match.groupdict().get("sign") else number

    def _words(self, number: Decimal) -> str:
        words = self._numbers.cardinal(number)
        plain, joined = _ONE_OF_THEM.get(self._base, ("", ""))
        return joined if plain and words == plain else words

    def _measure(self, match: re.Match[str]) -> str:
        number = self._value(match)
        words = self._words(number)
        return (words and unit_phrase(number, words, match["unit"], self._locale)) or match[0]

    def _money(self, match: re.Match[str]) -> str:
        number = self._value(match)
        words = self._words(number)
        code = CURRENCIES.get(match["code"], match["code"])
        return currency_phrase(number, words, code, self._locale) if words else match[0]

    def _number(self, match: re.Match[str]) -> str:
        number = self._value(match)
        digits = match["n"]
        if digits.isdecimal() and not match["sign"]:
            if len(digits) > 1 and digits[0] == "0":
                return self._numbers.digits(digits)
            if 1100 <= int(digits) < 2000:
                return self._numbers.year(int(digits))
        return self._numbers.cardinal(number) or match[0]

    def _date(self, match: re.Match[str]) -> str:
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except (ValueError, InvalidOperation):
            return match[0]
        return format_date(day, "long", locale=self._locale)

    def _time(self, match: re.Match[str]) -> str:
        joined = _CLOCK.get(self._base)
        if joined is None:
            return match[0]
        minutes = "" if match[2] == "00" else str(int(match[2]))
        hour = str(int(match[1]))
        if not minutes:
            return {"de": f"{hour} Uhr", "fr": f"{hour} heures", "nl": f"{hour} uur"}.get(
                self._base, hour
            )
        return joined.format(hour, minutes)


@lru_cache(maxsize=16)
def _reader(language: str) -> _Reader | None:
    locale, numbers = locale_of(language), speller(language)
    return _Reader(locale, numbers, language) if locale is not None and numbers.known else None
