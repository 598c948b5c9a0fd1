"""Bad network link between a client and a service: late, lossy, or cut silently.

TCP hides loss from programs: what is lost comes again, later, and everything behind it waits.
So loss is a wait here, as long as the kernel's first retransmission.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Final

_RETRANSMISSION_SECONDS: Final = 0.2
"""TCP_RTO_MIN of Linux."""
_PIECE: Final = 1448
"""Bytes of one packet."""


class BadLink:
    """Carries bytes both ways; `cut` makes it swallow them, and the ends learn nothing of it."""

    def __init__(self, uri: str, *, delay: float = 0.0, loss: float = 0.0, seed: int = 1) -> None:
        host, _, port = uri.removeprefix("tcp://").rpartition(":")
        self._there = host, int(port)
        self._delay = delay
        self._loss = loss
        self._random = Random(seed)  # noqa: S311 - repeatable
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.uri = ""

    def cut(self) -> None:
        """Carry nothing from here on; what is sent waits for `mend`."""
        self._whole.clear()

    def mend(self) -> None:
        """Carry what waits, and go on."""
        self._whole.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["BadLink"]:
        """Listen at `uri` until the block ends."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.uri = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._there)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pipe(reader, far_writer))
                group.create_task(self._pipe(far_reader, writer))
        finally:
            for end in (writer, far_writer):
                end.transport.abort()
                with suppress(OSError):
                    await end.wait_closed()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one way, in order; each piece is on its way while the next one is read."""
        loop = asyncio.get_running_loop()
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(256)

        async def arrive() -> None:
            while True:
                due, piece = await on_the_way.get()
                await asyncio.sleep(due - loop.time())
                await self._whole.wait()
                if not piece:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()

        arriving = asyncio.create_task(arrive())
        try:
            while piece := await reader.read(_PIECE):
                lost = self._random.random() < self._loss
                wait = self._delay + _RETRANSMISSION_SECONDS * lost
                await on_the_way.put((loop.time() + wait, piece))
            await on_the_way.put((loop.time() + self._delay, b""))
            await arriving
        except ConnectionError:
            pass
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)
