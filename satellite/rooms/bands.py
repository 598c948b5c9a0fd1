"""Power of a wake word in 12 bands, in which satellites compare how they hear it. Pure."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from wyoming_common.audio.pcm import MODEL_RATE

Floats = NDArray[np.float64]

BANDS: Final = 12
HOP: Final = 128
WORD_SAMPLES: Final = 150 * HOP
"""1.2 s"""
_LONG_SAMPLES: Final = 187 * HOP
"""1.5 s"""
_WINDOW: Final = 4 * HOP
_NOISE_HOP: Final = 1024
_NOISE_PERCENTILE: Final = 15.0
_EDGES: Final = np.round(np.geomspace(150, 7200, BANDS + 1) * _WINDOW / MODEL_RATE).astype(int)
"""Bins between which the bands lie, 150 Hz to 7.2 kHz"""
_HANN: Final = np.hanning(_WINDOW)


@dataclass(frozen=True, slots=True)
class WordBands:
    """A wake word as one microphone has heard it."""

    samples: Floats
    """The last 1.2 s, shape [WORD_SAMPLES]"""
    power: Floats
    """Shape [frames, BANDS], of the last 1.5 s"""
    noise: Floats
    """Power of what is before the word, shape [BANDS]"""

    @classmethod
    def of(cls, pcm: bytes) -> Self:
        """Look at mono s16le at 16 kHz that ends with the word; silence comes before it."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float64)
        samples = np.concatenate([np.zeros(max(0, _LONG_SAMPLES - len(samples))), samples])
        quiet = np.percentile(_band_power(samples, _NOISE_HOP), _NOISE_PERCENTILE, axis=0)
        return cls(samples[-WORD_SAMPLES:], _band_power(samples[-_LONG_SAMPLES:], HOP), quiet + 1.0)

    @property
    def word_power(self) -> Floats:
        """Power of the last 1.2 s."""
        return self.power[-((WORD_SAMPLES - _WINDOW) // HOP + 1) :]


def _band_power(samples: Floats, hop: int) -> Floats:
    """Return the power in each band every `hop` samples, shape [frames, BANDS]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::hop]
    power = np.abs(np.fft.rfft(frames * _HANN)) ** 2
    sums = np.add.reduceat(power[:, : _EDGES[-1]], _EDGES[:-1], axis=1)
    return np.asarray(sums / np.diff(_EDGES))
