"""Queue of passages, from the task that reads a client's text to the one that speaks it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

from wyoming_common.errors import ServiceError, TooLarge
from wyoming_tts.text.sentences import Passage, Script
from wyoming_tts.text.ssml import SsmlScript

_MAX_SLICE_CHARACTERS: Final = 1024
"""Text split into sentences before other clients get their turn: 2 ms for prose."""
_MAX_PASSAGES_AT_ONCE: Final = 32
"""Passages queued before other clients get their turn."""
_MAX_SECONDS_PER_CHARACTER: Final = 0.02
"""Speech takes 0.07 s: a text that comes three times as fast does not keep the listener waiting."""
_GRACE_SECONDS: Final = 0.05
"""For a text whose first words come all at once."""


def _nothing() -> None:
    """Do nothing."""


class PassageQueue:
    """Splits text as it comes. Bounded by its characters.

    An open passage is left out where a longer one waits already, and where text comes so slowly
    that a sentence begun before its end might break off.
    """

    def __init__(
        self,
        script: Script,
        max_characters: int,
        on_first: Callable[[], None] = _nothing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script = script
        self._slow = isinstance(script, SsmlScript)
        """Whether the script splits all of its text at the end."""
        self._max = max_characters
        self._on_first = on_first
        self._clock = clock
        self._begun = False
        self._taken = 0
        self._first: tuple[float, int] | None = None
        self._waiting: asyncio.Queue[Passage | ServiceError | None] = asyncio.Queue()

    async def feed(self, text: str) -> None:
        """Take more text; beyond the limit the speaking task gets TooLarge instead."""
        self._taken += len(text)
        self._first = self._first or (self._clock(), self._taken)
        if self._taken <= self._max:
            for start in range(0, len(text), _MAX_SLICE_CHARACTERS):
                await self._put(self._script.feed(text[start : start + _MAX_SLICE_CHARACTERS]))
        elif self._taken - len(text) <= self._max:
            self._waiting.put_nowait(
                TooLarge(f"text: at most {self._max} characters, got {self._taken} or more")
            )

    async def finish(self) -> None:
        """End the text."""
        rest: Iterable[Passage] = self._script.finish()
        if self._slow and self._taken > _MAX_SLICE_CHARACTERS // 2:
            rest = await asyncio.to_thread(list, rest)
        await self._put(rest)
        self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Passage]:
        """Yield the passages. Raises TooLarge."""
        while (item := await self._waiting.get()) is not None:
            if isinstance(item, ServiceError):
                raise item
            if not item.is_open or self._waiting.empty():
                yield item

    @property
    def _is_fast(self) -> bool:
        """Whether text comes so fast that its speech will not have to wait for it."""
        if self._first is None:
            return False
        began, characters = self._first
        seconds = self._clock() - began - _GRACE_SECONDS
        return seconds <= (self._taken - characters) * _MAX_SECONDS_PER_CHARACTER

    async def _put(self, passages: Iterable[Passage]) -> None:
        for number, passage in enumerate(passages, 1):
            if passage.is_open and not self._is_fast:
                continue
            if not self._begun:
                self._begun = True
                self._on_first()
            self._waiting.put_nowait(passage)
            if not number % _MAX_PASSAGES_AT_ONCE:
                await asyncio.sleep(0)
        # A book in one event would hold up the other clients.
        await asyncio.sleep(0)
