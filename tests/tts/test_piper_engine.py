"""A sentence of many phonemes is spoken in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("piper")

from wyoming_tts.engines.piper.engine import within_limit


@given(st.lists(st.sampled_from("ab c")), st.integers(3, 20))
def test_nothing_is_lost_and_no_part_is_too_long(phonemes: list[str], most: int) -> None:
    parts = list(within_limit(phonemes, most))

    assert [sound for part in parts for sound in part] == phonemes
    assert all(0 < len(part) <= most for part in parts)


def test_phonemes_are_cut_between_words() -> None:
    parts = list(within_limit(list("kitchen light is on"), 10))

    assert ["".join(part) for part in parts] == ["kitchen", " light is", " on"]


def test_phonemes_without_spaces_are_cut_all_the_same() -> None:
    parts = list(within_limit(["a"] * 25, 10))

    assert [len(part) for part in parts] == [10, 10, 5]
