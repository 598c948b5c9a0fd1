"""Offers of a satellite that has not detected the wake word yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satellite.rooms.offers import MIN_OFFER_PROGRESS, Offer, may_offer


@pytest.mark.parametrize(
    ("progress", "offers"),
    [(MIN_OFFER_PROGRESS, True), (MIN_OFFER_PROGRESS - 0.01, False), (None, True)],
)
def test_only_a_word_that_is_well_on_its_way_is_offered(
    progress: float | None, offers: bool
) -> None:
    assert may_offer(progress) is offers


@given(st.floats(MIN_OFFER_PROGRESS, 0.8), st.floats(0.2, 0.4))
def test_an_offer_stands_while_another_such_step_would_reach_the_threshold(
    progress: float, step: float
) -> None:
    offer = Offer("computer", progress)

    assert not offer.missed(progress)
    assert not offer.missed(min(progress + step, 1.0))


@pytest.mark.parametrize(
    "scores",
    [(0.9, 0.9, 0.8), (0.7, 0.7, 0.75), (0.85, 0.95, 0.97)],
    ids=["falls", "rises too slowly", "rises more slowly than before"],
)
def test_an_offer_is_missed_as_soon_as_the_score_will_not_get_there(
    scores: tuple[float, ...],
) -> None:
    offer = Offer("computer", scores[0])

    assert [offer.missed(score) for score in scores[1:]] == [False, True]


def test_a_word_that_reached_its_threshold_and_was_not_detected_is_missed() -> None:
    assert Offer("computer", 0.9).missed(1.02)


def test_an_offer_without_scores_stands() -> None:
    assert not Offer("computer", None).missed(None)
