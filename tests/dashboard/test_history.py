"""Turns put together from what each process recorded of them."""

from itertools import permutations
from typing import Any

import pytest

from parley.dashboard.history import TurnHistory

Record = dict[str, Any]


def stage(name: str, turn: str, at: float, seconds: float, *, given: bool = True) -> Record:
    """Record of a service's stage, which begins at `at` and has its first output half way."""
    return {
        "turn": turn,
        "given": given,
        "source": f"wyoming-{name}",
        "boot": "b",
        "at": at,
        "stages": [
            {
                "stage": name,
                "start_ms": 0.0,
                "first_ms": seconds * 500,
                "end_ms": seconds * 1000,
                "wait_ms": seconds * 500,
            }
        ],
    }


def whole(turn: str, at: float, seconds: float) -> Record:
    """Record of a turn by a satellite."""
    entry = {"stage": "turn", "start_ms": 0.0, "first_ms": 900.0, "end_ms": seconds * 1000}
    return {
        "turn": turn,
        "given": True,
        "source": "parley-satellite",
        "boot": "b",
        "at": at,
        "stages": [{**entry, "ready_ms": 400.0, "wait_ms": 500.0}],
    }


def sources(turn: dict[str, Any]) -> list[str]:
    return [record["source"].removeprefix("wyoming-") for record in turn["records"]]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_one_id_joins_what_comes_in_any_order(order: tuple[int, ...]) -> None:
    history = TurnHistory()
    records = [
        stage("stt", "a", 10.0, 1.0),
        stage("llm", "a", 11.0, 0.5),
        stage("tts", "a", 11.2, 1.0),
    ]

    for index in order:
        history.add(records[index], records[index]["at"])

    (turn,) = history.turns(None, 10)
    assert sources(turn) == ["stt", "llm", "tts"]
    assert turn["joined"] == "id"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_stages_without_a_common_id_are_joined_by_their_time(order: tuple[int, ...]) -> None:
    history = TurnHistory()
    records = [
        stage("stt", "x", 10.0, 1.0, given=False),
        stage("llm", "y", 11.0, 0.5, given=False),
        stage("tts", "z", 11.6, 1.0, given=False),
    ]

    for index in order:
        history.add(records[index], records[index]["at"])

    (turn,) = history.turns(None, 10)
    assert sources(turn) == ["stt", "llm", "tts"]
    assert turn["joined"] == "time"


def test_a_second_question_is_a_second_turn() -> None:
    history = TurnHistory()

    for number, at in enumerate((10.0, 12.5)):
        for offset, name in enumerate(("stt", "llm", "tts")):
            record = stage(name, f"{number}{name}", at + offset / 2, 0.4, given=False)
            history.add(record, record["at"])

    assert [sources(turn) for turn in history.turns(None, 10)] == [["stt", "llm", "tts"]] * 2


def test_records_of_services_within_a_satellites_turn_join_it() -> None:
    history = TurnHistory()

    history.add(stage("stt", "x", 10.2, 1.0, given=False), 10.2)
    history.add(whole("sat", 10.0, 5.0), 10.0)
    history.add(stage("tts", "y", 12.0, 1.0, given=False), 12.0)

    (turn,) = history.turns(None, 10)
    assert turn["id"] == "sat"
    assert sources(turn) == ["parley-satellite", "stt", "tts"]
    assert turn["total_ms"] == 500.0


def test_two_satellites_at_once_keep_their_turns_apart() -> None:
    history = TurnHistory()

    for name in ("a", "b"):
        history.add(stage("stt", name, 10.0, 1.0), 10.0)
    for name in ("b", "a"):
        history.add(stage("llm", name, 11.0, 1.0), 11.0)

    assert [(turn["id"], sources(turn)) for turn in history.turns(None, 10)] == [
        ("b", ["stt", "llm"]),
        ("a", ["stt", "llm"]),
    ]


def test_the_oldest_turns_go_and_the_numbers_of_the_others_stay() -> None:
    history = TurnHistory(max_turns=100)

    for number in range(250):
        history.add(stage("stt", str(number), number * 10.0, 1.0), number * 10.0)

    latest = history.turns(None, 1)[0]
    assert len(history) == 100
    assert (latest["id"], latest["number"]) == ("249", 249)
    assert history.turns(160, 2)[0]["id"] == "159"
    assert history.began(160) == 1600.0
    assert history.began(3) is None
    assert history.turns(151, 10)[-1]["id"] == "150"


def test_only_turns_that_changed_are_told_again() -> None:
    history = TurnHistory()
    history.add(stage("stt", "a", 10.0, 1.0), 10.0)
    before = history.revision
    history.add(stage("stt", "b", 20.0, 1.0), 20.0)

    assert [turn["id"] for turn in history.changed(before, 10)] == ["b"]


def test_a_slow_stage_shows_in_the_percentiles_over_time() -> None:
    history = TurnHistory()
    for number in range(3000):
        seconds = 4.0 if number >= 2900 else 0.4
        history.add(stage("llm", str(number), number * 10.0, seconds), number * 10.0)

    points = history.over_time("llm", "wyoming-llm")

    assert len(points) <= 240
    assert points[0]["p95"] == 200.0
    assert points[-1]["p50"] == 2000.0
    assert [point["at"] for point in points] == sorted(point["at"] for point in points)


def test_a_failed_stage_is_no_wait() -> None:
    history = TurnHistory()
    record = stage("llm", "a", 1.0, 9.0)
    record["stages"][0]["failed"] = "busy"

    history.add(record, 1.0)

    assert history.series() == []


def test_a_source_that_sends_without_end_is_stored_up_to_the_limits() -> None:
    history = TurnHistory(max_bytes=20_000)

    history.add({**stage("llm", "huge", 1.0, 0.5), "x": "y" * 100_000}, 1.0)
    for number in range(100):
        history.add(stage("llm", "same", 2.0, 0.5), 2.0)
        history.add(stage(f"stage {number}", f"t{number}", 10.0 * number, 0.5), 10.0 * number)
    for number in range(500):
        history.add(stage(f"stage {number}", "series", 5000.0, 0.5), 5000.0)

    turns = history.turns(None, 1000)
    assert all(turn["id"] != "huge" and len(turn["records"]) <= 64 for turn in turns)
    assert len(str([turn["records"] for turn in turns])) < 60_000
    assert len(history.series()) <= 256
    assert history.began(turns[0]["number"]) is not None
