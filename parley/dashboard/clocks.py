"""Clock offset between this machine and another, estimated as in NTP (RFC 5905)."""

from dataclasses import dataclass
from typing import Final

_MAX_DRIFT: Final = 1e-4
"""Drift of two clocks in seconds per second: twice the 50 ppm that a crystal is specified to."""


@dataclass(frozen=True, slots=True)
class _Sample:
    offset: float
    error: float
    at: float

    def error_at(self, now: float) -> float:
        return self.error + abs(now - self.at) * _MAX_DRIFT


class ClockRelation:
    """Offset of another machine's monotonic clock, from request and response times.

    The other clock was read between our sending and our receiving, so its offset is known to
    half the round trip. All times are seconds. The most exact sample holds until a later one is
    more exact, or contradicts it because one of the machines was suspended.
    """

    def __init__(self) -> None:
        self._best: _Sample | None = None

    def sample(self, sent: float, remote: float, received: float) -> None:
        """Add a response that carried the clock reading `remote`."""
        new = _Sample(remote - (sent + received) / 2, (received - sent) / 2, received)
        best = self._best
        if (
            best is None
            or new.error <= best.error_at(received)
            or abs(new.offset - best.offset) > new.error + best.error_at(received)
        ):
            self._best = new

    def same(self) -> None:
        """Set the offset to zero: both processes run on one machine."""
        self._best = _Sample(0.0, 0.0, 0.0)

    @property
    def known(self) -> bool:
        """Whether there is a sample."""
        return self._best is not None

    @property
    def offset(self) -> float:
        """Seconds by which the other clock is ahead of ours."""
        return self._best.offset if self._best else 0.0

    def error(self, now: float) -> float:
        """Return the largest error of `offset` in seconds."""
        if self._best is None:
            return float("inf")
        return self._best.error if self._best.error == 0.0 else self._best.error_at(now)
