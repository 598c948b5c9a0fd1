"""Repetitions and annotations are removed from transcripts, speech is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.text.cleanup import cut_repeated_words, strip_annotations


@pytest.mark.parametrize(
    "text",
    ["[BLANK_AUDIO]", "(wind blowing)", "♪♪", "*music*", "...", " . ", "♪ la la ♪", "[inaudible]",
     "<|nospeech|>", "[Music] (applause) *beep*", "((music))", "", "?!", "♪"],
)  # fmt: skip
def test_annotations_alone_are_no_speech(text: str) -> None:
    assert strip_annotations(text) == ""


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Turn off studio light?\n[Beep]", "Turn off studio light?"),
        ("[Music] Turn off studio light", "Turn off studio light"),
        ("Turn on the light. (coughs)", "Turn on the light."),
        ("Turn (coughs) on the light", "Turn on the light"),
        ("Hello *beep* there ♪ la la ♪", "Hello there"),
    ],
)
def test_annotations_beside_speech_are_removed(text: str, spoken: str) -> None:
    assert strip_annotations(text) == spoken


@pytest.mark.parametrize("text", ["What is 5 * 3 * 2?", "It's 20 °C.", "Stop", "Ø", "打开灯。"])
def test_speech_is_left_as_it_is(text: str) -> None:
    assert strip_annotations(text) == text


@given(st.text(max_size=60))
def test_any_text_without_brackets_keeps_its_words(text: str) -> None:
    plain = "".join(char for char in text if char not in "[]()*<>|\uff08\uff09♩♪♫♬")

    assert strip_annotations(plain).split() == plain.split() or not any(map(str.isalnum, plain))


@given(st.text("ab.()[]♪", max_size=20))
def test_a_text_without_words_is_empty(text: str) -> None:
    spoken = strip_annotations(text)

    assert spoken == "" or any(map(str.isalnum, spoken))


def test_a_sentence_that_is_repeated_is_kept_once() -> None:
    assert cut_repeated_words("Turn on the light. Turn on the light.") == "Turn on the light."
    assert cut_repeated_words("No, no, no") == "No, no, no"
