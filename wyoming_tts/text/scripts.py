"""Words of other scripts for voices that read Latin letters.

espeak-ng names the script of each such letter ("Chinese letter") or spells its code point. AnyASCII
(https://github.com/anyascii/anyascii) writes them as they sound, near enough for a name.
"""

import re
from functools import lru_cache
from itertools import chain

from anyascii import anyascii
from babel.dates import get_month_names

from wyoming_tts.text.units import locale_of

_WORD = re.compile(
    "[\u0370-\u03ff\u1f00-\u1fff]{2,}"  # Greek; one letter alone is a sign
    "|[\u0400-\u052f]+"  # Cyrillic
    "|[\u0590-\u05ff\ufb1d-\ufb4f]+"  # Hebrew
    "|[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]+"  # Arabic
    "|[\u0e00-\u0eff]+"  # Thai and Lao
    "|[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]+"  # Kana
    "|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+"  # Han
)
"""A run of letters in one script that espeak-ng cannot read in a language of Latin letters.

It reads Devanagari, Georgian and Hangul by itself.
"""
_MIN_LATIN_LETTERS = 3
"""Of the names of the months: a language that writes "1月" has none"""


def in_latin_letters(text: str, language: str) -> str:
    """Return `text` as a voice of `language` ("en_US") can read it; other languages' stay."""
    if text.isascii() or not _is_latin(language):
        return text
    return _WORD.sub(_written, text)


def _written(match: re.Match[str]) -> str:
    # AnyASCII begins each syllable of Chinese with a capital, as in "BeiJing".
    word = anyascii(match[0]).capitalize()
    return word if word.isascii() else " "


@lru_cache(maxsize=16)
def _is_latin(language: str) -> bool:
    locale = locale_of(language)
    if locale is None:
        return False
    letters = filter(str.isalpha, chain.from_iterable(get_month_names(locale=locale).values()))
    latin = [letter < "\u0250" for letter in letters]
    return sum(latin) >= _MIN_LATIN_LETTERS and all(latin[:_MIN_LATIN_LETTERS])
