"""Short sounds of the satellite, computed: no files to ship or to license."""

import numpy as np

_PEAK = 0.25
_FADE_SECONDS = 0.012

_NOTES: dict[str, tuple[tuple[float, float], ...]] = {
    "awake": ((659.3, 0.07), (987.8, 0.11)),
    "done": ((784.0, 0.07), (523.3, 0.11)),
    "error": ((311.1, 0.14), (233.1, 0.22)),
    "timer": ((880.0, 0.12), (0.0, 0.06), (880.0, 0.12), (0.0, 0.06), (1174.7, 0.25)),
}
"""Hertz and seconds of each note; 0 Hz is a rest."""


def sound(name: str, rate: int) -> bytes:
    """Return the sound `name` (awake, done, error, timer) as mono s16le PCM at `rate`."""
    notes = [_note(hertz, seconds, rate) for hertz, seconds in _NOTES[name]]
    return (np.concatenate(notes) * 32767).astype("<i2").tobytes()


def _note(hertz: float, seconds: float, rate: int) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * hertz * time) + 0.25 * np.sin(4 * np.pi * hertz * time)
    edge = np.minimum(time, seconds - time) / _FADE_SECONDS
    return np.asarray(wave * np.clip(edge, 0.0, 1.0) * _PEAK)
