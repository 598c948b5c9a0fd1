"""Bounded queue of PCM audio between a connection and the speech segmenter."""

import asyncio
from collections import deque
from dataclasses import dataclass

from wyoming_common.audio.pcm import PcmFormat

_MAX_QUEUED_BYTES = 1024 * 1024
"""Audio of one client that waits to be segmented; above it the client is not read."""
_CHUNK_OVERHEAD_BYTES = 256
"""Memory that a chunk takes beside its audio, so that chunks of one byte are bounded too."""
_MAX_TAKEN_SECONDS = 1.0
"""Audio returned by one `get`: the thread that segments it serves every client."""


@dataclass(frozen=True, slots=True)
class PcmChunk:
    """Audio as a client sent it."""

    data: bytes
    format: PcmFormat
    arrived: float
    """Seconds on a steady clock"""


class AudioQueue:
    """Closed by the sender after the last audio, or by the receiver when it needs no more."""

    def __init__(self, max_bytes: int = _MAX_QUEUED_BYTES) -> None:
        self._max_bytes = max_bytes
        self._chunks: deque[PcmChunk] = deque()
        self._size = 0
        self._open = True
        self._changed = asyncio.Condition()

    async def put(self, chunk: PcmChunk) -> None:
        """Append audio, waiting while the queue is full. Does nothing once it is closed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < self._max_bytes or not self._open)
            if self._open:
                self._chunks.append(chunk)
                self._size += len(chunk.data) + _CHUNK_OVERHEAD_BYTES
                self._changed.notify_all()

    async def get(self) -> list[PcmChunk]:
        """Return queued audio, about a second at most; an empty list once closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._chunks or not self._open)
            chunks: list[PcmChunk] = []
            seconds = 0.0
            while self._chunks and seconds < _MAX_TAKEN_SECONDS:
                chunk = self._chunks.popleft()
                chunks.append(chunk)
                seconds += chunk.format.seconds(len(chunk.data))
                self._size -= len(chunk.data) + _CHUNK_OVERHEAD_BYTES
            self._changed.notify_all()
            return chunks

    async def close(self) -> None:
        """Mark the end of the audio."""
        async with self._changed:
            self._open = False
            self._changed.notify_all()
