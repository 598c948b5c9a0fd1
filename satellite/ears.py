"""What is heard in the microphone: how likely speech is, and which wake word, if any."""

from collections import deque
from dataclasses import dataclass

from satellite.devices.device import FRAME_SECONDS, Frame
from satellite.wake.engine import WakeDetector
from wyoming_common.audio import MODEL_RATE, Reframer
from wyoming_common.vad import VoiceDetector


@dataclass(frozen=True, slots=True)
class Voice:
    """Speech in a piece of the microphone's audio."""

    at: float
    """Seconds since the start of the run at its end."""
    probability: float
    samples: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What one frame completed."""

    voices: tuple[Voice, ...]
    wake: str | None


class Ears:
    """Runs the detectors on every frame; keeps the last `memory_seconds` of audio."""

    def __init__(self, vad: VoiceDetector, wake: WakeDetector, memory_seconds: float = 8.0) -> None:
        self._vad = vad
        self._wake = wake
        self._vad_frames = Reframer(vad.frame_samples * 2)
        self._vad_samples = 0
        self._wake_frames = Reframer(wake.frame_samples * 2)
        self._memory: deque[Frame] = deque(maxlen=round(memory_seconds / FRAME_SECONDS))

    def hear(self, frame: Frame) -> Heard:
        """Take the next 10 ms of the microphone."""
        self._memory.append(frame)
        self._vad_samples += len(frame.pcm) // 2
        voices = []
        for block in self._vad_frames.feed(frame.pcm):
            self._vad_samples -= self._vad.frame_samples
            at = frame.at - self._vad_samples / MODEL_RATE
            voices.append(Voice(at, self._vad.process(block), self._vad.frame_samples))
        wake = None
        for block in self._wake_frames.feed(frame.pcm):
            wake = self._wake.process(block) or wake
        return Heard(tuple(voices), wake)

    def since(self, at: float) -> bytes:
        """Return the remembered audio from `at` on: whole frames, mono s16le at 16 kHz."""
        return b"".join(frame.pcm for frame in self._memory if frame.at > at)
