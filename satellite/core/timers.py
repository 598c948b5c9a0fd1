"""Timers that Home Assistant counts and the satellite rings for. No clock: times come in."""

from dataclasses import dataclass
from math import inf

_RING_INTERVAL_SECONDS = 1.6
_MAX_RING_SECONDS = 60.0
_MAX_TIMERS = 100


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer as last reported."""

    name: str
    seconds: int
    """Seconds left at `reported_at`."""
    reported_at: float
    active: bool = True

    def left(self, at: float) -> float:
        """Return the seconds left at `at`."""
        return max(0.0, self.seconds - (at - self.reported_at)) if self.active else self.seconds


class Timers:
    """The running timers, and the ringing of finished ones: a minute, unless silenced."""

    def __init__(self) -> None:
        self.running: dict[str, Timer] = {}
        self._ring_until = -inf
        self._next_ring = inf

    @property
    def ringing(self) -> bool:
        """Whether a timer is over and has not been silenced."""
        return self._next_ring < self._ring_until

    def started(self, key: str, timer: Timer) -> None:
        """Add a timer; a hundred are kept at most."""
        if len(self.running) < _MAX_TIMERS:
            self.running[key] = timer

    def updated(self, key: str, seconds: int, at: float, *, active: bool) -> None:
        """Take note that a timer was paused, resumed or changed."""
        known = self.running.get(key)
        self.started(key, Timer(known.name if known else "", seconds, at, active))

    def cancelled(self, key: str) -> None:
        """Remove a timer."""
        self.running.pop(key, None)

    def finished(self, key: str, at: float) -> None:
        """Remove a timer that is over, and begin to ring."""
        self.running.pop(key, None)
        self._next_ring = at
        self._ring_until = at + _MAX_RING_SECONDS

    def silence(self) -> None:
        """End the ringing."""
        self._next_ring = inf

    def rings(self, at: float) -> bool:
        """Return whether to play the sound now; called often."""
        if not self.ringing or at < self._next_ring:
            return False
        self._next_ring = at + _RING_INTERVAL_SECONDS
        return True
