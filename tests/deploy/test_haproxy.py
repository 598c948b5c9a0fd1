"""HAProxy, configured as we ship it, in front of two services of which one is killed under load."""

import asyncio
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.handle import Handled

from wyoming_common.discovery import describe
from wyoming_common.errors import Unavailable

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "deploy" / "haproxy.cfg"
AGENT = "tests.homeassistant.agent"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
ANSWER_SECONDS = 0.2
TAKEN_OUT_SECONDS = 3.0
"""Twice the half second between two health checks, and the second one may wait for."""

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="needs haproxy: apt install haproxy")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def answers(port: int) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                await describe(f"tcp://127.0.0.1:{port}")
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return


@dataclass
class Load:
    """Clients that ask one after another, and how it went: when each request ended."""

    port: int
    answered: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)

    async def reaches(self, answered: int) -> None:
        """Wait until so many requests were answered."""
        async with asyncio.timeout(20):
            while len(self.answered) < answered:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def ask(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(10), AsyncTcpClient("127.0.0.1", self.port) as client:
                    await client.write_event(Transcript(text="are you there").event())
                    event = await client.read_event()
            except OSError as err:
                event, reason = None, type(err).__name__
            else:
                reason = "hung up"
            if event is not None and Handled.is_type(event.type):
                self.answered.append(loop.time())
            else:
                self.failed.append(loop.time())
                self.reasons.add(reason)
                await asyncio.sleep(0.05)


async def stop(clients: list[asyncio.Task[None]]) -> None:
    for client in clients:
        client.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def test_a_server_that_dies_costs_what_was_in_flight_and_nothing_later(
    tmp_path: Path,
) -> None:
    assert HAPROXY is not None
    front, *back = free_port(), free_port(), free_port()
    text = CONFIG.read_text(encoding="utf-8")
    text = text.replace("bind :10300", f"bind 127.0.0.1:{front}")
    for number, port in enumerate(back):
        text = text.replace(f"127.0.0.1:1030{number + 1}", f"127.0.0.1:{port}")
    assert not re.search(r"1030\d", text)
    (config := tmp_path / "haproxy.cfg").write_text(text, encoding="utf-8")
    loop = asyncio.get_running_loop()

    async with AsyncExitStack() as stack:
        command = [sys.executable, "-m", AGENT]
        servers = [
            await stack.enter_async_context(
                running(*command, f"tcp://127.0.0.1:{port}", str(ANSWER_SECONDS))
            )
            for port in back
        ]
        for port in back:
            await answers(port)
        await stack.enter_async_context(running(HAPROXY, "-f", str(config)))
        await answers(front)
        load = Load(front)
        clients = [asyncio.create_task(load.ask()) for _ in range(8)]
        stack.push_async_callback(stop, clients)
        await load.reaches(24)
        servers[0].kill()
        killed = loop.time()
        before = len(load.answered)
        await asyncio.sleep(TAKEN_OUT_SECONDS)
        await load.reaches(before + 60)

    late = [at - killed for at in load.failed if at > killed + TAKEN_OUT_SECONDS]
    assert not late, load.reasons
    assert not [at for at in load.failed if at < killed]
    # Nobody waits in vain: a request that was lost has ended at once, with the connection.
    assert "TimeoutError" not in load.reasons
