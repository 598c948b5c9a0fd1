"""The speech recogniser as a Protocol, and the values that go in and out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Task = Literal["transcribe", "translate"]
Audio = NDArray[np.float32]
"""Mono, 16 kHz, -1 to 1, shape [samples]."""

MAX_SEGMENT_SECONDS = 28.0
"""Longest speech segment for an engine: Whisper's window of 30 s, less room for its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRequest:
    """Language, task and likely words of one speech segment."""

    language: str | None = None
    """Whisper's code, e.g. `en`; None lets the engine detect it where it can."""
    task: Task = "transcribe"
    """`translate` writes English for every spoken language."""
    words: tuple[str, ...] = ()
    """Names and terms likely to be spoken, the likeliest first."""


class SentenceStage(Enum):
    """Progress of a sentence of the home at a pause."""

    BEGUN = auto()
    """It must go on: "turn on the"."""
    CONTINUABLE = auto()
    """It is whole, and the beginning of another: "turn on the light" (in the kitchen); or it only
    sounds like one."""
    WHOLE = auto()
    """No sentence of the home begins with it, words of courtesy aside."""
    OTHER = auto()
    """It is like no sentence of the home, nor the beginning of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """Text of a speech segment; empty if it holds no speech."""

    text: str = ""
    language: str | None = None
    """Code of the language that was spoken, where known."""
    alternatives: tuple[str, ...] = ()
    """Texts that the recogniser found less likely, the likeliest first; with an empty `text`, what
    it wrote although it most likely heard no speech"""
    likelihood: float | None = None
    """Mean log probability of the tokens of the likeliest text; None where it is not known"""
    heard: str | None = None
    """Text whose place a sentence of the home has taken; None where it stays."""
    margin: float | None = None
    """Lead of the nearest sentence over what it needs, in log probability; None without scores."""
    stage: SentenceStage | None = None
    """None where the sentences of the home are not known."""


class SttEngine(Protocol):
    """A speech recogniser. Blocking; used by one thread at a time.

    The constructor takes `SttSettings` whose `model` names the one model of this engine, reads
    settings only and raises ConfigError. Everything else works between `load` and `close`.
    """

    @property
    def languages(self) -> Sequence[str]:
        """Codes of the languages that the loaded model understands."""
        ...

    @property
    def tasks(self) -> Sequence[Task]:
        """Tasks that the loaded model can do in them."""
        ...

    def load(self) -> None:
        """Load the model, also again after `close`. Raises UnknownModel, ModelError,
        DownloadError, NoSpace and UnknownLanguage.
        """
        ...

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        """Return the text of up to MAX_SEGMENT_SECONDS of speech, trimmed of silence.

        `request.language` is one of `languages` or None, `request.task` one of `tasks`.
        """
        ...

    def score(
        self, audio: Audio, texts: Sequence[str], request: TranscriptionRequest, /
    ) -> Sequence[float] | None:
        """Return the log probability of each text given the audio, None if it is not known.

        Probabilities of texts of one call may be compared with each other.
        """
        ...

    def close(self) -> None:
        """Free what the model holds."""
        ...
