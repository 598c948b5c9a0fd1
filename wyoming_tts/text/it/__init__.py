"""Italian grammar."""

import re
from collections.abc import Iterator
from decimal import Decimal

from wyoming_tts.text.grammar import Rule, rule, text_after, text_before
from wyoming_tts.text.language_grammar import LanguageGrammar
from wyoming_tts.text.language_words import Words, words_of
from wyoming_tts.text.numbers import roman_value
from wyoming_tts.text.sentences import Boundaries

# ruff: noqa: ARG002, E501, RUF001 - hooks of one shape; patterns on one line; dashes of text

_PREPOSITION = re.compile(
    r"(?i)\b(?:di|a|da|in|con|su|per|tra|fra|entro|dopo|ogni|circa|oltre|i|gli|le|il|la|lo|dei|delle|"
    r"degli|ai|alle|nei|nelle|dai|dalle|sui|sulle) $"
)


_FIRST_OF_MONTH = re.compile(r"(?i)\b(?:il|al|dal|del|nel|entro il) $")


class Italian(LanguageGrammar):
    """A range is "da due a quattro", and "due, quattro" behind another preposition."""

    FEMININE_UNITS = frozenset({"h", "hr", "kcal", "cal", "lb", "lbs", "oz", "t"})
    WORDS = Words(
        to="", score="a", dot="punto", at="chiocciola", slash="barra", dash="trattino",
        underscore="trattino basso", plus="più", minus="meno", times="per", by="diviso",
        equals="uguale a", per="al", about="circa", number="numero", both="e", times_over="volte",
        less="meno di", more="più di", at_most="al massimo", at_least="almeno", port="porta",
        version="versione", section="paragrafo", arrow="a",
        squared="al quadrato", cubed="al cubo", power="elevato a {}", root="radice quadrata di",
        out_of="su", winds={"N": "nord ", "E": "est ", "S": "sud ", "O": "ovest "}, wind="vento", date="{} {} {}", hour="{}",
        clock="{} e {}",
        money="{} e {}",
        hundredths={
            "EUR": ("centesimo", "centesimi"), "USD": ("centesimo", "centesimi"), "GBP": ("penny",
            "penny"),
            "CHF": ("centesimo", "centesimi"), "RUB": ("copeca", "copechi"),
        },
        and_part="{} e {}", scales=("mln", "mld", "milion[ei]", "miliard[oi]", "mila"),
        scale_of=" di ", first_day="primo", ones=("uno", "un", "una"),
        feminine=words_of(
            "ora settimana persona volta pagina tonnellata caloria tazza bottiglia luce lampada "
            "domanda camera notte libbra finestra porta cosa"
        ),
        masculine=words_of(
            "minuto giorno mese euro centesimo dollaro grado litro metro chilometro chilo grammo "
            "chilogrammo libro messaggio punto passo bambino timer utente prodotto"
        ),
        abbreviations={
            "Sig.": "Signor", "Sig.ra": "Signora", "Sig.na": "Signorina", "Dott.": "Dottor",
            "Dott.ssa": "Dottoressa", "Prof.": "Professor", "Prof.ssa": "Professoressa",
            "dott.": "dottor",
            "sig.": "signor", "sig.ra": "signora", "prof.": "professor",
            "Ing.": "Ingegner", "Avv.": "Avvocato", "avv.": "avvocato", "ecc.": "eccetera",
            "p. es.": "per esempio", "p.es.": "per esempio", "ad es.": "ad esempio",
            "tel.": "telefono",
            "Tel.": "Telefono", "max.": "massimo", "min.": "minimo", "pag.": "pagina",
            "ca.": "circa",
            "es.": "esempio", "v.le": "viale", "V.le": "Viale", "p.zza": "piazza",
            "P.zza": "Piazza",
            "a.C.": "avanti Cristo", "d.C.": "dopo Cristo", "geom.": "geometra",
            "rag.": "ragioniere",
        },
        before_numbers={"n.": "numero", "N.": "Numero", "nr.": "numero", "n°": "numero",
                        "N°": "Numero",
                        "pagg.": "pagine", "p.": "pagina", "art.": "articolo", "cap.": "capitolo",
                        "vol.": "volume", "fig.": "figura"},
        after_numbers={"min.": "minuti", "sec.": "secondi", "mln": "milioni", "mld": "miliardi",
                       "gg": "giorni"},
        units={"mAh": ("milliampere ora",) * 2, "km/s": ("chilometro al secondo",
               "chilometri al secondo"),
               "d": ("giorno", "giorni"), "mV": ("millivolt",) * 2, "dB": ("decibel",) * 2,
               "Wh": ("wattora",) * 2, "t": ("tonnellata", "tonnellate"), "gg": ("giorno",
               "giorni"),
               "m²": ("metro quadrato", "metri quadrati"), "mq": ("metro quadrato",
               "metri quadrati")},
        before_days=words_of(
            "il dal al del entro giorno lunedì martedì mercoledì giovedì venerdì sabato domenica"
        ),
        counted_by_roman=words_of("capitolo volume atto parte tipo fase figura titolo libro"),
        dialled="tel|telefono|cell",
    )  # fmt: skip

    def own_first(self) -> Iterator[Rule]:
        yield rule("fraction", "0", r"(?<![\w/.,])(?P<whole>\d{1,2}) ?(?:½|1/2) (?P<noun>[^\W\d_]{2,20})\b(?!\.)",
                   self._and_a_half)  # fmt: skip
        yield rule("decade", "+", r"(?<!\w)['’](?=\d\d\b)", "")
        yield rule(
            "telephone",
            "0",
            r"(?<![\w.,+])[36789]\d{2}(?: \d{2,4}){2,3}\b(?![.,]?\d)",
            self._groups,
        )
        yield rule("century", "a", r"\b(?P<roman>[IVXLC]+) (?=secolo\b)", self._century)
        yield rule("hour", "0", r"(?<![\w.,])1 (?=ora\b)", "un'")
        yield rule("hour", "a", r"\b(?P<article>[Ll])['’](?=1:)", r"\g<article>'")

    def _groups(self, match: re.Match[str]) -> str | None:
        return self.phone(match[0]) if 9 <= len(re.sub(r"\D", "", match[0])) <= 10 else None

    def _century(self, match: re.Match[str]) -> str | None:
        number = roman_value(match["roman"])
        return f"{self.numbers.ordinal(number, 'masculine')} " if number else None

    def per(self, unit: str) -> str:
        return " all'" if unit[0].lower() in "aeiou" else super().per(unit)

    def hour_number(self, hour: int) -> str:
        return "una" if hour == 1 else self.cardinal(hour)

    def clock(self, hour: int, minute: int, second: int = 0) -> str:
        return super().clock(hour, minute, second)

    def half_of_day(self, afternoon: bool, hour: int) -> str:
        if afternoon:
            return " del pomeriggio" if hour % 12 < 6 else " di sera"
        return " di mattina"

    def ordinals(self) -> Iterator[Rule]:
        yield rule("ordinal", "0", r"(?<![\w.,])(?P<n>\d{1,3}(?:\.\d{3})*|\d{1,6})(?P<end>[ºª]|°(?!\s?[CFK\d]))",
                   self._ordinal)  # fmt: skip

    def _ordinal(self, match: re.Match[str]) -> str | None:
        number = int(match["n"].replace(".", ""))
        following = text_after(match)
        if match["end"] == "°" and not re.match(r"\s[^\W\d_]|[.,;]?\s*$", following):
            return None
        if number == 1 and _FIRST_OF_MONTH.search(text_before(match)):
            return "primo"
        if match["end"] == "°" and not following.strip() and text_before(match).strip():
            return None  # degrees
        return self.numbers.ordinal(number, "feminine" if match["end"] == "ª" else "masculine")

    def range(self, low: str, first: Decimal, last: Decimal, match: re.Match[str]) -> str:
        if last == first + 1:
            return f"{low} o "
        return f"{low}, " if _PREPOSITION.search(text_before(match)) else f"da {low} a "

    def measure(self, number: Decimal, unit: str, words: str | None = None) -> str:
        return super().measure(number, unit, words).replace("una ora", "un'ora")

    def counted(self, number: Decimal, noun: str) -> str | None:
        return super().counted(number, noun)

    def of_unknown_gender(self, said: str, noun: str) -> str | None:
        if said != "uno" or noun[-1] not in "oa":
            return None
        if noun.endswith("a"):
            return "un'" if noun[0] in "aeiou" else "una"
        return "uno" if re.match(r"s[^aeiou]|z|gn|ps|x|y", noun) else "un"

    def _and_a_half(self, match: re.Match[str]) -> str | None:
        """The half stands behind the noun: "una tazza e mezza"."""
        noun = match["noun"]
        feminine = noun in self.WORDS.feminine or f"{noun[:-1]}a" in self.WORDS.feminine
        if not feminine and noun not in self.WORDS.masculine:
            return None
        if match["whole"] == "1":
            noun = noun[:-1] + ("a" if feminine else "o")
        half = "e mezza" if feminine else "e mezzo"
        return f"{self.count(Decimal(match['whole']), feminine=feminine)} {noun} {half}"

    def fraction(self, over: int, under: int, *, noun: bool, feminine: bool) -> str:
        said = self.before_noun(self.cardinal(over), feminine=False)
        if (over, under) == (1, 2):
            return "mezza" if noun and feminine else "mezzo"
        name = (
            "mezzo"
            if under == 2
            else "quarto"
            if under == 4
            else self.numbers.ordinal(under, "masculine")
        )
        return f"{said} {name[:-1]}{'i' if over > 1 else 'o'}"

    def of_king(self, number: int, name: str, *, dotted: bool) -> str:
        return self.numbers.ordinal(number, "feminine" if name.endswith("a") else "masculine")


BOUNDARIES = Boundaries(
    abbreviations=words_of(
        "sig sig.ra sig.na dott dott.ssa prof prof.ssa ing avv ecc p.es es tel max min pag ca "
        "v.le p.zza geom rag gen feb mar apr giu lug ago set ott nov dic sec a.c d.c s spett "
        "egr gent"
    ),
    before_numbers=words_of("n nr pagg p art cap vol fig"),
    starters=words_of(
        "il lo la i gli le un una uno è sono ha hanno c'è ci io tu lui lei noi voi loro "
        "questo questa e ma o se quando che chi come dove perché oggi domani ieri ora sì no "
        "grazie in al del"
    ),
)
"""Full stops in Italian"""
