"""Spanish grammar."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

from wyoming_tts.text.grammar import Rule, rule, text_after, text_before
from wyoming_tts.text.language_grammar import LanguageGrammar, word_before
from wyoming_tts.text.language_words import Words, words_of
from wyoming_tts.text.numbers import roman_value
from wyoming_tts.text.sentences import Boundaries

# ruff: noqa: ARG002, E501, RUF001 - hooks of one shape; patterns on one line; dashes of text

_SUFFIXES = {"º": "masculine", "o": "masculine", "°": "masculine", "ª": "feminine", "a": "feminine",
             "er": "masculine-adjective"}  # fmt: skip
_SHORTENED = (("decimoprimero", "undécimo"), ("decimosegundo", "duodécimo"), ("decimoprimera", "undécima"),
              ("decimosegunda", "duodécima"), ("octingésim", "octingentésim"))  # fmt: skip

_OF_HER = words_of("las unas estas esas aquellas todas otras algunas")
_OF_HIM = words_of("los unos estos esos aquellos todos otros algunos")
_NO_NOUNS = words_of("a con de del en o que u y mientras apenas menos")


class Spanish(LanguageGrammar):
    """Numbers have a gender; the hundredths of an hour have names of their own."""

    SPACED = r" \d{3}(?: \d{3})*"
    FEMININE_UNITS = frozenset({"h", "hr", "kcal", "cal", "lb", "lbs", "oz", "mi", "mph", "t"})
    WORDS = Words(
        to="a", score="a", dot="punto", at="arroba", slash="barra", dash="guion",
        underscore="guion bajo", plus="más", minus="menos", times="por", by="entre",
        equals="igual a", per="por", about="unos", number="número", both="y", times_over="veces",
        less="menos de", more="más de", at_most="como máximo", at_least="al menos", port="puerto",
        version="versión", section="sección", arrow="a",
        squared="al cuadrado", cubed="al cubo", power="elevado a {}", root="raíz cuadrada de",
        out_of="sobre", winds={"N": "nor", "E": "este", "S": "sur", "O": "oeste"}, wind="viento", date="{} de {} de {}", hour="{}",
        clock="{} y {}",
        money="{} con {}",
        hundredths={
            "EUR": ("céntimo", "céntimos"), "USD": ("centavo", "centavos"), "GBP": ("penique",
            "peniques"),
            "MXN": ("centavo", "centavos"), "JPY": ("centavo", "centavos"), "CHF": ("céntimo",
            "céntimos"),
            "ARS": ("centavo", "centavos"), "COP": ("centavo", "centavos"), "BRL": ("centavo",
            "centavos"),
        },
        and_part="{} y {}",
        scales=("mil millones", "millones", "millón", "billones", "billón", "trillones", "mil",
                "mill?\\.", "M(?=€)"),
        scale_of=" de ", ones=("uno", "un", "una"),
        feminine=words_of(
            "hora horas semana semanas persona personas vez veces página páginas tonelada "
            "toneladas caloría calorías taza tazas botella botellas luz luces lámpara lámparas "
            "pregunta preguntas habitación habitaciones noche noches milla millas libra libras "
            "ventana ventanas puerta puertas cosa cosas tarea tareas copia copias"
        ),
        masculine=words_of(
            "minuto minutos segundo segundos día días mes meses año años euro euros céntimo "
            "dólar dólares grado grados litro litros metro metros kilómetro kilómetros kilo kilos "
            "gramo gramos kilogramo libro libros mensaje mensajes punto puntos paso pasos niño "
            "niños temporizador usuario usuarios producto productos hombre hombres"
        ),
        abbreviations={
            "Sr.": "Señor", "Sra.": "Señora", "Srta.": "Señorita", "Sres.": "Señores",
            "Dr.": "Doctor", "Dra.": "Doctora", "D.": "Don", "Dña.": "Doña", "dr.": "doctor",
            "dra.": "doctora", "sr.": "señor", "sra.": "señora", "da.": "doña", "D.ª": "Doña",
            "p. ej.": "por ejemplo", "p.ej.": "por ejemplo", "Ud.": "usted", "Uds.": "ustedes",
            "Tel.": "Teléfono", "tel.": "teléfono", "aprox.": "aproximadamente",
            "máx.": "máximo", "mín.": "mínimo", "Avda.": "Avenida", "avda.": "avenida",
            "n.º": "número",
            "núm.": "número", "EE. UU.": "Estados Unidos", "ee. uu.": "estados unidos",
            "EE.UU.": "Estados Unidos",
            "pág.": "página", "etc.": "etcétera", "ed.": "edición", "c.º": "camino",
            "C.º": "Camino",
            "Prof.": "Profesor", "prof.": "profesor", "gral.": "general", "Gral.": "General",
            "a. C.": "antes de Cristo", "d. C.": "después de Cristo", "a.C.": "antes de Cristo",
            "d.C.": "después de Cristo", "dcha.": "derecha", "izda.": "izquierda",
            "dpto.": "departamento",
        },
        before_names=frozenset({"D.", "da."}),
        before_numbers={"n.º": "número", "nº": "número", "Nº": "Número", "N.º": "Número",
                        "págs.": "páginas",
                        "p.": "página", "art.": "artículo", "cap.": "capítulo", "vol.": "volumen",
                        "c/": "calle", "C/": "Calle", "fig.": "figura"},
        after_numbers={"cdta.": "cucharadita|cucharaditas", "cda.": "cucharada|cucharadas",
                       "cdas.": "cucharadas", "cdtas.": "cucharaditas", "min.": "minutos", "seg.": "segundos", "seg": "segundos",
                       "mill.": "millones",
                       "hs": "horas", "hs.": "horas", "M": "millones"},
        units={"mAh": ("miliamperio hora", "miliamperios hora"), "km/s": ("kilómetro por segundo",
               "kilómetros por segundo"),
               "° k": ("grado kelvin", "grados kelvin"), "°K": ("grado kelvin", "grados kelvin"),
               "mV": ("milivoltio", "milivoltios"),
               "seg": ("segundo", "segundos"), "dB": ("decibelio", "decibelios"),
               "Wh": ("vatio hora", "vatios hora"),
               "t": ("tonelada", "toneladas")},
        before_days=words_of(
            "el del al desde hasta día lunes martes miércoles jueves viernes sábado domingo"
        ),
        counted_by_roman=words_of(
            "capítulo tomo acto parte volumen siglo tipo fase figura título libro"
        ),
        dialled="tel|teléfono|tfno|llam",
    )  # fmt: skip

    def own_first(self) -> Iterator[Rule]:
        yield rule("fraction", "0", r"(?<![\w/.,])(?P<whole>\d{1,2}) ?(?:½|1/2) (?P<noun>[^\W\d_]{2,20})\b(?!\.)",
                   self._and_a_half)  # fmt: skip
        yield rule("decade", "+", r"(?<!\w)['’](?=\d\d\b)", "")
        yield rule(
            "time",
            "0",
            r"(?<![\w:.,])(?P<hour>[01]?\d|2[0-4])[.:](?P<minute>[0-5]\d) ?h\b",
            self._time,
        )
        yield rule(
            "telephone", "0", r"(?<![\w.,+])[6789]\d{2}(?: \d{2,4}){2,3}\b(?![.,]?\d)", self._groups
        )
        yield rule("century", "a", r"(?i)\bsiglo (?P<roman>[ivxlc]{1,6})\b", self._century)
        yield rule(
            "roman",
            "a",
            r"\b(?P<before>[Ee]l|[Ll]a) (?P<roman>[IVX]{1,6}) (?=[a-zñáéíóú]{3})",
            self._place,
        )

    def _groups(self, match: re.Match[str]) -> str | None:
        return self.phone(match[0]) if 9 <= len(re.sub(r"\D", "", match[0])) <= 10 else None

    def _century(self, match: re.Match[str]) -> str | None:
        number = roman_value(match["roman"].upper())
        return f"{match[0].split()[0]} {self.cardinal(number)}" if number else None

    def _place(self, match: re.Match[str]) -> str | None:
        """Read "el XI apóstol", "la II Guerra"."""
        number = roman_value(match["roman"])
        form = "feminine" if match["before"].lower() == "la" else "masculine-adjective"
        return f"{match['before']} {self.ordinal(number, form)} " if number else None

    def before_noun(self, said: str, *, feminine: bool) -> str:
        if said == "uno":
            return "una" if feminine else "un"
        if feminine:
            said = re.sub(r"cientos\b", "cientas", said.replace("quinientos", "quinientas"))
        if said.endswith("veintiuno"):
            return said[:-9] + ("veintiuna" if feminine else "veintiún")
        if said.endswith(" uno"):
            return said[:-1] + "a" if feminine else said[:-1]
        return said

    def _cardinal(self, match: re.Match[str]) -> str | None:
        """An article tells the gender of what is counted, and "las 21" is an hour."""
        article, noun = word_before(match).lower(), match["noun"] or ""
        number = self.value(match["n"])
        counts = article in _OF_HER or (article in _OF_HIM and noun and noun not in _NO_NOUNS)
        if counts and match["n"][0] != "0" and not number % 1 and number < 1_000_000:
            return self.before_noun(self.cardinal(number), feminine=article in _OF_HER)
        return super()._cardinal(match)

    def of_unknown_gender(self, said: str, noun: str) -> str | None:
        """The ending of a plural tells, but for "problemas" and their like."""
        plural = said != "uno" and len(noun) > 3 and noun not in _NO_NOUNS
        if not plural or noun.endswith(("amas", "emas", "omas", "istas", "etas")):
            return None
        if noun.endswith(("as", "os")):
            return self.before_noun(said, feminine=noun.endswith("as"))
        return None

    def hour_number(self, hour: int) -> str:
        return self.before_noun(self.cardinal(hour), feminine=hour in (1, 21))

    def half_of_day(self, afternoon: bool, hour: int) -> str:
        if afternoon:
            return " de la tarde" if hour % 12 < 8 else " de la noche"
        return " de la noche" if hour == 12 else " de la mañana"

    def of_month(self, written: str) -> str:
        return " de "

    def short_date(self, day: int, month: int, match: re.Match[str]) -> str:
        return f"{self.day(day, match)} de {self.month_name(month)}"

    def ordinals(self) -> Iterator[Rule]:
        yield rule("ordinal", "0",
                   r"(?<![\w.,])(?P<n>\d{1,3}(?:[ .]\d{3})+|\d{1,6})\.?(?P<end>[ºª]|er\b|°(?!\s?[CFKNSEO\d]))",
                   self._ordinal)  # fmt: skip

    def _ordinal(self, match: re.Match[str]) -> str | None:
        number, end = int(re.sub(r"\D", "", match["n"])), match["end"]
        if end == "°" and (text_before(match).strip() or text_after(match).strip()):
            return None  # degrees
        form = _SUFFIXES[end]
        following = match.string[match.end() : match.end() + 2]
        if form == "masculine" and following[:1] == " " and following[1:].isalpha():
            form = "masculine-adjective"  # before a masculine noun the first and third are shorter
        return self.ordinal(number, form)

    def ordinal(self, number: int, form: str) -> str:
        """Return an ordinal; multiples of a thousand are one word."""
        if number >= 2000 and not number % 1000:
            scale = "milésima" if form == "feminine" else "milésimo"
            if number % 1_000_000:
                return (
                    f"{self.cardinal(number // 1000).replace(' y ', 'i').replace(' ', '')}{scale}"
                )
        said = self.numbers.ordinal(number, form)
        for regular, usual in _SHORTENED:
            said = said.replace(regular, usual)
        if 21 <= number < 30:
            said = (
                said.replace("vigésimo ", "vigesimo")
                .replace("vigésima ", "vigesimo")
                .replace("moo", "mo")
            )
        return said

    def _and_a_half(self, match: re.Match[str]) -> str | None:
        """The half stands behind the noun: "taza y media"."""
        noun = match["noun"]
        feminine = noun in self.WORDS.feminine
        if not feminine and noun not in self.WORDS.masculine:
            return None
        if match["whole"] == "1":
            noun = noun.removesuffix("s")
        half = "y media" if feminine else "y medio"
        return f"{self.count(Decimal(match['whole']), feminine=feminine)} {noun} {half}"

    def fraction(self, over: int, under: int, *, noun: bool, feminine: bool) -> str:
        said = self.before_noun(self.cardinal(over), feminine=False)
        plural = "s" if over > 1 else ""
        if (over, under) == (1, 2):
            return "media" if noun and feminine else "medio"
        if under == 2:
            return f"{said} medios"
        name = {3: "tercio"}.get(under) or self._denominator(under)
        if not name:
            return f"{self.cardinal(over)} sobre {self.cardinal(under)}"
        return f"{said} {name}{plural}"

    def _denominator(self, under: int) -> str:
        if under <= 10 or under in (100, 1000) or (under < 1000 and not under % 100):
            return self.numbers.ordinal(under, "masculine")
        if under >= 1000:
            scale, name = (
                (1_000_000, "millonésimo") if not under % 1_000_000 else (1000, "milésimo")
            )
            if under % scale:
                return ""
            times = self.cardinal(under // scale) if under > scale else ""
            return times.replace(" y ", "i").replace(" ", "") + name
        if under > 100:
            return ""
        joined = self.cardinal(under).replace(" y ", "i").replace("uno", "un")
        plain = "".join(
            c for c in unicodedata.normalize("NFD", joined) if not unicodedata.combining(c)
        )
        return f"{plain.removesuffix('a')}avo"

    def _fraction(self, match: re.Match[str]) -> str | None:
        groups = match.groupdict()
        if groups.get("under") and not groups.get("sign"):
            over, under = int(match["over"]), int(match["under"].replace(".", ""))
            if (
                over == 1
                and under > 100
                and not groups.get("whole")
                and not (match["unit"] or match["noun"])
            ):
                return self.fraction(over, under, noun=False, feminine=False)
        return super()._fraction(match)

    def of_king(self, number: int, name: str, *, dotted: bool) -> str:
        if number > 10:
            return ""
        return self.numbers.ordinal(
            number, "feminine" if name.endswith(("a", "bel")) else "masculine"
        )

    def sum(self, number: Decimal, code: str) -> str | None:
        if number == Decimal("0.01") and code in self.WORDS.hundredths:
            return f"un {self.WORDS.hundredths[code][0].removeprefix('un ')}"
        return super().sum(number, code)


BOUNDARIES = Boundaries(
    abbreviations=words_of(
        "sr sra srta sres dr dra d dña da p.ej ud uds tel aprox máx mín avda núm pág ed prof "
        "gral dcha izda dpto ene feb abr jun jul ago sept oct nov dic ee uu a.c d.c etc min "
        "seg mill vd vds"
    ),
    before_numbers=words_of("n págs p art cap vol fig"),
    starters=words_of(
        "el la los las un una unos unas él ella ellos yo tú usted es son está están hay y "
        "pero o si cuando qué quién cómo dónde por para hoy mañana ayer ahora sí no gracias "
        "en al del mi tu su esto esta este"
    ),
)
"""Full stops in Spanish"""
