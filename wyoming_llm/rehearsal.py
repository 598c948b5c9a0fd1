"""The beginning of a reply, generated while it is not certain yet what it answers."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

from wyoming_common.errors import ServiceError
from wyoming_llm.engine import Delta, Prompt, Sampling

_LOGGER = logging.getLogger(__name__)

_MOST_DELTAS: Final = 48
"""Tokens generated in secret: two sentences, as much as is spoken while the rest is written"""
_SECONDS: Final = 10.0
"""How long they are kept for somebody who says no more"""


class Rehearsal:
    """Filled by a task of its own; `take` makes it the reply, `drop` ends it at once.

    Nothing is done or remembered by it: it is model output that nobody has been given.
    """

    def __init__(self, perform: Callable[["Rehearsal"], Coroutine[Any, Any, None]]) -> None:
        self._asked: tuple[Prompt, Sampling] | None = None
        self._deltas: deque[Delta] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._failure: Exception | None = None
        self._over = False
        self._whole = False
        self.taken = False
        self._task = asyncio.create_task(self._run(perform))

    def take(self, prompt: Prompt, sampling: Sampling) -> bool:
        """Make this the reply to `prompt`, if it is one; it is nobody else's from then on."""
        alive = self._whole or not self._over
        self.taken = not self.taken and alive and self._asked == (prompt, sampling)
        self._room.set()
        return self.taken

    async def deltas(self) -> AsyncIterator[Delta]:
        """Yield the reply from its beginning. Raises what its generation raised."""
        while True:
            while self._deltas:
                yield self._deltas.popleft()
                self._room.set()
            if self._failure is not None:
                raise self._failure
            if self._over:
                return
            self._changed.clear()
            await self._changed.wait()

    async def fill(self, prompt: Prompt, sampling: Sampling, deltas: AsyncIterator[Delta]) -> None:
        """Keep what `deltas` yields, so far ahead and so long as is sensible."""
        self._asked = (prompt, sampling)
        async for delta in deltas:
            self._deltas.append(delta)
            self._changed.set()
            while len(self._deltas) >= _MOST_DELTAS:
                self._room.clear()
                async with asyncio.timeout(None if self.taken else _SECONDS):
                    await self._room.wait()
        self._whole = True

    async def drop(self) -> None:
        """Stop generating, within one token."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self, perform: Callable[["Rehearsal"], Coroutine[Any, Any, None]]) -> None:
        try:
            await perform(self)
        except TimeoutError:
            _LOGGER.debug("Nobody asked for what was rehearsed")
        except ServiceError as err:
            _LOGGER.debug("Rehearsed for nothing: %s", err)
            self._failure = err
        except Exception as err:
            _LOGGER.exception("Rehearsing failed")
            self._failure = err
        finally:
            self._over = True
            self._changed.set()
