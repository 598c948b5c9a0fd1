"""HAProxy, configured as we ship it, before two real services of which one is killed under load."""

import asyncio
import re
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from parley.cli.probe import probe
from wyoming_common.errors import ServiceError, TimedOut, Unavailable
from wyoming_common.models import ModelStore

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "deploy" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
CLIENTS = 6
PATIENCE = 120.0
"""Seconds; generous, it only bounds a test that fails."""

pytestmark = [
    pytest.mark.skipif(HAPROXY is None, reason="needs haproxy: apt install haproxy"),
    pytest.mark.timeout(400),
]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def running(log: Path, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


async def logged(log: Path, text: str) -> float:
    """Wait until a line is in a log, and return when it was seen."""
    async with asyncio.timeout(PATIENCE):
        while text not in read(log):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    return time.monotonic()


async def transcribes(port: int) -> None:
    """Wait until a service transcribes, through nothing or through the proxy."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await probe("stt", f"tcp://127.0.0.1:{port}")
            except Unavailable:
                await asyncio.sleep(0.1)
            else:
                return


@dataclass
class Load:
    """Clients that have a question transcribed one after another, and how each of them went."""

    port: int
    answered: int = 0
    failed: list[tuple[float, float, ServiceError]] = field(default_factory=list)
    """Begin, end and error message of each failed request."""

    async def ask(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await probe("stt", f"tcp://127.0.0.1:{self.port}", PATIENCE)
            except (Unavailable, TimedOut) as err:
                self.failed.append((began, time.monotonic(), err))
                await asyncio.sleep(0.05)
            else:
                self.answered += 1

    async def goes_on(self, answers: int) -> None:
        """Wait until `answers` more requests were answered."""
        enough = self.answered + answers
        async with asyncio.timeout(PATIENCE):
            while self.answered < enough:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@asynccontextmanager
async def under_load(load: Load) -> AsyncIterator[None]:
    clients = [asyncio.create_task(load.ask()) for _ in range(CLIENTS)]
    try:
        yield
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


def configured(path: Path, front: int, back: list[int]) -> None:
    """Write our configuration with other ports."""
    text = CONFIG.read_text(encoding="utf-8").replace("bind :10300", f"bind 127.0.0.1:{front}")
    for number, port in enumerate(back):
        text = text.replace(f"127.0.0.1:1030{number + 1}", f"127.0.0.1:{port}")
    assert not re.search(r"1030\d", text)
    path.write_text(text, encoding="utf-8")


async def test_a_server_that_dies_costs_what_was_in_flight_and_nothing_later(
    tmp_path: Path, store: ModelStore
) -> None:
    assert HAPROXY is not None
    model = str(await asyncio.to_thread(store.ensure, "tiny.en"))
    front, *back = free_port(), free_port(), free_port()
    configured(tmp_path / "haproxy.cfg", front, back)
    log = tmp_path / "haproxy.log"
    load = Load(front)

    async with AsyncExitStack() as stack:
        service = [sys.executable, "-m", "wyoming_stt", "--no-zeroconf", "--model", model]
        servers = [
            await stack.enter_async_context(
                running(tmp_path / f"{port}.log", *service, "--uri", f"tcp://127.0.0.1:{port}")
            )
            for port in back
        ]
        for port in back:
            await transcribes(port)
        await stack.enter_async_context(running(log, HAPROXY, "-f", str(tmp_path / "haproxy.cfg")))
        await transcribes(front)
        async with under_load(load):
            await load.goes_on(2 * CLIENTS)
            assert not load.failed, load.failed
            servers[0].kill()
            killed = time.monotonic()
            down = await logged(log, "Server stt/stt1 is DOWN")
            # HAProxy tells of a connection when it has ended: each client's last may be missing.
            await load.goes_on(5 * CLIENTS)

    # Requests in flight fail at once with a message; later ones succeed.
    assert load.failed
    assert all(killed <= ended for _, ended, _ in load.failed), load.failed
    assert not [failed for failed in load.failed if failed[0] > down], load.failed
    assert not [failed for failed in load.failed if isinstance(failed[2], TimedOut)], load.failed
    assert all(re.search("hung up|reset", str(err)) for _, _, err in load.failed), load.failed
    # By HAProxy's own account, every later request went to the other one.
    after = read(log).partition("Server stt/stt1 is DOWN")[2]
    assert len(re.findall(r" stt/stt2 ", after)) >= 4 * CLIENTS
    assert len(re.findall(r" stt/stt1 ", after)) <= CLIENTS
