"""What every service shares beneath its connections: listen, admit, serve, end."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

from wyoming.event import async_get_stdin, async_get_stdout

from wyoming_common.access import Access
from wyoming_common.connections import Connections
from wyoming_common.errors import ServiceError
from wyoming_common.limits import Limits
from wyoming_common.listening import Door, address_of, listen, parse_uri, shake_hands
from wyoming_common.memory import Memory
from wyoming_common.service import ServiceHandler, Shared
from wyoming_common.telemetry import Telemetry
from wyoming_common.turns import as_client

_LOGGER = logging.getLogger(__name__)

HandlerFactory = Callable[[asyncio.StreamReader, asyncio.StreamWriter], ServiceHandler]

_SWEEP_SECONDS = 1.0
_CLOSE_SECONDS = 2.0
_WAITING = 4
"""Connections that have asked nothing yet may be so many times as those that are served."""
_MOST_REFUSALS = 32
"""Clients that are told at one time why they may not come in; more are hung up on."""


@asynccontextmanager
async def serve(
    uri: str,
    make_handler: HandlerFactory,
    limits: Limits | None = None,
    access: Access | None = None,
    telemetry: Telemetry | None = None,
    door: Door | None = None,
) -> AsyncIterator[str]:
    """Serve clients until the block ends; yields the bound URI (tcp port 0 means any).

    `uri` is tcp://HOST:PORT, unix:///PATH or stdio://. Raises ConfigError for an address
    that cannot be used.
    """
    door = door or Door()
    service = _Service(make_handler, limits, access or Access(), telemetry or Telemetry(""), door)
    target = parse_uri(uri)
    if target.scheme == "stdio":
        yield uri  # one client, which is there already: see `serve_stdio`
        return
    server, bound = await listen(uri, service.on_client, service.limits.header_bytes, door)
    sweeper = asyncio.create_task(service.sweep())
    try:
        yield bound
    finally:
        server.close()
        sweeper.cancel()
        await asyncio.wait([sweeper])
        await service.aclose()
        await server.wait_closed()
        if target.scheme == "unix":
            Path(target.path).unlink(missing_ok=True)  # noqa: ASYNC240 - once, at the very end


class _Service:
    """Owns the tasks of all connections."""

    def __init__(
        self,
        make_handler: HandlerFactory,
        limits: Limits | None,
        access: Access,
        telemetry: Telemetry,
        door: Door,
    ) -> None:
        self._make_handler = make_handler
        self._tls = door.tls
        self.limits = limits or Limits()
        self._telemetry = telemetry
        self._shared = Shared(limits, Memory(self.limits.memory_bytes))
        self._connections = Connections(self.limits, access)
        self._anteroom = Connections(_roomier(self.limits), access)
        """Those that have asked nothing yet but how we are: they cost little, and are answered
        also when there is no place for another request."""
        self._clients: dict[asyncio.Task[None], ServiceHandler] = {}
        self._refusals: set[asyncio.Task[None]] = set()
        telemetry.state["connections"] = lambda: len(self._connections) + len(self._anteroom)
        telemetry.state["tasks"] = lambda: len(asyncio.all_tasks())

    def on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Registered here, not inside the task, so a client that connects during
        # shutdown is still cancelled.
        peer = address_of(writer)
        if self._tls is not None:
            # What comes next is not for us to read.
            cast("asyncio.ReadTransport", writer.transport).pause_reading()
        handler = self._make_handler(reader, writer)
        handler.telemetry = self._telemetry
        handler.share(self._shared, partial(self._enter, handler, peer))
        refusal = self._anteroom.admit(handler, peer)
        if refusal is not None:
            self._telemetry.count(f"rejects:{refusal.code}")
            self._refuse(handler, refusal)
            return
        task = asyncio.create_task(_run(handler, peer, self._tls))
        self._clients[task] = handler
        task.add_done_callback(self._left)

    def _enter(self, handler: ServiceHandler, peer: str) -> None:
        if handler in self._connections:
            return
        refusal = self._connections.admit(handler, peer)
        if refusal is not None:
            self._telemetry.count(f"rejects:{refusal.code}")
            raise refusal
        self._anteroom.remove(handler)

    def _left(self, task: asyncio.Task[None]) -> None:
        handler = self._clients.pop(task)
        self._anteroom.remove(handler)
        self._connections.remove(handler)

    async def sweep(self) -> None:
        """End what is done for clients that have left; runs until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            for task, handler in self._clients.items():
                if handler.stuck:
                    task.cancel()

    def _refuse(self, handler: ServiceHandler, refusal: ServiceError) -> None:
        _LOGGER.warning("%s: %s", refusal.code, refusal)
        if len(self._refusals) >= _MOST_REFUSALS or self._tls is not None:
            handler.drop()
            return
        task = asyncio.create_task(_refuse(handler, refusal))
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)

    async def aclose(self) -> None:
        """End every connection, and wait until its work has ended."""
        tasks = [*self._clients, *self._refusals]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _roomier(limits: Limits) -> Limits:
    return replace(
        limits,
        connections=_WAITING * limits.connections,
        connections_per_client=_WAITING * limits.connections_per_client,
    )


async def serve_stdio(make_handler: HandlerFactory, telemetry: Telemetry | None = None) -> None:
    """Serve the one client on standard input and output until it hangs up."""
    reader = await async_get_stdin()
    writer = await async_get_stdout()
    handler = make_handler(reader, writer)
    handler.telemetry = telemetry or handler.telemetry
    await handler.run()


async def _refuse(handler: ServiceHandler, refusal: ServiceError) -> None:
    try:
        await handler.refuse(refusal)
    finally:
        handler.drop()


async def _run(handler: ServiceHandler, peer: str, tls: ssl.SSLContext | None) -> None:
    try:
        if tls is not None:
            await shake_hands(handler.writer, tls)
        with as_client(peer):
            await handler.run()
        # A client that does not answer the end of TLS would be waited for half a minute.
        async with asyncio.timeout(None if tls is None else _CLOSE_SECONDS):
            await handler.writer.wait_closed()
    except (OSError, asyncio.IncompleteReadError) as err:
        _LOGGER.debug("The client went away: %s", err)
    except Exception:
        _LOGGER.exception("Client dropped")
    finally:
        # Does nothing once closed. On shutdown it drops a client that has stopped
        # reading instead of waiting for it.
        handler.drop()
