"""News by WebSocket, and orders the same way: for a screen, a remote control, a home-made box."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Self

from aiohttp import WSMsgType, web

from satellite.body.control import Controls, News, obey
from wyoming_common.access import Access
from wyoming_common.browsers import no_foreign_pages
from wyoming_common.errors import BadRequest
from wyoming_common.turns import current_client
from wyoming_common.web import listening, only_from

_LOGGER = logging.getLogger(__name__)

_MOST_WAITING = 64
_MOST_BYTES = 4096
_MOST_LISTENERS = 8
"""From one address: they stay for ever."""


class EventSocket:
    """Serves ws://HOST:PORT/events. A listener first gets the last news; a slow one loses some.

    Orders are those of `control.obey`; a bad one is answered with {"error": ...}. Of web pages
    only those from `origins` may connect: any page that somebody reads here could try.
    """

    def __init__(
        self, uri: str, controls: Controls, allow: Sequence[str], origins: Sequence[str] = ()
    ) -> None:
        self._uri = uri
        self._controls = controls
        self._access = Access(allow)
        self._origins = tuple(origin.rstrip("/") for origin in origins)
        self._by_client: Counter[str] = Counter()
        self._last: News = {"event": "idle"}
        self._listeners: set[asyncio.Queue[News]] = set()
        self.uri = ""
        """Where it is served, once it is."""

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

    def tell(self, news: News) -> None:
        """Pass news on to everybody who listens."""
        self._last = news
        for listener in self._listeners:
            if listener.full():
                listener.get_nowait()
            listener.put_nowait(news)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        client = current_client()
        if self._by_client[client] >= _MOST_LISTENERS:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_LISTENERS} listen from there already\n")
        self._by_client[client] += 1
        try:
            return await self._talk(request)
        finally:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=_MOST_BYTES)
        await socket.prepare(request)
        news: asyncio.Queue[News] = asyncio.Queue(_MOST_WAITING)
        news.put_nowait(self._last)
        self._listeners.add(news)
        sending = asyncio.create_task(_send(socket, news))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._obey(socket, message.data)
        finally:
            self._listeners.discard(news)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    async def _obey(self, socket: web.WebSocketResponse, text: str) -> None:
        try:
            order = json.loads(text)
            if not isinstance(order, dict):
                raise BadRequest(f"expected an object, got {type(order).__name__}")
            obey(self._controls, order)
        except (ValueError, RecursionError, BadRequest) as err:
            with suppress(ConnectionError):
                await socket.send_json({"error": str(err)})


async def _send(socket: web.WebSocketResponse, news: asyncio.Queue[News]) -> None:
    with suppress(ConnectionError):
        while True:
            await socket.send_json(dict(await news.get()))
