"""The connection that Home Assistant holds to us."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol

from wyoming.audio import AudioChunk
from wyoming.event import Event
from wyoming.info import Info

from wyoming_common.audio import MODEL_RATE
from wyoming_common.errors import Refused
from wyoming_common.limits import Limits
from wyoming_common.listening import address_of
from wyoming_common.service import ServiceHandler

_LOGGER = logging.getLogger(__name__)

_MOST_CHUNK_BYTES = int(0.1 * MODEL_RATE) * 2
_MOST_WAITING = 3000
"""Events that may wait for a line that is stuck: half a minute of audio."""


class Owner(Protocol):
    """Whoever acts on what Home Assistant says."""

    def received(self, session: "Session", event: Event) -> None:
        """Take an event; returns at once. Raises Refused to hang up."""
        ...

    def left(self, session: "Session") -> None:
        """The connection is gone."""
        ...


class Session(ServiceHandler):
    """One connection. Home Assistant opens others beside it, to ask for our info.

    What we send is queued; audio that waits is sent in larger pieces: 10 ms while the line is
    fast, up to 100 ms when it is slow.
    """

    def __init__(
        self,
        owner: Owner,
        line: str,
        info: Callable[[], Info],
        limits: Limits,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(info, reader, writer, limits)
        self._heard_at = asyncio.get_running_loop().time()
        self._owner = owner
        self.line = line
        """Which of our satellites it is for."""
        self.peer = address_of(writer)
        """The other side's address, "" on a unix socket."""
        self._waiting: deque[Event | bytes] = deque(maxlen=_MOST_WAITING)
        self._any = asyncio.Event()

    async def handle_event(self, event: Event) -> bool:
        """Note that the other side is alive, whatever it says."""
        self._heard_at = asyncio.get_running_loop().time()
        return await super().handle_event(event)

    async def on_request(self, event: Event) -> None:
        """Hand any other event to the owner."""
        if not self.busy:
            await self.start(self._send_all())
        try:
            self._owner.received(self, event)
        except Refused as err:
            # Home Assistant would stay, and never ask again.
            _LOGGER.warning("%s: %s", err.code, err)
            await self.refuse(err)
            self.drop()

    async def disconnect(self) -> None:
        """The other side has hung up."""
        await super().disconnect()
        self._owner.left(self)

    @property
    def silent_seconds(self) -> float:
        """Seconds since the other side last said anything."""
        return asyncio.get_running_loop().time() - self._heard_at

    def send(self, event: Event) -> None:
        """Queue an event."""
        self._waiting.append(event)
        self._any.set()

    def send_audio(self, pcm: bytes) -> None:
        """Queue microphone audio, mono s16le at 16 kHz."""
        self._waiting.append(pcm)
        self._any.set()

    def drop(self) -> None:
        """End the connection at once."""
        self.writer.transport.abort()

    async def _send_all(self) -> None:
        while True:
            await self._any.wait()
            self._any.clear()
            while self._waiting:
                item = self._waiting.popleft()
                event = self._chunk(item).event() if isinstance(item, bytes) else item
                await self.write_event(event)

    def _chunk(self, pcm: bytes) -> AudioChunk:
        parts, size = [pcm], len(pcm)
        while self._waiting and size < _MOST_CHUNK_BYTES:
            following = self._waiting[0]
            if not isinstance(following, bytes):
                break
            parts.append(following)
            size += len(following)
            self._waiting.popleft()
        return AudioChunk(MODEL_RATE, 2, 1, b"".join(parts))
