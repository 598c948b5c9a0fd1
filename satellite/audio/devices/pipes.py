"""Raw PCM on standard input as microphone, on standard output as speaker."""

import asyncio
import logging
import os
import queue
import stat
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Self

from satellite.audio.devices.device import FRAME_BYTES, FRAME_SECONDS, SILENCE, Frame
from satellite.audio.devices.paced import PacedSpeaker
from satellite.audio.player import Player
from satellite.core.clock import RunClock
from wyoming_common.audio.pcm import PcmConverter, PcmFormat, Reframer

_LOGGER = logging.getLogger(__name__)

_READ_BYTES = 4096
_MAX_SPEED = 1.02
"""Frames may come a little faster than real time: a writer whose clock is fast does not fill the
pipe."""
_MAX_WAITING_BLOCKS = 100
"""About a second of output for a slow reader."""


class PipeMicrophone:
    """Reads s16le PCM of `source`'s rate and channels, no faster than real time."""

    def __init__(self, source: PcmFormat, clock: RunClock, fd: int = 0) -> None:
        self._converter = PcmConverter(source)
        self._reframer = Reframer(FRAME_BYTES)
        self._clock = clock
        self._fd = fd
        self._read: Callable[[], Awaitable[bytes]]
        self.ended = False

    async def __aenter__(self) -> Self:
        # A private copy: closing the transport must not close the process's standard input.
        pipe = os.fdopen(os.dup(self._fd), "rb", buffering=0)
        self._stack = AsyncExitStack()
        self._stack.callback(pipe.close)
        if _can_be_waited_for(pipe.fileno()):
            reader = asyncio.StreamReader(limit=_READ_BYTES)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
            self._stack.callback(transport.close)
            self._read = lambda: reader.read(_READ_BYTES)
        else:
            self._read = lambda: asyncio.to_thread(os.read, pipe.fileno(), _READ_BYTES)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield frames as they come; silence once the writer has closed its end."""
        at = 0.0
        async for pcm in self._pcm():
            at = max(at + FRAME_SECONDS / _MAX_SPEED, self._clock.now() - FRAME_SECONDS)
            await self._clock.until(at)
            yield Frame(pcm, self._clock.now())
        self.ended = True
        while True:
            at = max(at + FRAME_SECONDS, self._clock.now() - FRAME_SECONDS)
            await self._clock.until(at)
            yield Frame(SILENCE, self._clock.now())

    async def _pcm(self) -> AsyncIterator[bytes]:
        while data := await self._read():
            for frame in self._reframer.feed(self._converter.feed(data)):
                yield frame
        for frame in self._reframer.feed(self._converter.flush() + SILENCE[:-2]):
            yield frame


def _can_be_waited_for(fd: int) -> bool:
    """Return whether the event loop can wait for input: not for a file on disk or /dev/null,
    which are always readable."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)


class PipeSpeaker(PacedSpeaker):
    """Writes mono s16le PCM at the player's rate, in real time.

    A reader that does not keep up loses audio and delays nothing else.
    """

    def __init__(self, player: Player, clock: RunClock, fd: int | None = None) -> None:
        super().__init__(player, clock)
        self._fd = sys.stdout.fileno() if fd is None else fd
        self._blocks: queue.Queue[bytes] = queue.Queue(_MAX_WAITING_BLOCKS)
        self._closed = False

    async def __aenter__(self) -> Self:
        self._writer = threading.Thread(target=self._write, name="speaker", daemon=True)
        self._writer.start()
        await super().__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        with suppress(queue.Full):
            self._blocks.put(b"", timeout=1)
        await asyncio.to_thread(self._writer.join, 2)

    def play(self, pcm: bytes) -> None:
        """Hand samples to the writing thread."""
        with suppress(queue.Full):
            self._blocks.put_nowait(pcm)

    def _write(self) -> None:
        while block := self._blocks.get():
            if self._closed:
                continue
            try:
                view = memoryview(block)
                while view:
                    view = view[os.write(self._fd, view) :]
            except OSError as err:
                _LOGGER.warning("speaker: cannot write to standard output: %s", err.strerror)
                self._closed = True
