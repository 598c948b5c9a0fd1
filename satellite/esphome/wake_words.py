"""Choice of the active wake words in Home Assistant's user interface. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_ACTIVE_WAKE_WORDS = 2
"""Home Assistant gives each active wake word a pipeline of its own."""


@dataclass(frozen=True, slots=True)
class WakeWord:
    """A wake word that the satellite has, or that Home Assistant offers."""

    id: str
    """Name in Home Assistant."""
    phrase: str
    """Phrase that a user says."""
    model: str = ""
    """Name or path by which the engine knows it; empty while its model has not been fetched."""


class WakeWordChoice:
    """The wake words that are available, and those of them that count."""

    def __init__(self, own: Sequence[str], active: Sequence[str]) -> None:
        """`own` are the names of the engine's models, `active` the ids of the chosen words."""
        self._own = {word: WakeWord(word, phrase_of(word), word) for word in own}
        self._custom: dict[str, WakeWord] = {}
        self._chosen = tuple(dict.fromkeys(active))

    @property
    def available(self) -> tuple[WakeWord, ...]:
        """All wake words, the engine's first; a custom one cannot take the name of another."""
        return tuple({**self._custom, **self._own}.values())

    @property
    def active(self) -> tuple[WakeWord, ...]:
        """The wake words that count, in the order of their pipelines."""
        words = {word.id: word for word in self.available}
        chosen = [words[word_id] for word_id in self._chosen if word_id in words]
        return tuple(chosen[:MAX_ACTIVE_WAKE_WORDS])

    def choose(self, ids: Sequence[str]) -> None:
        """Make words the active ones; unknown and surplus words do not count."""
        self._chosen = tuple(dict.fromkeys(ids))

    def offer(self, custom: Mapping[str, WakeWord]) -> None:
        """Replace the custom wake words."""
        self._custom = dict(custom)

    def word_of(self, model: str) -> WakeWord | None:
        """Return the active wake word of a model that has reported it; None for any other."""
        return next((word for word in self.active if word.model == model), None)


def phrase_of(word: str) -> str:
    """Return the phrase that a user says for a wake word model."""
    return Path(word).stem.replace("_", " ")
