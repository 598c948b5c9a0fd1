"""Timers that Home Assistant counts and we ring for. No clock: times come in."""

from dataclasses import dataclass
from math import inf

from wyoming.event import Event
from wyoming.timer import TimerCancelled, TimerFinished, TimerStarted, TimerUpdated

TIMER_EVENTS = frozenset({"timer-started", "timer-updated", "timer-cancelled", "timer-finished"})
_EVERY_SECONDS = 1.6
_RING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer as last heard of."""

    name: str
    seconds: int
    """Left when that was said."""
    said_at: float
    active: bool = True

    def left(self, at: float) -> float:
        """Return the seconds left at `at`."""
        return max(0.0, self.seconds - (at - self.said_at)) if self.active else self.seconds


class Timers:
    """Which timers run, and when to ring: for a minute, or until silenced."""

    MOST = 100

    def __init__(self) -> None:
        self.running: dict[str, Timer] = {}
        self._ring_until = -inf
        self._next_ring = inf

    @property
    def ringing(self) -> bool:
        """Whether a timer is over and nobody has said so yet."""
        return self._next_ring < self._ring_until

    def started(self, key: str, timer: Timer) -> None:
        """A timer runs from now on."""
        if len(self.running) < self.MOST:
            self.running[key] = timer

    def updated(self, key: str, seconds: int, at: float, *, active: bool) -> None:
        """A timer was paused, resumed or changed."""
        known = self.running.get(key)
        self.started(key, Timer(known.name if known else "", seconds, at, active))

    def cancelled(self, key: str) -> None:
        """A timer will not ring."""
        self.running.pop(key, None)

    def finished(self, key: str, at: float) -> None:
        """A timer is over: ring."""
        self.running.pop(key, None)
        self._next_ring = at
        self._ring_until = at + _RING_SECONDS

    def silence(self) -> None:
        """Ring no more."""
        self._next_ring = inf

    def rings(self, at: float) -> bool:
        """Whether it is time for the sound; to be asked often."""
        if not self.ringing or at < self._next_ring:
            return False
        self._next_ring = at + _EVERY_SECONDS
        return True


def heed(timers: Timers, event: Event, at: float) -> None:
    """Note one of TIMER_EVENTS. Raises ValueError and the like for one that is malformed."""
    if TimerStarted.is_type(event.type):
        started = TimerStarted.from_event(event)
        timers.started(started.id, Timer(started.name or "", started.total_seconds, at))
    elif TimerUpdated.is_type(event.type):
        updated = TimerUpdated.from_event(event)
        timers.updated(updated.id, updated.total_seconds, at, active=updated.is_active)
    elif TimerCancelled.is_type(event.type):
        timers.cancelled(TimerCancelled.from_event(event).id)
    elif TimerFinished.is_type(event.type):
        timers.finished(TimerFinished.from_event(event).id, at)
