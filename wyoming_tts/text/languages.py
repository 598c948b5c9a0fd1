"""Languages other than English: numbers, units, currencies and dates by the rules of CLDR.

What the rules do not say for certain, as the gender of an unknown noun, is left to the voice.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, get_month_names

from wyoming_tts.text import language_rules as rules
from wyoming_tts.text.language_signs import after_numbers, signs
from wyoming_tts.text.language_words import WORDS
from wyoming_tts.text.numbers import Speller, speller
from wyoming_tts.text.units import (
    CURRENCIES,
    CURRENCY_CODES,
    SYMBOL_PATTERN,
    currency_phrase,
    locale_of,
    unit_phrase,
)

_ISO_DATE = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})\b")
_DATE = re.compile(
    r"(?<![\w./-])(?P<day>\d{1,2})(?P<mark>[./-])(?P<month>\d{1,2})(?P=mark)(?P<year>\d{4})\b(?![/-]\d)"
)
_TIME = re.compile(
    r"(?<![\d:.,])(?P<hour>[01]?\d|2[0-4])(?P<mark>:|h|\.(?=\d\d ?(?:Uhr|uur)\b))"
    r"(?P<minute>[0-5]\d)(?: ?(?:Uhr|uur|h)\b)?(?![:.]?\d)"
)
_MONEY_SIGN = "|".join(re.escape(sign) for sign in (*CURRENCIES, *CURRENCY_CODES))
_FEMININE_UNITS = frozenset({"h", "hr", "min", "s", "sec", "ms", "kcal", "cal", "mi", "lb", "oz"})


_LARGE = 10**15


def read_language(text: str, language: str) -> str:
    """Return `text` with what CLDR has words for written out; unknown languages stay as they are.

    A number that a full stop follows is left to the voice where that makes it an ordinal.
    """
    reader = _reader(language)
    return reader(text) if reader is not None else text


class _Reader:
    def __init__(self, locale: Locale, numbers: Speller, language: str) -> None:
        self._locale = locale
        self._numbers = numbers
        self._base = language.partition("_")[0]
        self._words = WORDS.get(self._base)
        self._signs = signs(self._base, locale, numbers)
        symbols = locale.number_symbols.get("latn", {})
        self._point = symbols.get("decimal", ".")
        group = symbols.get("group", ",")
        spaces = " \u00a0\u202f" if group.isspace() else "\u00a0\u202f"
        groups = f"[{re.escape(group + spaces)}'’]"  # noqa: RUF001
        point = re.escape(self._point)
        number = rf"(?:\d{{1,3}}(?:{groups}\d{{3}})+(?!\d)(?:{point}\d+)?|\d+(?:{point}\d+)?)"
        self._strip = re.compile(groups)
        alone, sign = r"(?<![\w.,:/–-])", r"(?P<sign>[-−])?"  # noqa: RUF001
        low = rf"(?:(?P<low>{number})\s?[-–]\s?)?"  # noqa: RUF001
        self._unit = re.compile(
            rf"{alone}{low}{sign}(?P<n>{number})\s?(?P<unit>{SYMBOL_PATTERN})(?![\w/²³])"
        )
        self._money_before = re.compile(rf"(?<!\w)(?P<code>{_MONEY_SIGN})\s?(?P<n>{number})")
        self._money_after = re.compile(rf"{alone}(?P<n>{number})\s?(?P<code>{_MONEY_SIGN})(?!\w)")
        ordinal = self._words is None or self._words.ordinal_dot
        stop = r"|\.(?:\s|$)" if ordinal else ""
        self._plain = re.compile(
            rf"{alone}{sign}(?P<n>{number})(?![\w%°]|[.,:/–-]\d|\.?[ºª°]{stop})"  # noqa: RUF001
            r"(?P<noun>\s[^\W\d_]+)?"
        )

    def __call__(self, text: str) -> str:
        if self._words is not None:
            text = rules.addresses(text, self._base, self._words, self._numbers)
            text = self._signs(text) if self._signs is not None else text
            text = rules.before_numbers(text, self._base, self._words, self._numbers)
            text = _DATE.sub(self._date, text)
        text = _ISO_DATE.sub(self._date, text)
        text = _TIME.sub(self._time, text)
        text = self._money_before.sub(self._money, text)
        text = self._money_after.sub(self._money, text)
        text = self._unit.sub(self._measure, text)
        if self._words is not None:
            text = rules.ranges(text, self._words, self._numbers, self._base)
        text = self._plain.sub(self._number, text)
        return after_numbers(text, self._base)

    def _value(self, match: re.Match[str], name: str = "n") -> Decimal:
        digits = self._strip.sub("", match[name]).replace(self._point, ".")
        number = Decimal(digits)
        return -number if name == "n" and match.groupdict().get("sign") else number

    def _counting(self, number: Decimal, *, feminine: bool) -> str:
        """Return a number as it stands before a noun."""
        words = self._numbers.cardinal(number)
        if self._base == "zh" and words == "二":
            return "两"
        if self._words is None or not _is_whole(number):
            return words
        return rules.before_noun(words, self._base, self._words, feminine=feminine)

    def _measure(self, match: re.Match[str]) -> str:
        number, unit = self._value(match), match["unit"]
        if self._base == "it" and unit == "°" and match[0].endswith("°"):
            following = match.string[match.end() : match.end() + 2]
            if len(following) == 2 and following[0] == " " and following[1].isalpha():
                return rules.italian_ordinal(match)
        feminine = unit in _FEMININE_UNITS and rules.feminine_unit(self._base, unit)
        words = self._counting(number, feminine=feminine)
        said = (words and unit_phrase(number, words, unit, self._locale)) or match[0]
        if said == match[0] or not match["low"]:
            return said
        low = self._value(match, "low")
        words_low = self._numbers.cardinal(low)
        if self._base == "it":
            before = match.string[: match.start()]
            return rules.italian_range(words_low, said, adjacent=number == low + 1, before=before)
        joined = f" {self._words.to}" if self._words and self._words.to else ""
        return f"{words_low}{joined} {said}"

    def _money(self, match: re.Match[str]) -> str:
        number = self._value(match)
        code = CURRENCIES.get(match["code"], match["code"])
        hundredths = int(number % 1 * 100) if number < _LARGE else 0
        if self._words is not None and hundredths and _is_whole(number * 100):
            whole = Decimal(int(number))
            if not whole and code == "EUR":
                one = hundredths == 1
                return self._words.one_cent if one else self._cents(hundredths)
            if whole:
                said = self._amount(whole, code)
                return self._words.money.format(said, self._numbers.cardinal(hundredths))
        return self._amount(number, code) or match[0]

    def _cents(self, hundredths: int) -> str:
        assert self._words is not None
        return self._words.cents.format(self._counting(Decimal(hundredths), feminine=False))

    def _amount(self, number: Decimal, code: str) -> str:
        feminine = code == "GBP" and self._base in ("fr", "es", "it")
        words = self._counting(number, feminine=feminine)
        return currency_phrase(number, words, code, self._locale) if words else ""

    def _number(self, match: re.Match[str]) -> str:
        number, digits, noun = self._value(match), match["n"], match["noun"] or ""
        if digits.isdecimal() and not match["sign"]:
            if len(digits) > 1 and digits[0] == "0":
                return self._numbers.digits(digits) + noun
            if 1100 <= int(digits) < 2000 and self._base != "fr":
                return self._numbers.year(int(digits)) + noun
        if self._words is not None and _is_whole(number):
            said = rules.counted(number, noun.strip(), self._base, self._words, self._numbers)
            return match[0] if said is None else f"{said}{noun}"
        return (self._numbers.cardinal(number) or digits) + noun

    def _date(self, match: re.Match[str]) -> str:
        try:
            day = date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            return match[0]
        if self._words is None:
            return format_date(day, "long", locale=self._locale)
        month = get_month_names("wide", "format", self._locale)[day.month]
        said = rules.day_of_month(day.day, match, self._base, self._words, self._numbers)
        year = self._numbers.cardinal(day.year)
        if self._base in ("de", "nl") and 1100 <= day.year < 2000:
            year = self._numbers.year(day.year)
        return self._words.date.format(said, month, year)

    def _time(self, match: re.Match[str]) -> str:
        if self._words is None or (match["mark"] == "h" and self._base != "fr"):
            return match[0]
        hour, minute = int(match["hour"]), int(match["minute"])
        return rules.clock(hour, minute, self._base, self._words, self._numbers)


def _is_whole(number: Decimal) -> bool:
    return abs(number) < _LARGE and not number % 1


@lru_cache(maxsize=16)
def _reader(language: str) -> _Reader | None:
    locale, numbers = locale_of(language), speller(language)
    return _Reader(locale, numbers, language) if locale is not None and numbers.known else None
