"""Replies of one model to several clients, and what the model does while nobody asks."""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from typing import Final

from wyoming_common.errors import Busy, ServiceError
from wyoming_common.trace import current_span
from wyoming_common.turns import Turns, current_client
from wyoming_common.worker import ModelThread
from wyoming_llm.engine import Delta, LlmEngine, Prompt, Sampling
from wyoming_llm.rehearsal import Rehearsal

_LOGGER = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0
"""After a reply the cores belong to the voice that speaks it; nobody answers sooner anyway."""
PATIENCE_SECONDS: Final = 20.0
"""Nobody stands and waits longer for an answer to what they said: better told at once."""
_LEARNING: Final = 0.2
"""How much the last reply counts in what one takes"""
_LONG_SECONDS: Final = 15.0
"""A reply may take so long while clients at other addresses wait for a place"""
_MOST_AHEAD: Final = 8
"""Prompts that wait to be read ahead"""


class Replies:
    """Generates at most `parallel` replies at a time, fairly by turns; others wait in order."""

    def __init__(
        self, model: ModelThread[LlmEngine], parallel: int, pause: float = PAUSE_SECONDS
    ) -> None:
        self._model = model
        self._pause = pause
        self._served = False
        self._room = Turns(parallel)
        self._parallel = parallel
        self._reply_seconds = 0.0
        self._active = 0
        self._rehearsal: Rehearsal | None = None
        self._ahead: OrderedDict[str, Prompt] = OrderedDict()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def stream(
        self,
        prompt: Prompt,
        sampling: Sampling,
        rehearsal: Rehearsal | None = None,
        patience: float = math.inf,
    ) -> AsyncIterator[AsyncIterator[Delta]]:
        """Yield the deltas of one reply; leaving the block ends its generation.

        What `rehearsal` holds of the same reply is used. Any other one makes room. Raises Busy
        where it would begin in more than `patience` seconds, by what others have taken.
        """
        self._active += 1
        self._served = True
        try:
            if rehearsal is not None and rehearsal.take(prompt, sampling):
                current_span().note(rehearsed=True)
                async with self._room.turn():
                    yield rehearsal.deltas()
            else:
                self._check_wait(patience)
                if self._rehearsal is not None and not self._rehearsal.taken:
                    await self._rehearsal.drop()
                async with (
                    self._room.turn(),
                    self._timed(),
                    self._generate(prompt, sampling) as deltas,
                    aclosing(self._while_fair(deltas)) as fair,
                ):
                    yield fair
        finally:
            if rehearsal is not None:
                await rehearsal.drop()
            self._active -= 1
            self._wake.set()

    async def _while_fair(self, deltas: AsyncIterator[Delta]) -> AsyncGenerator[Delta]:
        """Pass on a reply; one that has been long ends where another client waits for its place."""
        late = time.monotonic() + _LONG_SECONDS
        async for delta in deltas:
            if not delta.finish and self._room.wanted and time.monotonic() > late:
                yield replace(delta, finish="length")
                return
            yield delta

    @property
    def ahead(self) -> int:
        """How many replies come before one that the current client asks for now."""
        return self._room.ahead

    def _check_wait(self, patience: float) -> None:
        wait = self.ahead * self._reply_seconds / self._parallel
        if wait > patience:
            raise Busy(f"about {wait:.0f} s of other replies come first; try again later")

    @asynccontextmanager
    async def _timed(self) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - began
            self._reply_seconds += _LEARNING * (took - self._reply_seconds)

    async def rehearse(self, prompt: Prompt, sampling: Sampling, rehearsal: Rehearsal) -> None:
        """Generate into `rehearsal`, unless somebody is given a reply or has one rehearsed."""
        if self._active or self._rehearsal is not None:
            return
        self._rehearsal = rehearsal
        try:
            async with self._generate(prompt, sampling) as deltas:
                await rehearsal.fill(prompt, sampling, deltas)
        finally:
            self._rehearsal = None
            self._wake.set()

    def _generate(
        self, prompt: Prompt, sampling: Sampling
    ) -> AbstractAsyncContextManager[AsyncIterator[Delta]]:
        own = replace(prompt, client=current_client())

        def reply(engine: LlmEngine) -> Iterator[Delta]:
            return engine.reply(own, sampling)

        return self._model.stream(reply)

    def read_ahead(self, prompt: Prompt) -> None:
        """Have `prompt` read when nobody waits, so that a reply to it starts at once."""
        self._ahead[prompt.conversation] = replace(prompt, client=current_client())
        self._ahead.move_to_end(prompt.conversation)
        while len(self._ahead) > _MOST_AHEAD:
            self._ahead.popitem(last=False)
        self._wake.set()

    async def keep(self) -> None:
        """Do what can wait, whenever nobody waits; runs until cancelled."""
        while True:
            await self._wake.wait()
            if self._served:
                await asyncio.sleep(self._pause)
            self._wake.clear()
            try:
                await self._use_silence()
            except ServiceError as err:
                _LOGGER.debug("Nothing read ahead: %s", err)
            except Exception:
                _LOGGER.exception("Reading ahead failed")

    @property
    def _busy(self) -> bool:
        return self._active > 0 or self._rehearsal is not None

    async def _use_silence(self) -> None:
        while self._ahead and not self._busy:
            name, prompt = self._ahead.popitem()
            if not await self._read(prompt):
                self._ahead.setdefault(name, prompt)
        if not self._busy:
            await self._model.call(lambda engine: engine.settle())

    async def _read(self, prompt: Prompt) -> bool:
        """Read `prompt` unless somebody asks meanwhile; returns whether it was read whole."""

        def read(engine: LlmEngine) -> Iterator[None]:
            return engine.read(prompt)

        async with self._model.stream(read) as steps:
            async for _ in steps:
                if self._busy:
                    return False
        return True
