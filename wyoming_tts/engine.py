"""The speech engine as a Protocol, and the values that go in and out of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice as clients see it."""

    name: str
    languages: tuple[str, ...]
    """As Home Assistant writes them, e.g. "en_US"; the first is the voice's own."""
    speakers: tuple[str, ...] = ()
    """Names, for voices that have several."""
    installed: bool = True
    description: str = ""
    attribution: str = ""
    url: str = ""


@dataclass(slots=True)
class Opening:
    """The beginning of a sentence that is spoken while more of it is to come."""

    pieces: list[bytes] = field(default_factory=list)
    """Sound that was made of it."""
    state: Any = None
    """The engine's own; None until something was spoken."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Text to be spoken in one go, and how."""

    text: str
    """Normalised text; not empty."""
    voice: str
    """Name of a voice of the engine."""
    speaker: str | None = None
    length: float = 1.0
    """Factor on the time that speech takes."""
    volume: float = 1.0
    ahead: float = 0.0
    """Seconds of sound that the listener still has to play: the engine may take its time."""
    opening: Opening | None = None
    """The sentence was, or is, begun before its end is known: what was spoken of it is left out."""
    is_open: bool = False
    """Whether more of the sentence is to come: the engine keeps its last words back."""


class TtsEngine(Protocol):
    """Turns text to sound. Blocking; used by one thread at a time.

    The constructor takes `TtsSettings`, reads settings only and raises ConfigError. `default`,
    `voices` and `identity` are cheap, need no model and may be called from any thread at any
    time; so may `fetch`, which takes long. Everything else works between `load` and `close`.
    """

    def load(self) -> None:
        """Load what the default voice needs. Raises UnknownVoice, ModelError, DownloadError and
        NoSpace.
        """
        ...

    def close(self) -> None:
        """Free the models, and end processes and connections. Harmless when repeated."""
        ...

    @property
    def default(self) -> str:
        """Name of the voice for requests that name none."""
        ...

    def voices(self) -> Sequence[Voice]:
        """Return the voices that are installed or can be fetched now."""
        ...

    def identity(self, voice: str) -> str:
        """Return a text that changes when the files of the voice do."""
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

    def can_open(self, voice: str) -> bool:
        """Whether `synthesize` takes open phrases with a loaded voice."""
        ...

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        """Yield mono s16le PCM, soon and in short pieces; closing the iterator cancels.

        Yields nothing for text without a sound. Raises what `sample_rate` does, and
        BadRequest for a speaker that the voice does not have.
        """
        ...
