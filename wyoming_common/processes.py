"""Programs as child processes: started, ready, ended; they never outlive this process."""

import asyncio
import logging
import os
import re
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from wyoming_common import child
from wyoming_common.errors import Unavailable

_LOGGER = logging.getLogger(__name__)

STOP_SECONDS = 10.0
"""What a program gets to end after SIGTERM, before SIGKILL."""
_LAST_WORDS_SECONDS = 2.0
_REMEMBERED_LINES = 20
_LOGGED = re.compile(r"\{|\d{4}-\d\d-\d\d ")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    capture: bool = False
    """Whether standard output is kept for `Child.output` instead of passed on"""
    echo: bool = True
    """Whether what it writes to standard error is passed on; the last lines are kept anyway"""
    stdin: int | None = None
    """File that is its standard input; None is an empty one"""
    stdout: int | None = None
    """File that is its standard output, where that is not captured; None is ours"""
    says_ready: bool = True
    """Whether `Child.start` waits for READY=1, and fails for a program that ends before"""


class Child:
    """One run of a program; `async with` ends it."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.uri = ""
        """Where it listens, once it is ready"""
        self._lines: deque[str] = deque(maxlen=_REMEMBERED_LINES)
        self._output = bytearray()
        self._started = time.monotonic()
        self._process: asyncio.subprocess.Process
        self._over: asyncio.Task[int]
        self._readers: list[asyncio.Task[None]] = []
        self._starting = True
        self._held = ""

    @classmethod
    async def start(cls, program: Program) -> "Child":
        """Start `program` and wait until it says that it is ready.

        Raises Unavailable, with the last line it wrote, for one that ends before.
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
        """The last line written to standard error, empty when there is none."""
        return self._lines[-1] if self._lines else ""

    async def wait(self) -> int:
        """Wait for the end and return the exit status (negative: the signal)."""
        return await asyncio.shield(self._over)

    async def output(self) -> str:
        """Wait for the end and return what a captured program wrote to standard output."""
        await self.wait()
        return self._output.decode(errors="replace")

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL for one that does not follow."""
        if not hasattr(self, "_over"):
            return
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        done, _ = await asyncio.wait([self._over], timeout=STOP_SECONDS)
        if not done:
            _LOGGER.warning("%s does not end; killing it", self.program.name)
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
                    await asyncio.wait((ready, self._over), return_when=asyncio.FIRST_COMPLETED)
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
        self._process = await asyncio.create_subprocess_exec(
            *child.command(self.program.module, *self.program.arguments),
            stdin=asyncio.subprocess.DEVNULL if self.program.stdin is None else self.program.stdin,
            stdout=asyncio.subprocess.PIPE if self.program.capture else self.program.stdout,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self.program.environment, "NOTIFY_SOCKET": str(notify_socket)},
            # Ctrl-C in a terminal would reach all at once; they are ended in order instead.
            process_group=0,
        )
        assert self._process.stderr is not None
        self._readers.append(asyncio.create_task(self._pass_on(self._process.stderr)))
        if self._process.stdout is not None:
            self._readers.append(asyncio.create_task(self._keep(self._process.stdout)))
        self._over = asyncio.create_task(self._watch())

    async def _watch(self) -> int:
        """Wait for the exit and the last words; whoever else holds the pipes is not waited for."""
        await _exit_of(self._process)
        _, still = await asyncio.wait(self._readers, timeout=_LAST_WORDS_SECONDS)
        if still:
            # asyncio offers no other way to let go of the pipes.
            self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
        await asyncio.gather(*self._readers)
        return await self._process.wait()

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
        # A line that no logger wrote may be why the program ends: then `start` says it.
        if self._starting and not _LOGGED.match(line):
            self._held = line
        else:
            self._write(line)

    def _release(self) -> None:
        if self._held:
            self._write(self._held)
            self._held = ""

    def _write(self, line: str) -> None:
        # JSON lines stay JSON lines.
        prefix = "" if line.startswith("{") else f"[{self.program.name}] "
        sys.stderr.write(f"{prefix}{line}\n")

    async def _keep(self, stream: asyncio.StreamReader) -> None:
        while block := await stream.read(65_536):
            self._output += block


class _NotifyListener(asyncio.DatagramProtocol):
    """The listening side of sd_notify for one child."""

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


async def _exit_of(process: asyncio.subprocess.Process) -> None:
    """Wait for the exit; `Process.wait` waits until all its pipes are closed, too."""
    if not hasattr(os, "pidfd_open"):
        await process.wait()
        return
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
