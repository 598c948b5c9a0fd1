"""Grammar of a language by CLDR alone: cardinals, decimals, units, currencies and ISO dates."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, get_month_names

from wyoming_tts.text.grammar import Grammar, Rule, rule
from wyoming_tts.text.numbers import Speller
from wyoming_tts.text.units import (
    CURRENCIES,
    CURRENCY_CODES,
    SYMBOL_PATTERN,
    any_of,
    currency_phrase,
    unit_phrase,
)

# ruff: noqa: ARG002, E501, RUF001 - hooks for languages; patterns on one line; dashes of text

DASH = "[-–—−]"


class CldrGrammar:
    """A language by CLDR alone: cardinals, decimals, units, currencies and ISO dates."""

    GROUPS = r"[.'’\u00a0\u202f]"
    """Between groups of three digits"""
    SPACED = r" 000(?: 000)*"
    """Groups parted by plain spaces, where they can be nothing else"""
    COMMA = True
    """Whether the comma is the decimal sign; a point is one everywhere."""

    def __init__(self, locale: Locale, numbers: Speller) -> None:
        self.locale = locale
        self.numbers = numbers
        self.number = (
            rf"(?:\d{{1,3}}(?:(?:{self.GROUPS}\d{{3}})+|{self.SPACED})(?!\d)(?:{self._decimal}\d+)?"
            r"|\d{1,3}(?:,\d{3})+\.\d+|\d+(?:[.,]\d+)?)"
        )
        self.months = self._month_numbers()
        self._month_names = get_month_names("wide", "format", locale)
        self._grammar = Grammar(self.rules())

    @property
    def _decimal(self) -> str:
        return "," if self.COMMA else r"\."

    def read(self, text: str) -> str:
        """Return `text` with what is not a word written out."""
        return self._grammar.read(text)

    def rules(self) -> Iterator[Rule]:
        """Yield the semiotic classes, the more particular first."""
        number = self.number
        money = any_of((*CURRENCIES, *CURRENCY_CODES))
        alone = r"(?<![\w.,])"
        yield rule("date", "0", rf"{alone}(?P<year>\d{{4}})-(?P<month>\d\d?)-(?P<day>\d\d?)\b(?!-)",
                   self._plain_date)  # fmt: skip
        yield rule("range", "0", rf"{alone}(?P<low>{number})\s?{DASH}\s?(?={number}(?![\w-]))",
                   self._plain_range)  # fmt: skip
        yield rule("money", "a+", rf"(?<!\w)(?P<code>{money})\s?(?P<n>{number})", self._plain_money)
        yield rule("money", "0", rf"{alone}(?P<n>{number})\s?(?P<code>{money})(?!\w)",
                   self._plain_money)  # fmt: skip
        yield rule("measure", "0", rf"{alone}(?P<n>{number})\s?(?P<unit>{SYMBOL_PATTERN})(?![\w/²³])",
                   self._plain_measure)  # fmt: skip
        yield rule("minus", "+", rf"(?<![\w)\]%°€$.,/:])[-–−](?={number})", self._plain_minus)
        yield rule("cardinal", "0",
                   rf"{alone}(?P<n>{number})(?![\w%°]|[.,:/–-]\d|\.?[ºª°]|\.(?:\s|$))",
                   self._plain_number)  # fmt: skip

    # Shared with languages that have words of their own.

    def value(self, text: str) -> Decimal:
        """Return the number that `text` writes, whichever sign parts its decimals."""
        digits = re.sub(r"[\s'’\u00a0\u202f]", "", text)
        commas, points = digits.count(","), digits.count(".")
        if commas and points:
            groups = "," if digits.rfind(".") > digits.rfind(",") else "."
            digits = digits.replace(groups, "")
        elif commas > 1 or points > 1:
            digits = digits.replace(",", "").replace(".", "")
        elif points and self.is_grouped(digits):
            digits = digits.replace(".", "")
        return Decimal(digits.replace(",", "."))

    def is_grouped(self, digits: str) -> bool:
        """Whether the one point in `digits` parts thousands: "1.000", but not "0.125"."""
        whole, _, rest = digits.partition(".")
        return "." in self.GROUPS and len(rest) == 3 and len(whole) <= 3 and whole[0] != "0"

    def month_name(self, number: int) -> str:
        return str(self._month_names[number])

    def _month_numbers(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, "format", self.locale).items():
                plain = name.rstrip(".")
                found.setdefault(plain, number)
                found.setdefault(plain.capitalize(), number)
        return found

    def _plain_date(self, match: re.Match[str]) -> str | None:
        try:
            day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            return None
        return format_date(day, "long", locale=self.locale)

    def _plain_range(self, match: re.Match[str]) -> str | None:
        return (self.numbers.cardinal(self.value(match["low"])) or match["low"]) + " - "

    def _plain_money(self, match: re.Match[str]) -> str | None:
        number, code = self.value(match["n"]), CURRENCIES.get(match["code"], match["code"])
        words = self.numbers.cardinal(number)
        return currency_phrase(number, words, code, self.locale) if words else None

    def _plain_measure(self, match: re.Match[str]) -> str | None:
        number = self.value(match["n"])
        words = self.numbers.cardinal(number)
        if self.locale.language == "zh" and words == "二":
            words = "两"
        return (words and unit_phrase(number, words, match["unit"], self.locale)) or None

    def _plain_minus(self, match: re.Match[str]) -> str:
        return f"{self.numbers.minus} "

    def _plain_number(self, match: re.Match[str]) -> str | None:
        digits = match["n"]
        if digits.isdecimal() and len(digits) > 1 and digits[0] == "0":
            return self.numbers.digits(digits)
        if digits.isdecimal() and 1100 <= int(digits) < 2000:
            return self.numbers.year(int(digits))
        return self.numbers.cardinal(self.value(digits)) or None
