"""The benchmark of the right room: its rooms, the training of the merit, and what it counts."""

from dataclasses import replace

import numpy as np
import pytest

from bench.room_acoustics import computed_places, measured_places
from bench.rooms import Ear, Round, halves, measure
from bench.rooms_fit import WordInRoom, share_right, train
from satellite.rooms.merit import TRAITS

SIZE = len(TRAITS)


def ear(direct: float, traits: list[float], lag: float | None = 0.0, *, offers: bool = True) -> Ear:
    return Ear(direct, lag, offers, tuple(traits), tuple(traits))


def rounds(count: int) -> list[Round]:
    """Return rounds in which the second trait tells the nearest satellite, and no other does."""
    random = np.random.default_rng(3)
    made = []
    for number in range(count):
        ears = []
        for direct in (1.0, 0.3, 0.2):
            traits = random.normal(0, 1, SIZE)
            traits[1] = direct * 4 + random.normal(0, 0.1)
            ears.append(ear(direct, traits.tolist(), float(random.uniform(0, 0.05))))
        made.append(Round("computed", f"speaker {number % 20}", tuple(ears)))
    return made


def test_a_trained_network_finds_the_nearest_by_the_trait_that_tells() -> None:
    said = [
        WordInRoom(
            tuple(ear.direct for ear in one.ears), np.array([ear.traits for ear in one.ears])
        )
        for one in rounds(300)
    ]

    assert share_right(said[200:], train(said[:200])) > 95.0


def test_with_a_merit_that_tells_the_right_one_answers() -> None:
    found = measure(rounds(50), lambda traits: traits[1], loss=0.0)

    assert found["exactly_one"] == found["rounds"] == 50
    assert found["right"]["all"] == 100.0
    assert found["delay_ms"]["p95"] < 30


def test_a_round_that_one_satellite_detects_is_not_contested() -> None:
    alone = Round("computed", "a", (ear(0.5, [0.0] * SIZE), ear(1.0, [0.0] * SIZE, None)))

    assert measure([alone], sum, loss=0.0)["counted"] == {
        "all": 1,
        "contested": 0,
        "clear": 0,
        "clear, at most 1.2 m": 0,
        "clear, measured": 0,
        "clear, computed": 0,
    }


def test_an_offer_that_is_taken_back_shortens_the_wait_for_it() -> None:
    best = replace(ear(1.0, [2.0] * SIZE, None), progress=(0.8, 0.9, 0.9, 0.5))
    stays = replace(best, progress=(0.8, 0.9, 0.9, 0.9))

    delays = [
        measure(
            [Round("computed", "a", (ear(0.5, [0.0] * SIZE), one))] * 20,
            lambda traits: traits[1],
            loss=0.0,
        )["delay_ms"]["p50"]
        for one in (best, stays)
    ]

    assert best.misses == pytest.approx(0.03)
    assert stays.misses is None
    assert delays[0] < 45
    assert delays[1] > 100


def test_no_speaker_is_in_both_halves() -> None:
    fitted, measured = halves(rounds(60))

    assert fitted
    assert not {one.speaker for one in fitted} & {one.speaker for one in measured}


@pytest.mark.parametrize("kind", ["computed", "measured"])
def test_the_first_place_has_the_strongest_direct_sound(kind: str) -> None:
    random = np.random.default_rng(5)
    response = random.normal(0, 1, 9_000).astype(np.float32) * np.exp(-np.arange(9_000) / 2_000)
    response[100] = 20.0

    for _ in range(3):
        if kind == "computed":
            places = computed_places(random, 3)
        else:
            places = measured_places(random, [response.astype(np.float32)], 3)

        directs = [place.direct for place in places]
        assert directs.index(max(directs)) == 0
        assert all(np.isfinite(place.response).all() for place in places)
