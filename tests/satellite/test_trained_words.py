"""Trained wake words: their file, their score, and their place beside the built-in words."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satellite.esphome.wake_words import phrase_of
from satellite.wake import make_wake, trained_names
from satellite.wake.trained_words import (
    FOLDER,
    StreamedWord,
    TrainedWord,
    file_name,
    read_word,
    write_word,
)
from satellite.wake.wake_recorder import MAX_RECORDINGS, WakeRecorder
from wyoming_common.errors import ConfigError, ModelError

LENGTH = 3


def word(bias: float = 0.0, threshold: float = 0.0) -> TrainedWord:
    """A word whose logit is the sum of the first numbers of its window, plus `bias`."""
    weights = np.zeros((LENGTH * 96, 1), np.float32)
    weights[::96] = 1.0
    layers = ((weights, np.array([bias], np.float32)),)
    return TrainedWord(
        "hey you", "en", LENGTH, np.zeros(96, np.float32), np.ones(96, np.float32), (layers,),
        threshold, {"recall": 0.9},
    )  # fmt: skip


def embeddings(count: int, value: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    found = np.zeros((count, 96), np.float32)
    found[:, 0] = value
    return found


def test_a_word_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / file_name("Hey, you!")

    write_word(word(0.5, 1.5), path)
    found = read_word(path)

    assert path.name == "hey_you.wake"
    assert (found.phrase, found.language, found.threshold) == ("hey you", "en", 1.5)
    assert found.facts == {"recall": 0.9}
    sound = np.random.default_rng(1).standard_normal((20, 96)).astype(np.float32)
    assert np.array_equal(found.scores(sound), word(0.5, 1.5).scores(sound))
    assert list(tmp_path.iterdir()) == [path]


@settings(max_examples=60)
@given(st.integers(0, 4000), st.binary(max_size=8))
def test_a_damaged_file_is_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes
) -> None:
    path = tmp_path_factory.mktemp("words") / "bad.wake"
    write_word(word(), path)
    data = path.read_bytes()
    path.write_bytes(data[: at % len(data)] + junk)

    with pytest.raises(ModelError, match=r"bad\.wake is not a trained wake word"):
        read_word(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        make_wake("open", (str(tmp_path / "gone.wake"),), 0.5, "")


@given(st.lists(st.floats(-3, 3), min_size=LENGTH, max_size=12))
def test_the_score_of_a_stream_is_that_of_its_recording(values: list[float]) -> None:
    sound = np.concatenate([embeddings(1, value) for value in values])
    streamed = StreamedWord(word())

    scores = [streamed.score(one[None, None, None]) for one in sound]

    assert scores[: LENGTH - 1] == [0.0] * (LENGTH - 1)
    assert np.allclose(scores[LENGTH - 1 :], word().scores(sound), atol=1e-5)


def test_the_threshold_of_a_word_is_half_the_score() -> None:
    assert word(threshold=3.0).scores(embeddings(LENGTH, 1.0))[-1] == pytest.approx(0.5)


def test_a_trained_word_is_heard_beside_the_words_of_another_engine(tmp_path: Path) -> None:
    write_word(word(bias=99.0), tmp_path / FOLDER / "hey_you.wake")

    detector = make_wake("micro", ("okay_nabu", "hey_you"), 0.5, "", data_dirs=[tmp_path])
    heard = [detector.process(bytes(detector.frame_samples * 2)) for _ in range(100)]

    assert trained_names([tmp_path]) == ("hey_you",)
    assert set(detector.scores) == {"okay_nabu", "hey_you"}
    assert [one for one in heard if one] == ["hey_you"]


def test_home_assistant_sees_the_phrase_of_a_trained_word() -> None:
    assert phrase_of("hey_you") == phrase_of("/data/hey_you.wake") == "hey you"


def test_recorded_wakes_are_bounded_and_the_oldest_go_first(tmp_path: Path) -> None:
    times = iter(range(1, MAX_RECORDINGS + 10))
    recorder = WakeRecorder(tmp_path, lambda: 1_000 + next(times))

    for _ in range(MAX_RECORDINGS + 5):
        recorder.record("hey_you", bytes(3200))
        recorder.finish()
    recorder.close()

    names = sorted(path.name for path in (tmp_path / FOLDER / "heard").iterdir())
    assert len(names) == MAX_RECORDINGS
    assert names[0] == "1006000-hey_you.wav"
