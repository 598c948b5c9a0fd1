"""Telemetry of libraries: ONNX Runtime keeps no record for its maker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("program", ["wyoming_tts", "wyoming_stt", "wyoming_llm", "satellite"])
def test_onnx_runtime_keeps_no_record_for_its_maker(program: str, tmp_path: Path) -> None:
    surroundings = {
        name: value for name, value in os.environ.items() if "TELEMETRY" not in name.upper()
    }
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    subprocess.run(
        [sys.executable, "-c", f"import {program}.__main__, onnxruntime"],
        env=surroundings | home,
        check=True,
    )

    assert not list(tmp_path.rglob("onnxruntime.db*"))
