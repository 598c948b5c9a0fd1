"""Name correction: names of the home that a recogniser misspelled, found by phonetic matching."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import partial_ratio

from wyoming_common.errors import ConfigError
from wyoming_stt.endpointing.completeness import FUNCTION_WORDS

MAX_NAMES = 1000
"""Names and terms of one request that are used, the first ones."""
MAX_NAME_CHARACTERS = 100
"""Longer names and terms are ignored."""

_PLAIN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d"})
"""Letters that Unicode does not decompose"""
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_MAX_NAME_WORDS = 5
_MIN_SOUND = 0.86
"""Similarity of sound from which a stretch of text is taken for a name, 0 to 1."""
_MIN_SPELLING = 0.5
"""Similarity of letters that is needed as well, word by word."""
_MIN_JOINED_SPELLING = 0.7
"""Similarity of letters if the name was recognised as more or fewer words than it has."""
_MIN_PROMPTED_SOUND = 0.4
"""Similarity of sound if a recogniser that was prompted with the name has recognised it."""
_MIN_SOUNDS = 4
"""A name of fewer sounds must sound exactly alike, and be spelled nearly so."""
_MIN_SHORT_SPELLING = 0.75

# Spellings of one sound, longest first; vowels are prompted_words apart only as a group.
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
    parts: tuple[str, ...]
    letters: str
    sound: str


class NameCorrector:
    """Corrects text towards names and terms by sound; other text passes unchanged."""

    def __init__(self, words: Sequence[str]) -> None:
        names = [_name(word) for word in dict.fromkeys(words[:MAX_NAMES])]
        self._names = [name for name in names if name.sound and name.words <= _MAX_NAME_WORDS]
        self._known = {name.letters for name in names}
        self._by_words: dict[int, list[_Name]] = {}
        for name in self._names:
            for count in {max(1, name.words - 1), name.words, name.words + 1}:
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
                words = tuple(_letters(span.group()) for span in spans[at : at + count])
                for similarity, name in self._matches(words):
                    found.append((similarity, at, at + count, name))
        return _replace(text, spans, found)

    def mentions(self, text: str) -> bool:
        """Whether a name or term is in `text` as it is written."""
        return any(True for _ in self._mentioned(list(_WORD.finditer(text)), text))

    def likely(self, text: str, count: int) -> list[str]:
        """Return the `count` names that sound most like a part of `text`, the likeliest first."""
        sounds = [name.sound for name in self._names]
        hits = process.extract(_sound(_letters(text)), sounds, scorer=partial_ratio, limit=count)
        return [self._names[number].text for _, _, number in hits]

    def adopt(self, text: str, prompted: str) -> str:
        """Return `text` with the names in `prompted`, another transcript of the same speech.

        `prompted` comes from a recogniser that was prompted with the names. It recognises them
        well and makes more mistakes elsewhere, so only its names are taken, and only in place
        of words of `text` that sound at all like them.
        """
        spans, others = list(_WORD.finditer(text)), list(_WORD.finditer(prompted))
        plain, prompted_words = (
            [_letters(s.group()) for s in spans],
            [_letters(s.group()) for s in others],
        )
        found: list[tuple[float, int, int, _Name]] = []
        for first, last, name in self._mentioned(others, prompted):
            begin, end = _aligned(plain, prompted_words, first, last)
            similarity = _similarity(_sound("".join(plain[begin:end])), name.sound)
            if begin < end <= begin + name.words + 2 and similarity >= _MIN_PROMPTED_SOUND:
                found.append(_narrowed(plain, begin, end, name))
        return _replace(text, spans, found)

    def _mentioned(self, spans: list[re.Match[str]], text: str) -> Iterator[tuple[int, int, _Name]]:
        """Yield the names in `text`, each with its first word and the one behind its last."""
        for count, group in self._by_words.items():
            written = {name.letters: name for name in group}
            for at in range(len(spans) - count + 1):
                letters = _letters(text[spans[at].start() : spans[at + count - 1].end()])
                if letters in written:
                    yield at, at + count, written[letters]

    def _matches(self, words: tuple[str, ...]) -> Iterator[tuple[float, _Name]]:
        letters, count = "".join(words), len(words)
        hits = process.extract(
            _sound(letters),
            self._sounds[count],
            scorer=Levenshtein.normalized_similarity,
            score_cutoff=_MIN_SOUND,
            limit=5,
        )
        for _, similarity, number in hits:
            name = self._by_words[count][number]
            if letters == name.letters:
                yield 2.0, name
            elif letters not in self._known and _may_be(words, name, similarity):
                yield similarity, name


@lru_cache(maxsize=16)
def name_corrector(names: tuple[str, ...]) -> NameCorrector:
    """Return the corrector of `names`, cached because a household uses the same ones."""
    return NameCorrector(names)


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
    parts = tuple(_letters(word) for word in _WORD.findall(text))
    letters = "".join(parts)
    return _Name(text.strip(), len(parts), parts, letters, _sound(letters))


def _aligned(plain: list[str], prompted_words: list[str], first: int, last: int) -> tuple[int, int]:
    """Return the range of `plain` that is aligned with `prompted_words[first:last]`."""
    begin, end = len(plain), 0
    for step in Levenshtein.opcodes(plain, prompted_words):
        inside = max(first, step.dest_start) < min(last, step.dest_end)
        if inside and step.tag == "equal":
            begin = min(begin, step.src_start + max(0, first - step.dest_start))
            end = max(end, step.src_end - max(0, step.dest_end - last))
        elif inside or (step.tag == "delete" and first <= step.dest_start <= last):
            begin, end = min(begin, step.src_start), max(end, step.src_end)
    return begin, end


def _narrowed(words: list[str], begin: int, end: int, name: _Name) -> tuple[float, int, int, _Name]:
    """Return the part of `words[begin:end]` that sounds most like the name, and how much it does.

    Words beside it may have been left out by the recogniser that was prompted with the name.
    """
    ranges = [(i, j) for i in range(begin, end) for j in range(i + 1, end + 1)]
    return max(
        ((_similarity(_sound("".join(words[i:j])), name.sound), i, j, name) for i, j in ranges),
        key=lambda one: (one[0], one[2] - one[1]),
    )


def _similarity(one: str, other: str) -> float:
    return float(Levenshtein.normalized_similarity(one, other))


def _may_be(words: tuple[str, ...], name: _Name, similarity: float) -> bool:
    letters = "".join(words)
    if _same_word(letters, name.letters) or not FUNCTION_WORDS.isdisjoint(
        set(words) - set(name.parts)
    ):
        return False
    short = len(name.sound) < _MIN_SOUNDS
    if similarity < 1.0 and (short or letters[0] != name.letters[0]):
        return False
    if len(words) != name.words:
        return _similarity(letters, name.letters) >= _MIN_JOINED_SPELLING
    needed = _MIN_SHORT_SPELLING if short else _MIN_SPELLING
    # Compared word by word: "a light" is not "hall light", nor "garage door" "garage heater".
    return min(map(_similarity, words, name.parts)) >= needed


def _same_word(one: str, other: str) -> bool:
    # "lights" for "light" is grammar, not a misrecognised name.
    return one in (other + "s", other + "es") or other in (one + "s", one + "es")


@lru_cache(maxsize=8192)
def _letters(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(char for char in decomposed if char.isalnum())


@lru_cache(maxsize=8192)
def _sound(letters: str) -> str:
    folded = _FOLDING.sub(lambda hit: _FOLDS[int(str(hit.lastgroup)[1:])][1], letters)
    return re.sub(r"(.)\1+", r"\1", folded)
