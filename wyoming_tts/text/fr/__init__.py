"""French grammar."""

import re
from collections.abc import Iterator
from decimal import Decimal

from wyoming_tts.text.grammar import Rule, rule, text_after, text_before
from wyoming_tts.text.language_grammar import LanguageGrammar
from wyoming_tts.text.language_words import Words, words_of
from wyoming_tts.text.numbers import roman_value
from wyoming_tts.text.sentences import Boundaries

# ruff: noqa: ARG002, E501, RUF001 - hooks of one shape; patterns on one line; dashes of text


class French(LanguageGrammar):
    """Hours have their noun; telephone numbers come in pairs."""

    GROUPS = r"[ '’\u00a0\u202f]"
    SPACED = r" 000"
    FEMININE_UNITS = frozenset({"h", "hr", "min", "s", "sec", "ms", "kcal", "cal", "lb", "oz", "t"})
    WORDS = Words(
        to="à", score="à", dot="point", at="arobase", slash="barre oblique", dash="tiret",
        underscore="tiret bas", plus="plus", minus="moins", times="fois", by="divisé par",
        equals="égale", per="par", about="environ", number="numéro", both="et", times_over="fois",
        less="moins de", more="plus de", at_most="au plus", at_least="au moins", port="port",
        version="version", section="paragraphe", arrow="vers",
        squared="au carré", cubed="au cube", power="puissance {}", root="racine carrée de",
        out_of="sur", winds={"N": "nord ", "E": "est ", "S": "sud ", "O": "ouest "}, wind="vent", date="{} {} {}", hour="{}",
        clock="{} {}",
        money="{} {}",
        hundredths={"EUR": ("centime", "centimes"), "USD": ("cent", "cents"),
                    "GBP": ("penny", "pence"), "CHF": ("centime", "centimes")},
        and_part="{} et {}",
        scales=("Md", "Mds", "M(?=€)", "millions?", "milliards?", "billions?", "mille"),
        scale_of=" de ", first_day="premier", ones=("un", "un", "une"),
        feminine=words_of(
            "heure heures minute minutes seconde secondes semaine semaines année années personne "
            "personnes fois page pages tonne tonnes calorie calories lampe lampes tasse tasses "
            "bouteille bouteilles pièce pièces lumière lumières question questions chambre "
            "chambres journée journées nuit nuits place places livre livres portion portions"
        ),
        masculine=words_of(
            "jour jours mois an ans euro euros centime dollar dollars degré degrés pour litre "
            "litres mètre mètres kilomètre kilomètres kilo kilos gramme grammes kilogramme "
            "message messages point points pas enfant enfants rendez-vous minuteur million"
        ),
        abbreviations={
            "M.": "Monsieur", "MM.": "Messieurs", "Mme": "Madame", "Mmes": "Mesdames",
            "Mlle": "Mademoiselle", "Mlles": "Mesdemoiselles", "Dr": "Docteur", "Pr": "Professeur",
            "p. ex.": "par exemple", "env.": "environ", "tél.": "téléphone", "Tél.": "Téléphone",
            "n°": "numéro", "N°": "Numéro", "max.": "maximum", "min.": "minimum",
            "c.-à-d.": "c'est-à-dire", "bd": "boulevard", "av.": "avenue", "chap.": "chapitre",
            "St": "Saint", "Ste": "Sainte", "apr.": "après", "J.-C.": "Jésus-Christ",
        },
        before_names=frozenset({"M.", "MM.", "Dr", "Pr", "St", "Ste", "bd", "av."}),
        before_numbers={"p.": "page", "pp.": "pages", "art.": "article", "no": "numéro",
                        "Nº": "numéro",
                        "nº": "numéro", "vol.": "volume", "fig.": "figure", "ch.": "chapitre"},
        after_numbers={"c. à s.": "cuillère à soupe|cuillères à soupe",
                       "c. à soupe": "cuillère à soupe|cuillères à soupe",
                       "c. à c.": "cuillère à café|cuillères à café",
                       "c. à café": "cuillère à café|cuillères à café", "min.": "minutes", "sec.": "secondes", "Md": "milliards", "Mds": "milliards",
                       "M": "millions"},
        units={"mAh": ("milliampère-heure", "milliampères-heures"), "mV": ("millivolt",
               "millivolts"),
               "km/s": ("kilomètre par seconde", "kilomètres par seconde"), "dB": ("décibel",
               "décibels"),
               "j": ("jour", "jours"), "Wh": ("wattheure", "wattheures"), "t": ("tonne", "tonnes"),
               "ppm": ("partie par million", "parties par million")},
        before_days=words_of(
            "le du au jusqu'au dès avant depuis lundi mardi mercredi jeudi vendredi samedi "
            "dimanche"
        ),
        counted_by_roman=words_of("chapitre tome acte partie type phase figure siècle titre livre"),
        dialled="tél|téléphone|numéro",
    )  # fmt: skip

    def own_first(self) -> Iterator[Rule]:
        yield rule("fraction", "0", r"(?<![\w/.,])(?P<whole>\d{1,2}) ?(?:½|1/2) (?P<noun>[^\W\d_]{2,20})\b(?!\.)",
                   self._and_a_half)  # fmt: skip
        yield rule("time", "0", r"(?<![\d:.,h])(?P<hour>[01]?\d|2[0-4]) ?h ?(?P<minute>[0-5]\d)?(?: ?min\b)?"
                   r"(?!\w)(?P<to>\s?[-–]\s?(?=\d\d? ?h))?", self._clock)  # fmt: skip
        yield rule(
            "roman",
            "a",
            r"\b(?P<roman>[IVX]+|[IVXLC]{2,})(?P<ending>er|re|ère|e|ème)\b",
            self._roman_ordinal,
        )
        yield rule("of", "a", r"\b(?P<d>[Dd])e (?=1(?![\d.,/:]\d|\d| \d)|½)", r"\g<d>'")
        yield rule(
            "decade", "0", r"(?<![\w.,])(?P<n>[2-9]0)s\b", lambda m: self.cardinal(int(m["n"]))
        )

    def _clock(self, match: re.Match[str]) -> str:
        said = self.clock(int(match["hour"]), int(match["minute"] or 0))
        return f"{said} à " if match["to"] else said

    def clock(self, hour: int, minute: int, second: int = 0) -> str:
        said = f"{self.count(Decimal(hour), feminine=True)} {'heures' if hour > 1 else 'heure'}"
        if minute:
            said += f" {self.count(Decimal(minute), feminine=True)}"
        return f"{said} {self.measure(Decimal(second), 's')}" if second else said

    def half_of_day(self, afternoon: bool, hour: int) -> str:
        if afternoon:
            return " de l'après-midi" if hour % 12 < 6 else " du soir"
        return " du matin"

    def phone_group(self, group: str, groups: list[str]) -> str:
        pairs = all(len(one) == 2 for one in groups) and group[0] != "0"
        return self.cardinal(int(group)) if pairs else self.numbers.digits(group)

    def before_noun(self, said: str, *, feminine: bool) -> str:
        if feminine and (said == "un" or said.endswith(("-un", " un"))):
            return f"{said}e"
        return said

    def of_unknown_gender(self, said: str, noun: str) -> str | None:
        return None if said == "un" or said.endswith(("-un", " un")) else said

    def ordinals(self) -> Iterator[Rule]:
        yield rule("ordinal", "0", r"(?<![\w.,])(?P<n>\d{1,4}|\d{1,3} \d{3})(?P<end>ers?|res?|ère|es?|èmes?|emes?|nde?)\b",
                   self._ordinal)  # fmt: skip
        yield rule("ordinal", "0", r"(?<![\w.,])(?P<n>\d{1,3})°(?!\s?[CFKNSEO]\b|\s?\d)(?=\s[^\W\d_]|\s*$)",
                   self._degree)  # fmt: skip

    def _degree(self, match: re.Match[str]) -> str | None:
        word = re.match(r"\s([^\W\d_]+)", text_after(match))
        if text_before(match).strip() or (word and word[1].lower() in ("dehors", "dans", "à")):
            return None
        return self.numbers.ordinal(int(match["n"]), "masculine")

    def _ordinal(self, match: re.Match[str]) -> str | None:
        number, ending = int(match["n"].replace(" ", "")), match["end"]
        if number == 1:
            return {"er": "premier", "re": "première", "ère": "première", "ers": "premiers",
                    "res": "premières"}.get(ending)  # fmt: skip
        if ending in ("nd", "nde"):
            return f"secon{ending[1:]}" if number == 2 else None
        if ending in ("e", "es", "ème", "èmes", "eme", "emes"):
            plural = "s" if ending.endswith("s") else ""
            return self.numbers.ordinal(number, "masculine") + plural
        return None

    def _roman_ordinal(self, match: re.Match[str]) -> str | None:
        number = roman_value(match["roman"])
        if not number:
            return None
        if number == 1:
            return "première" if match["ending"] in ("re", "ère") else "premier"
        return self.numbers.ordinal(number, "masculine")

    def _and_a_half(self, match: re.Match[str]) -> str | None:
        """The half stands behind the noun: "une tasse et demie"."""
        noun = match["noun"]
        feminine = noun in self.WORDS.feminine
        if not feminine and noun not in self.WORDS.masculine:
            return None
        if match["whole"] == "1":
            noun = noun.removesuffix("s")
        half = "et demie" if feminine else "et demi"
        return f"{self.count(Decimal(match['whole']), feminine=feminine)} {noun} {half}"

    def fraction(self, over: int, under: int, *, noun: bool, feminine: bool) -> str:
        said = self.before_noun(self.cardinal(over), feminine=False)
        if (over, under) == (1, 2):
            return "une demi" if noun and feminine else "un demi"
        name = {2: "demi", 3: "tiers", 4: "quart"}.get(under) or self.numbers.ordinal(
            under, "masculine"
        )
        return f"{said} {name}{'s' if over > 1 and name[-1] != 's' else ''}"

    def mixed_fraction(self, whole: int, over: int, under: int) -> str:
        if (over, under) == (1, 2):
            return f"{self.cardinal(whole)} et demi"
        return super().mixed_fraction(whole, over, under)

    def measure(self, number: Decimal, unit: str, words: str | None = None) -> str:
        return super().measure(number, unit, words)

    def sum(self, number: Decimal, code: str) -> str | None:
        return super().sum(number, code)

    def _money(self, match: re.Match[str]) -> str | None:
        said = super()._money(match)
        return said and re.sub(r"\bde (?=euros?\b)", "d'", said)


BOUNDARIES = Boundaries(
    abbreviations=words_of(
        "m mm mme mmes mlle dr pr me av env tél max min c.-à-d chap apr p.ex ex etc bd st ste "
        "boul j.-c janv févr avr juil sept oct nov déc sec éd vol"
    ),
    before_numbers=words_of("p pp art no n fig ch"),
    starters=words_of(
        "le la les un une des il elle on nous vous ils elles je tu ce cette ces et mais ou où "
        "donc si quand que qui quoi comment pourquoi aujourd'hui demain hier maintenant oui "
        "non merci voulez veux c'est"
    ),
)
"""Full stops in French"""
