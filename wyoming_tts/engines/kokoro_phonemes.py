"""Text to the phonemes that Kokoro was trained on.

espeak-ng's, turned into the alphabet of misaki (https://github.com/hexgrad/misaki, EN_PHONES.md
and espeak.py); Japanese and Chinese by misaki itself, where it is installed.
"""

# ruff: noqa: RUF001 - the phonetic alphabet looks like others

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from piper.phonemize_espeak import ESPEAK_DATA_DIR, EspeakPhonemizer

LANGUAGES = {
    "a": ("en_US", "en-us"), "b": ("en_GB", "en-gb-x-rp"), "e": ("es_ES", "es"),
    "f": ("fr_FR", "fr"), "h": ("hi_IN", "hi"), "i": ("it_IT", "it"), "p": ("pt_BR", "pt-br"),
    "j": ("ja_JP", ""), "z": ("zh_CN", ""),
}  # fmt: skip
"""First letter of a voice's name to its language and espeak's voice, "" for misaki."""
_MISAKI = {"j": ("misaki.ja", "JAG2P", "pyopenjtalk"), "z": ("misaki.zh", "ZHG2P", "jieba")}
_ENGLISH = (
    ("aɪ", "I"), ("aʊ", "W"), ("dʒ", "ʤ"), ("eɪ", "A"), ("tʃ", "ʧ"), ("ɔɪ", "Y"),
    ("ʲo", "jo"), ("ʲə", "jə"), ("ʲ", ""), ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"), ("ç", "k"),
    ("ɐ", "ə"), ("ɬ", "l"), ("\u0303", ""), ("n\u0329", "ᵊn"), ("l\u0329", "ᵊl"), ("\u0329", ""),
)  # fmt: skip
_AMERICAN = (
    ("oʊ", "O"), ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""), ("o", "ɔ"), ("ɾ", "T"),
    ("ʔ", "t"),
)  # fmt: skip
_BRITISH = (("eə", "ɛː"), ("iə", "ɪə"), ("əʊ", "Q"), ("o", "ɔ"), ("ʔ", "t"))
_OTHERS = (
    ("aɪ", "I"), ("aʊ", "W"), ("dz", "ʣ"), ("dʒ", "ʤ"), ("eɪ", "A"), ("ts", "ʦ"), ("tʃ", "ʧ"),
    ("ɔɪ", "Y"), ("-", ""), ("ĩ", "i\u0303"), ("ã", "a\u0303"), ("õ", "o\u0303"),
    ("ũ", "u\u0303"), ("ẽ", "e\u0303"), ("ñ", "ɲ"),
)  # fmt: skip
_SWITCH = re.compile(r"\([a-z-]+\)")


def supported(letter: str) -> bool:
    """Whether voices whose name begins with `letter` can be spoken with here."""
    if letter in _MISAKI:
        module, _, needed = _MISAKI[letter]
        return find_spec(module.partition(".")[0]) is not None and find_spec(needed) is not None
    return letter in LANGUAGES


def phonemes(text: str, letter: str) -> str:
    """Return the phonemes of `text` for voices whose name begins with `letter`."""
    if letter in _MISAKI:
        return _misaki(letter)(text)
    parts = _espeak().phonemize(LANGUAGES[letter][1], text)
    said = " ".join("".join(part) for part in parts)
    said = unicodedata.normalize("NFC", _SWITCH.sub("", said)).strip()
    steps = {"a": _ENGLISH + _AMERICAN, "b": _ENGLISH + _BRITISH}.get(letter, _OTHERS)
    for old, new in steps:
        said = said.replace(old, new)
    return said


@lru_cache(maxsize=1)
def _espeak() -> Any:
    return EspeakPhonemizer(ESPEAK_DATA_DIR)


@lru_cache(maxsize=2)
def _misaki(letter: str) -> Callable[[str], str]:
    from importlib import import_module

    module, name, _ = _MISAKI[letter]
    g2p = getattr(import_module(module), name)()

    def read(text: str) -> str:
        said = g2p(text)
        return str(said[0] if isinstance(said, tuple) else said)

    return read
