"""Thread that owns one blocking model, so that the event loop never waits for it.

Defends against T5 of docs/threat-model.md.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Final, Generic, TypeVar

from wyoming_common.errors import Busy, NoMemory, Unavailable, lacks_memory
from wyoming_common.net.fairness import FairSemaphore, current_client
from wyoming_common.telemetry.trace import current_span

E = TypeVar("E")
T = TypeVar("T")

_END: Final = object()


class ModelThread(Generic[E]):
    """Owns the only thread allowed to touch an engine, loading it included.

    Requests made before the engine has loaded wait for it. Blocking calls take turns, in
    arrival order for each client and round robin between clients. At most `max_waiting`
    requests are admitted, three quarters of them of one client, and always one of each client; a
    further one raises Busy.
    Work for which there is too little memory raises NoMemory.
    """

    def __init__(self, name: str, load: Callable[[], E], max_waiting: int = 64) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._load = load
        self._engine: asyncio.Future[E] | None = None
        self._turns = FairSemaphore()
        self._admitted: Counter[str] = Counter()
        self._max_waiting = max_waiting
        self._streams: list[Iterator[Any]] = []
        self._closed = False
        """Whether further work is refused."""
        self._ended = False
        self._step_began: float | None = None

    @property
    def step_seconds(self) -> float:
        """Seconds that the thread has been inside its piece of work; 0 while it rests or loads.

        Loading may have to fetch the model first.
        """
        began = self._step_began
        return time.monotonic() - began if began is not None and self.loaded else 0.0

    @property
    def loaded(self) -> bool:
        """Whether the engine stands ready."""
        return (
            self._engine is not None
            and self._engine.done()
            and not self._engine.cancelled()
            and self._engine.exception() is None
        )

    @property
    def _lacked_memory(self) -> bool:
        loading = self._engine
        if loading is None or not loading.done() or loading.cancelled():
            return False
        return isinstance(loading.exception(), NoMemory)

    @property
    def waiting(self) -> int:
        """Requests admitted and not finished, the running one included."""
        return self._admitted.total()

    def check_room(self) -> None:
        """Raise Busy if a request made now would be refused."""
        share, theirs = self._max_waiting - self._max_waiting // 4, self._admitted[current_client()]
        full = self.waiting >= self._max_waiting and theirs > 0
        if full or theirs >= share:
            raise Busy(f"{self.waiting} requests are waiting already; try again in a moment")

    async def engine(self) -> E:
        """Load the engine if that has not begun, and return it once it is ready.

        A load for which there was too little memory is tried again: that passes.
        """
        if self._engine is None or self._lacked_memory:
            self._engine = asyncio.ensure_future(self._in_thread(self._load))
        return await asyncio.shield(self._engine)

    async def call(self, func: Callable[[E], T]) -> T:
        """Run one blocking call on the engine. Cancelling abandons the result, not the call."""
        with self._admit():
            async with self._taking_turns() as engine:
                result: T = await self._run(func, engine)
                return result

    @asynccontextmanager
    async def stream(
        self, func: Callable[[E], Iterator[T]], *, exclusive: bool = False
    ) -> AsyncIterator[AsyncIterator[T]]:
        """Iterate a blocking generator, one step per `async for` turn.

        The next item is computed only when asked for, so a slow client slows its own work
        down instead of filling memory. Streams of several clients are interleaved item by
        item; `exclusive` keeps the engine for this one, for engines whose state is shared.
        Leaving the block, by cancellation too, closes the generator after its current step:
        an engine stops within one item, and its own `finally` blocks run.
        """
        with self._admit():
            async with self._taking_turns(exclusive=exclusive) as engine:
                items = await self._run(func, engine)
                self._streams.append(items)
                try:
                    yield self._pull(items, exclusive=exclusive)
                finally:
                    await asyncio.shield(self._end(items))

    async def aclose(self) -> None:
        """Wait for the running call, close every open generator and then the engine, if it has
        a `close`, and end the thread. Later requests raise Unavailable.
        """
        self._closed = True
        for items in list(self._streams):
            await self._end(items)
        if self.loaded and self._engine is not None:
            close = getattr(self._engine.result(), "close", None)
            if close is not None:
                await self._in_thread(close)
        self._ended = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _end(self, items: Iterator[Any]) -> None:
        if items in self._streams:
            self._streams.remove(items)
            # An error raised here would take the place of a cancellation on its way.
            if not self._ended:
                await self._in_thread(_close, items)

    @contextmanager
    def _admit(self) -> Iterator[None]:
        self.check_room()
        client = current_client()
        self._admitted[client] += 1
        try:
            yield
        finally:
            self._admitted[client] -= 1
            if not self._admitted[client]:
                del self._admitted[client]

    @asynccontextmanager
    async def _taking_turns(self, *, exclusive: bool = True) -> AsyncIterator[E]:
        async with AsyncExitStack() as stack:
            with current_span().waiting():
                engine = await self.engine()
                if exclusive:
                    await stack.enter_async_context(self._turns.hold())
            yield engine

    async def _pull(self, items: Iterator[T], *, exclusive: bool) -> AsyncIterator[T]:
        # `next(it, _END)`: StopIteration cannot travel through a Future.
        while True:
            async with AsyncExitStack() as stack:
                if not exclusive:
                    with current_span().waiting():
                        await stack.enter_async_context(self._turns.hold())
                item = await self._run(_next, items)
            if item is _END:
                return
            yield item

    async def _run(self, func: Callable[..., Any], *args: Any) -> Any:
        if self._closed:
            raise Unavailable("The service is stopping")
        return await self._in_thread(current_span().timed(func), *args)

    async def _in_thread(self, func: Callable[..., Any], *args: Any) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, self._step, func, *args
            )
        except Exception as err:
            if not lacks_memory(err):
                raise
            raise NoMemory("There is too little memory for this; see what else runs here") from err

    def _step(self, func: Callable[..., T], *args: Any) -> T:
        self._step_began = time.monotonic()
        try:
            return func(*args)
        finally:
            self._step_began = None


def _next(items: Iterator[T]) -> T | object:
    return next(items, _END)


def _close(items: Iterator[Any]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()
