"""Taking turns at what only one can use: fair between clients, in order for each of them."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Final

from wyoming_common.access import is_local

_AT_ONCE: Final = 4
"""Steps of one client in one round of the event loop"""
_MOST_PACES: Final = 1024
"""Clients whose pace is known; of others the first steps are free once more"""

_CLIENT: Final[ContextVar[str]] = ContextVar("client", default="")


def current_client() -> str:
    """Return for whom this task works, "" for a client on this machine and for ourselves."""
    return _CLIENT.get()


def owned(name: str) -> str:
    """Return `name` as one of the current client's: no other client can give that name."""
    return f"{current_client()}/{name}"


def owner(name: str) -> str:
    """Return whose an `owned` name is."""
    return name.partition("/")[0]


@contextmanager
def as_client(address: str) -> Iterator[None]:
    """Make what the block starts the work of the client at `address`."""
    token = _CLIENT.set("" if is_local(address) else address)
    try:
        yield
    finally:
        _CLIENT.reset(token)


class Turns:
    """A lock that `places` may hold. Clients that wait get it round robin, so that many requests
    of one client take no more time from another than a single one would.
    """

    def __init__(self, places: int = 1) -> None:
        self._free = places
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def ahead(self) -> int:
        """How many turns pass before one that the current client asks for now."""
        if self._free:
            return 0
        own = len(self._waiting.get(current_client(), ()))
        return 1 + sum(min(len(queue), own + 1) for queue in self._waiting.values())

    @property
    def wanted(self) -> bool:
        """Whether a client other than the current one waits."""
        return any(client != current_client() for client in self._waiting)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a place during the block."""
        await self._acquire(current_client())
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, client: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            # It may have been given to a task that was cancelled in the same moment.
            if turn.done() and not turn.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while self._waiting:
            client, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[client] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Pace:
    """How long a sender of events has to be kept waiting: a token bucket. Pure."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._left = self._burst
        self._at = 0.0

    def note(self, now: float, amount: int = 1) -> float:
        """Take note of `amount` at `now` seconds; returns the seconds to wait before more."""
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second) - amount
        self._at = now
        return max(0.0, -self._left / self._per_second)


class Rounds:
    """Shares the event loop between clients: in each of its rounds everybody takes a few steps,
    so that a client with many connections is in nobody's way but its own. Past its `burst` a
    client takes `per_second` of those that count: a core is left for the models.
    """

    def __init__(
        self, per_second: float = 4000.0, burst: int = 20_000, at_once: int = _AT_ONCE
    ) -> None:
        self._at_once = at_once
        self._per_second, self._burst = per_second, burst
        self._taken: Counter[str] = Counter()
        """Steps of this round"""
        self._waiting: OrderedDict[str, deque[tuple[asyncio.Future[None], int]]] = OrderedDict()
        self._paces: OrderedDict[str, Pace] = OrderedDict()
        self._not_before: dict[str, float] = {}
        self._next_round: asyncio.Handle | None = None

    async def step(self, counts: int = 1) -> None:
        """Return when the current client may take its next step: mostly at once."""
        client, loop = current_client(), asyncio.get_running_loop()
        if client not in self._waiting and self._may(client, loop.time()):
            self._take(client, counts, loop.time())
        else:
            step = loop.create_future()
            self._waiting.setdefault(client, deque()).append((step, counts))
            self._next_round = self._next_round or loop.call_soon(self._round)
            await step

    def _may(self, client: str, now: float) -> bool:
        return self._taken[client] < self._at_once and self._not_before.get(client, 0.0) <= now

    def _take(self, client: str, counts: int, now: float) -> None:
        self._taken[client] += 1
        loop = asyncio.get_running_loop()
        self._next_round = self._next_round or loop.call_soon(self._round)
        pace = self._paces.setdefault(client, Pace(self._per_second, self._burst))
        self._paces.move_to_end(client)
        while len(self._paces) > _MOST_PACES:
            self._not_before.pop(self._paces.popitem(last=False)[0], None)
        if wait := pace.note(now, counts):
            self._not_before[client] = now + wait
        else:
            self._not_before.pop(client, None)

    def _round(self) -> None:
        loop = asyncio.get_running_loop()
        now, self._next_round = loop.time(), None
        self._taken.clear()
        for client, steps in list(self._waiting.items()):
            while steps and self._may(client, now):
                step, counts = steps.popleft()
                if not step.done():
                    self._take(client, counts, now)
                    step.set_result(None)
            if not steps:
                del self._waiting[client]
        if self._waiting and self._next_round is None:
            late = min(self._not_before.get(client, now) for client in self._waiting)
            self._next_round = loop.call_at(late, self._round)
