"""Partial transcripts: what is sent is stable."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.decoding.local_agreement import LocalAgreement


def test_words_are_committed_once_two_transcripts_agree() -> None:
    agreement = LocalAgreement()

    said = [
        agreement.update(text)
        for text in ("turn", "Turn on the", "Turn on the light", "Turn on the light in")
    ]

    assert said == ["", "Turn", " on the", " light"]
    assert agreement.finish("Turn on the light in the hall.") == " in the hall."


def test_committed_words_are_never_taken_back() -> None:
    agreement = LocalAgreement()
    agreement.update("recognise speech")
    agreement.update("recognise speech")

    assert agreement.update("wreck a nice beach") == ""
    assert agreement.finish("wreck a nice beach") == ""


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), max_size=8))
def test_the_chunks_add_up_to_the_beginning_of_a_transcript(transcripts: list[list[str]]) -> None:
    agreement = LocalAgreement()
    said = ""

    for words in transcripts:
        said += agreement.update(" ".join(words))
    prefixes = [words[: len(said.split())] for words in transcripts]

    assert said == "" or said.split() in prefixes
