"""Words of the house: names a recogniser has never read, put right by how they sound."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler, Levenshtein

from wyoming_common.errors import ConfigError

MOST_WORDS = 1000
"""Names and terms of one request that are looked at, the first ones."""

_PLAIN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d"})
"""Letters that Unicode does not take apart."""
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_LONGEST_NAME = 5
"""Words"""
_SOUND = 0.86
"""Likeness of sound from which a stretch of text is taken for a name, 0 to 1."""
_SPELLING = 0.55
"""And likeness of letters."""
_SHORT = 4
"""Sounds; a name of fewer has too few to go by: it has to sound exactly alike, and nearly be
spelled so."""
_SHORT_SPELLING = 0.88

# Spellings of one sound, longest first; vowels are told apart only as a group.
_FOLDS = (
    (r"sch|sh|tch|ch|tion|sion", "S"),
    (r"ph", "f"),
    (r"ght|gh", "t"),
    (r"ck|q|c(?=[aourlkt]|$)|x", "k"),
    (r"c|z|ts", "s"),
    (r"dge?|j", "S"),
    (r"th|d", "t"),
    (r"b", "p"),
    (r"w|v", "f"),
    (r"g", "k"),
    (r"h", ""),
    (r"[aeiouy]+", "a"),
)
_FOLDING = re.compile("|".join(f"(?P<f{n}>{pattern})" for n, (pattern, _) in enumerate(_FOLDS)))


@dataclass(frozen=True, slots=True)
class _Name:
    text: str
    words: int
    letters: str
    sound: str


class Vocabulary:
    """Corrects text towards names and terms by sound; other text passes unchanged."""

    def __init__(self, words: Sequence[str]) -> None:
        names = [_name(word) for word in dict.fromkeys(words[:MOST_WORDS])]
        self._known = {name.letters for name in names}
        self._by_words: dict[int, list[_Name]] = {}
        for name in names:
            for count in {max(1, name.words - 1), name.words, name.words + 1}:
                if 0 < name.words <= _LONGEST_NAME:
                    self._by_words.setdefault(count, []).append(name)
        self._sounds = {
            count: [name.sound for name in group] for count, group in self._by_words.items()
        }

    def correct(self, text: str) -> str:
        """Return `text` with every stretch that sounds like a name written as that name."""
        spans = list(_WORD.finditer(text))
        found: list[tuple[float, int, int, _Name]] = []
        for count in self._by_words:
            for at in range(len(spans) - count + 1):
                letters = _letters(text[spans[at].start() : spans[at + count - 1].end()])
                for likeness, name in self._heard(letters, count):
                    found.append((likeness, at, at + count, name))
        return _replace(text, spans, found)

    def _heard(self, letters: str, count: int) -> Iterator[tuple[float, _Name]]:
        sound = _sound(letters)
        hits = process.extract(
            sound,
            self._sounds[count],
            scorer=Levenshtein.normalized_similarity,
            score_cutoff=_SOUND,
            limit=5,
        )
        for _, likeness, number in hits:
            name = self._by_words[count][number]
            if letters == name.letters:
                yield 2.0, name
            elif letters not in self._known and _may_be(letters, name, likeness):
                yield likeness, name


@lru_cache(maxsize=64)
def vocabulary(words: tuple[str, ...]) -> Vocabulary:
    """Return the vocabulary of `words`, which one household asks for again and again."""
    return Vocabulary(words)


def read_vocabulary(path: Path) -> tuple[str, ...]:
    """Read a file with one name or term a line; `#` begins a comment. Raises ConfigError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"vocabulary: cannot read {path} as text: {err}") from err
    words = (line.partition("#")[0].strip() for line in lines)
    return tuple(dict.fromkeys(word for word in words if word))


def _replace(
    text: str, spans: list[re.Match[str]], found: list[tuple[float, int, int, _Name]]
) -> str:
    taken: set[int] = set()
    changes: list[tuple[int, int, str]] = []
    for _, begin, end, name in sorted(found, key=lambda hit: (-hit[0], hit[1] - hit[2])):
        if taken.isdisjoint(range(begin, end)):
            taken.update(range(begin, end))
            changes.append((spans[begin].start(), spans[end - 1].end(), name.text))
    for start, end, name_text in sorted(changes, reverse=True):
        if text[start:end].casefold() != name_text.casefold():
            text = text[:start] + name_text + text[end:]
    return text


def _name(text: str) -> _Name:
    letters = _letters(text)
    return _Name(text.strip(), len(_WORD.findall(text)), letters, _sound(letters))


def _may_be(letters: str, name: _Name, likeness: float) -> bool:
    if _same_word(letters, name.letters):
        return False
    short = len(name.sound) < _SHORT
    if likeness < 1.0 and (short or letters[0] != name.letters[0]):
        return False
    needed = _SHORT_SPELLING if short else _SPELLING
    return JaroWinkler.similarity(letters, name.letters) >= needed


def _same_word(one: str, other: str) -> bool:
    # "lights" for "light" is grammar, not a name heard wrong.
    return one in (other + "s", other + "es") or other in (one + "s", one + "es")


@lru_cache(maxsize=8192)
def _letters(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(char for char in decomposed if char.isalnum())


@lru_cache(maxsize=8192)
def _sound(letters: str) -> str:
    folded = _FOLDING.sub(lambda hit: _FOLDS[int(str(hit.lastgroup)[1:])][1], letters)
    return re.sub(r"(.)\1+", r"\1", folded)
