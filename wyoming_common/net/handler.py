"""Handler of one client connection: answers `describe` and `ping`, runs one job, cleans up.

Defends against T2 and T6 of docs/threat-model.md.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, ClassVar, Final

from wyoming.error import Error
from wyoming.event import Event, async_read_event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong
from wyoming.server import AsyncEventHandler

from wyoming_common.errors import BadRequest, Busy, NoMemory, ServiceError, TimedOut
from wyoming_common.net.access import is_same_user
from wyoming_common.net.context import ConnectionContext
from wyoming_common.net.reader import GuardedReader, connection_errors
from wyoming_common.net.sockets import has_hung_up
from wyoming_common.telemetry.recorder import TRACE_QUERY, TRACE_REPORT
from wyoming_common.telemetry.trace import NO_SPAN, Span, turn_id_of
from wyoming_common.telemetry.wyoming_events import note_received, note_sent

_LOGGER = logging.getLogger(__name__)

_LINGER_SECONDS: Final = 1.0
"""Time in which a refused client is read from, so that it can read why."""
_TRACE_QUERY_COST: Final = 200
"""Events that a `trace-query` counts for: a hundred of them at once, then ten a second."""


class ServiceHandler(AsyncEventHandler):
    """One client connection, running at most one job, which dies with the connection.

    `describe`, `ping` and `trace-query` are answered in the read loop, also while the job runs.
    """

    stage: ClassVar[str] = ""
    """The name of a job of this handler in traces; "" is not traced."""

    def __init__(
        self,
        context: ConnectionContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.context = context
        self.limits = context.limits
        self.telemetry = context.telemetry
        self.silent = True
        self.span: Span = NO_SPAN
        """The trace of the job in progress."""
        self._since = time.monotonic()
        self._writing: float | None = None
        self._handling: float | None = None
        self._job: asyncio.Task[None] | None = None
        self._turn_id = ""
        self._same_user: bool | None = None
        self._guarded = GuardedReader(
            reader, context.limits, context.budget, context.scheduler, self
        )
        super().__init__(self._guarded, writer)

    async def run(self) -> None:
        """Read and answer events until the client hangs up or breaks the protocol."""
        try:
            while (event := await async_read_event(self.reader)) is not None:
                self.silent = False
                self._handling = time.monotonic()
                await self.handle_event(event)
                self._handling = None
                self._since = time.monotonic()
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
            await self.write_event(self.context.info.event())
        elif Ping.is_type(event.type):
            await self.write_event(Pong(text=Ping.from_event(event).text).event())
        elif event.type == TRACE_QUERY:
            self._guarded.charge(_TRACE_QUERY_COST)
            await self.write_event(Event(TRACE_REPORT, self._report(event)))
        else:
            self.context.admit(self, self.context.peer)
            self._turn_id = turn_id_of(event.data) or self._turn_id
            note_received(self.span, event)
            await self._guard(self._request(event))
        return True

    async def write_event(self, event: Event) -> None:
        """Send an event; a client that stops reading is dropped after `limits.write_seconds`."""
        note_sent(self.span, event)
        await self.context.scheduler.step(0)
        self._writing = time.monotonic() if self._writing is None else self._writing
        try:
            async with asyncio.timeout(self.limits.write_seconds):
                with connection_errors():
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
        """Whether the job in progress waits for the client to send more of the request."""
        return False

    @property
    def writing(self) -> bool:
        """Whether an event is being sent that the client has not read yet."""
        return self._writing is not None

    @property
    def waiting_since(self) -> float | None:
        """Time since which the service waits for the client, None while it works for it."""
        if self._writing is not None:
            return self._writing
        return None if self.busy and not self.unfinished else self._since

    @property
    def hung_up(self) -> bool:
        """Whether the client has closed the connection."""
        return has_hung_up(self.writer)

    @property
    def abandoned(self) -> bool:
        """Whether one of the client's events is still being handled long after it has left."""
        handling = self._handling
        if handling is None or time.monotonic() - handling <= self.limits.abandoned_seconds:
            return False
        return self.hung_up

    async def refuse(self, error: ServiceError) -> None:
        """Tell the client why the connection ends, and let it read that."""
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

    @property
    def is_same_user(self) -> bool:
        """Whether the client is a process of our own user on this machine."""
        if self._same_user is None:
            self._same_user = is_same_user(self.writer.transport)
        return self._same_user

    async def disconnect(self) -> None:
        await self.stop_job()

    async def send_error(self, error: ServiceError) -> None:
        """Tell the client what went wrong, if it still listens."""
        self.span.note(failed=error.code)
        with suppress(ConnectionError):
            await self.write_event(Error(text=str(error), code=error.code).event())

    def _report(self, query: Event) -> dict[str, Any]:
        local = bool(query.data.get("text")) and self.is_same_user
        return self.telemetry.report(query.data, local=local)

    async def _request(self, event: Event) -> None:
        try:
            await self.on_request(event)
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            # The library's `from_event` indexes and converts the client's data unchecked.
            _LOGGER.debug("Malformed %s", event.type, exc_info=True)
            reason = f"{err} is missing" if isinstance(err, KeyError) else str(err)
            raise BadRequest(f"{event.type}: malformed event: {reason}") from err

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
            await self._fail(NoMemory("There is too little memory for this request"))
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
