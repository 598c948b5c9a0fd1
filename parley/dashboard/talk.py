"""Browser microphone and speaker: a standalone satellite process for each browser.

The page sends mono s16le PCM as binary messages and receives the reply in the same way, both at
the rate of its `rate` parameter. Our text messages are JSON: `{"event": "ready"}` or
`{"event": "failed", "reason": ...}`.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from aiohttp import WSMsgType, web

from parley.dashboard.sources import Sources
from parley.supervise.processes import ChildProcess, ProgramSpec
from wyoming_common.errors import Unavailable

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_SATELLITES: Final = 2
"""Each takes the memory of a satellite process."""
_RATES: Final = range(8_000, 192_001)
_MAX_MESSAGE_BYTES: Final = 64 * 1024
"""Size of one message of the page: 0.17 s at the highest rate."""
_MAX_WAITING_BYTES: Final = 96_000
"""Audio buffered for a busy satellite; more is dropped."""
_READ_BYTES: Final = 4096


class BrowserSatellites:
    """Starts a satellite for each talking browser; `services` are its --stt, --llm, --tts flags."""

    def __init__(self, sources: Sources, services: Sequence[str] = ()) -> None:
        self._sources = sources
        self._services = tuple(services)
        self._open = 0

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Carry audio until the page or the satellite closes."""
        rate = request.query.get("rate", "")
        if not (rate.isdecimal() and len(rate) < 7 and int(rate) in _RATES):
            raise web.HTTPBadRequest(text="rate: expected 8000 to 192000\n")
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=_MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        if self._open >= _MAX_SATELLITES:
            await _fail(socket, f"{_MAX_SATELLITES} browsers are talking already; try again later")
            return socket
        self._open += 1
        try:
            await self._talk(socket, rate)
        except Unavailable as err:
            await _fail(socket, str(err))
        finally:
            self._open -= 1
        return socket

    async def _talk(self, socket: web.WebSocketResponse, rate: str) -> None:
        async with AsyncExitStack() as stack:
            start = stack.enter_async_context(_satellite(rate, self._services))
            started = await _unless_left(socket, start)
            if started is None:
                return
            child, microphone, speaker = started
            self._sources.add(child.uri, "Browser")
            tasks = [
                asyncio.create_task(_listen(socket, microphone)),
                asyncio.create_task(_speak(socket, speaker)),
                asyncio.create_task(_ended(child)),
            ]
            try:
                await socket.send_json({"event": "ready"})
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._sources.forget(child.uri)
                for task in tasks:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Unavailable):
                raise result


@asynccontextmanager
async def _satellite(
    rate: str, services: Sequence[str]
) -> AsyncIterator[tuple[ChildProcess, asyncio.WriteTransport, asyncio.StreamReader]]:
    """Run a standalone satellite; yield its process, microphone and speaker.

    Raises Unavailable with the reason when it does not start.
    """
    loop = asyncio.get_running_loop()
    mic_out, mic_in = os.pipe()
    speaker_out, speaker_in = os.pipe()
    microphone, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(mic_in, "wb"))
    reader = asyncio.StreamReader(limit=_READ_BYTES)
    speaker, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(speaker_out, "rb")
    )
    try:
        try:
            child = await ChildProcess.start(
                ProgramSpec("satellite", "satellite", _arguments(rate, services),
                        stdin=mic_out, stdout=speaker_in, echo=False)
            )  # fmt: skip
        finally:
            os.close(mic_out)
            os.close(speaker_in)
        try:
            yield child, microphone, reader
        finally:
            await child.stop()
    finally:
        # A transport whose reader has closed is closing already and must not be aborted.
        if not microphone.is_closing():
            microphone.abort()
        speaker.close()


def _arguments(rate: str, services: Sequence[str]) -> tuple[str, ...]:
    return (
        "--mode", "standalone", "--wake", "none", "--uri", "tcp://127.0.0.1:0", "--no-zeroconf",
        "--mic", "pipe", "--mic-rate", rate, "--mic-channels", "1",
        "--speaker", "pipe", "--speaker-rate", rate, *services,
    )  # fmt: skip


async def _unless_left(socket: web.WebSocketResponse, start: Coroutine[Any, Any, T]) -> T | None:
    """Return the result of `start`, or None when the page leaves first, which frees its place."""
    starting, leaving = asyncio.create_task(start), asyncio.create_task(_left(socket))
    try:
        await asyncio.wait([starting, leaving], return_when=asyncio.FIRST_COMPLETED)
        return starting.result() if starting.done() else None
    finally:
        for task in (starting, leaving):
            task.cancel()
        await asyncio.gather(starting, leaving, return_exceptions=True)


async def _left(socket: web.WebSocketResponse) -> None:
    async for _ in socket:
        pass


async def _listen(socket: web.WebSocketResponse, microphone: asyncio.WriteTransport) -> None:
    """Forward the page's microphone until the page hangs up."""
    async for message in socket:
        audio = message.type is WSMsgType.BINARY and len(message.data) % 2 == 0
        if audio and microphone.get_write_buffer_size() < _MAX_WAITING_BYTES:
            microphone.write(message.data)


async def _speak(socket: web.WebSocketResponse, speaker: asyncio.StreamReader) -> None:
    """Forward the satellite's speaker, which plays in real time, silence included."""
    odd = b""
    with suppress(ConnectionError):
        while data := await speaker.read(_READ_BYTES):
            data = odd + data
            odd = data[len(data) & ~1 :]
            await socket.send_bytes(data[: len(data) & ~1])


async def _ended(child: ChildProcess) -> None:
    status = await child.wait()
    raise Unavailable(child.last_line or f"the satellite ended with status {status}")


async def _fail(socket: web.WebSocketResponse, reason: str) -> None:
    with suppress(ConnectionError):
        await socket.send_json({"event": "failed", "reason": reason})
        await socket.close()
