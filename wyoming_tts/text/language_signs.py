"""What German, French, Spanish, Italian and Dutch write short: sums, parts, short dates, kings."""

import re
from functools import lru_cache

from babel import Locale
from babel.dates import get_month_names

from wyoming_tts.text.language_rules import german_ordinal, is_day, italian_range
from wyoming_tts.text.language_words import ROMAN_ORDINALS, WORDS, Words
from wyoming_tts.text.numbers import Speller
from wyoming_tts.text.roman import roman_value
from wyoming_tts.text.units import SYMBOL_PATTERN, unit_name

# ruff: noqa: E501, RUF001 - patterns on one line; dashes and signs

_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8"}
_VULGAR_SIGN = re.compile(r"(?<=\d) ?([½⅓⅔¼¾⅛])|([½⅓⅔¼¾⅛])")
_PART = re.compile(
    r"(?<![\w/.,])(?:(?P<whole>\d{1,3}) )?(?P<part>1/2|1/3|2/3|1/4|3/4|1/8)(?![\w/-])"
    rf"(?: ?(?P<unit>{SYMBOL_PATTERN})(?![\w/²³])| (?:d[ei] )?(?P<noun>[^\W\d_]+))?"
)
_SUMS = (
    re.compile(r"(?<=\d) ?\+ ?(?=\d)"),
    re.compile(r"(?<=\d) ?[-−–] ?(?=\d+(?:[.,]\d+)? ?=)"),
    re.compile(r"(?<=\d) ?[x×*·] ?(?=\d)"),
    re.compile(r"(?<=\d) ?÷ ?(?=\d)"),
    re.compile(r"(?<=[\w)]) ?= ?(?=[\w(-])"),
)
_ABOUT = re.compile(r"[~≈] ?(?=[$€£]?\d)")
_GERMAN_SHORT = re.compile(
    r"(?P<before>\b\w+ )?(?<![\w.,])(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?!\d)"
)
_SHORT = re.compile(r"\b(?P<before>\w+) (?P<day>\d{1,2})[/-](?P<month>\d{1,2})(?![\w/-]|[.,]\d)")
_GERMAN_DAYS = re.compile(
    r"(?P<before>\b\w+ )?(?<![\w.])(?P<day>\d{1,2})\.(?P<to>\s?[-–]\s?| (?:bis|und|oder)(?: zum)? )(?=\d{1,2}\. [JFMASOND][a-zä])"
)
_RATE = re.compile(
    r"(?:(?<=[\d€$£])|(?<=EUR)|(?<=CHF)|(?<=\d g)|(?<=\d mg)|(?<=\d l))\s?/\s?"
    rf"(?P<unit>kg|g|l|L|h|min|s|km|m²|m³|kWh|{SYMBOL_PATTERN})(?![\w/²³])"
)
_MONEY_RANGE = re.compile(
    r"(?<![\w.,-])(\d+(?:,\d+)?)\s?[-–]\s?(\d+(?:,\d+)?)(?=\s?(?:[€$£]|EUR\b|CHF\b))"
)
_TIME_RANGE = re.compile(r"(\b\d{1,2}(?:[:h]\d\d|h))\s?[-–]\s?(?=\d{1,2}(?:[:h]))")
_ROMAN = re.compile(
    r"\b(?P<word>[A-ZÀ-Ý][a-zà-ÿ]+|siglo|secolo|siècle) (?P<roman>[IVX]{2,}|[IVXLC]{3,})\b"
    r"(?P<dot>\.(?= |$))?(?!['’.]\w)"
)
_CENTURY = re.compile(r"\b(?P<roman>[IVXLC]+) (?=secolo\b)")
_FRENCH_ROMAN = re.compile(r"\b(?P<roman>[IVX]+)(?P<ending>er|re|ère|e|ème)\b")
_COUNTED_WORDS = """
    kapitel teil band akt klasse chapitre tome acte partie capítulo tomo acto parte volumen siglo
    capitolo volume atto hoofdstuk deel type tipo phase fase figure figura título
"""
_COUNTED = frozenset(_COUNTED_WORDS.split())
_WITH_SPACES = re.compile(r"(?<![\w.,])\d{1,3}(?: \d{3})* 000\b(?![.,]?\d)")
_ELISION = re.compile(r"\b([Dd])e (?=une? )")
_PHONE_GROUPS = re.compile(r"(?<![\w.,+])[36789]\d{2}(?: \d{2,4}){2,3}\b(?![.,]?\d)")
_GERMAN_HOURS = re.compile(r"\b(\d{1,2}):(\d{2}) ?(?:h|Std\.?|Stunden)(?!\w)")
_DUTCH_HOURS = re.compile(r"\b(\d{1,2}) ?u ?(?=\d{1,2} ?(?:m|min)\b)")
_DOTTED_TIME = re.compile(r"(?i)(?:(?<=\bore )|(?<=\balle ))(\d{1,2})\.(?=[0-5]\d\b)")
_LARGE_SUM = re.compile(r"(\d) ?(Md|M)€")
_HALVES = {
    "de": ("ein halber", "eine halbe"), "es": ("medio", "media"), "it": ("mezzo", "mezza"),
    "fr": ("un demi", "une demi"),
}  # fmt: skip


class Signs:
    """Rewrites signs of one language that has `Words`."""

    def __init__(self, base: str, locale: Locale, numbers: Speller) -> None:
        self._base = base
        self._words: Words = WORDS[base]
        self._locale = locale
        self._numbers = numbers

    def __call__(self, text: str) -> str:
        words = self._words
        text = _ABOUT.sub(f"{words.about} ", text)
        text = _VULGAR_SIGN.sub(_vulgar, text)
        text = _PART.sub(self._part, text)
        for pattern, said in zip(_SUMS, words.signs, strict=True):
            text = pattern.sub(f" {said} ", text)
        text = self._dates(text)
        text = _RATE.sub(self._rate, text)
        text = _TIME_RANGE.sub(rf"\1 {words.to or '-'} ", text)
        text = _MONEY_RANGE.sub(self._range, text)
        text = _FRENCH_ROMAN.sub(self._french, text) if self._base == "fr" else text
        text = _CENTURY.sub(self._century, text)
        text = _ROMAN.sub(self._roman, text)
        return self._own(text)

    def _own(self, text: str) -> str:
        """What is written so in one of the languages only."""
        if self._base != "fr":
            text = _WITH_SPACES.sub(lambda match: match[0].replace(" ", ""), text)
        match self._base:
            case "de":
                return _GERMAN_HOURS.sub(r"\1 h \2 min", text)
            case "nl":
                return _DUTCH_HOURS.sub(r"\1 h ", text)
            case "fr":
                return _LARGE_SUM.sub(_french_sum, text)
            case "es" | "it":
                text = re.sub(r"(?<!\w)['’](?=\d\d\b)", "", text)
                text = _DOTTED_TIME.sub(r"\1:", text)
                return _PHONE_GROUPS.sub(self._phone, text)
        return text

    def _part(self, match: re.Match[str]) -> str:
        words, said = self._words, self._words.fractions[match["part"]]
        noun = match["noun"] or ""
        rest = match[0][match.end("part") - match.start() :]
        if match["unit"]:
            noun = unit_name(match["unit"], self._locale)
            rest = f" {noun}"
        if match["part"] == "1/2" and self._base in _HALVES:
            if match["whole"]:
                whole = self._numbers.cardinal(int(match["whole"]))
                if self._base == "de":
                    return f"{'ein' if whole == 'eins' else whole}einhalb{rest}"
                half = {"fr": "demi"}.get(self._base, said)
                return f"{words.and_part.format(whole, half)}{rest}"
            known = noun in words.feminine or noun in words.masculine or match["unit"]
            said = _HALVES[self._base][noun in words.feminine] if known else said
        if match["whole"]:
            said = words.and_part.format(self._numbers.cardinal(int(match["whole"])), said)
        return f"{said}{rest}"

    def _dates(self, text: str) -> str:
        if self._base == "de":
            text = _GERMAN_DAYS.sub(self._first_of_days, text)
            return _GERMAN_SHORT.sub(self._german_date, text)
        return _SHORT.sub(self._short_date, text)

    def _first_of_days(self, match: re.Match[str]) -> str:
        """ "3. bis 7. Mai": the first day is an ordinal as well."""
        said = german_ordinal(int(match["day"]), "vom", self._numbers)
        to = match["to"] if match["to"].strip(" -–") else " bis "
        return f"{match['before'] or ''}{said}{to}"

    def _german_date(self, match: re.Match[str]) -> str:
        before = match["before"] or ""
        named = before.strip().lower() in ("version", "kapitel", "abschnitt", "punkt", "absatz")
        if named or not is_day(match["day"], match["month"]):
            return match[0]
        end = "." if match.end() == len(match.string.rstrip()) else ""
        return f"{before}{int(match['day'])}. {self._month(match)}{end}"

    def _short_date(self, match: re.Match[str]) -> str:
        known = match["before"].lower() in self._words.day_before
        following = re.match(r"\s[^\W\d_]+", match.string[match.end() :])
        months = get_month_names("wide", "format", self._locale).values()
        if following and following[0].strip() in months:
            return match[0]
        if not known or not is_day(match["day"], match["month"]):
            return match[0]
        first = self._words.first_day if match["day"].lstrip("0") == "1" else ""
        day = first or self._numbers.cardinal(int(match["day"]))
        between = " de " if self._base == "es" else " "
        return f"{match['before']} {day}{between}{self._month(match)}"

    def _month(self, match: re.Match[str]) -> str:
        return str(get_month_names("wide", "format", self._locale)[int(match["month"])])

    def _rate(self, match: re.Match[str]) -> str:
        before = re.search(r"[^\W\d_]+$", match.string[: match.start()])
        if f"{before[0] if before else ''}/{match['unit']}" in SYMBOL_PATTERN.split("|"):
            return match[0]
        return f" {self._words.per} {unit_name(match['unit'], self._locale)}"

    def _range(self, match: re.Match[str]) -> str:
        if self._words.to:
            return f"{match[1]} {self._words.to} {match[2]}"
        before = match.string[: match.start()]
        low, high = match[1], match[2]
        return italian_range(low, high, adjacent=_adjacent(low, high), before=before)

    def _roman(self, match: re.Match[str]) -> str:
        number = roman_value(match["roman"])
        if not number:
            return match[0]
        word, dot = match["word"], match["dot"] or ""
        said = self._numbers.cardinal(number)
        if word.lower() not in _COUNTED:
            said = self._of_king(number, word, dotted=bool(dot)) or said
        ended = dot and (self._base != "de" or match.end() == len(match.string))
        return f"{word} {said}{'.' if ended else ''}"

    def _of_king(self, number: int, name: str, *, dotted: bool) -> str:
        said = self._numbers.ordinal(number)
        match self._base:
            case "nl":
                return f"de {said.capitalize()}"
            case "de":
                return f"der {said.capitalize()}" if dotted else ""
            case "es" if number < len(ROMAN_ORDINALS["es"]):
                first = ROMAN_ORDINALS["es"][number]
                return f"{first[:-1]}a" if name.endswith(("a", "bel")) else first
            case "it":
                return said if name.endswith("a") else f"{said[:-1]}o"
        return ""

    def _century(self, match: re.Match[str]) -> str:
        number = roman_value(match["roman"])
        return f"{self._numbers.ordinal(number)[:-1]}o " if number else match[0]

    def _french(self, match: re.Match[str]) -> str:
        number = roman_value(match["roman"])
        if not number:
            return match[0]
        if number == 1:
            return "première" if match["ending"] in ("re", "ère") else "premier"
        return self._numbers.ordinal(number)

    def _phone(self, match: re.Match[str]) -> str:
        groups = match[0].split()
        if not 9 <= sum(map(len, groups)) <= 10:
            return match[0]
        return ", ".join(self._numbers.digits(group) for group in groups)


def after_numbers(text: str, base: str) -> str:
    """Mend what the words that stand for numbers ask for."""
    if base == "it":
        return text.replace("una ora", "un'ora")
    return _ELISION.sub(r"\1'", text) if base == "fr" else text


def _adjacent(low: str, high: str) -> bool:
    return low.isdecimal() and high.isdecimal() and int(high) == int(low) + 1


def _vulgar(match: re.Match[str]) -> str:
    return f" {_VULGAR[match[1]]}" if match[1] else _VULGAR[match[2]]


def _french_sum(match: re.Match[str]) -> str:
    return f"{match[1]} {'milliards' if match[2] == 'Md' else 'millions'} d'euros"


@lru_cache(maxsize=16)
def signs(base: str, locale: Locale, numbers: Speller) -> Signs | None:
    """Return the signs of a language, None for one whose readings are not known."""
    return Signs(base, locale, numbers) if base in WORDS else None
