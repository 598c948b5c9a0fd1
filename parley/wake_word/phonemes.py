"""Phonemes of a phrase, and near misses made from them.

The alphabet is espeak-ng's: IPA, with stress marks in front of the vowel of a syllable.
"""

# ruff: noqa: RUF001 - the phonetic alphabet looks like others

import random
import re
import unicodedata
from collections.abc import Callable, Sequence

from wyoming_tts.phonemes.espeak import EspeakPhonemizer

ACCENTS = {
    "en": ("en-us", "en-gb-x-rp", "en-gb-scotland", "en-029"),
    "fr": ("fr", "fr-be", "fr-ch"),
    "es": ("es", "es-419"),
    "pt": ("pt-br", "pt"),
}
"""Voices of espeak-ng that read a language in its accents; the first is the usual one."""
_STRESS = "ˈˌ"
_PAIRS = (
    "aɪ", "aʊ", "eɪ", "oʊ", "ɔɪ", "əʊ", "ɔʏ", "ɔø", "œʏ", "ɪə", "eə", "ʊə", "tʃ", "dʒ", "ts", "dz",
    "pf", "əl",
)  # fmt: skip
"""Two letters that are one phoneme."""
_VOWELS = {
    "i": (0, 0), "ɪ": (0, 0), "y": (0, 0), "ʏ": (0, 0), "ɨ": (0, 1), "ᵻ": (0, 1), "u": (0, 2),
    "ʊ": (0, 2), "ɯ": (0, 2), "e": (1, 0), "ø": (1, 0), "ɛ": (1, 0), "œ": (1, 0), "ə": (1, 1),
    "ɚ": (1, 1), "ɜ": (1, 1), "ɘ": (1, 1), "o": (1, 2), "ɔ": (1, 2), "ɤ": (1, 2), "æ": (2, 0),
    "a": (2, 1), "ɐ": (2, 1), "ʌ": (2, 1), "ɑ": (2, 2), "ɒ": (2, 2),
}  # fmt: skip
"""Vowels by height and backness, 0 to 2 each."""
_CONSONANTS = {
    "p": (0, 0), "b": (0, 0), "t": (0, 1), "d": (0, 1), "k": (0, 2), "ɡ": (0, 2), "c": (0, 2),
    "ɟ": (0, 2), "ʔ": (0, 3), "m": (1, 0), "n": (1, 1), "ɲ": (1, 2), "ŋ": (1, 2), "f": (2, 0),
    "v": (2, 0), "β": (2, 0), "θ": (2, 1), "ð": (2, 1), "s": (2, 1), "z": (2, 1), "ʃ": (2, 2),
    "ʒ": (2, 2), "ç": (2, 2), "x": (2, 3), "ɣ": (2, 3), "χ": (2, 3), "h": (2, 3), "ɕ": (2, 2),
    "ʁ": (3, 3), "ɹ": (3, 1), "r": (3, 1), "ɾ": (0, 1), "l": (3, 1), "ɫ": (3, 1), "ʎ": (3, 2),
    "j": (4, 2), "w": (4, 0), "ɥ": (4, 1), "ɬ": (2, 1),
}  # fmt: skip
"""Consonants by manner and place."""
_UNIT = re.compile(rf"[{_STRESS}]?(?:{'|'.join(_PAIRS)}|\w)[ːˑʲʰ\u0300-\u036f]*", re.UNICODE)
MIN_DISTANCE = 2
"""Steps of height, backness, manner or place from which two sounds are clearly different."""

Word = tuple[str, ...]
"""Phonemes of a word, each with its stress mark and its length."""


def words_of(text: str, accent: str, espeak: EspeakPhonemizer) -> tuple[Word, ...]:
    """Return the phonemes of each word of `text` as espeak-ng's voice `accent` reads it."""
    said = " ".join("".join(sentence) for sentence in espeak.phonemize(accent, text))
    said = unicodedata.normalize("NFC", re.sub(r"\([a-z-]+\)", "", said))
    words = (tuple(_UNIT.findall(word)) for word in said.split())
    return tuple(word for word in words if word)


def spelled(words: Sequence[Word]) -> str:
    """Return words as one text of phonemes."""
    return " ".join("".join(word) for word in words)


def base(unit: str) -> str:
    """Return the first letter of a phoneme, without its stress."""
    return unit.lstrip(_STRESS)[:1]


def is_vowel(unit: str) -> bool:
    return base(unit) in _VOWELS


def syllables(words: Sequence[Word]) -> int:
    """Return the number of syllables: of vowels, nearly."""
    return sum(is_vowel(unit) for word in words for unit in word)


def distance(first: str, second: str) -> int:
    """Return how different two phonemes sound: 0 nearly alike, 4 a vowel against a consonant."""
    one, two = base(first), base(second)
    for table in (_VOWELS, _CONSONANTS):
        if one in table and two in table:
            (a, b), (c, d) = table[one], table[two]
            if table is _VOWELS:
                return abs(a - c) + abs(b - d)
            return (2 if a != c else 0) + min(2, abs(b - d))
    return 0 if one == two else 4


def edit_distance(first: Sequence[Word], second: Sequence[Word]) -> float:
    """Return the Levenshtein distance of two phrases, where similar phonemes cost less than 1."""
    one = [unit for word in first for unit in word]
    two = [unit for word in second for unit in word]
    row = [float(n) for n in range(len(two) + 1)]
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], float(i)
        for j, b in enumerate(two, 1):
            change = before + min(distance(a, b), 4) / 4
            before, row[j] = row[j], min(change, row[j] + 1, row[j - 1] + 1)
    return row[-1]


class NearMisses:
    """Phrases that sound like the phrase and are clearly not it.

    Parts of it, its parts in another order, and changes of one or more of its sounds.
    """

    def __init__(self, words: Sequence[Word], rng: random.Random) -> None:
        self._words = tuple(words)
        self._rng = rng
        self._vowels = sorted({unit for unit in _VOWELS if unit not in "ᵻɘɤɯ"})
        self._consonants = sorted(set("pbtdkɡmnŋfvszʃhlɹjwθ"))

    def __call__(self) -> tuple[Word, ...]:
        """Return one at random."""
        makers = (
            self._cut, self._cut, self._changed, self._changed, self._changed, self._swapped,
            self._replaced, self._replaced,
        )  # fmt: skip
        for _ in range(20):
            made = tuple(word for word in self._rng.choice(makers)() if word)
            if made and edit_distance(made, self._words) >= self._needed():
                return made
        return (self._made_up(3),)

    def _needed(self) -> float:
        return max(0.5, 0.12 * sum(map(len, self._words)))

    def _cut(self) -> list[Word]:
        """Leave out the beginning or the end."""
        units = [(n, unit) for n, word in enumerate(self._words) for unit in word]
        most = max(1, len(units) * 2 // 3)
        drop = self._rng.randint(max(1, len(units) // 4), most)
        left = units[drop:] if self._rng.random() < 0.5 else units[:-drop]
        return [tuple(unit for n, unit in left if n == word) for word in range(len(self._words))]

    def _changed(self) -> list[Word]:
        """Replace one to three phonemes by others that are clearly different."""
        words = [list(word) for word in self._words]
        places = [(w, u) for w, word in enumerate(words) for u in range(len(word))]
        count = self._rng.choice((1, 1, 2, 2, 3))
        for w, u in self._rng.sample(places, min(count, len(places))):
            words[w][u] = self._other(words[w][u])
        return [tuple(word) for word in words]

    def _swapped(self) -> list[Word]:
        """Put the end in front of the beginning."""
        if len(self._words) > 1:
            order = list(self._words)
            self._rng.shuffle(order)
            return order
        word = self._words[0]
        cut = self._rng.randint(1, max(1, len(word) - 1))
        return [word[cut:] + word[:cut]]

    def _replaced(self) -> list[Word]:
        """Replace a word, or a half of the only one, by a made-up one."""
        if len(self._words) > 1:
            words = list(self._words)
            at = self._rng.randrange(len(words))
            words[at] = self._made_up(max(2, len(words[at])))
            return words
        word = self._words[0]
        half = max(1, len(word) // 2)
        if self._rng.random() < 0.5:
            return [word[:half] + self._made_up(len(word) - half)]
        return [self._made_up(half) + word[half:]]

    def _other(self, unit: str) -> str:
        stress = unit[0] if unit[0] in _STRESS else ""
        kind = self._vowels if is_vowel(unit) else self._consonants
        return stress + self._rng.choice(
            [other for other in kind if distance(unit, other) >= MIN_DISTANCE]
        )

    def _made_up(self, length: int) -> Word:
        """Return a word of random syllables."""
        units: list[str] = []
        stressed = False
        while len(units) < length:
            units.append(self._rng.choice(self._consonants))
            vowel = self._rng.choice(self._vowels)
            units.append(vowel if stressed else f"ˈ{vowel}")
            stressed = True
            if self._rng.random() < 0.3:
                units.append(self._rng.choice(self._consonants))
        return tuple(units)


class PartsAmongOthers:
    """Some words of a phrase of several, among other words of the language.

    `other` returns another word at random.
    """

    def __init__(
        self, words: Sequence[Word], other: Callable[[], Word], rng: random.Random
    ) -> None:
        if len(words) < 2:
            raise ValueError("a phrase of one word has no words to part")
        self._words = tuple(words)
        self._other = other
        self._rng = rng

    def __call__(self) -> tuple[Word, ...]:
        """Return one at random."""
        kept = self._rng.randint(1, len(self._words) - 1)
        made = self._rng.random()
        if made < 0.15:
            return (*self._words[:kept], self._other(), *self._words[kept:])
        if made < 0.55:
            # Longer sentences would leave no room in a scene for the beginning of the phrase.
            return (*self._words[:kept], *self._others(1))
        return (*self._others(3), *self._words[-kept:])

    def _others(self, most: int) -> list[Word]:
        """Return other words, of which the one at a word's place is often as long as it is."""
        return [self._alike() for _ in range(self._rng.randint(0, most))]

    def _alike(self) -> Word:
        wanted = syllables([self._rng.choice(self._words)])
        some = [self._other() for _ in range(self._rng.choice((1, 4)))]
        return min(some, key=lambda word: abs(syllables([word]) - wanted))
