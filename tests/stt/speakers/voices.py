"""Voices without a model: the pitch of a tone is the voice."""

from pathlib import Path

import numpy as np

from tests.stt.fakes import RATE, LoudnessVad
from wyoming_stt.engine import Audio
from wyoming_stt.speakers.campplus import SIZE
from wyoming_stt.speakers.engine import Embedding, unit
from wyoming_stt.speakers.enrolment import Enroller

ANNA, BEN, CARL = 300, 700, 1500
"""Hertz of three voices"""


def tone(hertz: int, seconds: float = 2.0, level: float = 0.25) -> bytes:
    """A voice saying something, mono s16le at 16 kHz."""
    at = np.arange(round(seconds * RATE)) / RATE
    return (32767 * level * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes()


def embedding(hertz: int, other: int = 0, share: float = 0.0) -> Embedding:
    """The embedding of a voice, with a share of another one in it."""
    vector = np.zeros(SIZE, np.float32)
    vector[hertz // 20] = 1.0
    vector[other // 20] += share
    return unit(vector)


class PitchModel:
    """Tells voices apart by their pitch."""

    def __init__(self) -> None:
        self.calls = 0

    def embed(self, audio: Audio) -> Embedding:
        self.calls += 1
        spectrum = np.abs(np.fft.rfft(audio))
        return embedding(round(float(np.argmax(spectrum)) * RATE / len(audio)))


def enroller(folder: Path) -> Enroller:
    """Return an enroller without real models."""
    return Enroller([folder], PitchModel, LoudnessVad)


def enrol(folder: Path, name: str, hertz: int) -> Path:
    """Enrol a voice."""
    desk = enroller(folder)
    return desk.enrol(name, [desk.sample(tone(hertz), "a sentence")] * 5)
