"""Whether a turn sounds and reads as if it were complete, at a pause."""

import re

_OPEN_WORDS = {
    "en": "a an the to and or of in on at for with my your our is are from by but than if please",
    "de": "der die das den dem ein eine einen und oder mit im in auf an für von zu zum zur bitte",
    "fr": "le la les un une des du de et ou à au aux en dans sur pour avec mon ma mes",
    "es": "el la los las un una de del y o a al en con por para mi mis",
}
"""Words that no command ends with, so that something must follow."""
_OPEN = {language: frozenset(words.split()) for language, words in _OPEN_WORDS.items()}
ORDINARY = frozenset().union(*_OPEN.values())
"""All of them: words that are never somebody's mishearing of a name."""

_SURE = 0.85
"""What a turn model alone may claim: reading the words may still speak against it."""
_CLOSED = 0.8
_TRAILING = 0.3
_MID_PHRASE = 0.1


def completeness(turn: float | None, text: str | None, language: str | None) -> float | None:
    """Return how complete a turn is, 0 to 1; None where nothing is known.

    `turn` is what a turn model makes of the sound, `text` what has been said so far, both
    None until known. Measured on commands: 93 % of the ends score above 0.75 with smart-turn
    and nearly all pauses below 0.25; a recogniser closes 94 % of the ends with a full stop.
    """
    if text is None:
        return None if turn is None else min(turn, _SURE)
    read = _reads_complete(text, language)
    if turn is None:
        return read
    return min(turn, {_CLOSED: 1.0, _TRAILING: 0.5}.get(read, read))


def _reads_complete(text: str, language: str | None) -> float:
    words = re.findall(r"[^\W_]+", text.lower())
    if words and words[-1] in _OPEN.get(language or "", frozenset()):
        return _MID_PHRASE
    ended = text.rstrip().endswith((".", "!", "?", "。", "？", "！", "؟", "।"))  # noqa: RUF001
    return _CLOSED if ended and not text.rstrip().endswith("...") else _TRAILING
