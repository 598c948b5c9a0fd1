"""Turn completeness at a pause, from the sound and the words of the turn so far."""

import re

import numpy as np

from wyoming_stt.engine import SentenceStage

_OPEN_WORDS = {
    "en": "a an the to and or of in on at for with my your our is are from by but than if please",
    "de": "der die das den dem ein eine einen und oder mit im in auf an für von zu zum zur bitte",
    "fr": "le la les un une des du de et ou à au aux en dans sur pour avec mon ma mes",
    "es": "el la los las un una de del y o a al en con por para mi mis",
}
"""Words with which no command ends."""
_OPEN = {language: frozenset(words.split()) for language, words in _OPEN_WORDS.items()}
FUNCTION_WORDS = frozenset().union(*_OPEN.values())
"""The open words of all languages, which are never a misrecognised name."""

_TURN_SCORES = (0.0, 0.5, 0.9, 0.98)
_COMPLETENESS_OF_SOUND = (0.0, 0.42, 0.61, 0.97)
"""Completeness by the turn model's score. Two in three ends of commands score above 0.95, pauses
after the words of a whole command 0.8 to 0.97: only the highest scores may hurry. Chosen on one
half of the speakers of docs/benchmarks-stt.md."""
_MAX_SOUND_ALONE = 0.72
"""Bound on the turn model's opinion until the words are known."""
_CLOSED = 0.68
"""Of a text with a full stop, without a turn model"""
_MAX_TRAILING = 0.44
"""Bound on a text without a full stop"""
_TRAILING = 0.25
"""The same without a turn model"""
_MID_PHRASE = 0.08
_MIN_CONTINUABLE = 0.61
"""Of a sentence of the home that others continue, even if it sounds unfinished"""
_MIN_WHOLE = 0.84
"""Of a sentence of the home that no other continues, even if it sounds unfinished"""
_COMMAND_SECONDS = 6.0
"""Length of speech up to which it may well be a command: 95 % of spoken commands are shorter."""
_LONG_SECONDS = 8.0
"""Length from which speech is a question or a story, whose speaker pauses between clauses"""
_MAX_LONG = 0.15
"""Bound on the completeness of long speech: a pause there says little"""


def completeness(
    turn: float | None,
    text: str | None,
    language: str | None,
    stage: SentenceStage | None = None,
    spoken_seconds: float = 0.0,
) -> float | None:
    """Return how complete a turn is, 0 to 1; None without any evidence.

    `turn` is the turn model's opinion of the sound, `text` the transcript so far, `stage` how far a
    sentence of the home has been said, each None while or where it is not known; `spoken_seconds`
    is the length of the turn so far. How this speaker has paused is weighed by the endpointer.
    """
    opinion = _opinion(turn, text, language, stage)
    if opinion is None or stage in (SentenceStage.WHOLE, SentenceStage.CONTINUABLE):
        return opinion
    span = _LONG_SECONDS - _COMMAND_SECONDS
    long = min(max((spoken_seconds - _COMMAND_SECONDS) / span, 0.0), 1.0)
    return min(opinion, 1.0 - long * (1.0 - _MAX_LONG))


def _opinion(
    turn: float | None, text: str | None, language: str | None, stage: SentenceStage | None
) -> float | None:
    sound = None if turn is None else _of_sound(turn)
    if text is None:
        return None if sound is None else min(sound, _MAX_SOUND_ALONE)
    if stage is not None:
        return _of_stage(sound, stage)
    if _ends_open(text, language):
        return _MID_PHRASE if sound is None else min(sound, _MID_PHRASE)
    if _is_closed(text):
        return _CLOSED if sound is None else sound
    return _TRAILING if sound is None else min(sound, _MAX_TRAILING)


def _of_stage(sound: float | None, stage: SentenceStage) -> float:
    match stage:
        case SentenceStage.BEGUN:
            return _MID_PHRASE if sound is None else min(sound, _MID_PHRASE)
        case SentenceStage.CONTINUABLE:
            return _CLOSED if sound is None else max(sound, _MIN_CONTINUABLE)
        case SentenceStage.WHOLE:
            return (
                _MIN_WHOLE
                if sound is None
                else np.interp(sound, (0.0, _MAX_TRAILING), (_MIN_WHOLE, 1.0)).item()
            )


def _of_sound(turn: float) -> float:
    return float(np.interp(turn, _TURN_SCORES, _COMPLETENESS_OF_SOUND))


def _ends_open(text: str, language: str | None) -> bool:
    words = re.findall(r"[^\W_]+", text.lower())
    return bool(words) and words[-1] in _OPEN.get(language or "", frozenset())


def _is_closed(text: str) -> bool:
    ended = text.rstrip().endswith((".", "!", "?", "。", "？", "！", "؟", "।"))  # noqa: RUF001
    return ended and not text.rstrip().endswith("...")
