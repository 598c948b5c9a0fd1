"""Grammar of a language with words of its own, on top of CLDR.

German, French, Spanish, Italian and Dutch derive from it in their own folders.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from babel.dates import get_day_names

from wyoming_tts.text.cldr_grammar import DASH, CldrGrammar
from wyoming_tts.text.grammar import Rule, rule, text_after, text_before
from wyoming_tts.text.language_words import Words
from wyoming_tts.text.numbers import roman_value
from wyoming_tts.text.units import (
    CURRENCIES,
    CURRENCY_CODES,
    SYMBOLS,
    any_of,
    currency_phrase,
    unit_name,
    unit_phrase,
)

# ruff: noqa: ARG002, E501, RUF001 - hooks for languages; patterns on one line; dashes of text

MAX_WHOLE = 10**15
"""Larger numbers are read without regard to what is counted."""
_TOP_DOMAINS = (
    "com|org|net|edu|gov|info|io|dev|app|local|de|fr|nl|es|it|at|ch|be|eu|uk|mx|me|tv|pt|br|ar|"
    "cl|co|pl|se|dk|fi|cz"
)
_VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅛": (1, 8),
           "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8), "⅕": (1, 5), "⅖": (2, 5),
           "⅙": (1, 6), "⅗": (3, 5), "⅘": (4, 5), "⅚": (5, 6), "⅐": (1, 7), "⅑": (1, 9),
           "⅒": (1, 10)}  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_TIMES_IN_A_WORD = re.compile(r"(?<=\d)(?<!\b0)[x×](?=\d)")
_NAMED_DENOMINATORS = frozenset((*range(2, 11), 12, 16, 20, 32, 50, 64, 100, 1000))
_FEMININE_UNITS = frozenset({"h", "hr", "hrs", "min", "mins", "s", "sec", "ms", "kcal", "cal",
                             "mi", "mph", "lb", "lbs", "oz", "t", "kWh", "Wh", "MWh"})  # fmt: skip


class LanguageGrammar(CldrGrammar):
    """A language with `WORDS`: every class, by hooks that its own folder overrides."""

    WORDS: Words
    FEMININE_UNITS = _FEMININE_UNITS
    LONG_AGO_AS_HUNDREDS = False
    """Whether 1984 is nineteen hundred eighty-four"""

    def read(self, text: str) -> str:
        return super().read(_TIMES_IN_A_WORD.sub(" × ", text))

    # The order of the classes.

    def rules(self) -> Iterator[Rule]:
        yield from self.electronic()
        yield from self.telephone()
        yield from self.own_first()
        yield from self.weekdays()
        yield from self.dates()
        yield from self.times()
        yield from self.ordinals()
        yield from self.money()
        yield from self.fractions()
        yield from self.sums()
        yield from self.ranges()
        yield from self.measures()
        yield from self.romans()
        yield from self.abbreviations()
        yield from self.signs()
        yield from self.cardinals()

    def own_first(self) -> Iterator[Rule]:
        """Yield classes that only this language has."""
        return iter(())

    def weekdays(self) -> Iterator[Rule]:
        """Yield weekdays cut short: before a date, in a range, and behind a comma or full stop."""
        names = {
            short.rstrip(".").lower(): get_day_names("wide", locale=self.locale)[day]
            for day, short in get_day_names("abbreviated", locale=self.locale).items()
        }
        every = any_of({*names, *(name.capitalize() for name in names)})
        self._weekdays = frozenset({*names, *(name.lower() for name in names.values())})

        def said(match: re.Match[str]) -> str:
            name = names[match["name"].lower()]
            name = name if match["name"].islower() else name.capitalize()
            return f"{name} {self.WORDS.to or self.WORDS.score} " if match["to"] else name

        yield rule(
            "weekday", "a", rf"(?<!\w)(?P<name>{every})\.?(?P<to>\s?[-–]\s?)(?={every}\b)", said
        )
        yield rule("weekday", "a", rf"(?<![^\W_])(?P<name>{every})(?P<to>)\.?(?=,? \d{{1,2}}(?:[./-]\d|\.? (?:de |d')?(?:{any_of(self.months)})\b))",
                   said)  # fmt: skip
        yield rule("weekday", "a", rf"(?<=[-–])(?P<name>{every})(?P<to>)\b\.?(?=,|\s|$)", said)

    def ordinals(self) -> Iterator[Rule]:
        """Yield how this language marks ordinals."""
        return iter(())

    # Addresses and telephones

    def electronic(self) -> Iterator[Rule]:
        yield rule("url", "a", r"(?i)(?:https?://|www\.)[^\s<>\"]{1,2000}", self._address)
        yield rule("email", "a0", r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", self._address)
        yield rule("domain", "a0",
                   rf"(?i)(?<![\w.@-])[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}}){{0,4}}"
                   rf"\.(?:{_TOP_DOMAINS})\b(?!-)(?:/[^\s<>\"]{{0,500}})?",
                   self._domain)  # fmt: skip
        yield rule("handle", "+", r"(?<![\w@])@(?P<name>\w{1,40}(?:\.[a-z]{2,4}\b)?)", self._handle)
        yield rule("version", "0",
                   r"(?<![\w.,])\d{1,4}(?:\.\d{1,3}){2,3}\b(?!\.?\d)(?P<port>:\d{2,5}\b)?",
                   self._dotted)  # fmt: skip
        yield rule(
            "version", "a", r"\b[vV](?P<n>\d{1,4}(?:\.\d{1,4}){1,3})\b(?!\.\d)", self._version
        )
        yield rule("underscore", "+", r"(?<=\w)_{1,9}(?=\w)", " ")

    def _address(self, match: re.Match[str]) -> str:
        text = re.sub(r"(?i)^(?:https?://)?(?:www\.)?", "", match[0])
        tail = re.search(r"[.,;:!?)]*$", text)
        end = tail[0] if tail else ""
        text = text.removesuffix(end).split("?")[0].split("#")[0].rstrip("/")
        words = self.WORDS
        signs = {".": words.dot, "@": words.at, "/": words.slash, "-": words.dash,
                 "_": words.underscore, "+": words.plus}  # fmt: skip
        said = []
        for part in re.findall(r"\d+|[^\W\d_]+|.", text):
            if part.isdecimal():
                long = len(part) > 2 or part[0] == "0"
                said.append(self.numbers.digits(part) if long else self.cardinal(int(part)))
            else:
                said.append(signs.get(part, part))
        return " ".join(said) + end

    def _domain(self, match: re.Match[str]) -> str | None:
        return self._address(match) if re.search(r"[^\W\d_]", match[0].split(".")[0]) else None

    def _handle(self, match: re.Match[str]) -> str:
        return f"{self.WORDS.at} {self._address(match).removeprefix(self.WORDS.at).strip()}"

    def _dotted(self, match: re.Match[str]) -> str | None:
        """Read internet addresses and versions, but neither dates nor grouped numbers."""
        port = match["port"] or ""
        parts = match[0].removesuffix(port).split(".")
        if len(parts) == 3 and all(len(part) == 3 for part in parts[1:]):
            return None
        if len(parts) == 3 and len(parts[2]) in (2, 4) and self._day_and_month(*parts) is not None:
            return None
        said = f" {self.WORDS.dot} ".join(self.cardinal(int(part)) for part in parts)
        return f"{said} {self.WORDS.port} {self.numbers.digits(port)}" if port else said

    def _version(self, match: re.Match[str]) -> str:
        parts = [self.cardinal(int(part)) for part in match["n"].split(".")]
        return f"{self.WORDS.version} {f' {self.WORDS.dot} '.join(parts)}"

    def telephone(self) -> Iterator[Rule]:
        digits = r"\(?\d{1,5}\)?(?:[ ./-]{0,2}\(?\d{1,12}\)?){1,7}"
        yield rule("telephone", "+", rf"(?<!\w)\+\d{{1,3}}[ ./-]?{digits}(?!\w)", self._phone)
        yield rule("telephone", "+", r"(?<!\w)\(0\d{1,5}\)[ ./-]?\d{2,8}(?:[ ./-]\d{2,8}){0,4}(?!\w)",
                   self._phone)  # fmt: skip
        yield rule("telephone", "0",
                   r"(?<![\w.,])(?<!\d[ \u00a0\u202f])0\d{1,4}(?:[ /-]\d{2,8}){1,5}\b(?![.:/-]?\d)",
                   self._phone)  # fmt: skip
        yield rule("telephone", "0",
                   r"(?<![\w.,])(?:1-)?\d{3}-\d{3}-\d{4}\b(?!-)|(?<![\w.,])\d{3,4}-\d{4}\b(?!-)",
                   self._phone)  # fmt: skip
        yield rule("telephone", "a", rf"(?i)\b(?P<word>{self.WORDS.dialled})\S{{0,6}}?[.:]?:? "
                   r"(?P<digits>\d[\d ./-]{4,20}\d)", self._named_phone)  # fmt: skip

    def _phone(self, match: re.Match[str]) -> str | None:
        return self.phone(match[0])

    def _named_phone(self, match: re.Match[str]) -> str | None:
        said = self.phone(match["digits"])
        word = match.string[match.start() : match.start("digits")].rstrip()
        return said and f"{self.WORDS.abbreviations.get(word, word)} {said}"

    def phone(self, text: str) -> str | None:
        """Return the groups of `text` digit by digit, None for what is no telephone number."""
        groups = re.findall(r"\d+", text)
        if len(groups) == 3 and re.fullmatch(r"\d\d?([./-])\d\d?\1(?:\d{4}|\d\d)", text):
            return None  # a date
        if not 6 <= sum(map(len, groups)) <= 20:
            return None
        said = ", ".join(self.phone_group(group, groups) for group in groups)
        return f"{self.WORDS.plus} {said}" if text.startswith("+") else said

    def phone_group(self, group: str, groups: list[str]) -> str:
        return self.numbers.digits(group)

    # Dates and times

    def dates(self) -> Iterator[Rule]:
        alone = r"(?<![\w./-])"
        months = any_of(self.months)
        yield rule("date", "0",
                   rf"{alone}(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d\d?)(?P=mark)"
                   r"(?P<day>\d\d?)\b(?![-/.]?\d)", self._numeric_date)  # fmt: skip
        yield rule("date", "0",
                   rf"{alone}(?P<day>\d\d?)(?P<mark>[-/.])(?P<month>\d\d?)(?P=mark)"
                   r"(?P<year>\d{4}|\d\d)\b(?![-/.]?\d)", self._numeric_date)  # fmt: skip
        yield rule("date", "0", r"(?<![\w./,-])(?P<day>\d\d?)(?P<mark>[/.-])(?P<month>\d\d?)"
                   rf"(?![\w/%°-]|[.,:]\d|\s?[%°€$£]| (?:de )?(?:{months})\b)", self._short_date)  # fmt: skip
        yield rule("date", "0",
                   rf"(?<![\w.,])(?P<days>\d\d?(?:[-/]\d\d?){{1,3}})(?= (?:de |d')?(?:{months})\b)",
                   self._days)  # fmt: skip
        yield rule("date", "0",
                   rf"(?<![\w.,/])(?P<day>\d\d?)(?:\.|er|º|°)?(?P<of> de | d'| )(?P<name>{months})\b\.?"
                   r"(?:,? (?:de |del |di )?(?P<year>\d{4})\b(?!\s?[:.,]\d))?",
                   self._named_date)  # fmt: skip
        yield rule("date", "a",
                   rf"\b(?P<name>{months})\b\.? (?P<day>\d\d?)(?:,? (?P<year>\d{{4}}))?"
                   rf"\b(?![\w.,:/%°-]|\s?[%°€$£]| (?:{months})\b)", self._month_first)  # fmt: skip

    def is_day(self, day: str, month: str) -> bool:
        return 1 <= int(day) <= 31 and 1 <= int(month) <= 12

    def _day_and_month(self, day: str, month: str, year: str) -> tuple[int, int, int] | None:
        """Return day, month and year, where the parts of a numeric date can be so."""
        if not self.is_day(day, month):
            day, month = month, day
        if not self.is_day(day, month):
            return None
        if len(year) == 4:
            return int(day), int(month), int(year)
        if "0" not in (day[0], month[0], year[0]) and int(year) <= 31 and len(day + month) < 4:
            return None  # "3.2.10" is a version
        return int(day), int(month), int(year) + (1900 if int(year) >= 70 else 2000)

    def _numeric_date(self, match: re.Match[str]) -> str | None:
        found = self._day_and_month(match["day"], match["month"], match["year"])
        if found is None or (match["mark"] == "." and len(match["year"]) == 4 and found[2] > 2200):
            return None
        return self.full_date(*found, match)

    def full_date(self, day: int, month: int, year: int, match: re.Match[str]) -> str:
        said = self.day(day, match)
        return self.WORDS.date.format(said, self.month_name(month), self.year(year))

    def day(self, day: int, match: re.Match[str]) -> str:
        """Return how a day of the month is said in this context."""
        first = self.WORDS.first_day
        return first if day == 1 and first else self.cardinal(day)

    def year(self, year: int) -> str:
        ago = self.LONG_AGO_AS_HUNDREDS and 1100 <= year < 2000
        return self.numbers.year(year) if ago else self.cardinal(year)

    def _short_date(self, match: re.Match[str]) -> str | None:
        day, month, mark = match["day"], match["month"], match["mark"]
        before = word_before(match)
        padded = len(day) == len(month) == 2 and "0" in (day[0], month[0])
        whole = not text_before(match).strip()
        known = before.lower() in self.WORDS.before_days or before.lower() in self._weekdays
        if not self.is_day(day, month) or not (known or (padded and (whole or mark == "/"))):
            return None
        if mark == "-" and not known:
            return None
        return self.short_date(int(day), int(month), match)

    def short_date(self, day: int, month: int, match: re.Match[str]) -> str:
        return f"{self.day(day, match)} {self.month_name(month)}"

    def _days(self, match: re.Match[str]) -> str | None:
        days = re.split(r"[-/]", match["days"])
        if len(days) == 2 and "/" not in match["days"]:
            return None  # a range
        return ", ".join(self.day(int(day), match) for day in days)

    def _named_date(self, match: re.Match[str]) -> str | None:
        day, name = int(match["day"]), match["name"]
        if not 1 <= day <= 31:
            return None
        of = self.of_month(match["of"])
        month = self.month_name(self.months[name])
        month = name if name.lower() == month.lower() else month
        said = f"{self.day(day, match)}{of}{month}"
        if match["year"]:
            between = match[0][
                match.end("name") - match.start() : match.start("year") - match.start()
            ]
            said += f"{between.replace('.', '')}{self.year(int(match['year']))}"
        elif match[0].endswith(".") and not text_after(match).strip():
            said += "."
        return said

    def of_month(self, written: str) -> str:
        """Return what stands between a day and its month."""
        return written

    def _month_first(self, match: re.Match[str]) -> str | None:
        day, month = int(match["day"]), self.months[match["name"]]
        if not 1 <= day <= 31:
            return None
        year = match["year"]
        return (
            self.full_date(day, month, int(year), match)
            if year
            else self.short_date(day, month, match)
        )

    def times(self) -> Iterator[Rule]:
        yield rule("duration", "0", r"(?<![\w.,:])(?P<hours>\d{1,2})\s?h\s?(?P<minutes>\d{1,2})\s?m(?:in)?\b",
                   lambda match: f"{self.measure(Decimal(match['hours']), 'h')} {self.measure(Decimal(match['minutes']), 'min')}")  # fmt: skip
        time = r"(?P<hour>[01]?\d|2[0-4])"
        yield rule("time", "0",
                   rf"(?<![\d:.,h]){time}(?P<mark>:|h|\.(?=\d\d ?(?:Uhr|uur|[ap]\.?\s?m\b|h\b|(?i:est|pst|cst|mst|gmt|utc|cet)\b)))"
                   r"(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?"
                   r"(?: ?(?:Uhr|uur|h|hrs)\b)?(?P<half> ?[ap]\.?\s?m\b\.?)?"
                   r"(?P<to>\s?[-–]\s?(?=\d\d?[:h.]))?(?![:.]?\d)",
                   self._time)  # fmt: skip
        yield rule("time", "0", rf"(?<![\d:.,h]){time}(?P<half> ?[ap]\.?\s?m\b\.?)", self._time)
        yield rule("time", "0",
                   rf"(?:(?<=\b[Oo]re )|(?<=\b[Aa]lle )|(?<=\b[Ll]as )|(?<=\b[OoUu]m )|(?<=\bà )){time}"
                   r"\.(?P<minute>[0-5]\d)\b(?![.,]?\d)", self._time)  # fmt: skip
        yield rule("time", "0", rf"(?<![\d:.,h]){time}h(?P<to>\s?[-–]\s?(?=\d\d?h))?\b",
                   self._hour)  # fmt: skip

    def _hour(self, match: re.Match[str]) -> str | None:
        return None

    def _time(self, match: re.Match[str]) -> str | None:
        groups = match.groupdict()
        hour, minute = int(match["hour"]), int(groups.get("minute") or 0)
        if groups.get("mark") == "h" and self.locale.language != "fr":
            return None
        said = self.clock(hour, minute, int(groups.get("second") or 0))
        if groups.get("half"):
            said += self.half_of_day("p" in match["half"].lower(), hour)
        if groups.get("to"):
            said += f" {self.WORDS.to or '-'} "
        return said

    def half_of_day(self, afternoon: bool, hour: int) -> str:
        """Return what is said for "a.m." and "p.m."."""
        return " P M" if afternoon else " A M"

    def clock(self, hour: int, minute: int, second: int = 0) -> str:
        said, words = self.hour_number(hour), self.WORDS
        said = (
            words.clock.format(said, self.cardinal(minute)) if minute else words.hour.format(said)
        )
        return f"{said} {self.measure(Decimal(second), 's')}" if second else said

    def hour_number(self, hour: int) -> str:
        return self.cardinal(hour)

    # Money and measures

    def money(self) -> Iterator[Rule]:
        codes = any_of((*CURRENCIES, *CURRENCY_CODES, *(c.lower() for c in CURRENCY_CODES)))
        scale = rf"(?P<scale>\s?(?:{'|'.join(self.WORDS.scales)})(?!\w))?"
        of = r"(?: (?:de |d'|di )?| ?)"
        yield rule("money", "a+", rf"(?<![\w])(?P<code>{codes})\s?(?P<n>{self.number})(?:,[-–—])?{scale}"
                   r"(?!\d)", self._money)  # fmt: skip
        yield rule("money", "0", rf"(?<![\w.,])(?P<n>{self.number})(?:,[-–—]+)?{scale}{of}(?P<code>{codes})"
                   r"(?![\w])", self._money)  # fmt: skip

    def _money(self, match: re.Match[str]) -> str | None:
        code = match["code"]
        code = CURRENCIES.get(code, code.upper() if code.isalpha() else code)
        number, scale = self.value(match["n"]), (match["scale"] or "").strip()
        if scale:
            many = currency_phrase(Decimal(2), "", code, self.locale).strip()
            scale = self.WORDS.after_numbers.get(scale, scale)
            return f"{self.count(number, feminine=False)} {scale}{self.WORDS.scale_of}{many}"
        return self.sum(number, code)

    def sum(self, number: Decimal, code: str) -> str | None:
        """Return an amount of money, None where its currency has no name."""
        hundredths = (number % 1 * 100).normalize() if number < MAX_WHOLE else Decimal(0)
        names = self.WORDS.hundredths.get(code)
        if not hundredths or hundredths % 1 or names is None:
            whole = number.to_integral() if not number % 1 else number
            return self.amount(whole, code)
        if number < 1:
            few = self.count(Decimal(int(hundredths)), feminine=False)
            return f"{few} {names[hundredths != 1]}"
        said = self.amount(Decimal(int(number)), code)
        return said and self.WORDS.money.format(said, self.numbers.cardinal(int(hundredths)))

    def amount(self, number: Decimal, code: str) -> str | None:
        words = self.count(number, feminine=code == "GBP" and self.WORDS.ones[2] != "eine")
        if self.WORDS.scale_of.strip() and number and not number % 1_000_000:
            many = currency_phrase(Decimal(2), "", code, self.locale).strip()
            return f"{words}{self.WORDS.scale_of}{many}"
        return currency_phrase(number, words, code, self.locale) or None if words else None

    def measures(self) -> Iterator[Rule]:
        symbols = any_of((*self.WORDS.units, *SYMBOLS))
        scale = rf"(?P<scale>\s(?:{'|'.join(self.WORDS.scales)})(?!\w))?"
        yield rule("measure", "0",
                   rf"(?<![\w.,/])(?P<n>{self.number}){scale}(?(scale)(?:{self.WORDS.scale_of}|\s?)|\s?)(?P<unit>{symbols})(?![\w²³'’])(?!/\w)",
                   self._measure)  # fmt: skip
        yield rule("measure", "0",
                   rf"(?<![\w.,/])(?P<n>{self.number}){scale}\s?(?P<unit>{symbols})(?=/\w)",
                   self._measure)  # fmt: skip
        yield rule("rate", "+", r"(?<=[\d€$£])\s?/\s?(?=(?P<unit>[^\W\d_]{2,20})\b)", self._price)
        yield rule(
            "rate", "+", rf"(?<=[\w€$£%°²³])\s?/\s?(?P<unit>{symbols})(?![\w/²³])", self._rate
        )

    def _measure(self, match: re.Match[str]) -> str | None:
        number, unit = self.value(match["n"]), match["unit"]
        if scale := (match["scale"] or "").strip():
            scale = self.WORDS.after_numbers.get(scale, scale)
            name = self.measure(Decimal(2), unit, words="")
            return (
                f"{self.count(number, feminine=False)} {scale}{self.WORDS.scale_of}{name.strip()}"
            )
        return self.measure(number, unit) or None

    def measure(self, number: Decimal, unit: str, words: str | None = None) -> str:
        """Return a number with its unit, "" for a unit without a name here."""
        own = self.WORDS.units.get(unit)
        feminine = self.feminine_unit(unit)
        if words is None:
            words = self.count(number, feminine=feminine)
        if own is not None:
            return f"{words} {own[abs(number) != 1]}".strip()
        return unit_phrase(number, words, unit, self.locale) if words or number == 2 else ""

    def feminine_unit(self, unit: str) -> bool:
        return unit in self.FEMININE_UNITS

    def unit_name(self, unit: str) -> str:
        own = self.WORDS.units.get(unit)
        return own[0] if own else unit_name(unit, self.locale)

    def _price(self, match: re.Match[str]) -> str | None:
        """Read the stroke of "5 €/month"."""
        before = text_before(match)[-24:]
        if not re.search(r"[€$£]\s?[\d.,]*$", before):
            return None
        return self.per(match["unit"])

    def per(self, unit: str) -> str:
        """Return what stands between a price and the `unit` that it is for."""
        return f" {self.WORDS.per} "

    def _rate(self, match: re.Match[str]) -> str | None:
        if not re.search(r"\d\s?[^\s\d]{0,8}$", text_before(match)[-12:]):
            return None
        return f" {self.WORDS.per} {self.unit_name(match['unit'])}"

    # Numbers

    def cardinal(self, number: int | Decimal) -> str:
        return self.numbers.cardinal(number)

    def count(self, number: Decimal, *, feminine: bool) -> str:
        """Return a number as it stands before a noun; "" if that is not known."""
        words = self.numbers.cardinal(number)
        whole = abs(number) < MAX_WHOLE and not number % 1
        return self.before_noun(words, feminine=feminine) if whole else words

    def before_noun(self, said: str, *, feminine: bool) -> str:
        alone, masculine, of_her = self.WORDS.ones
        if said == alone:
            return of_her if feminine else masculine
        return said

    def fractions(self) -> Iterator[Rule]:
        units = any_of((*self.WORDS.units, *SYMBOLS))
        tail = rf"(?:\s?(?P<unit>{units})(?![\w/²³])|(?=(?: d[ei])? (?P<noun>[^\W\d_]{{1,30}}))|)"
        yield rule("fraction", "0",
                   r"(?<![\w/.,])(?:(?P<whole>\d{1,3}) )?(?P<over>\d{1,3})/"
                   rf"(?P<under>\d{{1,3}}(?:\.\d{{3}}){{1,3}}|\d{{1,5}})(?![\w/-]|[.,]\d){tail}",
                   self._fraction)  # fmt: skip
        yield rule("fraction", "0", rf"(?<![\w/.,])(?P<whole>\d{{1,3}}) ?(?P<sign>[{''.join(_VULGAR)}]){tail}",
                   self._fraction)  # fmt: skip
        yield rule("fraction", "+", rf"(?P<sign>[{''.join(_VULGAR)}]){tail}", self._fraction)

    def _fraction(self, match: re.Match[str]) -> str | None:
        groups = match.groupdict()
        if groups.get("sign"):
            over, under = _VULGAR[match["sign"]]
        else:
            over, under = int(match["over"]), int(match["under"].replace(".", ""))
        whole = int(groups.get("whole") or 0)
        if not under or over >= under or not (over == 1 or under in _NAMED_DENOMINATORS):
            if whole or over == under == 1:
                return None
            return self.slashed(over, under, match)
        noun, unit = match["noun"] or "", match["unit"] or ""
        rest = f" {self.unit_name(unit)}" if unit else ""
        feminine = noun in self.WORDS.feminine or self.feminine_unit(unit)
        known = feminine or noun in self.WORDS.masculine or bool(unit)
        known = known or noun in self.WORDS.after_numbers
        if whole:
            return self.mixed_fraction(whole, over, under) + rest
        return self.fraction(over, under, noun=known, feminine=feminine) + rest

    def fraction(self, over: int, under: int, *, noun: bool, feminine: bool) -> str:
        raise NotImplementedError

    def mixed_fraction(self, whole: int, over: int, under: int) -> str:
        part = self.fraction(over, under, noun=False, feminine=False)
        return self.WORDS.and_part.format(self.cardinal(whole), part)

    def slashed(self, over: int, under: int, match: re.Match[str]) -> str | None:
        """Return two numbers with a stroke that are no fraction: "24/7", "120/80"."""
        if match["unit"] or match["noun"]:
            return None
        return f"{self.cardinal(over)} {self.cardinal(under)}"

    def sums(self) -> Iterator[Rule]:
        words = self.WORDS
        yield rule(
            "serial",
            "a",
            r"(?<![^\W_])(?P<letters>[A-Z]{2,4})(?P<digits>\d{1,6}(?:[.,]\d)?)(?!\w)",
            self._serial,
        )
        yield rule("rating", "0", r"(?<![\w.,/])(?P<points>\d{1,2}[.,]\d)/(?P<of>\d{1,3})(?![\w/])",
                   lambda match: f"{self.cardinal(self.value(match['points']))} {words.out_of} {self.cardinal(int(match['of']))}")  # fmt: skip
        yield rule(
            "by",
            "+",
            r"(?:(?<=\dm)|(?<=[cdkm]m)|(?<=[²³])|(?<= m))\s[x×]\s(?=\d)",
            f" {words.times} ",
        )
        yield rule("inches", "0", rf"(?<![\w.,])(?P<n>{self.number})[\"″”](?!\w)", self._inches)
        yield rule(
            "wind",
            "a",
            rf"(?i:(?<=\b{words.wind} )|(?<=\b{words.wind}: ))(?P<side>[NSEWOZ]{{1,2}})\b",
            self._wind,
        )
        yield rule("up and down", "+", r"[↑↓]\s?", "")
        yield rule("about", "+", r"[~≈]\s?(?=[$€£]?\d)", f"{words.about} ")
        yield rule(
            "power", "+", r"(?<=[\w)])\s?\^\s?\(?(?P<power>[-−]?\d{1,3})\)?(?!\w)", self._power
        )
        yield rule("power", "+a0", r"(?<=[\w)])(?P<power>⁻?[⁰¹²³⁴-⁹]{1,4})", self._power)
        yield rule("root", "+", r"√\s?(?=[\w(])", f"{words.root} ")
        yield rule("times", "+", r"(?<=\b[a-z]) [×·*] (?=[a-z\d]\b)", f" {words.times} ")
        yield rule("times", "+", r"(?<=\d)\s?[×x*·]\s?(?=\d)", f" {words.times} ")
        yield rule("times", "a", r"(?<=\d )x(?= \d)|(?<=\d)x(?=\d)", f" {words.times} ")
        yield rule("times", "0", rf"(?<![\w.,])(?P<n>{self.number})\s?[x×](?![\w\d])(?! \d)",
                   self._times_over)  # fmt: skip
        yield rule("plus", "+", r"(?<=[\d)])\s?\+\s?(?=\d)", f" {words.plus} ")
        yield rule("minus", "+", rf"(?<=[\d)])\s?{DASH}\s?(?=\d+(?:[.,]\d+)?(?:\s?[-+−–×*x]\s?\d{{1,12}}){{0,8}}\s?=)",
                   f" {words.minus} ")  # fmt: skip
        yield rule("minus", "+", rf"(?<=\d)\s{DASH}\s(?=\d+\s?=)", f" {words.minus} ")
        yield rule(
            "divided", "+", r"(?<=\d)\s?[÷:]\s(?=\d+\s?=)|(?<=\d)\s?÷\s?(?=\d)", f" {words.by} "
        )
        yield rule("equals", "+", r"(?<=[\w)])\s?=\s?(?=[\w(-])", f" {words.equals} ")
        yield rule("at least", "+", r"(?:>=|≥)\s?(?=-?\d)", f"{words.at_least} ")
        yield rule("at most", "+", r"(?:<=|≤)\s?(?=-?\d)", f"{words.at_most} ")
        yield rule("more", "+", r">\s?(?=-?\d)", f"{words.more} ")
        yield rule("less", "+", r"<\s?(?=-?\d)", f"{words.less} ")

    def _power(self, match: re.Match[str]) -> str:
        digits = match["power"].translate(_RAISED).replace("−", "-")
        known = {"2": self.WORDS.squared, "3": self.WORDS.cubed}.get(digits)
        return f" {known or self.WORDS.power.format(self.cardinal(int(digits)))}"

    def _serial(self, match: re.Match[str]) -> str:
        """Read "CO2" and "MP3" letter by letter: a voice takes capitals before digits for words."""
        digits = match["digits"]
        long = digits.isdecimal() and (len(digits) > 3 or digits[0] == "0")
        number = self.numbers.digits(digits) if long else self.cardinal(self.value(digits))
        return f"{'.'.join(match['letters'])} {number}"

    def _inches(self, match: re.Match[str]) -> str | None:
        if re.search(
            r"(?:^|[\s(\[])[\"“„][^\"”]*$", (text_before(match) + match.string[match.start()])
        ):
            return None  # it closes a quotation
        return self.measure(self.value(match["n"]), "″") or None

    def _wind(self, match: re.Match[str]) -> str | None:
        winds = self.WORDS.winds
        if any(letter not in winds for letter in match["side"]):
            return None
        said = "".join(winds[letter] for letter in match["side"]).strip()
        return said[0] + said[1:].lower()

    def _times_over(self, match: re.Match[str]) -> str | None:
        return f"{self.count(self.value(match['n']), feminine=True)} {self.WORDS.times_over}"

    def ranges(self) -> Iterator[Rule]:
        number = self.number
        yield rule("score", "0", r"(?<![\w.,:/-])(?P<low>\d{1,3}):(?=(?P<high>\d{1,3})(?![\w:]|[.,]\d))",
                   self._score)  # fmt: skip
        yield rule("range", "0",
                   rf"(?<![\w.,:/-])(?P<low>{number})(?P<unit>\s?[%°€$£]C?)?\s?{DASH}\s?"
                   rf"(?=[€$£]?(?P<high>{number})(?![\d-]|[.,:/]\d|\s?[-+×x*÷]\s?\d|\s?=))", self._range)  # fmt: skip
        yield rule(
            "range", "+", rf"(?<=[\d€$£%°C.]){DASH}(?=[€$£]?\d)", f" {self.WORDS.to or '-'} "
        )

    def _score(self, match: re.Match[str]) -> str:
        return f"{self.cardinal(int(match['low']))} {self.WORDS.score} "

    def _range(self, match: re.Match[str]) -> str | None:
        low, high = self.value(match["low"]), self.value(match["high"])
        if any(
            len(match[g]) > 1 and match[g][0] == "0" and match[g].isdecimal()
            for g in ("low", "high")
        ):
            return None
        said = self.range_end(match["low"], low)
        if low > high or (low == high and not match["unit"]):
            return f"{said} {self.WORDS.score} "
        return self.range(said, low, high, match)

    def range_end(self, digits: str, number: Decimal) -> str:
        year = digits.isdecimal() and len(digits) == 4
        return self.year(int(digits)) if year else self.cardinal(number)

    def range(self, low: str, first: Decimal, last: Decimal, match: re.Match[str]) -> str:
        return f"{low} {self.WORDS.to} "

    def romans(self) -> Iterator[Rule]:
        yield rule("roman", "a",
                   r"\b(?P<word>[A-ZÀ-Ý][a-zà-ÿ]+|siglo|secolo|siècle) (?P<roman>[IVX]{2,}|[IVXLC]{3,})\b"
                   r"(?P<dot>\.(?= |$))?(?!['’.]\w)", self._roman)  # fmt: skip

    def _roman(self, match: re.Match[str]) -> str | None:
        number = roman_value(match["roman"])
        if not number:
            return None
        word, dot = match["word"], match["dot"] or ""
        if word.lower() in self.WORDS.counted_by_roman:
            said = self.cardinal(number)
        else:
            said = self.of_king(number, word, dotted=bool(dot)) or self.cardinal(number)
        return f"{word} {said}{self.after_king(match) if dot else ''}"

    def of_king(self, number: int, name: str, *, dotted: bool) -> str:
        """Return the number of a king or pope, "" where it is counted."""
        return ""

    def after_king(self, match: re.Match[str]) -> str:
        """Return the full stop behind a Roman number, where it ends the sentence."""
        return "."

    # Abbreviations and signs

    def abbreviations(self) -> Iterator[Rule]:
        words = self.WORDS
        numbered = {**words.before_numbers}
        if numbered:
            yield rule("abbreviation", "a+", rf"(?<![\w.])(?P<name>{any_of(numbered)})\s?(?=\d)",
                       lambda match: f"{numbered[match['name']]} ")  # fmt: skip
        if words.after_numbers:
            yield rule("abbreviation", "a",
                       rf"(?:(?<=\d )|(?<=[{''.join(_VULGAR)}] )|(?<=[{''.join(_VULGAR)}]))(?P<name>{any_of(words.after_numbers)})(?!\w)", self._counted)  # fmt: skip
        if words.before_names:
            named = rf"(?<![\w.])(?P<name>{any_of(words.before_names)})(?=\s[A-ZÀ-Ý])"
            yield rule("abbreviation", "a", named, self._abbreviation)
        every = set(words.abbreviations) - words.before_names
        yield rule("abbreviation", "a+", rf"(?<![\w.])(?P<name>{any_of(every)})(?!\w)",
                   self._abbreviation)  # fmt: skip

    def _abbreviation(self, match: re.Match[str]) -> str:
        name = match["name"]
        said = self.WORDS.abbreviations[name]
        # Where the full stop ends the sentence as well, the sentence keeps it.
        ended = name[-1] == "." and not text_after(match).strip(" \"'»”)")
        return f"{said}." if ended else said

    def _counted(self, match: re.Match[str]) -> str:
        name = match["name"]
        one, _, many = self.WORDS.after_numbers[name].partition("|")
        single = re.search(rf"(?:(?<![\w.,])1|[{''.join(_VULGAR)}]) ?$", text_before(match)[-4:])
        said = one if single or not many else many
        ended = name[-1] == "." and not text_after(match).strip()
        return f"{said}." if ended else said

    def signs(self) -> Iterator[Rule]:
        words = self.WORDS
        yield rule("number", "+", r"(?<!\w)(?:#|№)\s?(?=\d)", f"{words.number} ")
        yield rule("section", "+", r"§§?\s?(?=\d)", f"{words.section} ")
        yield rule("and", "+", r"\s?&\s?(?=\w)", f" {words.both} ")
        yield rule("arrow", "+", r"(?<=\w)\s?(?:→|->|=>)\s?(?=\w)", f" {words.arrow} ")
        yield rule("minus", "+", r"(?<![\w)\]%°€$.,/:])[-–−](?=[$€£]?\s?[.,]?\d)", self._minus_sign)
        yield rule("plus", "+", r"(?<![\w)])\+\s?(?=\d)", f"{words.plus} ")
        yield rule("minus", "+", r"±\s?(?=\d)", f"{words.plus} {words.minus} ")
        yield rule("trademark", "+", "[™®©]", "")

    def _minus_sign(self, match: re.Match[str]) -> str:
        return f"{self.numbers.minus} "

    def cardinals(self) -> Iterator[Rule]:
        yield rule(
            "decimal", "+", r"(?<![\w.,])[.,](?P<fraction>\d+)(?![\w.,])", self._bare_decimal
        )
        yield rule("cardinal", "0",
                   rf"(?<![\w.,])(?P<n>{self.number})(?![^\W⁰¹²³⁴-⁹]|[.,:/]\d)(?:(?=\s(?P<noun>[^\W\d_]+))|)",
                   self._cardinal)  # fmt: skip
        yield rule("digits", "0", r"(?<=[.,:/-])(?<![^\W\d][.,:/-])(?P<n>\d+)(?!\w)|(?<!\w)(?P<first>\d+)(?=[.,:/-])",
                   self._loose_digits)  # fmt: skip

    def _bare_decimal(self, match: re.Match[str]) -> str:
        return f"{self.numbers.point} {self.numbers.digits(match['fraction'])}"

    def _loose_digits(self, match: re.Match[str]) -> str:
        digits = match[0]
        long = len(digits) > 6 or digits[0] == "0"
        return self.numbers.digits(digits) if long else self.cardinal(int(digits))

    def _cardinal(self, match: re.Match[str]) -> str | None:
        digits, noun = match["n"], match["noun"] or ""
        number = self.value(digits)
        if digits.isdecimal():
            if len(digits) > 1 and digits[0] == "0":
                return self.numbers.digits(digits)
            if self.LONG_AGO_AS_HUNDREDS and 1100 <= number < 2000:
                return self.year(int(digits))
        if number % 1 or number >= MAX_WHOLE:
            return self.cardinal(number) or None
        return self.counted(number, noun)

    def counted(self, number: Decimal, noun: str) -> str | None:
        """Return a whole number before `noun`; None where its form depends on what is not known."""
        words, said = self.WORDS, self.cardinal(number)
        if not words.feminine:
            return said
        feminine = noun in words.feminine
        changes = said != self.before_noun(said, feminine=True) or said != self.before_noun(
            said, feminine=False
        )
        if words.scale_of.strip() and number and not number % 1_000_000 and noun:
            return said if noun in ("de", "d", "di") else f"{said}{words.scale_of}".rstrip(" ")
        if not changes or not noun:
            return said
        if feminine or noun in words.masculine:
            return self.before_noun(said, feminine=feminine)
        return self.of_unknown_gender(said, noun)

    def of_unknown_gender(self, said: str, noun: str) -> str | None:
        """Return a number before a noun of unknown gender; None leaves its digits to the voice."""
        return None


def word_before(match: re.Match[str]) -> str:
    """Return the word before a match, "" where another sign stands there."""
    words = re.findall(r"[^\W\d_]+", match.string[max(0, match.start() - 30) : match.start()])
    gap = text_before(match)
    return words[-1] if words and gap.endswith((" ", "\u00a0")) else ""
