"""Quality of a phrase as a wake word: its length, and what sounds like it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from parley.wake_word.phonemes import Word, edit_distance, syllables, words_of
from parley.wake_word.texts import common_words
from wyoming_common.errors import BadRequest
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

MAX_WORDS = 5
MAX_CHARACTERS = 60
MIN_PHONEMES = 4
GOOD_SYLLABLES = (3, 6)
"""Fewest and most syllables of a good wake word: "okay nabu" has four."""
_LIKE = 0.3
"""Edit distance for each phoneme below which two phrases are taken for each other."""
_OPENERS = {
    "en": ("hey", "okay"), "de": ("hallo", "okay"), "fr": ("salut", "dis"), "es": ("hola", "oye"),
    "nl": ("hé", "oké"), "it": ("ehi", "ciao"), "pt": ("olá", "ei"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdict on a phrase."""

    phrase: str
    syllables: int
    phonemes: int
    remarks: tuple[str, ...]
    """Weaknesses; empty for a good phrase."""
    better: tuple[str, ...]
    """Phrases that are likely to work better."""

    def as_dict(self) -> dict[str, object]:
        """Return the verdict for JSON."""
        return asdict(self) | {"good": self.good}

    @property
    def good(self) -> bool:
        return not self.remarks


def checked_phrase(text: str) -> str:
    """Return a phrase in lower case without marks.

    Raises BadRequest for one that no wake word can be made of.
    """
    kept = "".join(sign if sign.isalnum() or sign in "'\u2019-" else " " for sign in text.lower())
    words = kept.split()
    if not any(sign.isalpha() for sign in kept):
        raise BadRequest(f"phrase: expected words that can be spoken, got '{text:.40}'")
    if len(words) > MAX_WORDS or len(kept) > MAX_CHARACTERS:
        raise BadRequest(
            f"phrase: expected at most {MAX_WORDS} words and {MAX_CHARACTERS} characters, got "
            f"{len(words)} words; a wake word is best with two or three"
        )
    phrase = " ".join(words)
    if sum(sign.isalpha() for sign in phrase) < 2:
        raise BadRequest(
            f"phrase: '{phrase}' is one letter, which is heard everywhere; take two words, "
            f"e.g. 'hey computer'"
        )
    return phrase


def judge(
    phrase: str,
    language: str,
    accent: str,
    espeak: EspeakPhonemizer,
    other_wake_words: Iterable[str] = (),
) -> Judgement:
    """Judge a phrase that `checked_phrase` has accepted.

    Raises BadRequest for one with fewer than MIN_PHONEMES sounds.
    """
    words = words_of(phrase, accent, espeak)
    sounds, beats = sum(map(len, words)), syllables(words)
    if sounds < MIN_PHONEMES:
        raise BadRequest(
            f"phrase: '{phrase}' has {sounds} sounds and would be heard everywhere; expected at "
            f"least {MIN_PHONEMES}, better twice as many"
        )
    remarks = []
    if beats < GOOD_SYLLABLES[0]:
        count = f"{beats} syllable{'' if beats == 1 else 's'}"
        remarks.append(f"It is short ({count}), so parts of other words sound like it.")
    if beats > GOOD_SYLLABLES[1]:
        remarks.append(f"It is long ({beats} syllables), which people shorten or say unclearly.")
    known = common_words(language)
    if phrase in known:
        remarks.append(f"'{phrase.capitalize()}' is a common word, which people say anyway.")
    elif like := _likest(words, known, accent, espeak):
        remarks.append(f"It sounds like '{like}'.")
    for other in other_wake_words:
        said = words_of(other, accent, espeak)
        if other != phrase and _likeness(words, said) < _LIKE:
            remarks.append(f"It sounds like the wake word '{other}'.")
    return Judgement(phrase, beats, sounds, tuple(remarks), _better(phrase, language, remarks))


def _better(phrase: str, language: str, remarks: Sequence[str]) -> tuple[str, ...]:
    if not remarks or len(phrase.split()) > 3:
        return ()
    openers = _OPENERS.get(language, _OPENERS["en"])
    first, *rest = phrase.split()
    return tuple(
        " ".join((opener, *(rest if first in openers else (first, *rest))))
        for opener in openers
        if opener != first
    )


def _likeness(first: Sequence[Word], second: Sequence[Word]) -> float:
    """Return the edit distance for each phoneme, 0 for phrases that sound the same."""
    most = max(sum(map(len, first)), sum(map(len, second)), 1)
    return edit_distance(first, second) / most


def _likest(
    words: Sequence[Word], known: Iterable[str], accent: str, espeak: EspeakPhonemizer
) -> str:
    """Return the known word that sounds most like the phrase, "" if they all differ clearly."""
    size = sum(map(len, words))
    near = [word for word in known if 0.5 * size <= len(word) <= 2 * size + 2]
    best, likest = _LIKE, ""
    for word in sorted(near):
        said = words_of(word, accent, espeak)
        if said and (likeness := _likeness(words, said)) < best:
            best, likest = likeness, word
    return likest
