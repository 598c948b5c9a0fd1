"""Child processes with readiness (sd_notify) that never outlive this process."""

import asyncio
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wyoming_common.errors import Unavailable
from wyoming_common.process import parent_death

_LOGGER = logging.getLogger(__name__)

_MAX_STORED_LINES = 20
_LOGGED = re.compile(r"\{|\d{4}-\d\d-\d\d ")


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """Module, arguments and streams of a program to run."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    capture: bool = False
    """Whether to store standard output for `ChildProcess.output` instead of forwarding it."""
    echo: bool = True
    """Whether to forward standard error; the last lines are stored in any case."""
    stdin: int | None = None
    """File descriptor of standard input; None: empty."""
    stdout: int | None = None
    """File descriptor of standard output when not captured; None: ours."""
    max_stop_seconds: float = 10.0
    """Time between SIGTERM and SIGKILL."""
    max_drain_seconds: float = 2.0
    """Time after the exit in which the last output may arrive."""
    says_ready: bool = True
    """Whether `ChildProcess.start` waits for READY=1 and fails for a program that ends earlier."""


class ChildProcess:
    """One run of a program."""

    def __init__(self, program: ProgramSpec) -> None:
        self.program = program
        self.uri = ""
        """URI of the program's server, set once it is ready."""
        self._lines: deque[str] = deque(maxlen=_MAX_STORED_LINES)
        self._output = bytearray()
        self._started = time.monotonic()
        self._process: asyncio.subprocess.Process
        self._exited: asyncio.Task[int]
        self._readers: list[asyncio.Task[None]] = []
        self._pipes: list[asyncio.ReadTransport] = []
        self._starting = True
        self._pending_line = ""

    @classmethod
    async def start(cls, program: ProgramSpec) -> "ChildProcess":
        """Start `program` and wait until it reports READY=1.

        Raises Unavailable with its last line of output when it ends earlier.
        """
        running = cls(program)
        try:
            await running._run()
        except BaseException:
            await running.stop()
            raise
        running._starting = False
        running._release()
        return running

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def last_line(self) -> str:
        """The last line written to standard error, or an empty string."""
        return self._lines[-1] if self._lines else ""

    async def wait(self) -> int:
        """Wait for the end and return the exit status (negative: the signal)."""
        return await asyncio.shield(self._exited)

    async def output(self) -> str:
        """Wait for the end and return the captured standard output."""
        await self.wait()
        return self._output.decode(errors="replace")

    async def stop(self) -> None:
        """End the program with SIGTERM, or SIGKILL when it does not end in time."""
        if not hasattr(self, "_exited"):
            self._close_pipes()
            await asyncio.gather(*self._readers)
            return
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        done, _ = await asyncio.wait([self._exited], timeout=self.program.max_stop_seconds)
        if not done:
            _LOGGER.warning("%s ignores SIGTERM; sending SIGKILL", self.program.name)
            self._process.kill()
            await self.wait()

    async def _run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="parley-") as folder:
            listener = await _listen(Path(folder) / "notify")
            try:
                await self._spawn(Path(folder) / "notify")
                if not self.program.says_ready:
                    return
                ready = asyncio.create_task(listener.ready.wait())
                try:
                    await asyncio.wait((ready, self._exited), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    ready.cancel()
                if not listener.ready.is_set():
                    status = await self.wait()
                    reason = self.last_line or f"ended with status {status}"
                    raise Unavailable(f"{self.program.name}: {reason}")
                self.uri = listener.fields.get("X_URI", "")
            finally:
                listener.close()

    async def _spawn(self, notify_socket: Path) -> None:
        # Pipes of our own: asyncio's would hold up the exit while a grandchild keeps them open.
        async with AsyncExitStack() as writers:
            errors = await self._pipe(self._pass_on, writers)
            output = self.program.stdout
            if self.program.capture:
                output = await self._pipe(self._keep, writers)
            self._process = await asyncio.create_subprocess_exec(
                *parent_death.command(self.program.module, *self.program.arguments),
                stdin=subprocess.DEVNULL if self.program.stdin is None else self.program.stdin,
                stdout=output,
                stderr=errors,
                env={**os.environ, **self.program.environment, "NOTIFY_SOCKET": str(notify_socket)},
                # Ctrl-C in a terminal must not reach the children: they are stopped in order.
                process_group=0,
            )
        self._exited = asyncio.create_task(self._watch())

    async def _pipe(
        self,
        read: Callable[[asyncio.StreamReader], Coroutine[Any, Any, None]],
        writers: AsyncExitStack,
    ) -> int:
        """Read a new pipe by `read`; return its end for the child, which `writers` closes."""
        reading, writing = os.pipe()
        writers.callback(os.close, writing)
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb")
        )
        self._pipes.append(transport)
        self._readers.append(asyncio.create_task(read(stream)))
        return writing

    async def _watch(self) -> int:
        """Wait for the exit and the last output, not for other processes that hold the pipes."""
        status = await self._process.wait()
        await asyncio.wait(self._readers, timeout=self.program.max_drain_seconds)
        self._close_pipes()
        await asyncio.gather(*self._readers)
        return status

    def _close_pipes(self) -> None:
        for pipe in self._pipes:
            pipe.close()

    async def _pass_on(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while block := await stream.read(65_536):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self._line(line)
            if len(rest) > 65_536:
                self._line(rest)
                rest = b""
        if rest:
            self._line(rest)

    def _line(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        if not line:
            return
        self._lines.append(line)
        if not self.program.echo:
            return
        self._release()
        # A line without a log prefix may be the reason of an early exit, which `start` reports.
        if self._starting and not _LOGGED.match(line):
            self._pending_line = line
        else:
            self._write(line)

    def _release(self) -> None:
        if self._pending_line:
            self._write(self._pending_line)
            self._pending_line = ""

    def _write(self, line: str) -> None:
        # JSON lines stay JSON lines.
        prefix = "" if line.startswith("{") else f"[{self.program.name}] "
        sys.stderr.write(f"{prefix}{line}\n")

    async def _keep(self, stream: asyncio.StreamReader) -> None:
        while block := await stream.read(65_536):
            self._output += block


class _NotifyListener(asyncio.DatagramProtocol):
    """Receiver of the sd_notify messages of one child."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.ready = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's
        for line in data.decode(errors="replace").splitlines():
            key, _, value = line.partition("=")
            self.fields[key] = value
        if self.fields.get("READY") == "1":
            self.ready.set()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def _listen(path: Path) -> _NotifyListener:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(path))
    sock.setblocking(False)
    _, listener = await asyncio.get_running_loop().create_datagram_endpoint(
        _NotifyListener, sock=sock
    )
    return listener
