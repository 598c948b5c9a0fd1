"""Scenes: what they change of a speech, and what they leave."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from parley.wake_word.scenes import formants_moved, heard, noise
from wyoming_common.audio.pcm import MODEL_RATE

Floats = NDArray[np.float32]


def vowel(pitch: float, formant: float) -> Floats:
    """Return a second of the harmonics of `pitch`, loudest near `formant` in hertz."""
    time = np.arange(MODEL_RATE) / MODEL_RATE
    partials = np.arange(pitch, 7_500, pitch)
    levels = np.exp(-(((partials - formant) / 400) ** 2)) + 0.01
    waves = levels[:, None] * np.sin(2 * np.pi * partials[:, None] * time)
    return np.asarray(waves.sum(axis=0) / 10, np.float32)


def loudest(sound: Floats) -> float:
    """Return the frequency of the loudest partial, in hertz; the sound lasts a second."""
    return float(np.abs(np.fft.rfft(sound)).argmax())


@pytest.mark.parametrize("factor", [0.86, 1.17])
def test_another_vocal_tract_moves_the_formants_and_leaves_the_pitch(factor: float) -> None:
    moved = formants_moved(vowel(100, 1_500), factor)

    assert loudest(moved) == pytest.approx(1_500 * factor, abs=110)
    assert loudest(moved) % 100 == pytest.approx(0, abs=1), "a multiple of the pitch"


def test_a_vocal_tract_as_long_as_before_leaves_the_speech_as_it_is() -> None:
    speech = vowel(120, 2_000)

    assert np.abs(formants_moved(speech, 1.0) - speech).max() < 1e-3


def test_a_noise_has_the_power_1_and_its_length() -> None:
    speeches = [vowel(100, 1_000)]

    for seed in range(20):
        made = noise(30_000, random.Random(seed), speeches)  # noqa: S311
        assert len(made) == 30_000
        assert np.mean(made**2) == pytest.approx(1.0, rel=0.01)


def test_a_scene_fits_into_16_bits_and_is_as_long_as_the_sound() -> None:
    speech = vowel(100, 1_000)

    for seed in range(20):
        scene = heard(speech, random.Random(seed), [speech])  # noqa: S311
        assert len(scene) == len(speech)
        assert 0 < np.abs(scene).max() <= 32_767
