"""Scenes: speech as a microphone in a home hears it, made from clean speech.

Other speakers by pitch and formants, rooms by Polack's model of reverberation, noises that are
made and not recorded, and the level and frequency response of cheap microphones.
"""

import random
from collections.abc import Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from wyoming_common.audio.pcm import MODEL_RATE

Floats = NDArray[np.float32]
_FFT = 512
_HOP = 128
_SLOW = 2 * np.pi / _FFT * np.arange(30)[:, None]
"""Cosines of a spectral envelope, [30, 1]: turns from one frequency of a spectrum to the next."""
_CEPSTRUM = (
    np.cos(_SLOW * np.arange(_FFT // 2 + 1)).T
    * np.where(np.arange(_FFT // 2 + 1) % (_FFT // 2), 2, 1)[:, None]
    * np.where(np.arange(30), 2, 1)
    / _FFT
).astype(np.float32)
"""From the logarithms of a spectrum to the weights of those cosines, [257, 30]."""
_PERIOD = 2048
"""Samples of one period of a tone."""


def another_speaker(speech: Floats, rng: random.Random) -> Floats:
    """Return speech with another pitch, rate and length of the vocal tract."""
    if rng.random() < 0.8:
        speech = formants_moved(speech, rng.uniform(0.86, 1.17))
    factor = rng.uniform(0.85, 1.2)
    speech = soxr.resample(speech, MODEL_RATE * factor, MODEL_RATE, quality="LQ")
    return np.asarray(speech, np.float32)


def formants_moved(speech: Floats, factor: float) -> Floats:
    """Return speech whose spectral envelope is stretched along the frequencies by `factor`.

    Vocal tract length perturbation (Jaitly and Hinton, 2013), which leaves the pitch.
    """
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    padded = np.pad(speech, (_FFT, _FFT + (-len(speech)) % _HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP]
    spectra = np.fft.rfft(frames * window)
    logs = 0.5 * np.log(spectra.real**2 + spectra.imag**2 + np.float32(1e-10))
    bins = np.arange(_FFT // 2 + 1)
    source = np.clip(bins / factor, 0, _FFT // 2)
    # The envelope is the sum of the slowest cosines along the frequencies.
    moves = np.cos(_SLOW * source) - np.cos(_SLOW * bins)
    cepstra = logs @ _CEPSTRUM
    moved = np.exp(np.clip(cepstra @ moves.astype(np.float32), -4, 4))
    changed = np.fft.irfft(spectra * moved) * window
    out = np.zeros((len(changed) + 3, _HOP), np.float32)
    for part in range(4):
        out[part : part + len(changed)] += changed[:, part * _HOP : (part + 1) * _HOP]
    return out.reshape(-1)[_FFT : _FFT + len(speech)] * np.float32(_HOP / (_FFT * 0.375))


def room(speech: Floats, rng: random.Random) -> Floats:
    """Return speech in a room: direct sound, a few reflections and an exponential decay.

    Polack's model. Reverberation times of 0.15 to 0.7 s, the direct sound 0 to 15 dB above.
    """
    noise = np.random.default_rng(rng.getrandbits(32))
    seconds = rng.uniform(0.15, 0.7)
    length = int(seconds * MODEL_RATE)
    time = np.arange(length) / MODEL_RATE
    tail = noise.standard_normal(length) * np.exp(-6.9 * time / seconds)
    # High frequencies die away first.
    duller = np.convolve(tail, np.ones(3) / 3, "same")
    mix = np.minimum(1.0, time / (0.6 * seconds))
    tail = tail * (1 - mix) + duller * mix
    tail[: int(0.002 * MODEL_RATE)] = 0.0
    ratio = 10 ** (rng.uniform(0, 15) / 20)
    response = tail / (np.sqrt(np.sum(tail**2)) * ratio)
    for _ in range(rng.randint(2, 6)):
        at = int(rng.uniform(0.002, 0.03) * MODEL_RATE)
        response[at] += rng.choice((-1, 1)) * rng.uniform(0.1, 0.5)
    response[0] = 1.0
    return convolved(speech, response.astype(np.float32))[: len(speech)]


def convolved(first: Floats, second: Floats) -> Floats:
    size = 1 << (len(first) + len(second) - 2).bit_length()
    product = np.fft.rfft(first, size) * np.fft.rfft(second, size)
    return np.fft.irfft(product, size)[: len(first) + len(second) - 1].astype(np.float32)


def noise(length: int, rng: random.Random, speeches: Sequence[Floats]) -> Floats:
    """Return `length` samples of a noise of a random kind, of power 1."""
    kinds = ("coloured", "coloured", "hum", "babble", "knocks", "music")
    made = _MAKERS[rng.choice(kinds)](length, rng, speeches)
    if rng.random() < 0.3:
        made = made + _MAKERS["coloured"](length, rng, speeches) * np.float32(rng.uniform(0.1, 1))
    return np.asarray(made / (np.sqrt(np.mean(made**2)) + 1e-9), np.float32)


def _coloured(length: int, rng: random.Random, _: Sequence[Floats]) -> Floats:
    """White to brown noise with a broad resonance and slow changes of level."""
    source = np.random.default_rng(rng.getrandbits(32))
    size = _fast_size(length)
    spectrum = np.fft.rfft(source.standard_normal(size, np.float32))
    frequency = np.fft.rfftfreq(size, 1 / MODEL_RATE) + 20
    shape = frequency ** -rng.uniform(0, 1.3)
    centre, width = rng.uniform(200, 5000), rng.uniform(0.2, 1.5)
    shape *= 1 + rng.uniform(0, 4) * np.exp(-((np.log(frequency / centre) / width) ** 2))
    made = np.fft.irfft(spectrum * shape, size)[:length]
    points = np.exp(source.normal(0, rng.uniform(0, 0.7), length // 4000 + 2))
    level = np.interp(np.arange(length), np.arange(len(points)) * 4000, points)
    return np.asarray(made / (np.std(made) + 1e-9) * level, np.float32)


def _hum(length: int, rng: random.Random, speeches: Sequence[Floats]) -> Floats:
    """Mains or a motor: harmonics of one low tone, over some noise."""
    tone = rng.choice((50, 60, 100, 120, rng.uniform(80, 400)))
    partials = [(rng.uniform(0, 1) / n, rng.random()) for n in range(1, 15)]
    made = _tone(tone, partials, length)
    return made + np.float32(0.3) * _coloured(length, rng, speeches)


def _tone(pitch: float, partials: Sequence[tuple[float, float]], length: int) -> Floats:
    """Return a tone of harmonics, each with a level and a phase in turns, from the lowest on.

    One period is computed and repeated, which costs much less than the sine of every sample.
    """
    spectrum = np.zeros(_PERIOD // 2 + 1, np.complex128)
    for number, (level, phase) in enumerate(partials, 1):
        spectrum[number] = -0.5j * _PERIOD * level * np.exp(2j * np.pi * phase)
    period = np.fft.irfft(spectrum, _PERIOD).astype(np.float32)
    at = np.arange(length) * (pitch * _PERIOD / MODEL_RATE)
    return np.asarray(period[at.astype(np.intp) % _PERIOD])


def _babble(length: int, rng: random.Random, speeches: Sequence[Floats]) -> Floats:
    """Several people who talk at once."""
    made = np.zeros(length, np.float32)
    for _ in range(rng.randint(3, 7)):
        speech = rng.choice(speeches) if speeches else _coloured(length, rng, speeches)
        gain = np.float32(rng.uniform(0.3, 1))
        made += np.roll(np.resize(speech, length), rng.randrange(length)) * gain
    return made


def _knocks(length: int, rng: random.Random, speeches: Sequence[Floats]) -> Floats:
    """Dishes and doors: short decaying sounds."""
    made = 0.02 * _coloured(length, rng, speeches)
    source = np.random.default_rng(rng.getrandbits(32))
    for _ in range(max(1, int(length / MODEL_RATE * rng.uniform(0.7, 4)))):
        size = int(rng.uniform(0.02, 0.3) * MODEL_RATE)
        time = np.arange(size) / MODEL_RATE
        tones = sum(np.sin(2 * np.pi * rng.uniform(150, 5000) * time) for _ in range(4))
        sound = (tones + source.standard_normal(size) * rng.uniform(0, 3)) * np.exp(
            -time * rng.uniform(15, 120)
        )
        at = rng.randrange(max(1, length - size))
        made[at : at + size] += (sound[: length - at] * rng.uniform(0.2, 1)).astype(np.float32)
    return made


def _music(length: int, rng: random.Random, speeches: Sequence[Floats]) -> Floats:
    """Chords of decaying notes and a beat."""
    made = 0.05 * _knocks(length, rng, speeches)
    step = int(rng.uniform(0.15, 0.6) * MODEL_RATE)
    for at in range(0, length, step):
        size = min(length - at, 2 * step)
        decay = np.exp(np.arange(size, dtype=np.float32) * np.float32(-3 / MODEL_RATE))
        for _ in range(rng.randint(1, 4)):
            pitch = 110 * 2 ** (rng.randint(0, 36) / 12)
            partials = [(1 / n, 0.0) for n in range(1, rng.randint(2, 8))]
            made[at : at + size] += _tone(pitch, partials, size) * decay
    return made


_MAKERS = {
    "coloured": _coloured, "hum": _hum, "babble": _babble, "knocks": _knocks, "music": _music,
}  # fmt: skip


def microphone(sound: Floats, rng: random.Random) -> Floats:
    """Return sound through a microphone: a band of frequencies and a tilt."""
    size = _fast_size(len(sound))
    spectrum = np.fft.rfft(sound, size)
    frequency = np.fft.rfftfreq(size, 1 / MODEL_RATE) + 1
    low, high = rng.uniform(20, 250), rng.uniform(3200, 9000)
    shape = 1 / np.sqrt(1 + (low / frequency) ** 4) / np.sqrt(1 + (frequency / high) ** 8)
    shape *= (frequency / 1000) ** rng.uniform(-0.35, 0.5)
    return np.fft.irfft(spectrum * shape, size)[: len(sound)].astype(np.float32)


def _fast_size(length: int) -> int:
    """Return a size of at least `length` whose Fourier transform is fast."""
    return -(-length // 2048) * 2048


def heard(sound: Floats, rng: random.Random, speeches: Sequence[Floats]) -> Floats:
    """Return sound in a room, in noise, through a microphone, as 16-bit values."""
    power = _speech_power(sound)
    if rng.random() < 0.7:
        sound = room(sound, rng)
    ratio_db = rng.uniform(0, 20) if rng.random() < 0.75 else rng.uniform(20, 50)
    level = np.float32(np.sqrt(power) * 10 ** (-ratio_db / 20))
    sound = sound + noise(len(sound), rng, speeches) * level
    if rng.random() < 0.7:
        sound = microphone(sound, rng)
    peak = float(np.abs(sound).max(initial=1e-6))
    return sound * np.float32(32767 * 10 ** (-rng.uniform(1, 38) / 20) / peak)


def _speech_power(sound: Floats) -> float:
    """Return the mean power of the louder half of the sound."""
    blocks = np.mean(sound[: len(sound) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
    loud = blocks[blocks > 0.05 * blocks.max(initial=0.0)]
    return float(loud.mean()) if len(loud) else 1e-6
