"""Generation queue: replies of one model to several clients, and prefill while it is idle."""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from wyoming_common.errors import Busy, ServiceError
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.fairness import FairSemaphore, current_client
from wyoming_common.telemetry.trace import current_span
from wyoming_llm.dialogue.speculative_reply import SpeculativeReply
from wyoming_llm.engine import Delta, LlmEngine, Prompt, Sampling

_LOGGER = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
"""After a reply the cores belong to the voice that speaks it; no answer comes sooner anyway."""
MAX_WAITING_SECONDS: Final = 20.0
"""A person who waits longer for a spoken answer is told at once that the service is busy."""
_LEARNING_RATE: Final = 0.2
"""Weight of the last reply in the average duration of one"""
_MAX_UNDISTURBED_SECONDS: Final = 15.0
"""Time that a reply may take while clients at other addresses wait for a place"""
_WARM_UP_TOKENS: Final = 8
_MAX_PREFILLS: Final = 8
"""Prompts that wait for their prefill"""


class Generation:
    """The deltas of one reply, as an async iterator.

    A long one ends where another client waits for its place.
    """

    def __init__(
        self, deltas: AsyncIterator[Delta], places: FairSemaphore, max_seconds: float
    ) -> None:
        self._deltas = deltas
        self._places = places
        self._late = time.monotonic() + max_seconds
        self._ended = False

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self

    async def __anext__(self) -> Delta:
        if self._ended:
            raise StopAsyncIteration
        delta = await anext(self._deltas)
        if not delta.finish and self._places.contended and time.monotonic() > self._late:
            delta, self._ended = replace(delta, finish="length"), True
        return delta


class GenerationQueue:
    """Generates at most `parallel` replies at a time, in turns between clients; others wait.

    While it is idle, `run_idle_work` prefills prompts, `pause` seconds after a reply.
    """

    def __init__(
        self,
        model: ModelThread[LlmEngine],
        parallel: int,
        pause: float = PAUSE_SECONDS,
        max_undisturbed: float = _MAX_UNDISTURBED_SECONDS,
    ) -> None:
        self._model = model
        self._pause = pause
        self._max_undisturbed = max_undisturbed
        self._served = False
        self._places = FairSemaphore(parallel)
        self._parallel = parallel
        self._reply_seconds = 0.0
        self._active = 0
        self._speculation: SpeculativeReply | None = None
        self._prefills: OrderedDict[str, Prompt] = OrderedDict()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def stream(
        self,
        prompt: Prompt,
        sampling: Sampling,
        speculation: SpeculativeReply | None = None,
        max_waiting: float = math.inf,
    ) -> AsyncIterator[Generation]:
        """Generate one reply; leaving the block ends it within one token.

        `speculation` is taken where it is the same reply; any other one makes room. Raises Busy
        where the reply would begin in more than `max_waiting` seconds, by what others took.
        """
        self._active += 1
        self._served = True
        try:
            if speculation is not None and speculation.take(prompt, sampling):
                current_span().note(rehearsed=True)
                async with self._places.hold():
                    yield Generation(speculation, self._places, math.inf)
            else:
                self._check_wait(max_waiting)
                if self._speculation is not None and not self._speculation.taken:
                    await self._speculation.drop()
                async with (
                    self._places.hold(),
                    self._timed(),
                    self._generate(prompt, sampling) as deltas,
                ):
                    yield Generation(deltas, self._places, self._max_undisturbed)
        finally:
            if speculation is not None:
                await speculation.drop()
            self._active -= 1
            self._wake.set()

    @property
    def ahead(self) -> int:
        """Number of replies before one that the current client would ask for now."""
        return self._places.ahead

    async def speculate(
        self,
        prompt: Prompt,
        sampling: Sampling,
        speculation: SpeculativeReply,
        on_delta: Callable[[Delta], Awaitable[None]] | None = None,
    ) -> None:
        """Generate into `speculation`, unless the model is busy.

        `on_delta` receives each delta, until the speculation is taken.
        """
        if self._busy:
            return
        self._speculation = speculation
        try:
            async with self._generate(prompt, sampling) as deltas:
                await speculation.fill(prompt, sampling, deltas, on_delta)
        finally:
            self._speculation = None
            self._wake.set()

    def prefill(self, prompt: Prompt) -> None:
        """Have the model read `prompt` when it is idle, so that a reply to it starts at once."""
        self._prefills[prompt.conversation] = replace(prompt, client=current_client())
        self._prefills.move_to_end(prompt.conversation)
        while len(self._prefills) > _MAX_PREFILLS:
            self._prefills.popitem(last=False)
        self._wake.set()

    async def room_beside(self, text: str, most: int) -> int:
        """Return how many tokens are left beside `text` and an answer of `most` tokens."""
        return await self._model.call(
            lambda engine: engine.prompt_limit - engine.count(text) - most
        )

    async def warm_up(self, shared: Prompt, prompt: Prompt, sampling: Sampling) -> None:
        """Prefill `shared`, which every prompt begins with, and answer `prompt` in a few tokens."""
        few = replace(sampling, max_tokens=_WARM_UP_TOKENS)
        if shared.messages:
            await self._read(shared)
            await self._model.call(lambda engine: engine.settle())
        async with self._generate(prompt, few) as deltas:
            async for _ in deltas:
                pass
        await self._model.call(lambda engine: engine.settle())

    async def run_idle_work(self) -> None:
        """Prefill prompts, and let the engine settle, whenever no reply is asked for.

        Runs until it is cancelled.
        """
        while True:
            await self._wake.wait()
            if self._served:
                await asyncio.sleep(self._pause)
            self._wake.clear()
            try:
                await self._work()
            except ServiceError as err:
                _LOGGER.debug("No prefill: %s", err)
            except Exception:
                _LOGGER.exception("Prefill failed")

    def _check_wait(self, max_waiting: float) -> None:
        wait = self.ahead * self._reply_seconds / self._parallel
        if wait > max_waiting:
            raise Busy(f"about {wait:.0f} s of other replies come first; try again later")

    @asynccontextmanager
    async def _timed(self) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - began
            self._reply_seconds += _LEARNING_RATE * (took - self._reply_seconds)

    def _generate(
        self, prompt: Prompt, sampling: Sampling
    ) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        own = replace(prompt, client=current_client())

        def reply(engine: LlmEngine) -> Iterator[Delta]:
            return engine.reply(own, sampling)

        return self._model.stream(reply)

    @property
    def _busy(self) -> bool:
        return self._active > 0 or self._speculation is not None

    async def _work(self) -> None:
        while self._prefills and not self._busy:
            name, prompt = self._prefills.popitem()
            if not await self._read(prompt):
                self._prefills.setdefault(name, prompt)
        if not self._busy:
            await self._model.call(lambda engine: engine.settle())

    async def _read(self, prompt: Prompt) -> bool:
        """Prefill `prompt` unless a reply is asked for meanwhile; returns whether it is done."""

        def read(engine: LlmEngine) -> Iterator[None]:
            return engine.read(prompt)

        async with self._model.stream(read) as steps:
            async for _ in steps:
                if self._busy:
                    return False
        return True


@asynccontextmanager
async def idle_work(queue: GenerationQueue) -> AsyncIterator[None]:
    """Run the queue's idle work until the block ends."""
    task = asyncio.create_task(queue.run_idle_work())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
