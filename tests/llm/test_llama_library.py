import ctypes
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.errors import ModelError
from wyoming_llm.engines.xllamacpp.library import check_layout
from wyoming_llm.llama.runtime import Utf8

EXPECTED = {"n_ctx": 512, "n_batch": 2048, "swa_full": True}


class Known(ctypes.Structure):
    _fields_ = (
        ("n_ctx", ctypes.c_uint32),
        ("n_batch", ctypes.c_uint32),
        ("swa_full", ctypes.c_bool),
    )


def test_a_structure_with_its_known_defaults_is_used() -> None:
    assert check_layout("params", Known(512, 2048, swa_full=True), EXPECTED) is None  # type: ignore[func-returns-value]


def test_a_structure_that_another_version_lays_out_differently_is_refused_with_a_way_out() -> None:
    with pytest.raises(ModelError, match=r"constraints\.txt") as refusal:
        check_layout("params", Known(0, 512, swa_full=True), EXPECTED)

    assert "--engine llama-cpp" in str(refusal.value)


def joined(pieces: Iterable[bytes]) -> str:
    utf8 = Utf8()
    return "".join(utf8.feed(piece) for piece in pieces)


@given(st.text(), st.integers(0, 200), st.integers(1, 5))
def test_text_cut_anywhere_is_its_whole_characters(text: str, end: int, size: int) -> None:
    data = text.encode("utf-8", "replace")[:end]

    pieces = [data[at : at + size] for at in range(0, len(data), size)]

    assert joined(pieces) == data.decode("utf-8", "ignore")
