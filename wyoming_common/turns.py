"""Taking turns at what only one can use: fair between clients, in order for each of them."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Final

from wyoming_common.access import is_local

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
