"""The speech embedding on NumPy gives the numbers of openWakeWord's own features."""

import numpy as np
import pytest
from numpy.typing import NDArray

from parley.wake_word.embeddings import speech_embeddings
from satellite.wake.speech_embedding import StreamingEmbeddings
from satellite.wake.streaming import Features

pyopen_wakeword = pytest.importorskip("pyopen_wakeword")
RATE = 16_000
STEP = 1_280


def sound() -> bytes:
    """Return four seconds: silence, faint and loud noise, a tone that glides, clipping."""
    source = np.random.default_rng(4)
    time = np.arange(RATE) / RATE
    parts = [
        np.zeros(RATE // 2),
        source.standard_normal(RATE) * 12,
        9_000 * np.sin(2 * np.pi * (200 + 1_500 * time) * time),
        source.standard_normal(RATE) * 20_000,
        np.zeros(RATE // 2),
    ]
    return bytes(np.clip(np.concatenate(parts), -32768, 32767).astype("<i2").tobytes())


def streamed(features: Features, pcm: bytes, samples: int) -> NDArray[np.float32]:
    size = samples * 2
    return np.concatenate(
        [
            np.reshape(embedding, (-1, 96))
            for at in range(0, len(pcm), size)
            for embedding in features.process_streaming(pcm[at : at + size])
        ]
    )


def test_the_embeddings_are_those_of_the_model_for_tensorflow_lite() -> None:
    ours = streamed(StreamingEmbeddings(), sound(), STEP)
    theirs = streamed(pyopen_wakeword.OpenWakeWordFeatures.from_builtin(), sound(), STEP)

    assert len(ours) > len(sound()) // 2 // STEP + 24, "silence before fills a model's window"
    np.testing.assert_allclose(ours, theirs[-len(ours) :], atol=1e-3)


@pytest.mark.parametrize("samples", [160, 1_000, 4_096])
def test_the_size_of_a_frame_does_not_matter(samples: int) -> None:
    whole = streamed(StreamingEmbeddings(), sound(), STEP)

    np.testing.assert_allclose(streamed(StreamingEmbeddings(), sound(), samples), whole, atol=1e-4)


def faint(seconds: float) -> bytes:
    """Return a quiet room: steady noise."""
    noise = np.random.default_rng(5).standard_normal(int(seconds * RATE)) * 12
    return noise.astype("<i2").tobytes()


def test_in_a_quiet_room_nothing_is_computed() -> None:
    features = StreamingEmbeddings()
    streamed(features, sound() + faint(10), STEP)

    assert [list(features.process_streaming(faint(1)))] == [[]]


@pytest.mark.parametrize("rest", [7.0, 30.0])
def test_a_sound_after_rest_has_the_windows_that_it_would_have_without_rest(rest: float) -> None:
    quiet, spoken = faint(rest), sound()[3 * RATE :]
    samples = np.frombuffer(quiet + spoken, "<i2").astype(np.float32)

    found = streamed(StreamingEmbeddings(window=16), quiet + spoken, STEP)

    windows = len(spoken) // 2 // STEP + 16
    np.testing.assert_allclose(found[-windows:], speech_embeddings(samples)[-windows:], atol=1e-3)


def test_a_reset_stream_begins_anew() -> None:
    features = StreamingEmbeddings()
    first = streamed(features, sound(), STEP)
    features.reset()

    np.testing.assert_array_equal(streamed(features, sound(), STEP), first)


def test_a_recording_has_the_embeddings_of_a_stream() -> None:
    samples = np.frombuffer(sound(), "<i2").astype(np.float32)

    whole = speech_embeddings(samples)

    assert whole.shape == ((len(samples) - 12_880) // STEP + 1, 96)
    stream = streamed(StreamingEmbeddings(), sound(), STEP)
    np.testing.assert_allclose(whole, stream[-len(whole) :], atol=1e-3)


@pytest.mark.parametrize("samples", [0, 1_759, 12_879])
def test_a_sound_too_short_for_an_embedding_has_none(samples: int) -> None:
    assert speech_embeddings(np.zeros(samples, np.float32)).shape == (0, 96)
