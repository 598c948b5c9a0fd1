"""Interfaces of a microphone and a speaker, and the audio frame between them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from wyoming_common.audio.pcm import MODEL_RATE

FRAME_SECONDS = 0.01
"""Duration of one frame, which is what WebRTC audio processing takes."""
FRAME_SAMPLES = int(MODEL_RATE * FRAME_SECONDS)
FRAME_BYTES = FRAME_SAMPLES * 2
SILENCE = bytes(FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class Frame:
    """10 ms of the microphone: mono s16le at 16 kHz, 320 bytes."""

    pcm: bytes
    at: float
    """Seconds since the start of the run when the frame's last sample was heard."""


class Microphone(AbstractAsyncContextManager[Any], Protocol):
    """Source of a frame every 10 ms while it is iterated."""

    @property
    def ended(self) -> bool:
        """Whether the source has ended; frames are silence from then on."""
        ...

    def frames(self) -> AsyncIterator[Frame]:
        """Yield frames in real time; a consumer that is too slow loses the oldest."""
        ...


class Speaker(AbstractAsyncContextManager[Any], Protocol):
    """Sink that reads a `Player` while the block lasts."""

    @property
    def rate(self) -> int:
        """Sample rate in hertz of what is read from the player."""
        ...
