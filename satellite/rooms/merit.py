"""Merit of a satellite for a wake word: how directly its microphone hears the speaker. Pure.

Loudness alone says little: microphones differ, and a reverberant room is loud everywhere. So the
level and its distance to the noise count together with traits that reverberation takes from
speech: pulses in the residual of linear prediction, steep rises and falls of the bands, and their
modulation by syllables and by shorter sounds. All satellites hear the same words, so each one's
traits need only be compared; a small network makes one number of them. `envelopes` tells the rest.

`python -m bench.rooms_fit` trains the network, `python -m bench.rooms` measures the choice.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

import numpy as np

from satellite.rooms.arbitration import Appraisal
from satellite.rooms.bands import HOP, Floats, WordBands
from satellite.rooms.envelopes import envelopes
from satellite.rooms.messages import MAX_MERIT
from wyoming_common.audio.pcm import MODEL_RATE

MAX_AUDIO_SECONDS: Final = 6.0
"""Audio that is looked at; from what is before the wake word the noise is known."""
_BANDS: Final = ("low", "middle", "high")
TRAITS: Final = (
    "kurtosis_50_ms",
    "kurtosis_25_ms",
    *(f"level_{band}" for band in _BANDS),
    *(f"above_noise_{band}" for band in _BANDS),
    *(f"fall_{band}" for band in _BANDS),
    *(f"rise_{band}" for band in _BANDS),
    *(f"modulation_{hertz}_hz" for hertz in (3, 6, 10)),
)
NETWORK: Final = Path(__file__).with_name("merit.npz")

_SLOPE_FRAMES: Final = 6
_SLOPE_PERCENTILES: Final = (10.0, 98.0)
_MIN_ABOVE_NOISE_DB: Final = 10.0
_MODULATIONS_HZ: Final = (3.0, 6.0, 10.0, 16.0)
_MIN_MODULATION_HZ: Final = 1.0
_MAX_DEVIATION: Final = 4.0


@dataclass(frozen=True, slots=True)
class MeritNetwork:
    """Hidden units beside a linear path; its difference for two satellites is a logit."""

    mean: Floats
    scale: Floats
    """Of each trait, shape [traits]"""
    hidden: Floats
    """Shape [traits, units]"""
    bias: Floats
    output: Floats
    """Shape [units]"""
    linear: Floats
    """Shape [traits]"""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the arrays of a file of numpy's."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(*(arrays[name].astype(np.float64) for name in cls.__slots__))

    def scaled(self, values: Floats) -> Floats:
        """Return traits in multiples of their usual deviation, within bounds: silence has none."""
        return np.clip((values - self.mean) / self.scale, -_MAX_DEVIATION, _MAX_DEVIATION)

    def __call__(self, values: Floats) -> Floats:
        """Return the logits for traits of shape [..., traits]."""
        given = self.scaled(values)
        return np.asarray(
            np.tanh(given @ self.hidden + self.bias) @ self.output + given @ self.linear
        )


@cache
def network() -> MeritNetwork:
    """Return the network that merits are computed with."""
    return MeritNetwork.load(NETWORK)


def appraisal(pcm: bytes) -> Appraisal:
    """Return the part of a satellite in a wake word, mono s16le at 16 kHz that ends with it."""
    word = WordBands.of(pcm)
    return Appraisal(merit(word), envelopes(word))


def merit(word: WordBands) -> int:
    """Return the merit in thousandths of a logit."""
    return max(-MAX_MERIT, min(MAX_MERIT, round(1000 * float(network()(traits(word))))))


def traits(word: WordBands) -> Floats:
    """Return the value of each of TRAITS."""
    power = word.word_power
    level, floor = 10 * np.log10(power + 1.0), 10 * np.log10(word.noise)
    high = np.percentile(level, 95, axis=0)
    return np.array(
        [
            _log_kurtosis(_residual(word.samples, 800, 320, 16, 0.35)),
            _log_kurtosis(_residual(word.samples, 400, 160, 12, 0.5)),
            *_thirds(high),
            *_thirds(high - floor),
            *_slopes(level, floor),
            *_modulations(power),
        ]
    )


def _thirds(bands: Floats) -> list[float]:
    """Return the means of the low, middle and high bands."""
    return [float(part.mean()) for part in np.split(bands, len(_BANDS))]


def _slopes(level: Floats, floor: Floats) -> list[float]:
    """Return how steeply bands fall and rise where they are above the noise, in dB."""
    before, after = level[:-_SLOPE_FRAMES], level[_SLOPE_FRAMES:]
    loud = np.maximum(before, after) > floor + _MIN_ABOVE_NOISE_DB
    slopes = np.where(loud, after - before, 0.0)
    return [
        value for row in np.percentile(slopes, _SLOPE_PERCENTILES, axis=0) for value in _thirds(row)
    ]


def _modulations(power: Floats) -> list[float]:
    """Return the share of each of the _MODULATIONS_HZ in the envelopes' modulation, in dB."""
    curves = np.sqrt(power)
    window = np.hanning(len(curves))[:, None]
    spectrum = np.abs(np.fft.rfft((curves - curves.mean(0)) * window, axis=0)) ** 2
    hertz = np.fft.rfftfreq(len(curves), HOP / MODEL_RATE)
    whole = spectrum[hertz >= _MIN_MODULATION_HZ].sum(0) + 1.0
    shares = []
    for low, high in pairwise(_MODULATIONS_HZ):
        part = spectrum[(hertz >= low) & (hertz < high)].sum(0)
        shares.append(float(np.mean(10 * np.log10(part / whole + 1e-6))))
    return shares


def _residual(word: Floats, size: int, hop: int, order: int, share: float) -> Floats:
    """Return what linear prediction leaves of the loudest frames, shape [frames, size - order]."""
    frames = np.lib.stride_tricks.sliding_window_view(word, size)[::hop]
    energy = np.mean(frames**2, axis=1)
    frames = frames[energy >= np.quantile(energy, 1 - share)]
    frames = frames - frames.mean(1, keepdims=True)
    windowed = frames * np.hamming(size)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(windowed, 1024)) ** 2)[:, : order + 1]
    lags = np.abs(np.arange(order)[:, None] - np.arange(order))
    # A little noise keeps the matrix of a silent or periodic frame regular.
    regular = np.eye(order) * (correlation[:, :1, None] * 1e-3 + 1e-3)
    weights = np.linalg.solve(correlation[:, lags] + regular, correlation[:, 1:, None])[:, :, 0]
    residual = frames[:, order:].copy()
    for lag in range(order):
        begin = order - 1 - lag
        residual -= weights[:, lag : lag + 1] * frames[:, begin : begin + residual.shape[1]]
    return np.asarray(residual)


def _log_kurtosis(residual: Floats) -> float:
    """Return the mean logarithm of the kurtosis of frames."""
    kurtosis = np.mean(residual**4, axis=1) / (np.mean(residual**2, axis=1) ** 2 + 1e-9)
    return float(np.mean(np.log(kurtosis + 1e-3)))
