"""Turn sources: services and satellites polled for their turn records."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import aiohttp
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info

from parley.dashboard.clocks import ClockRelation
from parley.dashboard.history import TurnHistory
from wyoming_common.discovery.zeroconf import KINDS, TRACE_SERVICE_TYPE, Found, Watcher
from wyoming_common.errors import ConfigError, ServiceError, Unavailable
from wyoming_common.net.limits import Limits
from wyoming_common.net.workarounds import bound_reads
from wyoming_common.telemetry.recorder import TRACE_QUERY, TRACE_REPORT, boot_id, model_names

_LOGGER = logging.getLogger(__name__)

_MAX_ANSWER_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 3.0
_MAX_SOURCES: Final = 64
"""A home network announces fewer."""
_RECORD_KEYS: Final = frozenset({"turn", "stages", "source", "boot", "at"})

Report = dict[str, Any]


class TraceConnection(Protocol):
    """Open connection to one source."""

    async def ask(self, query: Report) -> Report:
        """Return the source's report for `query`. Raises Unavailable."""
        ...


class Source:
    """One process that records turns; `run` polls it until cancelled."""

    def __init__(self, uri: str, name: str = "") -> None:
        self.uri = uri
        self.name = name or uri
        self.clock = ClockRelation()
        self.problem = "connecting"
        self.report: Report = {}
        self.seen: float | None = None
        """Time of the last answer, in seconds of our monotonic clock."""
        self._cursor: Report = {}

    async def run(self, history: TurnHistory, interval: "PollInterval") -> None:
        """Poll until cancelled; reconnect after a failure."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    connection = await _open(self.uri, stack)
                    while True:
                        if not await self._poll(connection, history, text=interval.text):
                            await interval()
            except ServiceError as err:
                self.problem = str(err)
            except (
                OSError,
                TimeoutError,
                ValueError,
                LookupError,
                TypeError,
                AttributeError,
            ) as err:
                self.problem = f"{self.uri}: {str(err) or 'no answer in time'}"
            # The last report is out of date; the turns stay.
            self.report = {key: self.report[key] for key in ("name", "host") if key in self.report}
            await asyncio.sleep(_RETRY_SECONDS)

    async def _poll(self, connection: TraceConnection, history: TurnHistory, *, text: bool) -> bool:
        """Query once; return whether the source has more records."""
        query = {**self._cursor, "text": text}
        sent = time.monotonic()
        async with asyncio.timeout(_MAX_ANSWER_SECONDS):
            report = await connection.ask(query)
        received = time.monotonic()
        self.seen = received
        self.problem = str(report.get("problem", ""))
        self.name = str(report.get("name") or self.name)
        records = report.pop("records", [])
        if "clock" in report:
            self._relate(report["clock"], sent, received)
            self._cursor = {"source": report["source"], "since": report["since"]}
        self.report = report
        for record in records:
            if isinstance(record, dict) and record.keys() >= _RECORD_KEYS:
                at = float(record["at"]) - self.clock.offset
                history.add({**record, "uri": self.uri}, at, self.clock.error(received))
        return bool(report.get("more"))

    def _relate(self, clock: dict[str, Any], sent: float, received: float) -> None:
        if clock["boot"] == boot_id():
            self.clock.same()
        else:
            self.clock.sample(sent, float(clock["monotonic"]), received)

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return the state of the source for JSON."""
        known = self.clock.known
        return {
            **self.report,
            "uri": self.uri,
            "name": self.name,
            "problem": self.problem,
            "seen_s": None if self.seen is None else round(now - self.seen, 1),
            "clock_offset_ms": round(self.clock.offset * 1000, 2) if known else None,
            "clock_error_ms": round(self.clock.error(now) * 1000, 2) if known else None,
            "same_machine": known and self.clock.error(now) == 0.0,
        }


class PollInterval:
    """Time between two polls: short while a viewer has the page open, long otherwise."""

    VIEWED_SECONDS, IDLE_SECONDS = 1.0, 5.0
    _VIEWER_SECONDS = 10.0
    """Time for which one request of the page counts as a viewer."""

    def __init__(self) -> None:
        self._until = self._text_until = 0.0
        self._viewed = asyncio.Event()

    @property
    def text(self) -> bool:
        """Whether a viewer wants to read transcripts."""
        return time.monotonic() < self._text_until

    def note_viewer(self, *, text: bool) -> None:
        """Record that a viewer has the page open."""
        now = time.monotonic()
        if now > self._until:
            self._viewed.set()
        self._until = now + self._VIEWER_SECONDS
        self._text_until = now + self._VIEWER_SECONDS if text else 0.0

    async def __call__(self) -> None:
        if time.monotonic() < self._until:
            await asyncio.sleep(self.VIEWED_SECONDS)
            return
        self._viewed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.IDLE_SECONDS):
                await self._viewed.wait()


class Sources:
    """All sources, named or found by zeroconf; polled while the context is open."""

    def __init__(self, uris: Sequence[str], history: TurnHistory, *, discover: bool) -> None:
        for uri in uris:
            check_source(uri)
        self.all: dict[str, Source] = {uri: Source(uri) for uri in uris}
        self.interval = PollInterval()
        self._history = history
        self._discover = discover
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._discover:
            await self._find()
        for source in self.all.values():
            self._ask(source)
        return self

    async def _find(self) -> None:
        try:
            services = await self._stack.enter_async_context(Watcher())
            satellites = await self._stack.enter_async_context(Watcher(TRACE_SERVICE_TYPE))
        except Unavailable as err:
            _LOGGER.warning("Polling only the sources of --source: %s", err)
            return
        self._start(self._watch(services, lambda: _known_kinds(services)))
        self._start(self._watch(satellites, satellites.everything))

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def _watch(self, watcher: Watcher, there: Callable[[], Iterable[Found]]) -> None:
        while True:
            for found in there():
                self.add(found.uri, found.name)
            await watcher.changed()

    def add(self, uri: str, name: str = "") -> None:
        """Poll one more source, unless it is known or there are too many."""
        if uri not in self.all and len(self.all) < _MAX_SOURCES:
            self.all[uri] = source = Source(uri, name)
            self._ask(source)

    def forget(self, uri: str) -> None:
        """Stop polling a source; its turns stay."""
        if (source := self.all.pop(uri, None)) is not None:
            self._asking.pop(source.uri).cancel()

    def _ask(self, source: Source) -> None:
        self._asking[source.uri] = self._start(source.run(self._history, self.interval))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _known_kinds(watcher: Watcher) -> Iterable[Found]:
    return {found.uri: found for kind in KINDS for found in watcher.of(kind)}.values()


def check_source(uri: str) -> None:
    """Raise ConfigError unless `uri` is a valid address of a source."""
    try:
        target = urlsplit(uri)
        good = (target.scheme in ("tcp", "http") and target.hostname and target.port) or (
            target.scheme == "unix" and target.path
        )
    except ValueError:
        good = False
    if not good:
        raise ConfigError(
            f"source: expected tcp://HOST:PORT, unix:///PATH or http://HOST:PORT, got '{uri}'"
        )


async def _open(uri: str, stack: AsyncExitStack) -> TraceConnection:
    if uri.startswith("http"):
        session = await stack.enter_async_context(aiohttp.ClientSession())
        return _HttpConnection(uri, session.get)
    async with asyncio.timeout(_MAX_ANSWER_SECONDS):
        client = await stack.enter_async_context(AsyncClient.from_uri(uri))
    # Any host of the network can announce itself as a source and send anything.
    bound_reads(client, Limits())
    return _WyomingConnection(client)


class _WyomingConnection:
    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._answers_trace_query: bool | None = None

    async def ask(self, query: Report) -> Report:
        if self._answers_trace_query is not False:
            await self._client.write_event(Event(TRACE_QUERY, query))
        if self._answers_trace_query is not True:
            # Other Wyoming programs ignore a `trace-query`, but all answer `describe`.
            await self._client.write_event(Describe().event())
        while (event := await self._client.read_event()) is not None:
            if event.type == TRACE_REPORT:
                self._answers_trace_query = True
                return event.data
            if Info.is_type(event.type) and self._answers_trace_query is None:
                self._answers_trace_query = False
            if Info.is_type(event.type) and not self._answers_trace_query:
                return _foreign(Info.from_event(event))
        raise Unavailable("hung up")


def _foreign(info: Info) -> Report:
    programs = (*info.asr, *info.handle, *info.tts, *info.wake, *info.intent)
    name = next((program.name for program in programs), "")
    return {"name": name, "foreign": True, "state": {"models": model_names(info)}}


class _HttpConnection:
    def __init__(self, uri: str, get: Callable[..., Any]) -> None:
        self._uri = uri.rstrip("/") + "/trace"
        self._get = get

    async def ask(self, query: Report) -> Report:
        params = {key: str(value) for key, value in query.items() if value is not False}
        try:
            async with self._get(self._uri, params=params) as response:
                if response.status != 200:
                    raise Unavailable(f"answers with status {response.status}")
                report: Report = await response.json()
                return report
        except aiohttp.ClientError as err:
            raise Unavailable(str(err)) from err
