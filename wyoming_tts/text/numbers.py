"""Numbers as words, by the rules of CLDR (https://cldr.unicode.org), for 80 languages."""

import re
from decimal import Decimal
from functools import lru_cache

from unicode_rbnf import FormatPurpose, RbnfEngine
from unicode_rbnf.engine import NoRuleForNumberError

_POINT = {
    "bg": "запетая", "ca": "coma", "cs": "celá", "da": "komma", "de": "Komma", "el": "κόμμα",
    "en": "point", "es": "coma", "fi": "pilkku", "fr": "virgule", "hu": "egész", "id": "koma",
    "it": "virgola", "nb": "komma", "nl": "komma", "no": "komma", "pl": "przecinek",
    "pt": "vírgula", "ro": "virgulă", "ru": "запятая", "sk": "celá", "sv": "komma",
    "tr": "virgül", "uk": "кома", "vi": "phẩy", "zh": "点",
}  # fmt: skip
"""The word between whole and fraction. A language that is not here keeps its digits."""
_MAX_DIGITS = 18
"""CLDR's rules end there."""
_LARGER = {
    "de": (24, "eine Trillion", "Trillionen"), "en": (21, "one quintillion", "quintillion"),
    "es": (24, "un trillón", "trillones"), "fr": (24, "un trillion", "trillions"),
    "it": (24, "un trilione", "trilioni"), "nl": (24, "een triljoen", "triljoen"),
}  # fmt: skip
"""Digits up to which 10 to the power of 18 has a name, and that of one and of many of it. A longer
number is read digit by digit."""

_ROMAN = re.compile(r"(?=.)(C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


class Speller:
    """Numbers of one language. `known` is false for a language without rules."""

    def __init__(self, language: str) -> None:
        base = language.partition("_")[0]
        names = set(RbnfEngine.get_supported_languages())
        name = next((n for n in (language, base, {"nb": "no"}.get(base)) if n in names), None)
        self.known = name is not None
        self._engine = RbnfEngine.for_language(name or "en")
        self.point = _POINT.get(base, "")
        """The word between whole and fraction, "" where it is not known"""
        self._larger_names = _LARGER.get(base, (0, "", ""))
        # CLDR hyphenates softly so that long words can be broken on paper.
        self._soft = str.maketrans("", "", "\u00ad\u200b")
        # A number is put together from all rule sets at once, which takes 0.3 ms.
        self._words = lru_cache(maxsize=4096)(self._spelled)

    def cardinal(self, number: Decimal | int) -> str:
        """Return a number as words, "minus one point five"; "" if that is not known."""
        text = f"{Decimal(number):f}"
        sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
        whole, _, fraction = text.partition(".")
        if len(whole) > _MAX_DIGITS:
            words = self._larger(whole) or self.digits(whole)
            words = f"{self.minus} {words}" if sign else words
        else:
            words = self._words(int(f"{sign}{whole}"), FormatPurpose.CARDINAL)
            if sign and int(whole) == 0:
                words = f"{self.minus} {words}"
        if not fraction:
            return words
        return f"{words} {self.point} {self.digits(fraction)}" if self.point else ""

    def _larger(self, digits: str) -> str:
        """Return a number beyond CLDR's rules as words, "" for one without a name."""
        length, one, many = self._larger_names
        if len(digits) > length:
            return ""
        high, low = divmod(int(digits), 10**_MAX_DIGITS)
        said = one if high == 1 else f"{self._words(high, FormatPurpose.CARDINAL)} {many}"
        return f"{said} {self._words(low, FormatPurpose.CARDINAL)}" if low else said

    def ordinal(self, number: int, form: str = "") -> str:
        """Return an ordinal; `form` is how CLDR's rule set "spellout-ordinal-FORM" ends."""
        if not form:
            return self._words(number, FormatPurpose.ORDINAL)
        found = self._engine.format_number(number, FormatPurpose.ORDINAL).text_by_ruleset
        return found[f"spellout-ordinal-{form}"].translate(self._soft)

    def year(self, number: int) -> str:
        return self._words(number, FormatPurpose.YEAR)

    def digits(self, digits: str) -> str:
        """Return each digit as a word; other characters are left out."""
        return " ".join(
            self._words(int(digit), FormatPurpose.CARDINAL) for digit in digits if digit.isdecimal()
        )

    @property
    def minus(self) -> str:
        """The word before a negative number."""
        return self._words(-1, FormatPurpose.CARDINAL).rsplit(maxsplit=1)[0]

    def _spelled(self, number: int, purpose: FormatPurpose) -> str:
        try:
            return self._engine.format_number(number, purpose).text.translate(self._soft)
        except NoRuleForNumberError:
            if purpose is not FormatPurpose.CARDINAL:
                raise
            # In every language for the largest number of 18 digits; in some for others as well.
            words = self.digits(str(abs(number)))
            return words if number >= 0 else f"{self.minus} {words}"


@lru_cache(maxsize=16)
def speller(language: str) -> Speller:
    """Return the numbers of a language, written as in "de" or "pt_PT"."""
    return Speller(language)


def roman_value(text: str) -> int:
    """Return the value of a Roman number up to 399, 0 for other letters."""
    if not _ROMAN.fullmatch(text):
        return 0
    digits = [_ROMAN_DIGITS[letter] for letter in text]
    return sum(
        -one if one < following else one
        for one, following in zip(digits, [*digits[1:], 0], strict=True)
    )
