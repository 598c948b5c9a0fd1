"""Dutch grammar."""

import re
from collections.abc import Iterator
from decimal import Decimal

from wyoming_tts.text.grammar import Rule, rule
from wyoming_tts.text.language_grammar import LanguageGrammar
from wyoming_tts.text.language_words import Words, words_of
from wyoming_tts.text.sentences import Boundaries

# ruff: noqa: ARG002, E501 - hooks of one shape; patterns on one line; dashes of text


class Dutch(LanguageGrammar):
    """Kings are "de Derde"; a number has one form before every noun."""

    LONG_AGO_AS_HUNDREDS = True
    WORDS = Words(
        to="tot", score="", dot="punt", at="apenstaartje", slash="schuine streep",
        dash="streepje", underscore="laag streepje", plus="plus", minus="minus", times="keer",
        by="gedeeld door", equals="is", per="per", about="ongeveer", number="nummer", both="en",
        times_over="keer", less="minder dan", more="meer dan", at_most="hoogstens",
        at_least="minstens", port="poort", version="versie", section="paragraaf", arrow="naar",
        squared="kwadraat", cubed="tot de derde", power="tot de macht {}", root="wortel van",
        out_of="van de", winds={"N": "noord", "O": "oost", "Z": "zuid", "W": "west"}, wind="wind",
        date="{} {} {}",
        hour="{} uur", clock="{} uur {}", money="{} {}",
        hundredths={"EUR": ("cent", "cent"), "USD": ("cent", "cent"), "GBP": ("penny", "pence")},
        and_part="{} en {}",
        scales=("mln\\.?", "mld\\.?", "miljoen", "miljard", "biljoen", "duizend"),
        ones=("een", "een", "een"),
        abbreviations={
            "dhr.": "de heer", "Dhr.": "De heer", "mevr.": "mevrouw", "Mevr.": "Mevrouw",
            "mw.": "mevrouw", "Mw.": "Mevrouw", "dr.": "dokter", "Dr.": "Dokter",
            "prof.": "professor", "bijv.": "bijvoorbeeld", "bv.": "bijvoorbeeld",
            "enz.": "enzovoort", "o.a.": "onder andere", "d.w.z.": "dat wil zeggen",
            "ca.": "circa", "nr.": "nummer", "tel.": "telefoon", "Tel.": "Telefoon",
            "t/m": "tot en met", "incl.": "inclusief", "excl.": "exclusief", "max.": "maximaal",
            "min.": "minimaal", "m.b.t.": "met betrekking tot", "i.p.v.": "in plaats van",
            "a.u.b.": "alstublieft", "blz.": "bladzijde", "km/u": "kilometer per uur",
            "mln.": "miljoen", "mld.": "miljard", "z.s.m.": "zo snel mogelijk", "ir.": "ingenieur",
            "drs.": "doctorandus", "mr.": "meester", "St.": "Sint", "geb.": "geboren",
            "evt.": "eventueel", "n.a.v.": "naar aanleiding van", "t.a.v.": "ter attentie van",
        },
        before_numbers={"art.": "artikel", "p.": "pagina", "hfst.": "hoofdstuk", "Nr.": "Nummer"},
        after_numbers={"tl": "theelepel|theelepels", "el": "eetlepel|eetlepels",
                       "min.": "minuten", "sec.": "seconden", "u": "uur", "mln": "miljoen",
                       "mln.": "miljoen", "mld.": "miljard",
                       "mld": "miljard", "st.": "stuks", "pers.": "personen"},
        units={
            "″": ("inch", "inch"), "mAh": ("milliampère-uur",) * 2, "km/u": ("kilometer per uur",) * 2, "d": ("dag",
            "dagen"),
            "ppm": ("deel per miljoen", "delen per miljoen"), "mV": ("millivolt",) * 2,
            "km/s": ("kilometer per seconde",) * 2, "psi": ("pond per vierkante inch",) * 2,
            "dB": ("decibel",) * 2, "Wh": ("wattuur",) * 2, "h": ("uur", "uur"),
        },
        before_days=words_of(
            "op vanaf sinds tot maandag dinsdag woensdag donderdag vrijdag zaterdag zondag"
        ),
        counted_by_roman=words_of("hoofdstuk deel type fase figuur"),
        dialled="tel|telefoon|bel",
    )  # fmt: skip

    def own_first(self) -> Iterator[Rule]:
        yield rule("duration", "0", r"(?<![\w.,:])(?P<hours>\d{1,2})u(?P<minutes>[0-5]\d)\b",
                   lambda match: self.clock(int(match["hours"]), int(match["minutes"])))  # fmt: skip
        yield rule("postcode", "0", r"(?<![\w.,])(?P<first>[1-9]\d)(?P<last>\d\d) (?P<letters>[A-Z]{2})\b(?= [A-Z]|[,.]|$)",
                   self._postcode)  # fmt: skip
        yield rule("duration", "0", r"(?<![\w.,])(?P<n>\d{1,2}) ?u(?=\s?\d{1,2} ?m(?:in)?\b|\b)",
                   lambda match: f"{self.cardinal(int(match['n']))} uur ")  # fmt: skip

    def _postcode(self, match: re.Match[str]) -> str:
        last = match["last"]
        rest = self.numbers.digits(last) if last[0] == "0" else self.cardinal(int(last))
        return f"{self.cardinal(int(match['first']))} {rest} {'.'.join(match['letters'])}"

    def clock(self, hour: int, minute: int, second: int = 0) -> str:
        return super().clock(hour, minute, second)

    def half_of_day(self, afternoon: bool, hour: int) -> str:
        if afternoon:
            return " 's middags" if hour % 12 < 6 else " 's avonds"
        return " 's nachts" if hour % 12 < 6 else " 's ochtends"

    def ordinals(self) -> Iterator[Rule]:
        yield rule("ordinal", "0", r"(?<![\w.,])(?P<n>\d{1,4})(?:e|ste|de)\b",
                   lambda match: self.numbers.ordinal(int(match["n"])))  # fmt: skip

    def fraction(self, over: int, under: int, *, noun: bool, feminine: bool) -> str:
        if (over, under) == (1, 2):
            return "een half"
        return f"{self.cardinal(over)} {'kwart' if under == 4 else self.numbers.ordinal(under)}"

    def counted(self, number: Decimal, noun: str) -> str | None:
        return self.cardinal(number)

    def _score(self, match: re.Match[str]) -> str:
        return f"{self.cardinal(int(match['low']))} "

    def of_king(self, number: int, name: str, *, dotted: bool) -> str:
        return f"de {self.numbers.ordinal(number).capitalize()}"


BOUNDARIES = Boundaries(
    abbreviations=words_of(
        "dhr mevr mw dr prof bijv bv enz o.a d.w.z ca tel incl excl max min m.b.t i.p.v a.u.b "
        "mln mld z.s.m ir drs mr st geb evt n.a.v t.a.v nr blz jan feb mrt apr jun jul aug "
        "sep sept okt nov dec ma di wo do vr za zo sec ds jr sr vgl"
    ),
    before_numbers=words_of("art p hfst"),
    starters=words_of(
        "de het een hij zij ze wij we ik jij je u dit dat deze die er en maar of als wanneer "
        "wat wie hoe waar waarom vandaag morgen gisteren nu ja nee dank is zijn heeft hebben "
        "op in van voor met"
    ),
)
"""Full stops in Dutch"""
