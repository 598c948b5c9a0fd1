"""How the monotonic clock of another machine relates to ours."""

from dataclasses import dataclass
from typing import Final

_DRIFT: Final = 1e-4
"""Seconds per second by which two clocks may part: twice 50 ppm, what a crystal is specified to."""


@dataclass(frozen=True, slots=True)
class _Sample:
    offset: float
    error: float
    at: float

    def error_at(self, now: float) -> float:
        return self.error + abs(now - self.at) * _DRIFT


class ClockRelation:
    """Learns from questions and answers, as NTP does (RFC 5905): the other clock was read
    between our sending and our receiving, so its offset is known to half the round trip.

    All times are seconds. The best answer so far holds until a later one is better, or
    contradicts it because one of the machines has slept.
    """

    def __init__(self) -> None:
        self._best: _Sample | None = None

    def sample(self, sent: float, remote: float, received: float) -> None:
        """Take in an answer that said `remote`."""
        new = _Sample(remote - (sent + received) / 2, (received - sent) / 2, received)
        best = self._best
        if (
            best is None
            or new.error <= best.error_at(received)
            or abs(new.offset - best.offset) > new.error + best.error_at(received)
        ):
            self._best = new

    def same(self) -> None:
        """The other clock is ours: both processes run on one machine."""
        self._best = _Sample(0.0, 0.0, 0.0)

    @property
    def known(self) -> bool:
        """Whether there was an answer."""
        return self._best is not None

    @property
    def offset(self) -> float:
        """How far the other clock is ahead of ours."""
        return self._best.offset if self._best else 0.0

    def error(self, now: float) -> float:
        """How far `offset` may be off."""
        if self._best is None:
            return float("inf")
        return self._best.error if self._best.error == 0.0 else self._best.error_at(now)
