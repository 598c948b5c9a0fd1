"""What every service shares on the wire: accept, describe, ping, run one job, clean up."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from wyoming.error import Error
from wyoming.event import Event, async_get_stdin, async_get_stdout, async_read_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.server import AsyncEventHandler

from wyoming_common.access import Access, is_local
from wyoming_common.errors import (
    BadRequest,
    Busy,
    ConfigError,
    Refused,
    ServiceError,
    TimedOut,
)
from wyoming_common.limits import GuardedReader, Limits
from wyoming_common.observe import note_received, note_sent
from wyoming_common.telemetry import TRACE_QUERY, TRACE_REPORT, Telemetry
from wyoming_common.trace import NO_SPAN, Span, turn_id_of

_LOGGER = logging.getLogger(__name__)

HandlerFactory = Callable[[asyncio.StreamReader, asyncio.StreamWriter], "ServiceHandler"]


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
        self._job: asyncio.Task[None] | None = None
        self._turn_id = ""
        self.span: Span = NO_SPAN
        """The trace of the job in progress."""
        self.telemetry = Telemetry("")
        guarded = GuardedReader(reader, self.limits, busy=lambda: self.busy)
        super().__init__(guarded, writer)

    async def run(self) -> None:
        """Read and answer events until the client hangs up or breaks the protocol."""
        try:
            while (event := await async_read_event(self.reader)) is not None:
                await self.handle_event(event)
        except (BadRequest, TimedOut) as err:
            # Where the next event begins is unknown after this: say why, then hang up.
            _LOGGER.warning("%s: %s", err.code, err)
            await self.send_error(err)
        finally:
            await self.disconnect()
            self.writer.close()

    async def on_request(self, event: Event) -> None:
        """Handle any event but `describe` and `ping`. Return quickly: long work goes to `start`."""
        raise NotImplementedError

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(self._info().event())
        elif Ping.is_type(event.type):
            await self.write_event(Pong(text=Ping.from_event(event).text).event())
        elif event.type == TRACE_QUERY:
            report = self.telemetry.report(event.data, local=is_local(_peer(self.writer)))
            await self.write_event(Event(TRACE_REPORT, report))
        else:
            self._turn_id = turn_id_of(event.data) or self._turn_id
            note_received(self.span, event)
            await self._guard(self._request(event))
        return True

    async def write_event(self, event: Event) -> None:
        """Send an event; a client that stops reading is dropped after `limits.write_seconds`."""
        try:
            async with asyncio.timeout(self.limits.write_seconds):
                note_sent(self.span, event)
                await super().write_event(event)
        except TimeoutError as err:
            self.writer.transport.abort()
            raise ConnectionAbortedError("The client stopped reading") from err

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


@asynccontextmanager
async def serve(
    uri: str,
    make_handler: HandlerFactory,
    limits: Limits | None = None,
    access: Access | None = None,
    telemetry: Telemetry | None = None,
) -> AsyncIterator[str]:
    """Serve clients until the block ends; yields the bound URI (tcp port 0 means any).

    `uri` is tcp://HOST:PORT, unix:///PATH or stdio://. Raises ConfigError for an address
    that cannot be used.
    """
    limits = limits or Limits()
    access = access or Access()
    telemetry = telemetry or Telemetry("")
    target = _parse(uri)
    clients: dict[asyncio.Task[None], str] = {}
    telemetry.state["connections"] = lambda: len(clients)

    def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Registered here, not inside the task, so a client that connects during
        # shutdown is still cancelled.
        peer = _peer(writer)
        refusal = _refusal(peer, list(clients.values()), limits, access)
        handler = make_handler(reader, writer)
        handler.telemetry = telemetry
        if refusal is not None:
            telemetry.count(f"rejects:{refusal.code}")
        run = _refuse(handler, refusal) if refusal is not None else _run(handler)
        task = asyncio.create_task(run)
        clients[task] = peer
        task.add_done_callback(clients.pop)

    if target.scheme == "stdio":
        yield uri  # one client, which is there already: see `serve_stdio`
        return
    server, bound = await _listen(uri, target, on_client, limits)
    try:
        yield bound
    finally:
        server.close()
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await server.wait_closed()
        if target.scheme == "unix":
            Path(target.path).unlink(missing_ok=True)  # noqa: ASYNC240 - once, at the very end


async def serve_stdio(make_handler: HandlerFactory, telemetry: Telemetry | None = None) -> None:
    """Serve the one client on standard input and output until it hangs up."""
    reader = await async_get_stdin()
    writer = await async_get_stdout()
    handler = make_handler(reader, writer)
    handler.telemetry = telemetry or handler.telemetry
    await handler.run()


def _parse(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError as err:
        raise ConfigError(f"uri: {err}, got '{uri}'") from err


async def _listen(
    uri: str,
    target: SplitResult,
    on_client: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None],
    limits: Limits,
) -> tuple[asyncio.Server, str]:
    try:
        if target.scheme == "tcp" and target.hostname and target.port is not None:
            server = await asyncio.start_server(
                on_client, target.hostname, target.port, limit=limits.header_bytes
            )
            port = server.sockets[0].getsockname()[1]
            host = f"[{target.hostname}]" if ":" in target.hostname else target.hostname
            return server, f"tcp://{host}:{port}"
        if target.scheme == "unix" and target.path:
            server = await asyncio.start_unix_server(
                on_client, target.path, limit=limits.header_bytes
            )
            return server, uri
    except OSError as err:
        # asyncio wraps the system's reason in a sentence of its own; a failed look-up has none.
        code = err.errno or 0
        reason = os.strerror(code) if code > 0 else err.strerror or str(err)
        raise ConfigError(f"Cannot listen on {uri}: {reason}") from err
    except ValueError as err:
        raise ConfigError(f"uri: {err}, got '{uri}'") from err
    raise ConfigError(f"uri: expected tcp://HOST:PORT, unix:///PATH or stdio://, got '{uri}'")


def _peer(writer: asyncio.StreamWriter) -> str:
    peer = writer.get_extra_info("peername")
    sock = writer.get_extra_info("socket")
    if not isinstance(peer, tuple) or sock is None:
        return ""
    # A machine that loses its network mid-turn leaves a half-open connection behind.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    return str(peer[0])


def _refusal(peer: str, peers: list[str], limits: Limits, access: Access) -> ServiceError | None:
    if not access.allows(peer):
        return Refused(f"{peer} is not in a network that --allow names")
    if len(peers) >= limits.connections:
        return Busy(f"{len(peers)} connections are open already")
    if not is_local(peer) and peers.count(peer) >= limits.connections_per_client:
        return Busy(f"{peers.count(peer)} connections from {peer} are open already")
    return None


async def _refuse(handler: ServiceHandler, refusal: ServiceError) -> None:
    _LOGGER.warning("%s: %s", refusal.code, refusal)
    try:
        async with asyncio.timeout(1):
            await handler.send_error(refusal)
            handler.writer.close()
            await handler.writer.wait_closed()
    except (ConnectionError, TimeoutError):
        pass
    finally:
        handler.writer.transport.abort()


async def _run(handler: ServiceHandler) -> None:
    try:
        await handler.run()
        await handler.writer.wait_closed()
    except (ConnectionError, asyncio.IncompleteReadError):
        _LOGGER.debug("The client went away")
    except Exception:
        _LOGGER.exception("Client dropped")
    finally:
        # Does nothing once closed. On shutdown it drops a client that has stopped
        # reading instead of waiting for it.
        handler.writer.transport.abort()
