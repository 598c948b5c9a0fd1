"""Roman numbers, which count kings, centuries and chapters."""

import re

_ROMAN = re.compile(r"(?=.)(C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def roman_value(text: str) -> int:
    """Return the value of a Roman number up to 399, 0 for other letters."""
    if not _ROMAN.fullmatch(text):
        return 0
    digits = [_DIGITS[letter] for letter in text]
    return sum(
        -one if one < following else one
        for one, following in zip(digits, [*digits[1:], 0], strict=True)
    )
