"""The real CAM++: one voice stays itself in noise, and another one is another."""

from pathlib import Path

import numpy as np
import pytest

import parley.data
from wyoming_common.audio.pcm import PcmConverter, PcmFormat, read_audio, to_float
from wyoming_common.models import ModelStore
from wyoming_stt.speakers.campplus import CAMPPLUS, CamPlusPlus
from wyoming_stt.speakers.identification import THRESHOLD


@pytest.fixture(scope="module")
def model(store: ModelStore) -> CamPlusPlus:
    return CamPlusPlus(store.ensure(CAMPPLUS))


@pytest.fixture(scope="module")
def question() -> bytes:
    return read_audio(Path(parley.data.__file__).with_name("question.wav"))[0]


def test_a_voice_in_noise_is_the_same_voice(model: CamPlusPlus, question: bytes) -> None:
    clean = to_float(question)
    noise = np.random.default_rng(1).normal(0, 0.05 * float(clean.std()), len(clean))

    noisy = (clean + noise).astype(np.float32)

    assert float(model.embed(clean) @ model.embed(noisy)) > THRESHOLD


def test_a_longer_vocal_tract_is_another_voice(model: CamPlusPlus, question: bytes) -> None:
    # Played a third slower, pitch and resonances are those of a larger person.
    slower = PcmConverter(PcmFormat(12_000), 16_000)
    other = slower.feed(question) + slower.flush()

    similarity = float(model.embed(to_float(question)) @ model.embed(to_float(other)))

    assert similarity < THRESHOLD


def test_the_same_sound_gives_the_same_embedding(model: CamPlusPlus, question: bytes) -> None:
    sound = to_float(question)

    assert np.array_equal(model.embed(sound), model.embed(sound))
    assert float(np.linalg.norm(model.embed(sound))) == pytest.approx(1.0, abs=1e-5)
