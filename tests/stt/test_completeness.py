"""Turn completeness from the sound and the words."""

import pytest

from wyoming_stt.endpointing.completeness import completeness
from wyoming_stt.engine import SentenceStage


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


def test_sound_and_words_must_both_be_complete() -> None:
    both = completeness(0.99, "Turn on the light.", "en")

    assert both is not None
    assert both > 0.9
    for turn, text, most in (
        (0.1, "Turn on the light.", 0.1),
        (0.99, "Turn on the", 0.1),
        (0.99, "Turn on", 0.45),
    ):
        opinion = completeness(turn, text, "en")
        assert opinion is not None
        assert opinion < most


def test_only_the_surest_sound_ends_a_turn_much_sooner() -> None:
    doubtful, likely, sure = (
        completeness(turn, "Make me a latte.", "en") or 0.0 for turn in (0.5, 0.9, 0.98)
    )

    assert likely - doubtful < 0.25 < sure - likely


def test_sound_alone_is_never_certain() -> None:
    alone = completeness(1.0, None, "en")

    assert alone is not None
    assert 0.5 < alone < 1.0


def test_no_evidence_gives_no_opinion() -> None:
    assert completeness(None, None, "en") is None


@pytest.mark.parametrize("turn", [None, 0.1, 0.9, 0.97])
def test_a_sentence_that_none_continues_is_more_complete_than_one_that_may_go_on(
    turn: float | None,
) -> None:
    whole, continuable, other = (
        completeness(turn, "Turn on the lamp.", "en", stage) or 0.0
        for stage in (SentenceStage.WHOLE, SentenceStage.CONTINUABLE, None)
    )

    assert whole > continuable >= other
    assert whole >= 0.84
    assert continuable >= 0.61


def test_a_sentence_that_none_continues_and_sounds_ended_is_complete() -> None:
    assert completeness(0.9, "Turn on the lamp.", "en", SentenceStage.WHOLE) == 1.0


@pytest.mark.parametrize("turn", [None, 0.95])
def test_the_beginning_of_a_sentence_of_the_home_is_incomplete(turn: float | None) -> None:
    text = "Set the temperature of the bedroom."
    opinion = completeness(turn, text, "en", SentenceStage.BEGUN)

    assert opinion is not None
    assert opinion < 0.1


def test_the_longer_a_turn_is_the_less_a_pause_says() -> None:
    lengths = [2.0, 5.0, 6.5, 8.0, 15.0]
    opinions = [completeness(0.95, "He came home.", "en", None, length) for length in lengths]

    assert opinions[0] == opinions[1]
    assert opinions == sorted(opinions, key=lambda one: -(one or 0))
    assert opinions[-1] == opinions[-2] == pytest.approx(0.15)


def test_a_sentence_of_the_home_ends_a_long_turn_as_well() -> None:
    for stage in (SentenceStage.WHOLE, SentenceStage.CONTINUABLE):
        short, long = (
            completeness(0.9, "Turn on the lamp.", "en", stage, length) for length in (2.0, 15.0)
        )
        assert short == long
