"""Recogniser and voice detector without models: loud audio is speech, its length is the text."""

import threading
from collections.abc import Sequence

import numpy as np

from wyoming_common.audio.pcm import to_float
from wyoming_common.audio.vad import VAD_FRAME_SAMPLES
from wyoming_common.errors import ServiceError
from wyoming_stt.audio.vad import Probabilities
from wyoming_stt.engine import Audio, Task, Transcription, TranscriptionRequest

RATE = 16_000


def speech(seconds: float, rate: int = RATE) -> bytes:
    """A tone, mono s16le."""
    at = np.arange(round(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * 300 * at)).astype("<i2").tobytes()


def silence(seconds: float, rate: int = RATE) -> bytes:
    return bytes(2 * round(seconds * rate))


def soft_speech(seconds: float, rate: int = RATE) -> bytes:
    """A tone too soft to be certain speech, mono s16le."""
    return (np.frombuffer(speech(seconds, rate), "<i2") // 10).tobytes()


class LoudnessVadStream:
    """Speech probability 0.95 for a loud frame, 0.25 for a soft one, 0.0 for a silent one."""

    def process(self, frames: bytes) -> Probabilities:
        loudness = np.abs(to_float(frames)).reshape(-1, VAD_FRAME_SAMPLES).max(axis=1)
        return np.select([loudness > 0.05, loudness > 0.01], [0.95, 0.25], 0.0).astype(np.float32)


class LoudnessVad:
    """A voice detector by loudness."""

    def stream(self) -> LoudnessVadStream:
        return LoudnessVadStream()


class FakeEngine:
    """Writes the seconds of loud audio, to a tenth; records its requests, loads and closes."""

    def __init__(self, languages: Sequence[str] = ("en", "de")) -> None:
        self._languages = languages
        self.requests: list[TranscriptionRequest] = []
        self.loads = 0
        self.closes = 0
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    @property
    def languages(self) -> Sequence[str]:
        return self._languages

    @property
    def tasks(self) -> Sequence[Task]:
        return ("transcribe",)

    def load(self) -> None:
        self.loads += 1

    def close(self) -> None:
        self.closes += 1

    def score(self, *_: object) -> list[float] | None:
        return None

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        self.requests.append(request)
        self.begun.set()
        self.gate.wait(10)
        if "boom" in request.words:
            raise RuntimeError("boom")
        if "refuse" in request.words:
            raise ServiceError("refused by the engine")
        steps = np.abs(audio[: len(audio) // 160 * 160]).reshape(-1, 160).max(axis=1)
        seconds = round(float((steps > 0.05).sum()) / 100, 1)
        return Transcription(text=f"loud {seconds}", language=request.language)
