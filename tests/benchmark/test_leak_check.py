"""A leak is told apart from a cache that fills."""

import random
from collections.abc import Callable

import pytest

from bench.leak_check import Held, Sample, judge

RUN_SECONDS = 1800


def history(megabytes: Callable[[float], float], files: int = 7) -> list[Sample]:
    """Samples of half an hour, a turn a second, as uneven as those of a real process."""
    chance = random.Random(5)  # noqa: S311 - repeatable
    return [
        Sample(float(at), at, Held(megabytes(at) + chance.gauss(0, 3), files + at % 3, 8, 4))
        for at in range(0, RUN_SECONDS, 6)
    ]


@pytest.mark.parametrize(
    "megabytes",
    [
        lambda at: 300,
        lambda at: 300 - at / 100,
        lambda at: 300 + min(at, 800) / 4,  # a cache
        lambda at: 300 + 75 * (at > 950),  # one longer text than before
        lambda at: 300 + 200 * (at % 600 < 30),  # what is given back
    ],
)
def test_a_cache_that_fills_once_is_flat(megabytes: Callable[[float], float]) -> None:
    assert all(verdict.flat for verdict in judge("stt", history(megabytes)))


@pytest.mark.parametrize("kilobytes", [8, 40, 1000])
def test_growth_with_every_turn_is_a_leak(kilobytes: float) -> None:
    memory, *others = judge("stt", history(lambda at: 300 + kilobytes / 1000 * at))

    assert not memory.flat
    assert str(memory).endswith("GROWS |")
    assert all(verdict.flat for verdict in others)


def test_a_cache_is_said_to_be_one() -> None:
    memory, *_ = judge("tts", history(lambda at: 200 + min(at, 600) / 5))

    assert "caches were full" in str(memory)


def test_files_that_are_left_open_are_a_leak() -> None:
    samples = [
        Sample(float(at), at, Held(300, 7 + at // 300, 8, 4)) for at in range(0, RUN_SECONDS, 6)
    ]

    assert [verdict.quantity for verdict in judge("llm", samples) if not verdict.flat] == ["files"]


def test_little_time_says_nothing() -> None:
    assert judge("llm", history(lambda _: 300)[:5]) == []
