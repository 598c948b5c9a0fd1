"""Phonemes in the alphabet that Kokoro was trained on.

They are espeak-ng's, turned into the alphabet of misaki (https://github.com/hexgrad/misaki,
EN_PHONES.md and espeak.py); Japanese and Chinese by misaki itself, where it is installed.
"""

# ruff: noqa: RUF001 - the phonetic alphabet looks like others

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec

from wyoming_tts.phonemes.espeak import EspeakPhonemizer

LANGUAGES = {
    "a": ("en_US", "en-us"), "b": ("en_GB", "en-gb-x-rp"), "e": ("es_ES", "es"),
    "f": ("fr_FR", "fr"), "h": ("hi_IN", "hi"), "i": ("it_IT", "it"), "p": ("pt_BR", "pt-br"),
    "j": ("ja_JP", ""), "z": ("zh_CN", ""),
}  # fmt: skip
"""First letter of a voice's name to its language and espeak's voice, "" for misaki."""
VOCABULARY = {
    ";": 1, ":": 2, ",": 3, ".": 4, "!": 5, "?": 6, "\u2014": 9, "\u2026": 10, "\"": 11,
    "(": 12, ")": 13, "\u201c": 14, "\u201d": 15, " ": 16, "\u0303": 17, "\u02a3": 18,
    "\u02a5": 19, "\u02a6": 20, "\u02a8": 21, "\u1d5d": 22, "\uab67": 23, "A": 24, "I": 25,
    "O": 31, "Q": 33, "S": 35, "T": 36, "W": 39, "Y": 41, "\u1d4a": 42, "a": 43, "b": 44,
    "c": 45, "d": 46, "e": 47, "f": 48, "h": 50, "i": 51, "j": 52, "k": 53, "l": 54, "m": 55,
    "n": 56, "o": 57, "p": 58, "q": 59, "r": 60, "s": 61, "t": 62, "u": 63, "v": 64, "w": 65,
    "x": 66, "y": 67, "z": 68, "\u0251": 69, "\u0250": 70, "\u0252": 71, "\u00e6": 72,
    "\u03b2": 75, "\u0254": 76, "\u0255": 77, "\u00e7": 78, "\u0256": 80, "\u00f0": 81,
    "\u02a4": 82, "\u0259": 83, "\u025a": 85, "\u025b": 86, "\u025c": 87, "\u025f": 90,
    "\u0261": 92, "\u0265": 99, "\u0268": 101, "\u026a": 102, "\u029d": 103, "\u026f": 110,
    "\u0270": 111, "\u014b": 112, "\u0273": 113, "\u0272": 114, "\u0274": 115, "\u00f8": 116,
    "\u0278": 118, "\u03b8": 119, "\u0153": 120, "\u0279": 123, "\u027e": 125, "\u027b": 126,
    "\u0281": 128, "\u027d": 129, "\u0282": 130, "\u0283": 131, "\u0288": 132, "\u02a7": 133,
    "\u028a": 135, "\u028b": 136, "\u028c": 138, "\u0263": 139, "\u0264": 140, "\u03c7": 142,
    "\u028e": 143, "\u0292": 147, "\u0294": 148, "\u02c8": 156, "\u02cc": 157, "\u02d0": 158,
    "\u02b0": 162, "\u02b2": 164, "\u2193": 169, "\u2192": 171, "\u2197": 172, "\u2198": 173,
    "\u1d7b": 177,
}  # fmt: skip
"""Phonemes that Kokoro-82M reads, and their numbers, from the config.json of the model."""
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


def phonemes(text: str, letter: str, espeak: EspeakPhonemizer) -> str:
    """Return the phonemes of `text` for voices whose name begins with `letter`."""
    if letter in _MISAKI:
        return _misaki(letter)(text)
    parts = espeak.phonemize(LANGUAGES[letter][1], text)
    return from_espeak(" ".join("".join(part) for part in parts), letter)


def from_espeak(said: str, letter: str) -> str:
    """Return phonemes of espeak-ng in Kokoro's alphabet, for voices that begin with `letter`."""
    said = unicodedata.normalize("NFC", _SWITCH.sub("", said)).strip()
    steps = {"a": _ENGLISH + _AMERICAN, "b": _ENGLISH + _BRITISH}.get(letter, _OTHERS)
    for old, new in steps:
        said = said.replace(old, new)
    return said


@lru_cache(maxsize=2)
def _misaki(letter: str) -> Callable[[str], str]:
    from importlib import import_module

    module, name, _ = _MISAKI[letter]
    g2p = getattr(import_module(module), name)()

    def read(text: str) -> str:
        said = g2p(text)
        return str(said[0] if isinstance(said, tuple) else said)

    return read
