"""A sentence of many phonemes is spoken in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("piper")

from wyoming_tts.engines.piper_voice import in_reach


@given(st.lists(st.sampled_from("ab c")), st.integers(3, 20))
def test_nothing_is_lost_and_no_part_is_too_long(phonemes: list[str], most: int) -> None:
    parts = list(in_reach(phonemes, most))

    assert [sound for part in parts for sound in part] == phonemes
    assert all(0 < len(part) <= most for part in parts)


def test_it_is_cut_between_words() -> None:
    parts = list(in_reach(list("kitchen light is on"), 10))

    assert ["".join(part) for part in parts] == ["kitchen", " light is", " on"]


def test_what_has_no_words_is_cut_all_the_same() -> None:
    parts = list(in_reach(["a"] * 25, 10))

    assert [len(part) for part in parts] == [10, 10, 5]
