"""HTTP connections: bounded in number, time and memory, and fed in turns between clients.

Defends against T3, T4 and T5 of docs/threat-model.md.
"""

import asyncio
import logging
import socket
import time
from typing import TYPE_CHECKING, Final, cast

from wyoming_common.net.access import Access, is_local
from wyoming_common.net.connections import Connections
from wyoming_common.net.fairness import FairQueue, as_client
from wyoming_common.net.input_budget import InputBudget
from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import MIN_BUDGETED_BYTES
from wyoming_common.net.workarounds import has_paused_reading

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler, Middleware

_LOGGER = logging.getLogger(__name__)

_PIECE_BYTES: Final = 4096
"""Bytes that aiohttp parses before other clients have their turn; they may hold many chunks."""
_RETRY_SECONDS: Final = 0.02
"""Pause before aiohttp, which had enough input, is asked whether it takes more."""
_ANY_NETWORK: Final = ("0.0.0.0/0", "::/0")
"""Requests from elsewhere are refused with a status, by the application."""
_BUSY_RESPONSE: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class HttpConnections:
    """The open connections of one HTTP address, and the memory that their requests share."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.places = Connections(limits, Access(_ANY_NETWORK))
        self._budget = InputBudget(limits.memory_bytes)
        self._by_transport: dict[asyncio.BaseTransport, HttpConnection] = {}
        self._fed: FairQueue[HttpConnection] = FairQueue()
        self._next: asyncio.Handle | None = None

    def open(self, inner: asyncio.Protocol) -> "HttpConnection":
        """Return the protocol to put before `inner`, which is aiohttp's."""
        return HttpConnection(inner, self)

    def opened(self, transport: asyncio.BaseTransport, connection: "HttpConnection") -> None:
        """Note that `connection` is open."""
        self._by_transport[transport] = connection

    def closed(self, transport: asyncio.BaseTransport, connection: "HttpConnection") -> None:
        """Note that `connection` is closed."""
        self._by_transport.pop(transport, None)
        self.places.remove(connection)

    def feed(self, connection: "HttpConnection") -> None:
        """Have `connection` pass on what has arrived, in turns between clients."""
        self._fed.push(connection.client, connection)
        self._next = self._next or asyncio.get_running_loop().call_soon(self._feed_each_client)

    def limit(self) -> "Middleware":
        """Return the middleware that reads each request whole, in time, before it is handled."""
        from aiohttp import web

        @web.middleware
        async def limit(request: web.Request, handler: "Handler") -> web.StreamResponse:
            transport = request.transport
            connection = None if transport is None else self._by_transport.get(transport)
            if connection is None:
                raise web.HTTPServiceUnavailable
            connection.busy = True
            try:
                with as_client(request.remote or ""):
                    await self._read(request, connection)
                    return await handler(request)
            except ConnectionError as err:
                # The client has left in the middle, and will not read this.
                raise web.HTTPBadRequest from err
            finally:
                connection.rest()

        return limit

    def _feed_each_client(self) -> None:
        self._next = None
        for client in list(self._fed.clients):
            entry = self._fed.pop(client.__eq__)
            assert entry is not None
            _, connection = entry
            try:
                more = connection.pass_on()
            except Exception:
                # asyncio would end this connection; the others have their turn all the same.
                _LOGGER.exception("Client dropped")
                connection.drop()
            else:
                if more:
                    self.feed(connection)
        if self._fed.clients and self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._feed_each_client)

    async def _read(self, request: "web.Request", connection: "HttpConnection") -> None:
        from aiohttp import web

        if not request.can_read_body:
            return
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise web.HTTPUnsupportedMediaType(text="A request may not be compressed\n")
        max_size = request.client_max_size
        size = min(request.content_length or max_size, max_size)
        reservation = None
        try:
            async with asyncio.timeout(self.limits.event_seconds):
                if size > MIN_BUDGETED_BYTES:
                    reservation = await self._budget.reserve(size, connection)
                await request.read()
        except TimeoutError as err:
            raise web.HTTPRequestTimeout from err
        except web.RequestPayloadError as err:
            # It is not compressed as it says, or ends in the middle.
            raise web.HTTPBadRequest from err
        finally:
            self._budget.release(reservation)


class HttpConnection(asyncio.Protocol):
    """Stands between a socket and aiohttp's protocol; an idle one makes room for others."""

    awaited = True
    """While it has a reservation, the service waits for the client."""

    def __init__(self, inner: asyncio.Protocol, connections: HttpConnections) -> None:
        self._inner = inner
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._since = time.monotonic()
        self._first_request: asyncio.TimerHandle | None = None
        self._arrived = bytearray()
        self.client = ""
        """Address of the client, "" for this machine."""
        self.busy = False
        """Whether a request is handled."""
        self.silent = True

    @property
    def waiting_since(self) -> float | None:
        """Time since which the client is waited for, None while a request is handled."""
        return None if self.busy else self._since

    @property
    def hung_up(self) -> bool:
        """Whether the client has closed the connection."""
        return self._transport is None or self._transport.is_closing()

    def rest(self) -> None:
        """Note that the request is answered."""
        self.busy = self.silent = False
        self._since = time.monotonic()

    def drop(self) -> None:
        """Hang up at once."""
        if self._transport is not None:
            self._transport.abort()

    def pass_on(self) -> bool:
        """Pass a piece of what has arrived to aiohttp; returns whether there is more."""
        if self._transport is None or self._transport.is_closing():
            self._arrived.clear()
            return False
        if has_paused_reading(self._inner):
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._connections.feed, self)
            return False
        piece = bytes(self._arrived[:_PIECE_BYTES])
        del self._arrived[:_PIECE_BYTES]
        self._inner.data_received(piece)
        if self._arrived:
            return True
        if not has_paused_reading(self._inner):
            self._transport.resume_reading()
        return False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        limits = self._connections.limits
        _notice_dead_clients(transport.get_extra_info("socket"), limits.write_seconds)
        address = str(peer[0]) if peer else ""
        self.client = "" if is_local(address) else address
        if self._connections.places.admit(self, address):
            transport.write(_BUSY_RESPONSE)
            transport.close()
            self._transport = None
            return
        self._connections.opened(transport, self)
        # aiohttp waits forever for the header of the first request, and only of that.
        self._first_request = asyncio.get_running_loop().call_later(
            limits.event_seconds, self._give_up
        )
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        if not self._arrived:
            self._connections.feed(self)
        self._arrived += data
        self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._transport is not None else None

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is None:
            return
        if self._first_request is not None:
            self._first_request.cancel()
        self._connections.closed(self._transport, self)
        self._inner.connection_lost(exc)

    def _give_up(self) -> None:
        if self.silent and not self.busy:
            self.drop()


def _notice_dead_clients(sock: socket.socket | None, seconds: float) -> None:
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Also ends a connection whose client is there and reads nothing: tcp(7).
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
