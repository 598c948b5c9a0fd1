from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize

from wyoming_llm.llama import cpu_weights as module
from wyoming_llm.llama.cpu_weights import cpu_weights
from wyoming_llm.llama.gguf import check_gguf

WEIGHTS = np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)
NORM = np.linspace(0, 1, 64, dtype=np.float32)
WORDS = ["a", "é", "日本"]


def made_model(path: Path, kind: GGMLQuantizationType = GGMLQuantizationType.Q4_1) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_file_type(int(gguf.LlamaFileType.MOSTLY_Q4_1))
    writer.add_array("tokenizer.ggml.tokens", WORDS)
    writer.add_float32("llama.rope.freq_base", 100000.0)
    writer.add_tensor("blk.0.weight", quantize(WEIGHTS, kind), raw_dtype=kind)
    writer.add_tensor("blk.0.norm", NORM)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    found = gguf.GGUFReader(path).tensors
    return {one.name: dequantize(one.data, one.tensor_type) for one in found}


def choose(path: Path, folder: Path) -> Path:
    return cpu_weights(path, check_gguf(path), folder)


def test_slow_weights_are_written_in_q8_0_and_lose_a_250th_of_a_block_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_ROWS", 2)  # so that a tensor takes several steps
    model = made_model(tmp_path / "tiny.gguf")

    converted = choose(model, tmp_path / "weights")

    before, after = tensors(model), tensors(converted)
    peaks = np.abs(before["blk.0.weight"]).reshape(5, 2, 32).max(axis=2).repeat(32, axis=1)
    assert check_gguf(converted) == {int(GGMLQuantizationType.Q8_0), int(GGMLQuantizationType.F32)}
    assert np.all(np.abs(after["blk.0.weight"] - before["blk.0.weight"]) <= peaks / 250)
    assert np.array_equal(after["blk.0.norm"], NORM)


def test_the_converted_model_keeps_its_metadata_but_the_format(tmp_path: Path) -> None:
    model = made_model(tmp_path / "tiny.gguf")

    fields = gguf.GGUFReader(choose(model, tmp_path / "weights")).fields

    found = {name: field.contents() for name, field in fields.items() if "GGUF." not in name}
    assert found == {
        "general.architecture": "llama",
        "general.name": "tiny",
        "general.file_type": int(gguf.LlamaFileType.MOSTLY_Q8_0),
        "tokenizer.ggml.tokens": WORDS,
        "llama.rope.freq_base": 100000.0,
    }


def test_a_model_is_converted_once(tmp_path: Path) -> None:
    model = made_model(tmp_path / "tiny.gguf")
    first = choose(model, tmp_path / "weights")
    written = first.stat().st_mtime_ns

    again = choose(model, tmp_path / "weights")

    assert (again, again.stat().st_mtime_ns) == (first, written)


def test_a_damaged_conversion_is_made_again(tmp_path: Path) -> None:
    model = made_model(tmp_path / "tiny.gguf")
    converted = choose(model, tmp_path / "weights")
    whole = converted.read_bytes()
    converted.write_bytes(whole[:-40])

    assert choose(model, tmp_path / "weights").read_bytes() == whole


def test_the_conversion_of_a_former_model_file_is_removed(tmp_path: Path) -> None:
    model = made_model(tmp_path / "tiny.gguf")
    former = choose(model, tmp_path / "weights")
    made_model(model, GGMLQuantizationType.Q5_1)

    latter = choose(model, tmp_path / "weights")

    assert list((tmp_path / "weights").iterdir()) == [latter]
    assert latter != former


def test_quick_and_large_models_are_loaded_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = made_model(tmp_path / "quick.gguf", GGMLQuantizationType.Q4_0)
    large = made_model(tmp_path / "large.gguf")
    monkeypatch.setattr(module, "_MAX_BYTES", 100)

    assert choose(quick, tmp_path / "weights") == quick
    assert choose(large, tmp_path / "weights") == large
    assert not (tmp_path / "weights").exists()


def test_without_a_place_for_it_the_model_is_loaded_as_it_is(tmp_path: Path) -> None:
    model = made_model(tmp_path / "tiny.gguf")
    (tmp_path / "file").touch()

    assert choose(model, tmp_path / "file") == model


def test_a_model_that_cannot_be_converted_is_loaded_as_it_is(tmp_path: Path) -> None:
    model = made_model(tmp_path / "tiny.gguf")
    model.write_bytes(model.read_bytes().replace(b"general.architecture", b"general.architectura"))

    assert choose(model, tmp_path / "weights") == model
    assert list((tmp_path / "weights").iterdir()) == []
