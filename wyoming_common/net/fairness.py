"""Fair sharing between clients: a queue that serves them round robin, and what is built on it.

A client is the address of another machine, or "" for all programs of this one.

Defends against T5 and T7 of docs/threat-model.md.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator, KeysView
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Final, Generic, TypeVar

from wyoming_common.net.access import is_local

T = TypeVar("T")

_CLIENT: Final[ContextVar[str]] = ContextVar("client", default="")


def current_client() -> str:
    """Return the client that this task works for, "" for this machine."""
    return _CLIENT.get()


def owned(name: str) -> str:
    """Return `name` qualified by the current client, so that no other client can give it."""
    return f"{current_client()}/{name}"


def owner(name: str) -> str:
    """Return the client of an `owned` name."""
    return name.partition("/")[0]


@contextmanager
def as_client(address: str) -> Iterator[None]:
    """Make the client at `address` the current one of everything the block awaits and starts."""
    token = _CLIENT.set("" if is_local(address) else address)
    try:
        yield
    finally:
        _CLIENT.reset(token)


class FairQueue(Generic[T]):
    """Items of several clients. Clients take turns; the items of each client keep their order."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, deque[T]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(items) for items in self._items.values())

    @property
    def clients(self) -> KeysView[str]:
        """The clients that have items, the next one to be served first."""
        return self._items.keys()

    def push(self, client: str, item: T) -> None:
        """Append an item of `client`."""
        self._items.setdefault(client, deque()).append(item)

    def pop(self, may_go: Callable[[str], bool] | None = None) -> tuple[str, T] | None:
        """Remove and return the next client and its item; None if no client has one and may go."""
        client = next((it for it in self._items if may_go is None or may_go(it)), None)
        if client is None:
            return None
        items = self._items.pop(client)
        item = items.popleft()
        if items:
            self._items[client] = items
        return client, item

    def ahead_of(self, client: str) -> int:
        """Return how many items at most are served before one that `client` pushes now."""
        own = len(self._items.get(client, ()))
        return sum(min(len(items), own + 1) for items in self._items.values())


class FairSemaphore:
    """A semaphore of `places` that waiting clients get round robin.

    Many requests of one client so take no more time from another client than one would.
    """

    def __init__(self, places: int = 1) -> None:
        self._free = places
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @property
    def ahead(self) -> int:
        """Holders that are served before one that the current client asks for now."""
        return 0 if self._free else 1 + self._waiting.ahead_of(current_client())

    @property
    def contended(self) -> bool:
        """Whether a client other than the current one waits."""
        return any(client != current_client() for client in self._waiting.clients)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
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
        place = asyncio.get_running_loop().create_future()
        self._waiting.push(client, place)
        try:
            await place
        except asyncio.CancelledError:
            # The place may have been given to a task that was cancelled in the same moment.
            if place.done() and not place.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        while (entry := self._waiting.pop()) is not None:
            _, place = entry
            if not place.done():
                place.set_result(None)
                return
        self._free += 1


class TokenBucket:
    """Rate limiter that allows `burst` tokens at once and `per_second` after that.

    The caller tells the time, in seconds.
    """

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float, amount: float = 1) -> None:
        """Take `amount` tokens, whether they are there or not."""
        self._tokens = self._tokens_at(now) - amount
        self._at = now

    def wait_seconds(self, now: float) -> float:
        """Return how long it takes until no tokens are owed, 0 if none are."""
        return max(0.0, -self._tokens_at(now) / self._per_second)

    def _tokens_at(self, now: float) -> float:
        return min(self._burst, self._tokens + (now - self._at) * self._per_second)


class FairScheduler:
    """Shares the event loop between clients.

    In each iteration of the loop a client takes at most `steps_per_iteration` steps, so that a
    client with many connections delays its own alone. Steps have a cost; a client whose costs go
    past `burst` takes `per_second` from then on, which leaves the processor to the models.
    """

    def __init__(
        self,
        per_second: float = 4000.0,
        burst: float = 20_000,
        steps_per_iteration: int = 4,
        max_clients: int = 1024,
    ) -> None:
        """Costs are remembered for the last `max_clients` clients."""
        self._per_second, self._burst = per_second, burst
        self._steps_per_iteration = steps_per_iteration
        self._max_clients = max_clients
        self._taken: Counter[str] = Counter()
        """Steps in this iteration"""
        self._waiting: FairQueue[tuple[asyncio.Future[None], float]] = FairQueue()
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._next: asyncio.Handle | None = None
        """The next iteration"""
        self._timer: asyncio.TimerHandle | None = None
        """The next time at which a client that waits owes nothing"""

    async def step(self, cost: float = 1) -> None:
        """Return when the current client may take its next step, which mostly is at once."""
        client = current_client()
        if client not in self._waiting.clients and self._may_step(client):
            self._take(client, cost)
            return
        step = asyncio.get_running_loop().create_future()
        self._waiting.push(client, (step, cost))
        self._schedule()
        await step

    def _charge(self, client: str, cost: float) -> None:
        bucket = self._buckets.setdefault(client, TokenBucket(self._per_second, self._burst))
        bucket.take(asyncio.get_running_loop().time(), cost)
        self._buckets.move_to_end(client)
        while len(self._buckets) > self._max_clients:
            self._buckets.popitem(last=False)

    def _may_step(self, client: str) -> bool:
        return self._taken[client] < self._steps_per_iteration and not self._wait_seconds(client)

    def _wait_seconds(self, client: str) -> float:
        bucket = self._buckets.get(client)
        return bucket.wait_seconds(asyncio.get_running_loop().time()) if bucket else 0.0

    def _take(self, client: str, cost: float) -> None:
        self._taken[client] += 1
        self._schedule()
        self._charge(client, cost)

    def _schedule(self) -> None:
        self._next = self._next or asyncio.get_running_loop().call_soon(self._iterate)

    def _iterate(self) -> None:
        self._next = None
        if self._timer is not None:
            self._timer.cancel()
        self._taken.clear()
        while (entry := self._waiting.pop(self._may_step)) is not None:
            client, (step, cost) = entry
            if not step.done():
                self._take(client, cost)
                step.set_result(None)
        if self._waiting.clients:
            wait = min(self._wait_seconds(client) for client in self._waiting.clients)
            self._timer = asyncio.get_running_loop().call_later(wait, self._schedule)
