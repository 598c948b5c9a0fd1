"""Audio on its way from a connection to whoever listens."""

import asyncio
from collections import deque

from wyoming_stt.listener import Pcm

_WAITING_BYTES = 1024 * 1024
"""Audio of one client that waits to be heard; past it the client is read no further."""
_PART_BYTES = 256
"""What one piece takes beside its audio: a million pieces of a byte are no megabyte."""
_AT_ONCE_SECONDS = 1.0
"""What is taken out at once at most: the ears belong to every client."""


class AudioQueue:
    """Bounded; closed by the sender when nothing follows, or by a listener who has enough."""

    def __init__(self, limit: int = _WAITING_BYTES) -> None:
        self._limit = limit
        self._parts: deque[Pcm] = deque()
        self._size = 0
        self._open = True
        self._changed = asyncio.Condition()

    async def put(self, part: Pcm) -> None:
        """Append audio; waits while the queue is full. Does nothing once it is closed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < self._limit or not self._open)
            if self._open:
                self._parts.append(part)
                self._size += len(part.data) + _PART_BYTES
                self._changed.notify_all()

    async def get(self) -> list[Pcm]:
        """Return what waits, some seconds at most; an empty list once closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._parts or not self._open)
            parts: list[Pcm] = []
            seconds = 0.0
            while self._parts and seconds < _AT_ONCE_SECONDS:
                part = self._parts.popleft()
                parts.append(part)
                seconds += part.format.seconds(len(part.data))
                self._size -= len(part.data) + _PART_BYTES
            self._changed.notify_all()
            return parts

    async def close(self) -> None:
        """Say that nothing follows."""
        async with self._changed:
            self._open = False
            self._changed.notify_all()
