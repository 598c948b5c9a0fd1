"""German grammar."""

import re
from collections.abc import Iterator
from decimal import Decimal

from wyoming_tts.text.grammar import Rule, rule, text_after, text_before
from wyoming_tts.text.language_grammar import LanguageGrammar
from wyoming_tts.text.language_words import Words, words_of
from wyoming_tts.text.sentences import Boundaries
from wyoming_tts.text.units import any_of

# ruff: noqa: ARG002, E501, RUF001 - hooks of one shape; patterns on one line; dashes of text

_DATIVE = words_of(
    "am dem den vom zum bis ab seit zur beim nach vor im des einen meinen deinen seinen ihren "
    "unseren jeden diesen jenen keinen meinem deinem seinem ihrem unserem einem jedem diesem ins "
    "durch um für gegen ohne meines seines unseres"
)
_WITH_DATIVE = words_of("in nach vor seit mit von bei aus zu ab")
"""Prepositions before a measure"""
_DIRECT = words_of("der die das jede diese eine meine deine seine ihre unsere welche dieser")
_NEUTER = words_of("ein mein dein sein ihr unser kein")
_STRONG_NEUTER = words_of(
    "Mal Jahr Kind Spiel Tor Kapitel Semester Quartal Lied Bild Buch Haus Zimmer Geschoss Tier"
)
_DAY_LINK = r"\s?[-–]\s?| (?:bis|und|oder)(?: zum)? "


class German(LanguageGrammar):
    """Ordinals have their full stop, and decline with the word before them."""

    LONG_AGO_AS_HUNDREDS = True
    WORDS = Words(
        to="bis", score="zu", dot="Punkt", at="at", slash="Schrägstrich", dash="Bindestrich",
        underscore="Unterstrich", plus="plus", minus="minus", times="mal", by="geteilt durch",
        equals="gleich", per="pro", about="etwa", number="Nummer", both="und", times_over="mal",
        less="weniger als", more="mehr als", at_most="höchstens", at_least="mindestens",
        port="Port", version="Version", section="Paragraf", arrow="nach",
        squared="hoch zwei", cubed="hoch drei", power="hoch {}", root="Wurzel aus",
        out_of="von", winds={"N": "Nord", "O": "Ost", "S": "Süd", "W": "West"}, wind="wind", date="{} {} {}",
        hour="{} Uhr",
        clock="{} Uhr {}", money="{} {}",
        hundredths={
            "EUR": ("Cent", "Cent"), "USD": ("Cent", "Cent"), "GBP": ("Penny", "Pence"),
            "CHF": ("Rappen", "Rappen"),
        },
        and_part="{} {}",
        scales=("Mio\\.?", "Mrd\\.?", "Million(?:en)?", "Milliarden?", "Billionen?", "Tausend",
                "millionen?", "milliarden?"),
        ones=("eins", "ein", "eine"),
        feminine=words_of(
            "Stunde Minute Sekunde Woche Person Million Milliarde Tonne Kalorie Nachricht Lampe "
            "Meile Aufgabe Tasse Flasche Mail Frage Seite Portion Packung Dose Scheibe Etage Tür "
            "Std Min Sek Stunden Minuten Sekunden Wochen Personen Nachrichten Kilowattstunde"
        ),
        masculine=words_of(
            "Tag Monat Jahr Euro Cent Dollar Grad Prozent Liter Meter Kilometer Kilogramm Gramm "
            "Termin Timer Wecker Licht Fenster Raum Zimmer Gerät Mal Uhr Kilo Pfund Franken Stück "
            "Teelöffel Esslöffel Glas Becher Punkt Mann Kind"
        ),
        abbreviations={
            "z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "d. h.": "das heißt",
            "d.h.": "das heißt", "u. a.": "unter anderem", "u.a.": "unter anderem",
            "bzw.": "beziehungsweise", "usw.": "und so weiter", "ca.": "circa", "Dr.": "Doktor",
            "Prof.": "Professor", "Nr.": "Nummer", "inkl.": "inklusive", "exkl.": "exklusive",
            "ggf.": "gegebenenfalls", "evtl.": "eventuell", "Tel.": "Telefon", "Std.": "Stunden",
            "Sek.": "Sekunden", "max.": "maximal", "min.": "minimal", "vgl.": "vergleiche",
            "Str.": "Straße", "Mio.": "Millionen", "Mrd.": "Milliarden",
            "o. Ä.": "oder Ähnliches", "zzgl.": "zuzüglich", "u.v.m.": "und vieles mehr",
            "Abb.": "Abbildung", "MwSt.": "Mehrwertsteuer", "gem.": "gemäß", "Jh.": "Jahrhundert",
            "St.": "Sankt", "Hr.": "Herr", "Fr.": "Frau", "Dipl.": "Diplom", "Ing.": "Ingenieur",
            "med.": "med", "mind.": "mindestens", "geb.": "geboren", "gest.": "gestorben",
            "Bsp.": "Beispiel", "bspw.": "beispielsweise", "Hl.": "Heiliger", "hl.": "heilige",
            "Proz.": "Prozent", "Hausnr.": "Hausnummer", "usf.": "und so fort", "etc.": "et cetera",
            "Min.": "Minuten", "sog.": "sogenannte", "allg.": "allgemein", "insb.": "insbesondere",
            "Pkt.": "Punkt", "Bd.": "Band", "Aufl.": "Auflage", "Hbf.": "Hauptbahnhof",
            "Hbf": "Hauptbahnhof", "abzgl.": "abzüglich", "tägl.": "täglich",
            "u. U.": "unter Umständen",
            "u.": "und", "i. d. R.": "in der Regel", "i.d.R.": "in der Regel", "s. o.": "siehe oben",
        },
        before_names=frozenset({"Fr.", "Hr.", "St.", "Hl.", "hl."}),
        before_numbers={
            "Kap.": "Kapitel", "Abs.": "Absatz", "Art.": "Artikel", "Gr.": "Größe", "S.": "Seite",
            "Nr": "Nummer", "Ziff.": "Ziffer", "Bhf.": "Bahnhof", "Jg.": "Jahrgang",
            "Zi.": "Zimmer", "nr.": "Nummer", "Tel": "Telefon",
        },
        after_numbers={
            "St.": "Stück", "Stk.": "Stück", "Std.": "Stunde|Stunden", "Std": "Stunde|Stunden",
            "Min.": "Minute|Minuten", "Min": "Minute|Minuten", "Sek.": "Sekunde|Sekunden",
            "Mio.": "Millionen", "Mrd.": "Milliarden",
            "Pck.": "Päckchen", "Pkg.": "Packung|Packungen", "Msp.": "Messerspitze",
            "Mio": "Millionen", "Mrd": "Milliarden", "Tsd.": "Tausend", "Pers.": "Personen",
            "Jh.": "Jahrhundert", "J.": "Jahre", "Mon.": "Monate", "Wo.": "Wochen",
            "Proz.": "Prozent", "EL": "Esslöffel", "TL": "Teelöffel",
        },
        units={
            "mAh": ("Milliamperestunde", "Milliamperestunden"), "Ah": ("Amperestunde",
            "Amperestunden"),
            "ppm": ("Teil pro Million", "Teile pro Million"), "mv": ("Millivolt", "Millivolt"),
            "mV": ("Millivolt", "Millivolt"), "km/s": ("Kilometer pro Sekunde",) * 2,
            "Wh": ("Wattstunde", "Wattstunden"), "MWh": ("Megawattstunde", "Megawattstunden"),
            "dB": ("Dezibel",) * 2, "t": ("Tonne", "Tonnen"), "bpm": ("Schlag pro Minute",
            "Schläge pro Minute"),
            "Zoll": ("Zoll",) * 2,
        },
        before_days=words_of("am den dem vom bis zum ab seit der beim und oder bis"),
        counted_by_roman=words_of("kapitel teil band akt klasse typ phase artikel bild tabelle"),
        dialled="tel|telefon|ruf|nummer",
    )  # fmt: skip

    def own_first(self) -> Iterator[Rule]:
        months = any_of(self.months)
        yield rule("duration", "0", r"(?<![\d:.])(?P<hours>\d{1,2}):(?P<minutes>\d\d) ?(?:h|Std\.?|Stunden)(?!\w)",
                   self._duration)  # fmt: skip
        yield rule("decade", "0", r"(?<![\w.,])(?P<year>(?:1[1-9]|20)\d0|[2-9]0)er\b",
                   lambda match: f"{self.numbers.year(int(match['year']))}er")  # fmt: skip
        yield rule("percent", "0", rf"(?<![\w.,])(?P<n>{self.number})\s?%-?ige(?P<end>[rsnm]?)\b",
                   lambda match: f"{self.cardinal(self.value(match['n']))}prozentige{match['end']}")  # fmt: skip
        yield rule("number", "a", r"\b(?P<name>[A-ZÄÖÜ][a-zäöüß]+)nr\.(?=\s)", r"\g<name>nummer")
        yield rule("postcode", "0", r"(?<=, )(?P<n>\d{5})(?= [A-ZÄÖÜ][a-zäöü])",
                   lambda match: self.numbers.digits(match["n"]))  # fmt: skip
        yield rule("duration", "0", r"(?<![\d:.])(?P<minutes>\d{1,2}):(?P<seconds>[0-5]\d) ?(?:Min\b\.?|min\b|Minuten)",
                   self._minutes)  # fmt: skip
        yield rule("street", "a", r"\b(?P<name>[A-ZÄÖÜ][a-zäöüß]+)str\.(?=\s|$|,)", self._street)
        yield rule("date", "0",
                   rf"(?<![\w.])(?P<day>\d{{1,2}})\.(?P<to>{_DAY_LINK})(?=\d{{1,2}}\.(?: (?:{months})\b|\d))",
                   self._first_day)  # fmt: skip
        yield rule("date", "0", r"(?<![\w.,])(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?!\d)",
                   self._day_with_stops)  # fmt: skip

    def _duration(self, match: re.Match[str]) -> str:
        hours = self.measure(Decimal(match["hours"]), "h")
        return f"{hours} {self.measure(Decimal(match['minutes']), 'min')}"

    def _minutes(self, match: re.Match[str]) -> str:
        parts = [(match["minutes"], "min"), (match["seconds"], "s")]
        return (
            " ".join(self.measure(Decimal(n), unit) for n, unit in parts if int(n))
            or "null Minuten"
        )

    def _street(self, match: re.Match[str]) -> str:
        return f"{match['name']}straße"

    def _first_day(self, match: re.Match[str]) -> str | None:
        """Read the first day of "3. bis 7. Mai", which is an ordinal as well."""
        if not 1 <= int(match["day"]) <= 31:
            return None
        to = match["to"] if match["to"].strip(" -–") else " bis "
        before = self._before(match).lower()
        alone = not text_before(match).strip()
        form = self.declined(int(match["day"]), before if alone or before in _DIRECT else "vom")
        return f"{form}{to}"

    def _day_with_stops(self, match: re.Match[str]) -> str | None:
        named = self._before(match).lower() in (
            "version",
            "kapitel",
            "abschnitt",
            "punkt",
            "absatz",
        )
        if named or not self.is_day(match["day"], match["month"]):
            return None
        said = self.short_date(int(match["day"]), int(match["month"]), match)
        return said if text_after(match).strip() else f"{said}."

    def _before(self, match: re.Match[str]) -> str:
        """Return the word before a match, the first of a range before the second."""
        before = text_before(match).rstrip()
        if re.match(r"\s*\d{1,2}\.(?:\s?[-–]|\s(?:bis|und|oder)(?: zum)?)$", before):
            return ""
        before = re.sub(r"\d{1,2}\.(?:\s?[-–]|\s(?:bis|und|oder)(?: zum)?)$", "vom", before)
        word = re.search(r"([^\W\d_]+)$", before[-30:])
        return word[1] if word else ""

    def ordinals(self) -> Iterator[Rule]:
        yield rule(
            "ordinal",
            "0",
            r"(?<![\w.,:/])(?P<n>\d{1,4})\.(?=\s+[^\W\d_]|\s+\d{1,2}\.)",
            self._ordinal,
        )
        yield rule("ordinal", "0", r"(?<![\w.,:/])(?P<n>\d{1,4})\.(?=\s*$)", self._last_ordinal)
        yield rule(
            "ordinal", "0", r"(?<![\w.,])(?P<n>\d{1,4})(?P<end>t?e[rnms]?)\b", self._suffixed
        )

    def _ordinal(self, match: re.Match[str]) -> str | None:
        noun = re.match(r"\s+([^\W\d_]+)", text_after(match))
        if (
            noun
            and noun[1].lower() in ("der", "die", "das", "es", "ich", "sie", "er", "wir")
            and (noun[1][0].isupper())
        ):
            return None
        before = self._before(match)
        if before.lower() in _NEUTER and noun and noun[1] in _STRONG_NEUTER:
            return self.numbers.ordinal(int(match["n"]), "s")
        return self.declined(int(match["n"]), before.lower())

    def _last_ordinal(self, match: re.Match[str]) -> str | None:
        """Read a number and the full stop at the very end, an ordinal behind an article alone."""
        before = self._before(match).lower()
        alone = not text_before(match).strip()
        dative = before in ("am", "vom", "zum", "beim", "dem", "den")
        if alone or dative or before in ("der", "die", "das"):
            return self.declined(int(match["n"]), before) + ("" if alone else ".")
        return None

    def _suffixed(self, match: re.Match[str]) -> str | None:
        end = match["end"].removeprefix("t").removeprefix("e")
        if not match["end"].startswith("te") and match["end"] != "e":
            return None
        return (
            self.numbers.ordinal(int(match["n"]), end)
            if end
            else self.numbers.ordinal(int(match["n"]))
        )

    def declined(self, number: int, before: str) -> str:
        """Return "dritter", "dritten" or "dritte", by the word before it."""
        if before in _DATIVE:
            return self.numbers.ordinal(number, "n")
        return (
            self.numbers.ordinal(number) if before in _DIRECT else self.numbers.ordinal(number, "r")
        )

    def day(self, day: int, match: re.Match[str]) -> str:
        return self.declined(day, self._before(match).lower())

    def before_noun(self, said: str, *, feminine: bool) -> str:
        if said.endswith("eins"):
            return said[:-1] + ("e" if feminine else "")
        return said

    def of_unknown_gender(self, said: str, noun: str) -> str | None:
        """The ending of an adjective tells: "eine neue", "ein neuer", "ein neues"."""
        if said == "eins" and noun.islower() and noun.endswith(("e", "er", "es")):
            return "eine" if noun.endswith("e") else "ein"
        return None

    def _measure(self, match: re.Match[str]) -> str | None:
        said = super()._measure(match)
        if said is None or self._before(match).lower() not in _WITH_DATIVE:
            return said
        said = re.sub(r"^ein(e?) ", lambda one: f"ein{'er' if one[1] else 'em'} ", said)
        return re.sub(r"(?<=[mM]eter)$", "n", said) if not said.startswith("einem ") else said

    def _cardinal(self, match: re.Match[str]) -> str | None:
        said = super()._cardinal(match)
        if said in ("ein", "eine") and self._before(match).lower() in _WITH_DATIVE:
            return "einer" if said == "eine" else "einem"
        return said

    def hour_number(self, hour: int) -> str:
        return "ein" if hour == 1 else self.cardinal(hour)

    def measure(self, number: Decimal, unit: str, words: str | None = None) -> str:
        said = super().measure(number, unit, words)
        return re.sub(r"^ein (?=\w+(?:stunde|sekunde|minute)\b)", "eine ", said)

    def fraction(self, over: int, under: int, *, noun: bool, feminine: bool) -> str:
        if (over, under) == (1, 2):
            if not noun:
                return "ein halb"
            return "eine halbe" if feminine else "ein halber"
        part = f"{self.numbers.ordinal(under)[:-1]}el".capitalize()
        return f"{self.before_noun(self.cardinal(over), feminine=False)} {part}"

    def mixed_fraction(self, whole: int, over: int, under: int) -> str:
        if (over, under) == (1, 2):
            return f"{self.before_noun(self.cardinal(whole), feminine=False)}einhalb"
        return super().mixed_fraction(whole, over, under)

    def of_king(self, number: int, name: str, *, dotted: bool) -> str:
        return f"der {self.numbers.ordinal(number).capitalize()}" if dotted else ""

    def after_king(self, match: re.Match[str]) -> str:
        return "" if text_after(match).strip() else "."

    def amount(self, number: Decimal, code: str) -> str | None:
        said = super().amount(number, code)
        return said and said.replace("US-Dollar", "Dollar")

    def _money(self, match: re.Match[str]) -> str | None:
        said = super()._money(match)
        return said and said.replace("US-Dollar", "Dollar")

    def half_of_day(self, afternoon: bool, hour: int) -> str:
        if afternoon:
            return " nachmittags" if hour % 12 < 6 else " abends"
        return " nachts" if hour % 12 < 5 else " morgens"


BOUNDARIES = Boundaries(
    abbreviations=words_of(
        "z.b d.h u.a bzw usw ca dr prof inkl exkl ggf evtl tel std sek max min vgl mio mrd "
        "zzgl abzgl abb mwst gem jh st hr fr frl dipl ing med mind geb gest bsp bspw hl proz "
        "hausnr nr usf etc sog allg insb pkt bd aufl hbf tägl str tsd stk pers resp co kg u.u "
        "i.d.r s.o jan feb apr jun jul aug sept sep okt nov dez mo di mi do sa so kap abs art "
        "pck pkg msp u gr ziff zi jg a.d b.sc m.sc m.a b.a phil jur rer nat habil h.c univ"
    ),
    before_numbers=words_of("s bhf"),
    starters=words_of(
        "der die das ein eine es ich er sie wir ihr du man dies diese dieser und aber oder "
        "denn dann doch also wenn weil was wer wie wo wann warum heute morgen gestern jetzt "
        "hier dort ja nein bitte danke soll kann möchten möchtest ist sind hat haben mein "
        "dein sein unser alle alles in im am auf bei mit nach von zu für"
    ),
    suffixes=("str", "nr"),
    ordinal_stop=True,
    determiners=(_DATIVE | _DIRECT | _NEUTER)
    - words_of("um für ohne gegen durch nach vor ab bis seit ins"),
)
"""Full stops in German"""
