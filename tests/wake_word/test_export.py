"""Export for openWakeWord: the same scores as the satellite's, from ONNX Runtime."""

from pathlib import Path

import numpy as np
import pytest

from parley.wake_word.export import write_onnx
from satellite.wake.trained_words import TrainedWord
from wyoming_common.errors import ConfigError

LENGTH = 4


def word() -> TrainedWord:
    source = np.random.default_rng(7)

    def network() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        sizes = ((LENGTH * 96, 8), (8, 1))
        return tuple(
            (
                source.standard_normal(size).astype(np.float32) / 20,
                source.standard_normal(size[1]).astype(np.float32),
            )
            for size in sizes
        )

    return TrainedWord(
        "hey you",
        "en",
        LENGTH,
        source.standard_normal(96).astype(np.float32),
        np.full(96, 0.5, np.float32),
        (network(), network()),
        0.7,
    )


def test_the_exported_model_scores_as_the_satellite_does(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    made = word()
    write_onnx(made, tmp_path / "hey_you.onnx")
    windows = np.random.default_rng(8).standard_normal((5, LENGTH, 96)).astype(np.float32)

    session = onnxruntime.InferenceSession(str(tmp_path / "hey_you.onnx"))
    name = session.get_inputs()[0].name
    scores = [session.run(None, {name: window[None]})[0] for window in windows]

    assert session.get_inputs()[0].shape == [1, LENGTH, 96], "as openWakeWord asks for it"
    assert all(score.shape == (1, 1) for score in scores)
    expected = made.score(made.logits(windows))
    assert np.allclose(np.concatenate(scores)[:, 0], expected, atol=1e-5)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    pytest.importorskip("onnx")

    with pytest.raises(ConfigError, match="cannot be written"):
        write_onnx(word(), tmp_path / "gone" / "hey_you.onnx")
