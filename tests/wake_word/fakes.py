"""A voice that plays a tone for each phoneme, and embeddings that are a spectrum."""

import random
import zlib

import numpy as np
from numpy.typing import NDArray

from parley.wake_word.embeddings import SPAN_SAMPLES
from satellite.wake.speech_embedding import STEP_SAMPLES

Floats = NDArray[np.float32]
RATE = 16_000


class ToneVoice:
    """Says each phoneme as 80 ms of a tone of its own. Counts what it was asked."""

    name = "tones"
    cost = 0.05
    variety = 4

    def __init__(self) -> None:
        self.said = 0

    def say(self, text: str, rng: random.Random) -> Floats:
        self.said += 1
        seconds = 0.08 * rng.uniform(0.9, 1.1)
        time = np.arange(int(seconds * RATE)) / RATE
        tones = [
            np.sin(2 * np.pi * (200 + zlib.crc32(sign.encode()) % 3000) * time)
            for sign in text
            if sign.isalpha()
        ]
        return np.concatenate([*tones, np.zeros(0)]).astype(np.float32) * np.float32(0.9)


def spectra(sound: Floats) -> Floats:
    """Return the loudness of 24 bands in each quarter of what an embedding is made of."""
    count = max(0, (len(sound) - SPAN_SAMPLES - 1_760) // STEP_SAMPLES)
    quarter = SPAN_SAMPLES // 4
    found = np.zeros((count, 96), np.float32)
    for number in range(count):
        span = sound[number * STEP_SAMPLES :][: 4 * quarter].reshape(4, quarter)
        bands = np.abs(np.fft.rfft(span))[:, 40:1024].reshape(4, 24, -1).mean(axis=2)
        found[number] = np.log(bands + 1.0).reshape(-1)
    return found


class FakeEspeak:
    """Reads a letter as a phoneme."""

    def phonemize(self, voice: str, text: str, _: object = ()) -> list[list[str]]:
        return [list(text)]
