"""Wyoming server: listens, admits connections, runs their handlers, and ends them.

Defends against T6 of docs/threat-model.md.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, cast

from wyoming.event import async_get_stdin, async_get_stdout
from wyoming.info import Info

from wyoming_common.errors import ServiceError
from wyoming_common.net.access import Access
from wyoming_common.net.connections import Connection, Connections
from wyoming_common.net.context import ConnectionContext, make_context
from wyoming_common.net.fairness import as_client
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.limits import Limits
from wyoming_common.net.sockets import ListenOptions, address_of, listen, parse_uri, upgrade_to_tls
from wyoming_common.telemetry.recorder import Telemetry

_LOGGER = logging.getLogger(__name__)

HandlerFactory = Callable[
    [ConnectionContext, asyncio.StreamReader, asyncio.StreamWriter], ServiceHandler
]

_SWEEP_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 2.0
_IDLE_FACTOR: Final = 4
"""Ratio of the connections without a request to those with one."""
_MAX_REFUSALS: Final = 32
"""Clients that are told at one time why they are refused; more are hung up on."""


@asynccontextmanager
async def serve(
    uri: str,
    info: Callable[[], Info],
    make_handler: HandlerFactory,
    limits: Limits | None = None,
    access: Access | None = None,
    telemetry: Telemetry | None = None,
    options: ListenOptions | None = None,
) -> AsyncIterator[str]:
    """Serve clients until the block ends; yields the bound URI (tcp port 0 means any).

    `uri` is tcp://HOST:PORT, unix:///PATH or stdio://, which `serve_stdio` serves. Raises
    ConfigError for an address that cannot be used.
    """
    options = options or ListenOptions()
    if parse_uri(uri).scheme == "stdio":
        yield uri
        return
    limits, telemetry = limits or Limits(), telemetry or Telemetry("")
    service = _Service(info, make_handler, limits, access or Access(), telemetry, options)
    async with listen(uri, service.on_client, service.limits.header_bytes, options) as (
        server,
        bound,
    ):
        sweeper = asyncio.create_task(service.sweep())
        try:
            yield bound
        finally:
            server.close()
            sweeper.cancel()
            await asyncio.wait([sweeper])
            await service.aclose()


class _Service:
    """Owns the tasks of all connections."""

    def __init__(
        self,
        info: Callable[[], Info],
        make_handler: HandlerFactory,
        limits: Limits,
        access: Access,
        telemetry: Telemetry,
        options: ListenOptions,
    ) -> None:
        self.limits = limits
        self._make_handler = make_handler
        self._tls = options.tls
        self._telemetry = telemetry
        self._context = make_context(info, self._admit, limits, telemetry)
        self._served = Connections(limits, access)
        self._idle = Connections(_more_connections(limits), access)
        """Connections that have asked for no more than `describe`, `ping` and `trace-query`.
        They cost little, and are answered also when every place among the served is taken."""
        self._handlers: dict[asyncio.Task[None], ServiceHandler] = {}
        self._refusals: set[asyncio.Task[None]] = set()
        telemetry.state["connections"] = lambda: len(self._served) + len(self._idle)
        telemetry.state["tasks"] = lambda: len(asyncio.all_tasks())

    def on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Registered here, not inside the task, so a client that connects during
        # shutdown is still cancelled.
        if self._tls is not None:
            # The next bytes belong to the TLS handshake.
            cast("asyncio.ReadTransport", writer.transport).pause_reading()
        context = replace(self._context, peer=address_of(writer))
        handler = self._make_handler(context, reader, writer)
        refusal = self._idle.admit(handler, context.peer)
        if refusal is not None:
            self._refuse(handler, refusal)
            return
        task = asyncio.create_task(self._run(handler))
        self._handlers[task] = handler
        task.add_done_callback(self._ended)

    async def sweep(self) -> None:
        """End the handlers whose clients have left; runs until cancelled."""
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, self.limits.abandoned_seconds))
            for task, handler in self._handlers.items():
                if handler.abandoned:
                    task.cancel()

    async def aclose(self) -> None:
        """End every connection, and wait until its work has ended."""
        tasks = [*self._handlers, *self._refusals]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _admit(self, connection: Connection, peer: str) -> None:
        if connection in self._served:
            return
        refusal = self._served.admit(connection, peer)
        if refusal is not None:
            self._telemetry.count(f"rejects:{refusal.code}")
            raise refusal
        self._idle.remove(connection)

    def _refuse(self, handler: ServiceHandler, refusal: ServiceError) -> None:
        self._telemetry.count(f"rejects:{refusal.code}")
        _LOGGER.warning("%s: %s", refusal.code, refusal)
        if len(self._refusals) >= _MAX_REFUSALS or self._tls is not None:
            handler.drop()
            return
        task = asyncio.create_task(_tell_and_drop(handler, refusal))
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)

    async def _run(self, handler: ServiceHandler) -> None:
        try:
            if self._tls is not None:
                await upgrade_to_tls(handler.writer, self._tls)
            with as_client(handler.context.peer):
                await handler.run()
            # A client that does not answer the end of TLS would be waited for half a minute.
            async with asyncio.timeout(None if self._tls is None else _CLOSE_SECONDS):
                await handler.writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError) as err:
            _LOGGER.debug("The client went away: %s", err)
        except Exception:
            _LOGGER.exception("Client dropped")
        finally:
            # Does nothing once closed. On shutdown it drops a client that has stopped
            # reading instead of waiting for it.
            handler.drop()

    def _ended(self, task: asyncio.Task[None]) -> None:
        handler = self._handlers.pop(task)
        self._idle.remove(handler)
        self._served.remove(handler)


async def serve_stdio(
    info: Callable[[], Info],
    make_handler: HandlerFactory,
    limits: Limits,
    telemetry: Telemetry,
) -> None:
    """Serve the one client on standard input and output until it hangs up."""
    reader = await async_get_stdin()
    writer = await async_get_stdout()
    context = make_context(info, _admit_always, limits, telemetry)
    await make_handler(context, reader, writer).run()


def _admit_always(connection: Connection, peer: str) -> None:
    """Give the one connection of standard input its place."""


async def _tell_and_drop(handler: ServiceHandler, refusal: ServiceError) -> None:
    try:
        await handler.refuse(refusal)
    finally:
        handler.drop()


def _more_connections(limits: Limits) -> Limits:
    return replace(
        limits,
        connections=_IDLE_FACTOR * limits.connections,
        connections_per_client=_IDLE_FACTOR * limits.connections_per_client,
    )
