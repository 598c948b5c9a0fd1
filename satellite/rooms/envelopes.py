"""Envelopes of a wake word, by which two satellites tell which of them hears it more directly.

Reverberation smears speech: of two microphones that hear one word, the envelopes of the farther
one are those of the nearer one, and what fades of them. So each is written as the other and decays
of it. The one that needs more decays, or that is the easier to write so, is the farther one. Gains
do not matter, and noise is taken away first. Pure.

Envelopes are sent to the peers: 1.5 s in 12 bands every 16 ms, in steps of half a decibel.
"""

from functools import cache
from typing import Final

import numpy as np

from satellite.rooms.bands import BANDS, Floats, WordBands
from satellite.rooms.messages import MAX_ENVELOPE_BYTES, MAX_MERIT

_MEAN_FRAMES: Final = 2
"""Frames of which one is the mean"""
_FRAMES: Final = MAX_ENVELOPE_BYTES // BANDS - 1
_STEPS_A_DECIBEL: Final = 2
_MAX_SHIFT_FRAMES: Final = 12
"""Difference of the delays of two microphones"""
_MIN_FRAMES: Final = 40
_NOISE_FACTOR: Final = 1.5
_FLOOR: Final = 0.05
_DECAY_FRAMES: Final = (2.0, 5.0, 12.5)
_LAGS: Final = np.arange(1, 20)
_ITERATIONS: Final = 60
_ERROR_WEIGHT: Final = 3.4
_DECAY_WEIGHT: Final = 5.6
"""Logits by which the difference in each is evidence, beside that of two merits"""


def envelopes(word: WordBands) -> bytes:
    """Return the envelopes of a wake word after its noise."""
    power = word.power[: len(word.power) // _MEAN_FRAMES * _MEAN_FRAMES]
    means = power.reshape(-1, _MEAN_FRAMES, BANDS).mean(axis=1)[-_FRAMES:]
    rows = np.concatenate([word.noise[None], means])
    steps = np.round(10 * _STEPS_A_DECIBEL * np.log10(rows + 1.0))
    return np.clip(steps, 0, 255).astype(np.uint8).tobytes()


def relative_merit(own: bytes, other: bytes) -> int:
    """Return how much likelier than by merit `own` is the nearer one, in thousandths of a logit.

    The same, with the other sign, for the two exchanged; 0 for what cannot be compared.
    """
    if not (_is_whole(own) and _is_whole(other)):
        return 0
    if own > other:
        # One order, so that both satellites compute the very same number.
        return -relative_merit(other, own)
    first, second = _aligned(_power(own), _power(other))
    second_error, second_decays = _as_smeared(first, second)
    first_error, first_decays = _as_smeared(second, first)
    error = np.log((first_error + 1e-3) / (second_error + 1e-3)).mean()
    decays = (second_decays - first_decays).mean()
    logits = float(_ERROR_WEIGHT * error + _DECAY_WEIGHT * decays)
    return max(-MAX_MERIT, min(MAX_MERIT, round(1000 * logits)))


def _is_whole(content: bytes) -> bool:
    return len(content) % BANDS == 0 and len(content) >= BANDS * (_MIN_FRAMES + 1)


def _power(content: bytes) -> Floats:
    """Return the power of the word without that of the noise, shape [frames, BANDS]."""
    steps = np.frombuffer(content, np.uint8).reshape(-1, BANDS)
    power = 10 ** (steps / (10.0 * _STEPS_A_DECIBEL))
    noise, word = power[0], power[1:]
    return np.asarray(np.maximum(word - _NOISE_FACTOR * noise, 0) + _FLOOR * noise + 1.0)


def _aligned(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Return the frames of two envelopes in which they hear the same."""
    count = min(len(first), len(second))
    first, second = first[-count:], second[-count:]
    levels = [np.log(one).mean(axis=1) for one in (first, second)]
    a, b = (one - one.mean() for one in levels)
    shifts = range(-_MAX_SHIFT_FRAMES, _MAX_SHIFT_FRAMES + 1)
    shift = max(shifts, key=lambda by: float(_part(a, by) @ _part(b, -by)))
    return _part(first, shift), _part(second, -shift)


def _part(values: Floats, shift: int) -> Floats:
    return values[max(0, shift) : len(values) + min(0, shift)]


def _as_smeared(near: Floats, far: Floats) -> tuple[Floats, Floats]:
    """Write `far` as `near` and its decays; returns error and share of the decays in each band.

    The parts are not negative, and found by multiplicative steps.
    """
    parts = [near, *(_decayed(near, frames) for frames in _DECAY_FRAMES)]
    given = np.stack([part / (part.mean(axis=0) + 1e-9) for part in parts])
    weight = 1 / (far + 0.02 * far.max(axis=0))
    given, wanted = given * weight, far * weight
    products = np.einsum("ptb,qtb->bpq", given, given)
    target = np.einsum("ptb,tb->bp", given, wanted)
    scale = target.sum(axis=1) / (products.sum(axis=(1, 2)) + 1e-9)
    shares = np.repeat(scale[:, None], len(parts), axis=1)
    for _ in range(_ITERATIONS):
        shares = shares * target / (np.einsum("bpq,bq->bp", products, shares) + 1e-9)
    error = ((np.einsum("bp,ptb->tb", shares, given) - wanted) ** 2).mean(axis=0)
    return error, shares[:, 1:].sum(axis=1) / (shares.sum(axis=1) + 1e-9)


def _decayed(near: Floats, frames: float) -> Floats:
    """Return what is left of earlier frames where power falls to 1/e in `frames`."""
    padded = np.concatenate([np.zeros((len(_LAGS), near.shape[1])), near[:-1]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(_LAGS), axis=0)
    return np.asarray(windows[: len(near)] @ _kernel(frames))


@cache
def _kernel(frames: float) -> Floats:
    kernel = np.exp(-_LAGS[::-1] / frames)
    return np.asarray(kernel / kernel.sum())
