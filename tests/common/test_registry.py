"""Registry: an engine is imported only when it is used."""

import sys
from pathlib import Path

import pytest

from wyoming_common.errors import MissingDependency, UnknownEngine
from wyoming_common.registry import _extra, load


def test_only_the_engine_that_is_used_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("first", "second"):
        (tmp_path / f"parley_{name}.py").write_text("class Engine: ...\n")
    registry = {name: f"parley_{name}:Engine" for name in ("first", "second")}

    engine = load(registry, "second")

    assert engine.__module__ == "parley_second"
    assert "parley_first" not in sys.modules


def test_an_unknown_engine_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownEngine, match="No engine 'c'; choose from a, b"):
        load({"b": "x:Y", "a": "x:Y"}, "c")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("import no_such_library_anywhere", r"'no_such_library_anywhere': script/setup"),
        ("raise ImportError('libgomp.so.1: cannot open shared object file')", "libgomp"),
    ],
)
def test_a_missing_library_is_named_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, says: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "parley_lacking.py").write_text(content)
    monkeypatch.delitem(sys.modules, "parley_lacking", raising=False)

    with pytest.raises(MissingDependency, match=says):
        load({"lacking": "parley_lacking:Engine"}, "lacking")


@pytest.mark.parametrize(
    ("engine", "extra"),
    [("kokoro-torch", "kokoro-torch"), ("sherpa-onnx", "sherpa"), ("faster-whisper", "stt")],
)
def test_the_extra_that_is_named_is_one_that_brings_the_engine(engine: str, extra: str) -> None:
    assert _extra(engine, "wyoming_stt.engines.any") == extra
