"""Memory for what is on its way in: bounded, and nobody can sit on it. No I/O."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from wyoming_common.turns import Turns, current_client

_GRACE_SECONDS: Final = 1.0
"""Who has waited so long may take from those that keep us waiting for so long."""


@dataclass(slots=True, eq=False)
class Hold:
    """What one client has of it."""

    size: int
    client: str
    drop: Callable[[], None]
    """Hangs up on who has it."""
    waiting: Callable[[], bool]
    """Whether we still wait for that client."""
    since: float = 0.0


def _always() -> bool:
    return True


@dataclass(slots=True)
class Memory:
    """Bytes that connections share. Who needs more than is left waits for it, in turns.

    Where somebody waits, the address that has the most loses what it has had for the longest
    without sending what it announced.
    """

    size: int
    clock: Callable[[], float] = time.monotonic
    _holds: dict[Hold, None] = field(default_factory=dict)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)
    _turns: Turns = field(default_factory=Turns)

    async def take(
        self,
        size: int,
        drop: Callable[[], None] = lambda: None,
        waiting: Callable[[], bool] = _always,
    ) -> Hold:
        """Take `size` bytes for the current client once they are there, or nobody else has any.

        `drop` hangs up on the client, `waiting` says whether it has still not sent them.
        """
        async with self._turns.turn():
            while self._holds and self.held + size > self.size:
                self._freed.clear()
                try:
                    async with asyncio.timeout(_GRACE_SECONDS):
                        await self._freed.wait()
                except TimeoutError:
                    self._make_room()
            hold = Hold(size, current_client(), drop, waiting, self.clock())
            self._holds[hold] = None
            return hold

    def give_back(self, hold: Hold | None) -> None:
        """Give back what was taken, if anything was."""
        if hold is not None and hold in self._holds:
            del self._holds[hold]
            self._freed.set()

    @property
    def held(self) -> int:
        """Bytes that are taken."""
        return sum(hold.size for hold in self._holds)

    def _make_room(self) -> None:
        late = self.clock() - _GRACE_SECONDS
        slow = [hold for hold in self._holds if hold.since <= late and hold.waiting()]
        totals: Counter[str] = Counter()
        for hold in slow:
            totals[hold.client] += hold.size
        if slow:
            (client, _), *_ = totals.most_common(1)
            slowest = next(hold for hold in slow if hold.client == client)
            self.give_back(slowest)
            slowest.drop()
