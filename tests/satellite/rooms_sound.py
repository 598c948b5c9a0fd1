"""One spoken word in rooms, synthesised: a source like a voice, and responses of rooms."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.support.satellite_rig import write_wav
from wyoming_common.audio.pcm import MODEL_RATE

Wave = NDArray[np.float64]
WORD_END_SECONDS: Final = 2.0
_COMMAND_SECONDS: Final = 0.6
_SILENCE_SECONDS: Final = 0.4


def utterance(seed: int = 1) -> Wave:
    """Return a wake word of four syllables that ends at WORD_END_SECONDS, and a command."""
    random = np.random.default_rng(seed)
    samples = np.zeros(int((WORD_END_SECONDS + _SILENCE_SECONDS) * MODEL_RATE))
    for begin in (1.1, 1.35, 1.6, 1.83):
        start = int(begin * MODEL_RATE)
        syllable = _syllable(random, 0.16)
        samples[start : start + len(syllable)] += syllable
    command = [_syllable(random, 0.15) for _ in range(round(_COMMAND_SECONDS / 0.15))]
    return np.concatenate([samples, *command, np.zeros(2 * MODEL_RATE)])


def heard(dry: Wave, path: Path, *, metres: float, seed: int, gain: float = 1.0) -> None:
    """Write a recording of `dry` at a distance from the speaker, in a room that is reverberant."""
    random = np.random.default_rng(seed)
    seconds = np.arange(int(0.5 * MODEL_RATE)) / MODEL_RATE
    response = random.normal(0, 1, len(seconds)) * 10 ** (-3 * seconds / 0.5)
    response /= np.sqrt(np.sum(response**2))
    response[0] = 1.2 / metres
    size = len(dry) + len(response)
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(response, size), size)[: len(dry)]
    wet = wet / np.abs(wet).max() * 12_000 * gain + random.normal(0, 8, len(dry))
    write_wav(path, np.clip(wet, -32_768, 32_767).astype("<i2").tobytes())


def _syllable(random: np.random.Generator, seconds: float) -> Wave:
    """Pulses of a voice through three formants."""
    length = int(seconds * MODEL_RATE)
    pulses = np.zeros(length)
    pulses[:: int(MODEL_RATE / random.uniform(100, 180))] = 1.0
    pulses += random.normal(0, 0.02, length)
    hertz = np.fft.rfftfreq(2 * length, 1 / MODEL_RATE)
    formants = random.uniform((300, 900, 2200), (800, 2000, 3200))
    spectrum = sum(1 / (1 + ((hertz - formant) / 120) ** 2) for formant in formants)
    voice = np.fft.irfft(np.fft.rfft(pulses, 2 * length) * spectrum, 2 * length)[:length]
    return np.asarray(voice * np.hanning(length))
