"""CAM++: its features, and its errors where the weights are missing or cut short."""

from pathlib import Path

import numpy as np
import pytest

from wyoming_common.errors import ModelError
from wyoming_common.models import Catalogue
from wyoming_stt.speakers.campplus import CAMPPLUS, SIZE, CamPlusPlus, _fbank, _mel

pytest.importorskip("onnxruntime")
WEIGHTS = Catalogue.load()[CAMPPLUS].files[0]


def test_the_graph_finds_its_weights_in_the_file_of_the_catalogue(tmp_path: Path) -> None:
    with (tmp_path / WEIGHTS.name).open("wb") as file:
        file.truncate(WEIGHTS.size)

    assert CamPlusPlus(tmp_path).embed(np.zeros(32_000, np.float32)).shape == (SIZE,)


def test_missing_weights_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^speakers: cannot load") as caught:
        CamPlusPlus(tmp_path)

    assert "\n" not in str(caught.value)


def test_weights_cut_short_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS.name).write_bytes(bytes(1000))

    with pytest.raises(ModelError, match=r"^speakers: cannot load"):
        CamPlusPlus(tmp_path)


@pytest.mark.parametrize("hertz", [200, 1000, 5000])
def test_a_tone_is_loudest_in_its_own_band(hertz: int) -> None:
    tone = np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000).astype(np.float32)

    loudest = _fbank(tone).mean(axis=0).argmax()

    centres = np.linspace(_mel(20.0), _mel(8000.0), 82)[1:-1]
    assert abs(loudest - np.abs(centres - _mel(hertz)).argmin()) <= 1


def test_a_row_of_features_comes_every_ten_milliseconds() -> None:
    assert _fbank(np.zeros(16_000, np.float32)).shape == (98, 80)
    assert _fbank(np.zeros(10, np.float32)).shape == (1, 80)
