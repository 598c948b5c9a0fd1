"""What a speech engine is, and what goes in and out of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice as clients see it."""

    name: str
    languages: tuple[str, ...]
    """As Home Assistant writes them, e.g. "en_US"."""
    speakers: tuple[str, ...] = ()
    """Names, for voices that have several."""
    installed: bool = True
    description: str = ""
    attribution: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One piece of text to be spoken in one go, and how."""

    text: str
    """Words as they are to be read; not empty."""
    voice: str
    """Name of a voice of the engine."""
    speaker: str | None = None
    length: float = 1.0
    """Factor on the time that speech takes."""
    volume: float = 1.0
    ahead: float = 0.0
    """Seconds of sound that the listener still has when this is begun: it need not hurry."""


class TtsEngine(Protocol):
    """Turns text to sound. One thread uses it, except for `default`, `voices` and `identity`,
    which are cheap, need no model and may be called from the event loop at any time, and
    `fetch`, which takes long and may be called from any thread.
    """

    @property
    def default(self) -> str:
        """Name of the voice for requests that name none."""
        ...

    def voices(self) -> Sequence[Voice]:
        """Return the voices there are by now."""
        ...

    def identity(self, voice: str) -> str:
        """Return something that changes when the voice's files do."""
        ...

    def fetch(self, voice: str) -> None:
        """Download a voice that `voices` says is not installed.

        Raises DownloadError, NoSpace, ModelError.
        """
        ...

    def sample_rate(self, voice: str) -> int:
        """Return the Hz of what `synthesize` yields, loading the voice if need be.

        Raises UnknownVoice, ModelError.
        """
        ...

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        """Yield mono s16le PCM, soon and in short pieces: closing the iterator cancels.

        Yields nothing for text without a sound. Raises what `sample_rate` does, and
        BadRequest for a speaker that the voice does not have.
        """
        ...
