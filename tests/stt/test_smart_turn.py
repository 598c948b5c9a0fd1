"""The turn model is loaded, downloaded or left out as the settings ask."""

from pathlib import Path

import numpy as np

from wyoming_stt.config import SttSettings
from wyoming_stt.endpointing.smart_turn import SMART_TURN, NoTurnModel, turn_model


def settings(data_dir: Path, **options: str) -> SttSettings:
    """Settings on a data directory whose catalogue names files that do not exist."""
    (data_dir / "catalogue.yaml").write_text(
        f"{SMART_TURN}:\n  kind: turn\n  licence: none\n  description: not there\n"
        f"  files: [{{name: model.onnx, from: 'file:{data_dir}/nowhere.onnx'}}]\n"
    )
    return SttSettings.model_validate({"data_dir": (data_dir,), **options})


async def test_a_failed_download_leaves_the_end_of_turns_to_silence(tmp_path: Path) -> None:
    thread = turn_model(settings(tmp_path))

    assert thread is not None
    model = await thread.engine()
    await thread.aclose()
    assert isinstance(model, NoTurnModel)
    assert model.completeness(np.zeros(16_000, np.float32)) is None


def test_an_installed_recogniser_downloads_no_turn_model(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    assert turn_model(settings(tmp_path, model="mine")) is None


def test_silence_alone_needs_no_model(tmp_path: Path) -> None:
    assert turn_model(settings(tmp_path, endpointing="vad")) is None
    assert turn_model(settings(tmp_path, endpointing="off")) is None
