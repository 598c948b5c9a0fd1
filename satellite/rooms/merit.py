"""Merit of a satellite for a wake word: how directly its microphone hears the speaker. Pure.

Loudness alone says little: microphones differ, and a reverberant room is loud everywhere. So the
level and its distance to the noise count together with the wake word's score and with traits that
reverberation takes from speech: bands that are silent between its sounds, pulses in the residual
of linear prediction, and the modulation of the envelope by syllables and by shorter sounds. All
satellites hear the same words, so each trait need only be compared.

`python -m bench.rooms` measures the choice and fits the weights.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from satellite.rooms.messages import MAX_MERIT
from wyoming_common.audio.pcm import MODEL_RATE

Floats = NDArray[np.float64]

MAX_AUDIO_SECONDS: Final = 6.0
"""Audio that is looked at; from what is before the wake word the noise is known."""
TRAITS: Final = (
    "peaks",
    "pulses",
    "modulation_3_hz",
    "modulation_6_hz",
    "modulation_10_hz",
    "above_noise",
    "level",
    "score",
)
WEIGHTS: Final = np.array([0.224, 20.257, 1.084, 0.339, 0.291, 0.003, 0.088, 3.469])
"""Logits for each unit of a trait: how much likelier its satellite is the nearest one."""
MIN_OFFER_PROGRESS: Final = 0.7
"""Part of its threshold that the score has reached where a wake word may still be detected. Of
satellites below it when the first one detects the word, one in six does so too."""
TYPICAL_SCORE: Final = 0.36
"""Score in place of one that a wake word service does not tell: the median at the first
detection, in the rounds to which the weights are fitted."""

_WORD_SAMPLES: Final = int(1.2 * MODEL_RATE)
_WINDOW: Final = 512
_HOP: Final = 128
_NOISE_HOP: Final = 1024
_EDGES: Final = np.round(np.geomspace(150, 7200, 13) * _WINDOW / MODEL_RATE).astype(int)
"""Bins between which the 12 bands lie, 150 Hz to 7.2 kHz."""
_HANN: Final = np.hanning(_WINDOW)
_NOISE_PERCENTILE: Final = 15.0
_MODULATIONS_HZ: Final = (3.0, 6.0, 10.0, 16.0)
_MIN_MODULATION_HZ: Final = 1.0
_ORDER: Final = 12
"""Of the linear prediction."""
_FRAME_SAMPLES: Final = 400
_FRAME_HOP: Final = 160
_LOUDEST: Final = 0.35
"""Share of the frames whose residual counts."""


def merit(pcm: bytes, score: float | None) -> int:
    """Return the merit in thousandths of a logit.

    `pcm` is mono s16le at 16 kHz that ends with the wake word. `score` is that of the wake word as
    a part of its threshold, the mean of the last 0.3 s; None where it is not known.
    """
    logits = float(WEIGHTS @ traits(pcm, TYPICAL_SCORE if score is None else score))
    return max(-MAX_MERIT, min(MAX_MERIT, round(1000 * logits)))


def traits(pcm: bytes, score: float) -> Floats:
    """Return the value of each of TRAITS."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    missing = _WORD_SAMPLES - len(samples)
    if missing > 0:
        samples = np.concatenate([np.zeros(missing), samples])
    word = samples[-_WORD_SAMPLES:]
    power = _band_power(word, _HOP)
    noise = np.percentile(_band_power(samples, _NOISE_HOP), _NOISE_PERCENTILE, axis=0) + 1.0
    level = 10 * np.log10(power + 1.0)
    above = level - 10 * np.log10(noise)
    high, middle = np.percentile(level, (95, 50), axis=0)
    return np.array(
        [
            (high - middle).mean(),
            _pulses(word),
            *_modulations(power),
            np.percentile(above, 95, axis=0).mean(),
            high.mean(),
            score,
        ]
    )


def _band_power(samples: Floats, hop: int) -> Floats:
    """Return the power in each band, [frames, 12]."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::hop]
    power = np.abs(np.fft.rfft(frames * _HANN)) ** 2
    sums = np.add.reduceat(power[:, : _EDGES[-1]], _EDGES[:-1], axis=1)
    return np.asarray(sums / np.diff(_EDGES))


def _modulations(power: Floats) -> list[float]:
    """Return the share of each of the _MODULATIONS_HZ in the envelopes' modulation, in dB."""
    envelopes = np.sqrt(power)
    window = np.hanning(len(envelopes))[:, None]
    spectrum = np.abs(np.fft.rfft((envelopes - envelopes.mean(0)) * window, axis=0)) ** 2
    hertz = np.fft.rfftfreq(len(envelopes), _HOP / MODEL_RATE)
    whole = spectrum[hertz >= _MIN_MODULATION_HZ].sum(0) + 1.0
    shares = []
    for low, high in pairwise(_MODULATIONS_HZ):
        part = spectrum[(hertz >= low) & (hertz < high)].sum(0)
        shares.append(float(np.mean(10 * np.log10(part / whole + 1e-6))))
    return shares


def _pulses(word: Floats) -> float:
    """Return the mean logarithm of the kurtosis of the residual in the loudest frames."""
    frames = np.lib.stride_tricks.sliding_window_view(word, _FRAME_SAMPLES)[::_FRAME_HOP]
    energy = np.mean(frames**2, axis=1)
    frames = frames[energy >= np.quantile(energy, 1 - _LOUDEST)]
    frames = frames - frames.mean(1, keepdims=True)
    windowed = frames * np.hamming(_FRAME_SAMPLES)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(windowed, 1024)) ** 2)[:, : _ORDER + 1]
    lags = np.abs(np.arange(_ORDER)[:, None] - np.arange(_ORDER))
    # A little noise keeps the matrix of a silent or periodic frame regular.
    regular = np.eye(_ORDER) * (correlation[:, :1, None] * 1e-3 + 1e-3)
    matrix = correlation[:, lags] + regular
    weights = np.linalg.solve(matrix, correlation[:, 1:, None])[:, :, 0]
    residual = frames[:, _ORDER:].copy()
    for lag in range(_ORDER):
        begin = _ORDER - 1 - lag
        residual -= weights[:, lag : lag + 1] * frames[:, begin : begin + residual.shape[1]]
    kurtosis = np.mean(residual**4, axis=1) / (np.mean(residual**2, axis=1) ** 2 + 1e-9)
    return float(np.mean(np.log(kurtosis + 1e-3)))
