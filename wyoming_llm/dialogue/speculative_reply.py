"""Speculative reply: generated while it is not certain yet what it answers."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, Final

from wyoming_common.errors import ServiceError
from wyoming_llm.engine import Delta, Prompt, Sampling

_LOGGER = logging.getLogger(__name__)

MAX_DELTAS_AHEAD: Final = 48
"""Tokens generated ahead: two sentences, as much as is spoken while the rest is written"""
_MAX_IDLE_SECONDS: Final = 10.0
"""A full buffer that is not taken in this time is dropped"""


class SpeculativeReply:
    """An async iterator of deltas that a task of its own fills.

    `take` makes it the reply to a prompt, `drop` ends it at once. It does and remembers nothing:
    it is model output that no client has been given.
    """

    def __init__(self, fill: Callable[["SpeculativeReply"], Coroutine[Any, Any, None]]) -> None:
        self._asked: tuple[Prompt, Sampling] | None = None
        self._deltas: deque[Delta] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._failure: Exception | None = None
        self._over = False
        self._whole = False
        self.taken = False
        self.seconds = 0.0
        """Time for which the model has worked on it, others' turns included"""
        self._task = asyncio.create_task(self._run(fill))

    def take(self, prompt: Prompt, sampling: Sampling) -> bool:
        """Make this the reply to `prompt`; False where it is another's, was taken, or failed."""
        alive = self._whole or not self._over
        if self.taken or not alive or self._asked != (prompt, sampling):
            return False
        self.taken = True
        self._room.set()
        return True

    def __aiter__(self) -> AsyncIterator[Delta]:
        return self

    async def __anext__(self) -> Delta:
        """Return the next delta. Raises what its generation raised."""
        while not self._deltas:
            if self._failure is not None:
                raise self._failure
            if self._over:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        self._room.set()
        return self._deltas.popleft()

    async def fill(
        self,
        prompt: Prompt,
        sampling: Sampling,
        deltas: AsyncIterator[Delta],
        on_delta: Callable[[Delta], Awaitable[None]] | None = None,
    ) -> None:
        """Buffer what `deltas` yields, up to a bound until the reply is taken.

        `on_delta` receives each delta too, until then.
        """
        self._asked = (prompt, sampling)
        began = time.monotonic()
        async for delta in deltas:
            self.seconds += time.monotonic() - began
            self._deltas.append(delta)
            self._changed.set()
            if on_delta is not None and not self.taken:
                await on_delta(delta)
            while len(self._deltas) >= MAX_DELTAS_AHEAD:
                self._room.clear()
                async with asyncio.timeout(None if self.taken else _MAX_IDLE_SECONDS):
                    await self._room.wait()
            began = time.monotonic()
        self._whole = True

    async def drop(self) -> None:
        """Stop generating, within one token."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self, fill: Callable[["SpeculativeReply"], Coroutine[Any, Any, None]]) -> None:
        try:
            await fill(self)
        except TimeoutError:
            _LOGGER.debug("A speculative reply was not wanted")
        except ServiceError as err:
            _LOGGER.debug("A speculative reply failed: %s", err)
            self._failure = err
        except Exception as err:
            _LOGGER.exception("A speculative reply failed")
            self._failure = err
        finally:
            self._over = True
            self._changed.set()
