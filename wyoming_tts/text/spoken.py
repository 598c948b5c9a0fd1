"""Text for eyes to text for ears."""

import re
from decimal import localcontext
from typing import Final

from wyoming_tts.text.english import read_english
from wyoming_tts.text.languages import read_language
from wyoming_tts.text.markup import without_markup

_DIGITS: Final = 1000
"""More than a sentence holds: numbers are computed with as they stand there."""
_SPACES = re.compile(r"\s+")
_SPACE_BEFORE_MARK = re.compile(r"\s+([,.;:!?])(?=\s|$)")
_REPEATED = re.compile(r"([!?,;:])\1+|\.{4,}")


def spoken(text: str, language: str) -> str:
    """Return `text` as a voice of `language` ("en_US") is to read it; "" when nothing is said."""
    text = without_markup(text)
    english = language.partition("_")[0] in ("en", "")
    with localcontext(prec=_DIGITS):
        text = read_english(text, language) if english else read_language(text, language)
    text = _REPEATED.sub(lambda match: match[1] or "...", text)
    text = _SPACE_BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text)).strip()
    return text if any(character.isalnum() for character in text) else ""
