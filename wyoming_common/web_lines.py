"""The lines of an HTTP door: how many, in whose turn, how long, and with how much memory."""

import asyncio
import logging
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from wyoming_common.access import Access, is_local
from wyoming_common.connections import Connections
from wyoming_common.limits import Limits
from wyoming_common.memory import Memory
from wyoming_common.turns import as_client

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler, Middleware

_LOGGER = logging.getLogger(__name__)

_SMALL: Final = 64 * 1024
"""Requests up to this size always have room."""
_PIECE: Final = 4096
"""Bytes that are looked at before others have their turn: they may be hundreds of chunks, and
unpack to 4 MB."""
_FULL_SECONDS: Final = 0.02
"""After which it is asked again whether what waits can be taken"""
_ANYBODY: Final = ("0.0.0.0/0", "::/0")
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Doors:
    """The connections of one address, and the memory that their requests share."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.connections = Connections(limits, Access(_ANYBODY))
        self._memory = Memory(limits.memory_bytes)
        self._known: dict[asyncio.BaseTransport, Connection] = {}
        self._fed: dict[str, deque[Connection]] = {}
        self._round: asyncio.Handle | None = None

    def open(self, inner: asyncio.Protocol) -> "Connection":
        return Connection(inner, self)

    def came(self, transport: asyncio.BaseTransport, connection: "Connection") -> None:
        self._known[transport] = connection

    def left(self, transport: asyncio.BaseTransport, connection: "Connection") -> None:
        self._known.pop(transport, None)
        self.connections.remove(connection)

    def feed(self, connection: "Connection") -> None:
        """Let `connection` look at what has arrived, in turns between addresses."""
        self._fed.setdefault(connection.client, deque()).append(connection)
        self._round = self._round or asyncio.get_running_loop().call_soon(self._next_round)

    def _next_round(self) -> None:
        self._round = None
        for client, connections in list(self._fed.items()):
            connection = connections.popleft()
            if not connections:
                del self._fed[client]
            try:
                more = connection.look()
            except Exception:
                # asyncio would end this connection; the others are to be looked at all the same.
                _LOGGER.exception("Client dropped")
                connection.drop()
            else:
                if more:
                    self.feed(connection)
        if self._fed and self._round is None:
            self._round = asyncio.get_running_loop().call_soon(self._next_round)

    def watch(self) -> "Middleware":
        """Return what reads a request whole, in time, before it is handled for its client."""
        from aiohttp import web

        @web.middleware
        async def watch(request: web.Request, handler: "Handler") -> web.StreamResponse:
            transport = request.transport
            connection = None if transport is None else self._known.get(transport)
            if connection is None:
                raise web.HTTPServiceUnavailable
            connection.busy = True
            try:
                with as_client(request.remote or ""):
                    await self._read(request, connection.drop)
                    return await handler(request)
            except ConnectionError as err:
                # The client has left in the middle; nobody reads this.
                raise web.HTTPBadRequest from err
            finally:
                connection.rest()

        return watch

    async def _read(self, request: "web.Request", drop: Callable[[], None]) -> None:
        from aiohttp import web

        if not request.can_read_body:
            return
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise web.HTTPUnsupportedMediaType(text="A request may not be compressed\n")
        most = request.client_max_size
        size = min(request.content_length or most, most)
        hold = None
        try:
            async with asyncio.timeout(self.limits.event_seconds):
                if size > _SMALL:
                    hold = await self._memory.take(size, drop)
                await request.read()
        except TimeoutError as err:
            raise web.HTTPRequestTimeout from err
        except web.RequestPayloadError as err:
            # It is not compressed as it says, or ends in the middle.
            raise web.HTTPBadRequest from err
        finally:
            self._memory.give_back(hold)


class Connection(asyncio.Protocol):
    """Passes on to aiohttp's protocol; one that nothing is asked on makes room for others."""

    def __init__(self, inner: asyncio.Protocol, doors: Doors) -> None:
        self._inner = inner
        self._doors = doors
        self._transport: asyncio.Transport | None = None
        self._since = time.monotonic()
        self._giving_up: asyncio.TimerHandle | None = None
        self._arrived = bytearray()
        self.client = ""
        self.busy = False
        self.silent = True

    @property
    def waited_for_since(self) -> float | None:
        """When we began to wait for the client, None while a request is handled."""
        return None if self.busy else self._since

    @property
    def left(self) -> bool:
        """Whether the client has hung up."""
        return self._transport is None or self._transport.is_closing()

    def rest(self) -> None:
        """Note that the request is answered."""
        self.busy = self.silent = False
        self._since = time.monotonic()

    def drop(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        _end_dead_lines(transport.get_extra_info("socket"), self._doors.limits.write_seconds)
        address = str(peer[0]) if peer else ""
        self.client = "" if is_local(address) else address
        if self._doors.connections.admit(self, address):
            transport.write(_FULL)
            transport.close()
            self._transport = None
            return
        self._doors.came(transport, self)
        # aiohttp waits for ever for the header of the first request, and only of that.
        self._giving_up = asyncio.get_running_loop().call_later(
            self._doors.limits.event_seconds, self._give_up
        )
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if not self._arrived:
            self._doors.feed(self)
        self._arrived += data
        self._transport.pause_reading()

    def look(self) -> bool:
        """Look at a piece of what has arrived; returns whether there is more."""
        if self._transport is None or self._transport.is_closing():
            self._arrived.clear()
            return False
        if self._full():
            asyncio.get_running_loop().call_later(_FULL_SECONDS, self._doors.feed, self)
            return False
        piece = bytes(self._arrived[:_PIECE])
        del self._arrived[:_PIECE]
        self._inner.data_received(piece)
        if self._arrived:
            return True
        if not self._full():
            self._transport.resume_reading()
        return False

    def _full(self) -> bool:
        # aiohttp tells only the transport that it has enough, which may have given us more by then.
        names = ("_reading_paused", "_buffer_paused")
        return any(getattr(self._inner, name, False) for name in names)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._transport is not None else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is None:
            return
        if self._giving_up is not None:
            self._giving_up.cancel()
        self._doors.left(self._transport, self)
        self._inner.connection_lost(exc)

    def _give_up(self) -> None:
        if self.silent and not self.busy:
            self.drop()


def _end_dead_lines(sock: socket.socket | None, seconds: float) -> None:
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Also ends a line whose other side is there and reads nothing: tcp(7).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
