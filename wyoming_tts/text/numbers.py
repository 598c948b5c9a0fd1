"""Numbers as words, by the rules of CLDR (https://cldr.unicode.org), for 80 languages."""

from decimal import Decimal
from functools import lru_cache

from unicode_rbnf import FormatPurpose, RbnfEngine

_POINT = {
    "bg": "запетая", "ca": "coma", "cs": "celá", "da": "komma", "de": "Komma", "el": "κόμμα",
    "en": "point", "es": "coma", "fi": "pilkku", "fr": "virgule", "hu": "egész", "id": "koma",
    "it": "virgola", "nb": "komma", "nl": "komma", "no": "komma", "pl": "przecinek",
    "pt": "vírgula", "ro": "virgulă", "ru": "запятая", "sk": "celá", "sv": "komma",
    "tr": "virgül", "uk": "кома", "vi": "phẩy", "zh": "点",
}  # fmt: skip
"""The word between whole and fraction. A language that is not here keeps its digits."""
_MOST_DIGITS = 15
"""A longer number is read digit by digit: nobody hears quadrillions."""


class Speller:
    """Numbers of one language. `known` is false for a language without rules."""

    def __init__(self, language: str) -> None:
        base = language.partition("_")[0]
        names = set(RbnfEngine.get_supported_languages())
        name = next((n for n in (language, base, {"nb": "no"}.get(base)) if n in names), None)
        self.known = name is not None
        self._engine = RbnfEngine.for_language(name or "en")
        self._point = _POINT.get(base, "")
        # CLDR hyphenates softly so that long words can be broken on paper.
        self._soft = str.maketrans("", "", "\u00ad\u200b")

    def cardinal(self, number: Decimal | int) -> str:
        """Return a number as words, "minus one point five"; "" if that is not known."""
        text = f"{Decimal(number):f}"
        sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
        whole, _, fraction = text.partition(".")
        if len(whole) > _MOST_DIGITS:
            return self.digits(whole)
        words = self._words(int(f"{sign}{whole}"), FormatPurpose.CARDINAL)
        if sign and int(whole) == 0:
            words = f"{self._minus()} {words}"
        if not fraction:
            return words
        return f"{words} {self._point} {self.digits(fraction)}" if self._point else ""

    def ordinal(self, number: int) -> str:
        return self._words(number, FormatPurpose.ORDINAL)

    def year(self, number: int) -> str:
        return self._words(number, FormatPurpose.YEAR)

    def digits(self, digits: str) -> str:
        """Return each digit as a word; other characters are left out."""
        return " ".join(
            self._words(int(digit), FormatPurpose.CARDINAL) for digit in digits if digit.isdecimal()
        )

    def _minus(self) -> str:
        return self._words(-1, FormatPurpose.CARDINAL).rsplit(maxsplit=1)[0]

    def _words(self, number: int, purpose: FormatPurpose) -> str:
        return self._engine.format_number(number, purpose).text.translate(self._soft)


@lru_cache(maxsize=16)
def speller(language: str) -> Speller:
    """Return the numbers of a language, written as in "de" or "pt_PT"."""
    return Speller(language)
