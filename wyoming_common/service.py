"""One connection to a service: describe, ping, run one job, clean up."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

from wyoming.error import Error
from wyoming.event import Event, async_read_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.server import AsyncEventHandler

from wyoming_common.access import is_same_user
from wyoming_common.errors import BadRequest, Busy, NoMemory, ServiceError, TimedOut
from wyoming_common.limits import GuardedReader, Limits
from wyoming_common.listening import (
    has_left,
    on_the_line,
)
from wyoming_common.memory import Memory
from wyoming_common.observe import note_received, note_sent
from wyoming_common.telemetry import TRACE_QUERY, TRACE_REPORT, Telemetry
from wyoming_common.trace import NO_SPAN, Span, turn_id_of
from wyoming_common.turns import Pace, Rounds

_LOGGER = logging.getLogger(__name__)

_STUCK_SECONDS = 1.0
_LINGER_SECONDS = 1.0

_DESCRIBED_SECONDS = 0.1

_HEAVY = 200
"""Events that a `trace-query` counts for: a hundred of them at once, then ten a second"""


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


@dataclass(frozen=True, slots=True)
class Shared:
    """What the connections of one service share."""

    limits: Limits | None
    """None leaves each its own"""
    memory: Memory
    """For what is on its way in"""
    described: Described = field(default_factory=Described)
    rounds: Rounds = field(default_factory=Rounds)


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

    def share(self, shared: "Shared", enter: Callable[[], None]) -> None:
        """Take what all connections of a service share, and what takes a place among those that
        are served: `enter` raises Busy when there is none.
        """
        self.limits = self._guarded.limits = shared.limits or self.limits
        self._guarded.memory, self._guarded.rounds = shared.memory, shared.rounds
        self._guarded.drop = self.drop
        self._guarded.unread = lambda: self._writing is not None
        self._described = shared.described
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
                if (pause := pace.note(self._since, self._weight(event))) > 0:
                    await asyncio.sleep(pause)
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

    def _weight(self, event: Event) -> int:
        return _HEAVY if event.type == TRACE_QUERY else 1

    def _report(self, query: Event) -> dict[str, Any]:
        if query.data.get("text") and self._ours is None:
            self._ours = is_same_user(self.writer.transport)
        return self.telemetry.report(query.data, local=bool(self._ours))

    async def write_event(self, event: Event) -> None:
        """Send an event; a client that stops reading is dropped after `limits.write_seconds`."""
        note_sent(self.span, event)
        await self._guarded.rounds.step(0)
        self._writing = time.monotonic() if self._writing is None else self._writing
        try:
            async with asyncio.timeout(self.limits.write_seconds):
                with on_the_line():
                    await super().write_event(event)
        except TimeoutError as err:
            self.drop()
            raise ConnectionAbortedError("The client stopped reading") from err
        finally:
            self._writing = None

    async def start(self, job: Coroutine[None, None, None]) -> None:
        """Run `job` beside the read loop, replacing the one in progress."""
        try:
            await self.stop_job()
        except BaseException:
            job.close()
            raise
        self.span = self.telemetry.begin(self.stage, self._turn_id)
        self._turn_id = ""
        traced = self._traced(job, self.span)
        self._job = asyncio.create_task(self._guard(traced))
        # A task that is cancelled before its first step never comes to await them.
        self._job.add_done_callback(lambda _: (traced.close(), job.close()))

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
    def left(self) -> bool:
        """Whether the client has hung up."""
        return has_left(self.writer)

    @property
    def stuck(self) -> bool:
        """Whether the client has left while one of its events is still being handled."""
        handling = self._handling
        return handling is not None and time.monotonic() - handling > _STUCK_SECONDS and self.left

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
            await self._fail(err)
        except MemoryError:
            await self._fail(NoMemory("There is too little memory for this"))
        except Exception:
            self.telemetry.count("errors:internal")
            _LOGGER.exception("Job failed")
            failure = ServiceError("Internal error, see the service log")
            failure.code = "internal"
            await self.send_error(failure)

    async def _fail(self, err: ServiceError) -> None:
        self.telemetry.count(f"errors:{err.code}")
        _LOGGER.warning("%s: %s", err.code, err)
        await self.send_error(err)
