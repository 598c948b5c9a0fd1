"""HTTP server of the dashboard: the page's files and its JSON API."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from parley.dashboard.bundle import make_bundle
from parley.dashboard.history import TurnHistory
from parley.dashboard.sources import Sources
from parley.dashboard.talk import BrowserSatellites
from parley.dashboard.voices import HouseholdVoices
from parley.dashboard.wake_words import WakeWords
from wyoming_common.http.cross_origin import is_loopback_name, is_own_page
from wyoming_common.http.server import listening, only_from
from wyoming_common.net.access import Access, is_same_user
from wyoming_common.telemetry.trace import new_turn_id

_PAGE: Final = Path(__file__).parent / "page"
_FILES: Final = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "view.js": "text/javascript",
    "chart.js": "text/javascript",
    "talk.js": "text/javascript",
    "wake.js": "text/javascript",
    "ear.js": "text/javascript",
    "voices.js": "text/javascript",
    "worklet.js": "text/javascript",
    "uPlot.iife.min.js": "text/javascript",
    "uPlot.min.css": "text/css",
    "icon.svg": "image/svg+xml",
}
_HEADERS: Final = {
    # All scripts and styles are files of this server, so markup in a transcript cannot run.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_PREFIX: Final = re.compile(r"/[\w./~-]*")
_MAX_CHANGED_TURNS: Final = 12
_MAX_TURNS_PER_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Viewers:
    """Access of viewers to the page and to transcripts."""

    access: Access
    show_text: bool = False
    """Whether viewers on other machines may read transcripts."""
    behind_ingress: bool = False
    """Whether Home Assistant's ingress has authenticated the viewers."""

    def may_read(self, request: web.Request) -> bool:
        """Whether a viewer may read transcripts, and change the voices of the household."""
        here = is_loopback_name(request.host) and is_same_user(request.transport)
        return here or self.show_text


@asynccontextmanager
async def serve_dashboard(
    uri: str,
    sources: Sources,
    history: TurnHistory,
    viewers: Viewers,
    talks: BrowserSatellites | None = None,
    wake_words: WakeWords | None = None,
    voices: HouseholdVoices | None = None,
) -> AsyncIterator[str]:
    """Serve the page until the block ends; yield the bound URI.

    `talks` None disables the microphone, `wake_words` None the training of wake words, `voices`
    None the enrolment of voices. Raises ConfigError for an unusable address.
    """
    page = _Page(
        sources,
        history,
        viewers,
        talks,
        may_train=wake_words is not None,
        may_enrol=voices is not None,
    )
    app = web.Application(middlewares=[_headers, only_from(viewers.access)])
    app.router.add_get("/", page.index)
    app.router.add_get("/api/state", page.state)
    app.router.add_get("/api/turns", page.turns)
    app.router.add_get("/api/series", page.series)
    app.router.add_get("/api/bundle", page.bundle)
    app.router.add_get("/api/talk", page.talk)
    if wake_words is not None:
        actions = web.Application(middlewares=[_only_own_page(viewers)])
        wake_words.add_routes(actions.router)
        app.add_subapp("/api/wake-words", actions)
    if voices is not None:
        actions = web.Application(middlewares=[_only_own_page(viewers), _only_readers(viewers)])
        voices.add_routes(actions.router)
        app.add_subapp("/api/voices", actions)
    app.router.add_get("/{name}", page.file)
    async with listening(app, uri, "uri") as bound:
        yield bound


def _only_own_page(viewers: Viewers) -> Middleware:
    """Return the middleware that lets only this server's own page change things or listen."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        asks = request.method == "GET" and "Upgrade" not in request.headers
        if not (asks or viewers.behind_ingress or is_own_page(request)):
            raise web.HTTPForbidden(text="Only this server's own page may do this\n")
        return await handler(request)

    return check


def _only_readers(viewers: Viewers) -> Middleware:
    """Return the middleware that lets only those who may read transcripts near the voices."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not viewers.may_read(request):
            raise web.HTTPForbidden(text="Only on the machine itself\n")
        return await handler(request)

    return check


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
        self,
        sources: Sources,
        history: TurnHistory,
        viewers: Viewers,
        talks: BrowserSatellites | None,
        *,
        may_train: bool,
        may_enrol: bool,
    ) -> None:
        self._talks = talks
        self._may_enrol = may_enrol
        self._may_train = may_train
        self._sources = sources
        self._history = history
        self._viewers = viewers
        self._instance = new_turn_id()
        self._index = (_PAGE / "index.html").read_text(encoding="utf-8")

    async def index(self, request: web.Request) -> web.Response:
        # A proxy may serve the page under a prefix, which relative addresses need.
        prefix = request.headers.get("X-Ingress-Path", request.headers.get("X-Forwarded-Prefix"))
        base = f"{prefix.rstrip('/')}/" if prefix and _PREFIX.fullmatch(prefix) else "./"
        return web.Response(
            text=self._index.replace("{{base}}", base), content_type="text/html", charset="utf-8"
        )

    async def file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _FILES:
            raise web.HTTPNotFound(text="No such page\n")
        body = (_PAGE / name).read_bytes()
        return web.Response(body=body, content_type=_FILES[name], charset="utf-8")

    async def state(self, request: web.Request) -> web.Response:
        """Return the sources and the turns that changed after the requested `revision`."""
        may_read = self._viewers.may_read(request)
        text = may_read and request.query.get("text") == "1"
        self._sources.interval.note_viewer(text=text)
        now = time.monotonic()
        revision = _number(request, "revision", -1)
        return web.json_response(
            {
                "instance": self._instance,
                "revision": self._history.revision,
                "turns": self._shown(
                    self._history.changed(revision, _MAX_CHANGED_TURNS), text=text
                ),
                "kept": len(self._history),
                "sources": [source.as_dict(now) for source in self._sources.all.values()],
                "series": self._history.series(),
                "may_read": may_read,
                "may_talk": self._talks is not None,
                "may_train": self._may_train,
                "may_enrol": self._may_enrol and may_read,
            }
        )

    async def turns(self, request: web.Request) -> web.Response:
        """Return the turns before the requested number, the latest first."""
        text = self._viewers.may_read(request) and request.query.get("text") == "1"
        limit = min(_MAX_TURNS_PER_PAGE, max(1, _number(request, "limit", 30)))
        before = _number(request, "before", -1)
        found = self._history.turns(before if before >= 0 else None, limit)
        return web.json_response({"turns": self._shown(found, text=text)})

    async def series(self, request: web.Request) -> web.Response:
        """Return percentiles of one stage at one source over time; `ago_s` is in seconds."""
        stage, source = request.query.get("stage", ""), request.query.get("source", "")
        now = time.monotonic()
        points = self._history.over_time(stage, source)
        for point in points:
            point["ago_s"] = round(now - point.pop("at"), 3)
        return web.json_response({"points": points})

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        """Open a WebSocket that carries a browser's microphone and speaker."""
        if self._talks is None:
            raise web.HTTPNotFound(text="The microphone is disabled on this page\n")
        if not (self._viewers.behind_ingress or is_own_page(request)):
            raise web.HTTPForbidden(text="Only this server's own page may open the microphone\n")
        return await self._talks.handle(request)

    async def bundle(self, _: web.Request) -> web.Response:
        """Return the diagnostic bundle as a ZIP."""
        now = time.monotonic()
        sources = [source.as_dict(now) for source in self._sources.all.values()]
        name = time.strftime("parley-diagnostics-%Y%m%d-%H%M%S.zip")
        return web.Response(
            body=make_bundle(sources, self._history.turns(None, 500)),
            content_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

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
