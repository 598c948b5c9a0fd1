import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_common.errors import ModelError
from wyoming_llm.llama.gguf import check_gguf


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(tensor_elements: int = 64) -> bytes:
    header = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
    header += text("general.name") + struct.pack("<I", 8) + text("tiny")
    header += text("words") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    header += text("weight") + struct.pack("<IQIQ", 1, tensor_elements, 0, 0)
    return header.ljust((len(header) + 31) // 32 * 32, b"\0") + bytes(4 * tensor_elements)


def test_a_whole_file_passes(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf())

    check_gguf(path)


@pytest.mark.parametrize("kept", [0, 3, 4, 20, 60, 120, -1])
def test_a_file_cut_anywhere_is_refused_in_one_line(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf()[:kept])

    with pytest.raises(ModelError) as refusal:
        check_gguf(path)

    assert "\n" not in str(refusal.value)


@settings(max_examples=200)
@given(st.integers(0, 200), st.integers(0, 255))
def test_a_header_with_any_byte_changed_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.gguf"
    data = bytearray(gguf())
    data[at] = value
    path.write_bytes(data)

    with suppress(ModelError):
        check_gguf(path)
