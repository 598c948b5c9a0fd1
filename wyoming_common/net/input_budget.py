"""Memory budget for requests that are still arriving: bounded, and taken back from slow senders.

Large events of all connections share it. Holds no bytes itself and does no I/O.

Defends against T3 of docs/threat-model.md.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from wyoming_common.net.fairness import FairSemaphore, current_client


class Sender(Protocol):
    """The connection whose bytes a reservation is for."""

    @property
    def awaited(self) -> bool:
        """Whether the service waits for the client: to send, or to read what it is sent."""
        ...

    def drop(self) -> None:
        """Hang up at once."""
        ...


@dataclass(slots=True, eq=False)
class Reservation:
    """A part of the budget that one connection has."""

    size: int
    """Bytes"""
    client: str
    sender: Sender
    since: float


class InputBudget:
    """Bytes that connections share. A connection that needs more than is left waits its turn.

    While one has waited for `grace_seconds`, the client that has the most loses its oldest
    reservation for which the service has waited that long, and that connection is dropped.
    """

    def __init__(
        self,
        size: int,
        grace_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._reservations: dict[Reservation, None] = {}
        self._released = asyncio.Event()
        self._turn = FairSemaphore()

    @property
    def reserved(self) -> int:
        """Bytes that are taken."""
        return sum(reservation.size for reservation in self._reservations)

    async def reserve(self, size: int, sender: Sender) -> Reservation:
        """Take `size` bytes for the current client as soon as they are free.

        A request larger than the whole budget is served once nothing else is reserved.
        """
        async with self._turn.hold():
            while self._reservations and self.reserved + size > self._size:
                self._released.clear()
                try:
                    async with asyncio.timeout(self._grace_seconds):
                        await self._released.wait()
                except TimeoutError:
                    self._make_room()
            reservation = Reservation(size, current_client(), sender, self._clock())
            self._reservations[reservation] = None
            return reservation

    def release(self, reservation: Reservation | None) -> None:
        """Give back what was reserved; does nothing for None or the second time."""
        if reservation is not None and reservation in self._reservations:
            del self._reservations[reservation]
            self._released.set()

    def _make_room(self) -> None:
        late = self._clock() - self._grace_seconds
        slow = [it for it in self._reservations if it.since <= late and it.sender.awaited]
        totals: Counter[str] = Counter()
        for reservation in slow:
            totals[reservation.client] += reservation.size
        if slow:
            (client, _), *_ = totals.most_common(1)
            slowest = next(it for it in slow if it.client == client)
            self.release(slowest)
            slowest.sender.drop()
