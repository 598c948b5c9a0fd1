"""Places at which the phonemes of a sentence may be cut, so that it can be begun before its end.

The beginning is encoded with the words behind it that are known by then, and what is encoded later
is joined to it at a space. With one word of lookahead the duration of the beginning differs by
4.6 % from that in the whole sentence, with two by 3.9 %, without any by 13 %; two runs of the same
sentence differ by 2.8 % (15 cuts in 5 sentences, en_US-joe-medium).
Prefix-to-prefix synthesis: Ma et al., 2020, https://arxiv.org/abs/1911.02750
"""

from collections.abc import Sequence
from typing import Final

_HEAD_LOOKAHEAD_WORDS: Final = 2
_LOOKAHEAD_WORDS: Final = 1
"""Words of an unfinished sentence that are encoded with its beginning and spoken later."""
_MIN_HEAD_PHONEMES: Final = 20
"""Of the head of a sentence that is encoded apart: 1 s of speech, more than the first window."""
_MIN_REST_PHONEMES: Final = 30
"""A shorter rest is encoded along with the head."""
_STRESS: Final = frozenset("ˈˌ")
"""Marks that may move when a sentence goes on."""


def head_of(phonemes: Sequence[str]) -> tuple[int, int] | None:
    """Return where the head of a sentence ends, and its lookahead; None for a short sentence."""
    spaces = [place for place, phoneme in enumerate(phonemes) if phoneme == " "]
    for number, end in enumerate(spaces):
        if end < _MIN_HEAD_PHONEMES:
            continue
        if number + _HEAD_LOOKAHEAD_WORDS >= len(spaces):
            return None
        known = spaces[number + _HEAD_LOOKAHEAD_WORDS]
        return (end, known) if len(phonemes) - known >= _MIN_REST_PHONEMES else None
    return None


def settled(phonemes: Sequence[str]) -> int:
    """Return how many of the phonemes of an unfinished sentence may be spoken, 0 for none yet."""
    spaces = [place for place, phoneme in enumerate(phonemes) if phoneme == " "]
    return spaces[-_LOOKAHEAD_WORDS] if len(spaces) >= _LOOKAHEAD_WORDS else 0


def behind(beginning: Sequence[str], phonemes: Sequence[str]) -> int | None:
    """Return where `phonemes` go on behind `beginning`, None where they begin otherwise."""
    place = 0
    for phoneme in beginning:
        if phoneme in _STRESS:
            continue
        while place < len(phonemes) and phonemes[place] in _STRESS:
            place += 1
        if place == len(phonemes) or phonemes[place] != phoneme:
            return None
        place += 1
    return place if place < len(phonemes) and phonemes[place] in " ,.;:!?" else None
