"""The page's server: its files, and what it asks for every second."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from wyoming_common.access import Access, is_same_user
from wyoming_common.browsers import is_loopback_name, is_own_page
from wyoming_common.dashboard.bundle import make_bundle
from wyoming_common.dashboard.history import History
from wyoming_common.dashboard.sources import Sources
from wyoming_common.dashboard.talk import Talks
from wyoming_common.trace import new_turn_id
from wyoming_common.web import listening, only_from

_PAGE: Final = Path(__file__).parent / "page"
_FILES: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "view.js": "text/javascript",
    "chart.js": "text/javascript",
    "talk.js": "text/javascript",
    "worklet.js": "text/javascript",
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.min.css": "text/css",
    "icon.svg": "image/svg+xml",
}
_HEADERS: Final = {
    # Everything comes from here, nothing is inline: markup in a transcript can do nothing.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_PREFIX: Final = re.compile(r"/[\w./~-]*")
_LATEST: Final = 12
_MOST_TURNS: Final = 100


@dataclass(frozen=True, slots=True)
class Viewers:
    """Who may see what."""

    access: Access
    show_text: bool = False
    """Whether those on other machines may see what was said as well."""
    behind_ingress: bool = False
    """Whether Home Assistant has let them in: it proxies its own page only."""


@asynccontextmanager
async def serve_dashboard(
    uri: str, sources: Sources, history: History, viewers: Viewers, talks: Talks | None = None
) -> AsyncIterator[str]:
    """Serve the page until the block ends; yields the bound URI. With `talks` it can talk.

    Raises ConfigError for an address that cannot be used.
    """
    page = _Page(sources, history, viewers, talks)
    app = web.Application(middlewares=[_headers, only_from(viewers.access)])
    app.router.add_get("/", page.index)
    app.router.add_get("/api/state", page.state)
    app.router.add_get("/api/turns", page.turns)
    app.router.add_get("/api/series", page.series)
    app.router.add_get("/api/bundle", page.bundle)
    app.router.add_get("/api/talk", page.talk)
    app.router.add_get("/{name}", page.file)
    async with listening(app, uri, "uri") as bound:
        yield bound


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except web.HTTPException as err:
        err.headers.update(_HEADERS)
        raise
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


class _Page:
    def __init__(
        self, sources: Sources, history: History, viewers: Viewers, talks: Talks | None
    ) -> None:
        self._talks = talks
        self._sources = sources
        self._history = history
        self._viewers = viewers
        self._instance = new_turn_id()
        self._index = (_PAGE / "index.html").read_text(encoding="utf-8")

    async def index(self, request: web.Request) -> web.Response:
        # Where a proxy serves the page under a path of its own, relative addresses need it.
        prefix = request.headers.get("X-Ingress-Path", request.headers.get("X-Forwarded-Prefix"))
        base = f"{prefix.rstrip('/')}/" if prefix and _PREFIX.fullmatch(prefix) else "./"
        return web.Response(
            text=self._index.replace("{{base}}", base), content_type="text/html", charset="utf-8"
        )

    async def file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _FILES:
            raise web.HTTPNotFound(text="There is no such page\n")
        body = (_PAGE / name).read_bytes()
        return web.Response(body=body, content_type=_FILES[name], charset="utf-8")

    async def state(self, request: web.Request) -> web.Response:
        """Sources as they are, and the turns that changed since the `revision` asked for."""
        may_read = self._may_read(request)
        text = may_read and request.query.get("text") == "1"
        self._sources.pause.look(text=text)
        now = time.monotonic()
        revision = _number(request, "revision", -1)
        return web.json_response(
            {
                "instance": self._instance,
                "revision": self._history.revision,
                "turns": self._shown(self._history.changed(revision, _LATEST), text=text),
                "kept": len(self._history),
                "sources": [source.as_dict(now) for source in self._sources.all.values()],
                "series": self._history.series(),
                "may_read": may_read,
                "may_talk": self._talks is not None,
            }
        )

    async def turns(self, request: web.Request) -> web.Response:
        """Turns before the number asked for, the latest first."""
        text = self._may_read(request) and request.query.get("text") == "1"
        limit = min(_MOST_TURNS, max(1, _number(request, "limit", 30)))
        before = _number(request, "before", -1)
        found = self._history.turns(before if before >= 0 else None, limit)
        return web.json_response({"turns": self._shown(found, text=text)})

    async def series(self, request: web.Request) -> web.Response:
        """Percentiles over time of one stage at one source; `ago_s` is seconds before now."""
        stage, source = request.query.get("stage", ""), request.query.get("source", "")
        now = time.monotonic()
        points = self._history.over_time(stage, source)
        for point in points:
            point["ago_s"] = round(now - point.pop("at"), 3)
        return web.json_response({"points": points})

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        """A WebSocket on which a browser is microphone and speaker."""
        if self._talks is None:
            raise web.HTTPNotFound(text="This page does not talk\n")
        if not (self._viewers.behind_ingress or is_own_page(request)):
            raise web.HTTPForbidden(text="Only this server's own page may talk\n")
        return await self._talks.handle(request)

    async def bundle(self, _: web.Request) -> web.Response:
        """A ZIP for a bug report."""
        now = time.monotonic()
        sources = [source.as_dict(now) for source in self._sources.all.values()]
        name = time.strftime("parley-diagnostics-%Y%m%d-%H%M%S.zip")
        return web.Response(
            body=make_bundle(sources, self._history.turns(None, 500)),
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _may_read(self, request: web.Request) -> bool:
        here = is_loopback_name(request.host) and is_same_user(request.transport)
        return here or self._viewers.show_text

    def _shown(self, turns: list[dict[str, Any]], *, text: bool) -> list[dict[str, Any]]:
        now = time.monotonic()
        for turn in turns:
            began = self._history.began(turn["number"])
            turn["ago_s"] = None if began is None else round(now - began, 3)
            if not text:
                for record in turn["records"]:
                    record.pop("texts", None)
        return turns


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 12 else default
