"""What a speech recogniser is to this service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Task = Literal["transcribe", "translate"]
Audio = NDArray[np.float32]
"""Mono, 16 kHz, -1 to 1, shape [samples]."""

LONGEST_SECONDS = 28.0
"""What an engine is given at most in one piece: Whisper's window, less room for its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How a piece of speech is to be written down."""

    language: str | None = None
    """Whisper's code, e.g. `en`; None lets the engine find out where it can."""
    task: Task = "transcribe"
    """`translate` writes English, whatever is spoken."""
    words: tuple[str, ...] = ()
    """Names and terms likely to be spoken, the likeliest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcription:
    """What was said; an empty text means nothing was."""

    text: str = ""
    language: str | None = None
    """Code of the language that was spoken, where known."""


class SttEngine(Protocol):
    """A loaded model. Blocking; called by one thread at a time."""

    @property
    def languages(self) -> Sequence[str]:
        """Codes of the languages it understands."""
        ...

    @property
    def tasks(self) -> Sequence[Task]:
        """What it can do with them."""
        ...

    def transcribe(self, audio: Audio, request: Request) -> Transcription:
        """Write down up to LONGEST_SECONDS of speech, silence trimmed off both ends.

        `request.language` is one of `languages` or None, `request.task` one of `tasks`.
        """
        ...
