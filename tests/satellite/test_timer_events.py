"""Timers and the events of Home Assistant about them."""

import pytest
from wyoming.event import Eventable
from wyoming.timer import TimerCancelled, TimerFinished, TimerStarted, TimerUpdated

from satellite.core.timers import Timers
from satellite.wyoming.timer_events import apply_timer_event


def timers_after(*said: tuple[float, Eventable]) -> Timers:
    """Return the timers after these events, each with the time at which it came."""
    timers = Timers()
    for at, event in said:
        apply_timer_event(timers, event.event(), at)
    return timers


def test_a_timer_that_was_started_runs_down() -> None:
    timers = timers_after((10.0, TimerStarted(id="a", total_seconds=60, name="eggs")))

    timer = timers.running["a"]
    assert (timer.name, timer.left(30.0), timer.left(100.0)) == ("eggs", 40.0, 0.0)


def test_a_paused_timer_stands_still_and_goes_on_when_it_is_resumed() -> None:
    start = (0.0, TimerStarted(id="a", total_seconds=60, name="eggs"))
    pause = (10.0, TimerUpdated(id="a", is_active=False, total_seconds=50))
    resume = (100.0, TimerUpdated(id="a", is_active=True, total_seconds=50))

    paused, resumed = timers_after(start, pause), timers_after(start, pause, resume)

    assert paused.running["a"].left(100.0) == 50.0
    assert resumed.running["a"].left(120.0) == 30.0
    assert resumed.running["a"].name == "eggs"


def test_a_cancelled_timer_is_forgotten_and_does_not_ring() -> None:
    timers = timers_after(
        (0.0, TimerStarted(id="a", total_seconds=1)), (0.5, TimerCancelled(id="a"))
    )

    assert not timers.running
    assert not timers.rings(2.0)


def test_cancelling_one_timer_leaves_the_other() -> None:
    timers = timers_after(
        (0.0, TimerStarted(id="a", total_seconds=1)),
        (0.0, TimerStarted(id="b", total_seconds=1)),
        (0.5, TimerCancelled(id="a")),
        (1.0, TimerFinished(id="b")),
    )

    assert not timers.running
    assert timers.rings(1.0)


def test_a_finished_timer_rings_for_a_minute_unless_it_is_silenced() -> None:
    def rings(timers: Timers) -> list[float]:
        return [at / 10 for at in range(2000) if timers.rings(at / 10)]

    finished = (1.0, TimerFinished(id="a"))
    silenced = timers_after(finished)
    silenced.silence()

    heard = rings(timers_after(finished))
    assert heard[0] == 1.0
    assert 30 < len(heard) < 50
    assert heard[-1] < 62.0
    assert rings(silenced) == []


def test_a_hundred_timers_are_kept_at_most() -> None:
    timers = timers_after(*((0.0, TimerStarted(id=str(n), total_seconds=9)) for n in range(1000)))

    assert len(timers.running) == 100


@pytest.mark.parametrize("event", [TimerUpdated("x", True, 5), TimerCancelled("x")])
def test_an_event_about_an_unknown_timer_is_accepted(event: Eventable) -> None:
    assert len(timers_after((0.0, event)).running) <= 1
