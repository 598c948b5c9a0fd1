"""Phonetic spelling of words, and the cost of taking one sound for another.

Written for comparing a transcript with sentences that may have been said: letters of one sound
become one letter, and similar sounds are cheap to confuse.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from hassil.numbers import get_rbnf_engine
from numpy.typing import NDArray

Costs = NDArray[np.float32]

_WORD: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)?|%|°|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+")
_MAX_DIGITS: Final = 6
_LETTERS: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ß": "ss"}
)
"""Letters that Unicode does not decompose"""

_COMMON: Final = (
    (r"sch|sh|tch|ch", "S"),
    (r"tion|sion", "Sn"),
    (r"ph", "f"),
    (r"ght|gh", "t"),
    (r"ck|q|c(?=[aourlkt]|$)", "k"),
    (r"x", "ks"),
    (r"c|z|ts", "s"),
    (r"dge?|j", "S"),
    (r"th", "t"),
    (r"w", "v"),
    (r"y", "i"),
)
"""Spellings of one sound in languages with Latin script, tried in order"""
_SPELLINGS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        (r"^kn", "n"),
        (r"^wr", "r"),
        (r"mb$", "m"),
        (r"c(?=[eiy])", "s"),
        (r"ge$", "S"),
        (r"(?<=[^aeiouy])e$", ""),
        (r"oo|ou", "u"),
    ),
    "fr": (
        (r"c(?=[eiy])", "s"),
        (r"ge(?=[aou])|g(?=[eiy])", "S"),
        (r"(?<=[^aeiouy])ent$", ""),
        (r"(?<=.)[stxpdz]+$", ""),
        (r"(?<=.)e$", ""),
        (r"eaux?|aux?", "o"),
        (r"oi", "va"),
        (r"qu", "k"),
        (r"gn", "n"),
        (r"ez$|er$", "e"),
        (r"ch", "S"),
    ),
    "de": (
        (r"eu|äu", "oi"),
        (r"ei|ai", "ai"),
        (r"v", "f"),
        (r"w", "v"),
        (r"ie", "i"),
        (r"z", "ts"),
    ),
    "es": (
        (r"ll", "i"),
        (r"qu", "k"),
        (r"gu(?=[ei])", "g"),
        (r"h", ""),
        (r"v", "b"),
        (r"z", "s"),
        (r"j", "h"),
    ),
    "it": (
        (r"ch", "k"),
        (r"gh", "g"),
        (r"gli", "li"),
        (r"gn", "n"),
        (r"c(?=[ei])", "S"),
        (r"qu", "ku"),
    ),
    "nl": ((r"ij", "ei"), (r"oe", "u"), (r"ui", "oi"), (r"sch", "sg"), (r"ch", "g")),
}
_SIMILAR: Final = ("aeiou", "pb", "td", "kg", "fv", "sSz", "mn", "lr")
"""Groups of sounds that are easily confused"""
_SIMILAR_COST: Final = 0.45
_VOWEL_COST: Final = 0.5
"""Of a vowel that is missing or too much; a consonant costs 1"""
_WEAK_COST: Final = 0.3
"""Of an h that is missing or too much"""


def plain(text: str) -> str:
    """Return `text` in small letters without accents and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in decomposed if char.isalnum() or char in "%°")


_DECIMALS: Final = {
    "en": ("point", "and a half"),
    "de": ("komma", "einhalb"),
    "fr": ("virgule", "et demi"),
    "es": ("coma", "y medio"),
    "nl": ("komma", "en een half"),
    "it": ("virgola", "e mezzo"),
}
"""Word between a whole number and its decimals, and the words for a half"""


@lru_cache(maxsize=16_384)
def _sounds(word: str, language: str) -> str:
    spelled = plain(word)
    for pattern, sound in (*_SPELLINGS.get(language, ()), *_COMMON):
        spelled = re.sub(pattern, sound, spelled)
    spelled = re.sub(r"([aeiou])[aeiou]+", r"\1", spelled)
    return re.sub(r"(.)\1+", r"\1", spelled)


@lru_cache(maxsize=8192)
def spell(number: int, language: str) -> tuple[str, ...]:
    """Return the ways to say `number`, its digits where the language has no rules."""
    try:
        result = get_rbnf_engine(language).format_number(number)
    except ValueError:
        return (str(number),)
    ways = [
        text.replace("\u00ad", "")
        for rules, text in result.text_by_ruleset.items()
        if "ordinal" not in rules and "year" not in rules
    ]
    return tuple(dict.fromkeys(ways)) or (str(number),)


def spell_half(number: int, language: str) -> tuple[str, ...]:
    """Return the ways to say `number` and a half, none where the words are not known."""
    if language not in _DECIMALS:
        return ()
    point, half = _DECIMALS[language]
    endings = (half, f"{point} {spell(5, language)[0]}")
    return tuple(f"{whole} {ending}" for whole in spell(number, language) for ending in endings)


def _spell_digits(digits: str, language: str) -> str:
    """Return the words of a number in digits, with decimals or without."""
    whole, _, decimals = digits.replace(",", ".").partition(".")
    parts = [spell(int(part), language)[0] for part in (whole, decimals) if part]
    point = _DECIMALS.get(language, ("point",))[0]
    return f" {point} ".join(parts)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a text and its sounds, a letter each; a number is spelled out."""

    text: str
    start: int
    """Position of its first character in the text"""
    end: int
    sounds: str


def spoken_words(text: str, language: str) -> list[SpokenWord]:
    """Return the words of `text`."""
    words = []
    for hit in _WORD.finditer(text):
        word = hit.group()
        if word[0].isdecimal() and word.isascii() and len(word) <= _MAX_DIGITS:
            spelled = _spell_digits(word, language)
            sounds = "".join(_sounds(part, language) for part in re.findall(r"\w+", spelled))
        else:
            sounds = _sounds(word, language)
        words.append(SpokenWord(word, hit.start(), hit.end(), sounds))
    return words


def sounds_of(text: str, language: str) -> str:
    """Return the sounds of `text` without breaks between words."""
    return "".join(word.sounds for word in spoken_words(text, language))


def omission_costs(text: str) -> Costs:
    """Return for each sound of `text` the cost of leaving it out, shape [len(text)]."""
    costs = {"h": _WEAK_COST} | dict.fromkeys("aeiou", _VOWEL_COST)
    return np.array([costs.get(char, 1.0) for char in text], np.float32)


@lru_cache(maxsize=1)
def _groups() -> dict[str, int]:
    return {char: number for number, group in enumerate(_SIMILAR) for char in group}


def confusion_costs(alphabet: str, text: str) -> Costs:
    """Return the cost of taking a sound of `alphabet` for one of `text`, shape [alphabet, text]."""
    groups = _groups()
    costs = np.ones((len(alphabet), len(text)), np.float32)
    for row, one in enumerate(alphabet):
        for column, other in enumerate(text):
            if one == other:
                costs[row, column] = 0.0
            elif groups.get(one, -1) == groups.get(other, -2):
                costs[row, column] = _SIMILAR_COST
    return costs
