"""WebSocket server of the satellite's events and of commands to it, for screens and remotes."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Self

from aiohttp import WSMsgType, web

from satellite.peripherals.control import Controls, SatelliteEvent, execute_command
from wyoming_common.errors import BadRequest
from wyoming_common.http.cross_origin import no_foreign_pages
from wyoming_common.http.server import listening, only_from
from wyoming_common.net.access import Access
from wyoming_common.net.fairness import current_client

_LOGGER = logging.getLogger(__name__)

_MAX_WAITING_EVENTS = 64
_MAX_MESSAGE_BYTES = 4096
_MAX_LISTENERS_PER_CLIENT = 8
"""Listeners of one address, which stay connected for as long as they like."""


class EventSocket:
    """Serves ws://HOST:PORT/events. A listener first gets the last event; a slow one loses some.

    Commands are those of `control.execute_command`; a bad one is answered with {"error": ...}.
    Only web pages from `origins` may connect: any page that a user opens could try.
    """

    def __init__(
        self, uri: str, controls: Controls, allow: Sequence[str], origins: Sequence[str] = ()
    ) -> None:
        self._uri = uri
        self._controls = controls
        self._access = Access(allow)
        self._origins = tuple(origin.rstrip("/") for origin in origins)
        self._by_client: Counter[str] = Counter()
        self._last: SatelliteEvent = {"event": "idle"}
        self._listeners: set[asyncio.Queue[SatelliteEvent]] = set()
        self.uri = ""
        """Bound address, once the block is entered."""

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        app = web.Application(
            middlewares=[only_from(self._access), no_foreign_pages(self._origins)]
        )
        app.router.add_get("/events", self._serve)
        self.uri = await self._stack.enter_async_context(listening(app, self._uri, "event_uri"))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def on_event(self, event: SatelliteEvent) -> None:
        """Send an event to every listener."""
        self._last = event
        for listener in self._listeners:
            if listener.full():
                listener.get_nowait()
            listener.put_nowait(event)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        client = current_client()
        if self._by_client[client] >= _MAX_LISTENERS_PER_CLIENT:
            limit = _MAX_LISTENERS_PER_CLIENT
            raise web.HTTPServiceUnavailable(text=f"only {limit} listeners from one address\n")
        self._by_client[client] += 1
        try:
            return await self._talk(request)
        finally:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=_MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        events: asyncio.Queue[SatelliteEvent] = asyncio.Queue(_MAX_WAITING_EVENTS)
        events.put_nowait(self._last)
        self._listeners.add(events)
        sending = asyncio.create_task(_send(socket, events))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._execute(socket, message.data)
        finally:
            self._listeners.discard(events)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    async def _execute(self, socket: web.WebSocketResponse, text: str) -> None:
        try:
            command = json.loads(text)
            if not isinstance(command, dict):
                raise BadRequest(f"expected an object, got {type(command).__name__}")
            execute_command(self._controls, command)
        except (ValueError, RecursionError, BadRequest) as err:
            with suppress(ConnectionError):
                await socket.send_json({"error": str(err)})


async def _send(socket: web.WebSocketResponse, events: asyncio.Queue[SatelliteEvent]) -> None:
    with suppress(ConnectionError):
        while True:
            await socket.send_json(dict(await events.get()))
