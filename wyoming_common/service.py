"""What every service shares on the wire: accept, describe, ping, run one job, clean up."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from wyoming.error import Error
from wyoming.event import Event, async_get_stdin, async_get_stdout, async_read_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.server import AsyncEventHandler

from wyoming_common.access import Access, is_same_user
from wyoming_common.connections import Connections
from wyoming_common.errors import BadRequest, Busy, ServiceError, TimedOut
from wyoming_common.limits import GuardedReader, Limits, Memory, Pace
from wyoming_common.listening import (
    Door,
    address_of,
    has_left,
    listen,
    parse_uri,
    shake_hands,
)
from wyoming_common.observe import note_received, note_sent
from wyoming_common.telemetry import TRACE_QUERY, TRACE_REPORT, Telemetry
from wyoming_common.trace import NO_SPAN, Span, turn_id_of
from wyoming_common.turns import as_client

_LOGGER = logging.getLogger(__name__)

_STUCK_SECONDS = 1.0
_LINGER_SECONDS = 1.0

_DESCRIBED_SECONDS = 0.1

HandlerFactory = Callable[[asyncio.StreamReader, asyncio.StreamWriter], "ServiceHandler"]


class Described:
    """What a service says of itself, made anew at most every tenth of a second.

    A hundred languages or voices take milliseconds, and anybody may ask again and again.
    """

    def __init__(self) -> None:
        self._made = float("-inf")
        self._event = Event("info")

    def answer(self, info: Callable[[], Info]) -> Event:
        """Return the event that answers `describe`."""
        now = time.monotonic()
        if now - self._made >= _DESCRIBED_SECONDS:
            self._event, self._made = info().event(), now
        return self._event


class ServiceHandler(AsyncEventHandler):
    """One client connection, running at most one job, which dies with the connection.

    `describe`, `ping` and `trace-query` are answered in the read loop, whatever the job is doing.
    """

    stage: ClassVar[str] = ""
    """What a job of this handler is called in traces; "" is not traced."""

    def __init__(
        self,
        info: Callable[[], Info],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._info = info
        self._since = time.monotonic()
        self._writing: float | None = None
        self._handling: float | None = None
        self.silent = True
        self._job: asyncio.Task[None] | None = None
        self._turn_id = ""
        self._ours: bool | None = None
        self._enter: Callable[[], None] = lambda: None
        self._described = Described()
        self.span: Span = NO_SPAN
        """The trace of the job in progress."""
        self.telemetry = Telemetry("")
        self._guarded = GuardedReader(
            reader, self.limits, busy=lambda: self.busy, stalled=lambda: self.unfinished
        )
        super().__init__(self._guarded, writer)

    def share(
        self, limits: Limits, memory: Memory, described: "Described", enter: Callable[[], None]
    ) -> None:
        """Take the limits of the service, its memory for what is on its way in, its description,
        and what takes a place among those that are served: `enter` raises Busy when there is none.
        """
        self.limits = self._guarded.limits = limits
        self._guarded.memory = memory
        self._described = described
        self._enter = enter

    async def run(self) -> None:
        """Read and answer events until the client hangs up or breaks the protocol."""
        pace = Pace(self.limits.events_per_second, self.limits.events_burst)
        try:
            while (event := await async_read_event(self.reader)) is not None:
                self.silent = False
                self._handling = time.monotonic()
                await self.handle_event(event)
                self._handling = None
                self._since = time.monotonic()
                # Also without a wait: what has arrived already would be handled to its last
                # event before another connection has its turn.
                await asyncio.sleep(pace.note(self._since))
        except (BadRequest, TimedOut, Busy) as err:
            # Where the next event begins may be unknown after this: say why, then hang up.
            _LOGGER.warning("%s: %s", err.code, err)
            await self.stop_job()
            await self.refuse(err)
        finally:
            self._guarded.release()
            await self.disconnect()
            self.writer.close()

    async def on_request(self, event: Event) -> None:
        """Handle any event but `describe` and `ping`. Return quickly: long work goes to `start`."""
        raise NotImplementedError

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(self._described.answer(self._info))
        elif Ping.is_type(event.type):
            await self.write_event(Pong(text=Ping.from_event(event).text).event())
        elif event.type == TRACE_QUERY:
            await self.write_event(Event(TRACE_REPORT, self._report(event)))
        else:
            self._enter()
            self._turn_id = turn_id_of(event.data) or self._turn_id
            note_received(self.span, event)
            await self._guard(self._request(event))
        return True

    def _report(self, query: Event) -> dict[str, Any]:
        if query.data.get("text") and self._ours is None:
            self._ours = is_same_user(self.writer.transport)
        return self.telemetry.report(query.data, local=bool(self._ours))

    async def write_event(self, event: Event) -> None:
        """Send an event; a client that stops reading is dropped after `limits.write_seconds`."""
        note_sent(self.span, event)
        self._writing = time.monotonic() if self._writing is None else self._writing
        try:
            async with asyncio.timeout(self.limits.write_seconds):
                await super().write_event(event)
        except TimeoutError as err:
            self.drop()
            raise ConnectionAbortedError("The client stopped reading") from err
        finally:
            self._writing = None

    async def start(self, job: Coroutine[None, None, None]) -> None:
        """Run `job` beside the read loop, replacing the one in progress."""
        await self.stop_job()
        self.span = self.telemetry.begin(self.stage, self._turn_id)
        self._turn_id = ""
        self._job = asyncio.create_task(self._guard(self._traced(job, self.span)))

    async def stop_job(self) -> None:
        """Cancel the job in progress, if any, and wait until it has ended."""
        if self._job is not None:
            self._job.cancel()
            await asyncio.wait([self._job])
            self._job = None

    @property
    def busy(self) -> bool:
        """Whether a job is in progress."""
        return self._job is not None and not self._job.done()

    @property
    def unfinished(self) -> bool:
        """Whether the job in progress waits for more of the request: the client's turn."""
        return False

    @property
    def waited_for_since(self) -> float | None:
        """When we began to wait for the client, None while it is our turn."""
        if self._writing is not None:
            return self._writing
        return None if self.busy and not self.unfinished else self._since

    @property
    def stuck(self) -> bool:
        """Whether the client has left while one of its events is still being handled."""
        handling = self._handling
        return (
            handling is not None
            and time.monotonic() - handling > _STUCK_SECONDS
            and has_left(self.writer)
        )

    async def refuse(self, error: ServiceError) -> None:
        """Tell the client why this is the end, so that it can be read."""
        await self.send_error(error)
        # Closing while something has not been read resets the connection, and what was sent
        # is lost with it.
        with suppress(OSError, TimeoutError, NotImplementedError):
            async with asyncio.timeout(_LINGER_SECONDS):
                self.writer.write_eof()
                await self._guarded.discard()

    def drop(self) -> None:
        """Hang up at once."""
        self.writer.transport.abort()

    async def disconnect(self) -> None:
        await self.stop_job()

    async def send_error(self, error: ServiceError) -> None:
        """Tell the client what went wrong, if it still listens."""
        self.span.note(failed=error.code)
        with suppress(ConnectionError):
            await self.write_event(Error(text=str(error), code=error.code).event())

    async def _request(self, event: Event) -> None:
        try:
            await self.on_request(event)
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            # The library's `from_event` indexes and converts whatever the client sent.
            _LOGGER.debug("Malformed %s", event.type, exc_info=True)
            raise BadRequest(
                f"{event.type}: malformed event ({type(err).__name__}: {err})"
            ) from err

    async def _traced(self, job: Coroutine[None, None, None], span: Span) -> None:
        with self.telemetry.run(span):
            try:
                await job
            finally:
                self.span = NO_SPAN

    async def _guard(self, job: Coroutine[None, None, None]) -> None:
        """Turn a failed job into one `error` event; the connection stays usable."""
        try:
            await job
        except ConnectionError:
            _LOGGER.debug("The client went away")
        except ServiceError as err:
            self.telemetry.count(f"errors:{err.code}")
            _LOGGER.warning("%s: %s", err.code, err)
            await self.send_error(err)
        except Exception:
            self.telemetry.count("errors:internal")
            _LOGGER.exception("Job failed")
            failure = ServiceError("Internal error, see the service log")
            failure.code = "internal"
            await self.send_error(failure)


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
        self._described = Described()
        self._given = limits
        self.limits = limits or Limits()
        self._telemetry = telemetry
        self._memory = Memory(self.limits.memory_bytes)
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
        handler.share(
            self._given or handler.limits,
            self._memory,
            self._described,
            partial(self._enter, handler, peer),
        )
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
            await asyncio.sleep(_STUCK_SECONDS)
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
        await handler.writer.wait_closed()
    except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError) as err:
        _LOGGER.debug("The client went away: %s", err)
    except Exception:
        _LOGGER.exception("Client dropped")
    finally:
        # Does nothing once closed. On shutdown it drops a client that has stopped
        # reading instead of waiting for it.
        handler.drop()
