"""Partial texts that are never unsaid, and whether a turn reads as complete."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.completeness import completeness
from wyoming_stt.partial import Agreement


def test_words_are_said_once_two_readings_agree() -> None:
    agreement = Agreement()

    said = [
        agreement.read(text)
        for text in ("turn", "Turn on the", "Turn on the light", "Turn on the light in")
    ]

    assert said == ["", "Turn", " on the", " light"]
    assert agreement.finish("Turn on the light in the hall.") == " in the hall."


def test_what_was_said_is_never_unsaid() -> None:
    agreement = Agreement()
    agreement.read("recognise speech")
    agreement.read("recognise speech")

    assert agreement.read("wreck a nice beach") == ""
    assert agreement.finish("wreck a nice beach") == ""


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), max_size=8))
def test_the_chunks_are_always_a_text_that_was_read(readings: list[list[str]]) -> None:
    agreement = Agreement()
    said = ""

    for words in readings:
        said += agreement.read(" ".join(words))
    prefixes = [words[: len(said.split())] for words in readings]

    assert said == "" or said.split() in prefixes


@pytest.mark.parametrize(
    ("complete", "open_ended"),
    [
        ("Turn on the light.", "Turn on the"),
        ("Turn on the light.", "Turn on the."),
        ("What time is it?", "What time is it,"),
        ("Stop.", "Stop..."),
        ("Turn it off!", "Turn it off and"),
    ],
)
def test_a_sentence_reads_more_complete_than_a_fragment(complete: str, open_ended: str) -> None:
    whole, part = (completeness(None, text, "en") for text in (complete, open_ended))

    assert whole is not None
    assert part is not None
    assert whole > part


def test_the_sound_and_the_words_both_have_to_agree() -> None:
    assert completeness(0.1, "Turn on the light.", "en") == pytest.approx(0.1)
    assert completeness(0.99, "Turn on the", "en") == pytest.approx(0.1)
    assert completeness(0.99, "Turn on the light.", "en") == pytest.approx(0.99)


def test_sound_alone_is_not_quite_sure() -> None:
    alone = completeness(1.0, None, "en")

    assert alone is not None
    assert 0.5 < alone < 1.0


def test_nothing_known_is_no_opinion() -> None:
    assert completeness(None, None, "en") is None
