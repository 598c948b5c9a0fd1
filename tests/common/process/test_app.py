"""Service process from outside: it listens, loads, announces, serves and stops."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event

from wyoming_common.discovery.zeroconf import describe


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A named pipe: the model loads when something is written to it."""
    os.mkfifo(tmp_path / "gate")
    return tmp_path / "gate"


@asynccontextmanager
async def process(gate: Path, *flags: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", "tests.common.process.slow_service", str(gate), *flags]
    running = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def line_with(running: asyncio.subprocess.Process, text: str) -> str:
    assert running.stderr is not None
    async with asyncio.timeout(10):
        while text not in (line := (await running.stderr.readline()).decode()):
            assert line, f"ended without '{text}'"
    return line


async def test_a_service_describes_itself_before_its_model_has_loaded(gate: Path) -> None:
    async with process(gate, "--no-zeroconf") as running:
        uri = (await line_with(running, "Listening on")).split("Listening on ")[1].split()[0]

        info = await describe(uri)
        await asyncio.to_thread(gate.write_text, "go")
        ready = await line_with(running, "Ready on")

    assert info.tts[0].name == "test"
    assert uri in ready


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_service_cleanly(gate: Path, number: signal.Signals) -> None:
    async with process(gate, "--no-zeroconf") as running:
        await asyncio.to_thread(gate.write_text, "go")
        await line_with(running, "Ready on")

        running.send_signal(number)

        assert await asyncio.wait_for(running.wait(), 10) == 0


async def test_a_service_that_still_loads_ends_at_once_too(gate: Path) -> None:
    async with process(gate, "--no-zeroconf") as running:
        await line_with(running, "Listening on")

        running.terminate()

        assert await asyncio.wait_for(running.wait(), 10) == 0


async def test_a_model_that_never_comes_back_ends_the_service(gate: Path) -> None:
    async with process(gate, "--no-zeroconf") as running:
        await asyncio.to_thread(gate.write_text, "go")
        uri = (await line_with(running, "Ready on")).split("Ready on ")[1].split()[0]

        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Event("synthesize", {"text": "Hello."}))
            await line_with(running, "has not come back")

        assert await asyncio.wait_for(running.wait(), 10) == 1


async def test_a_model_that_does_not_load_ends_the_service_with_one_line(gate: Path) -> None:
    async with process(gate, "--no-zeroconf") as running:
        await asyncio.to_thread(gate.write_text, "fail")
        _, errors = await asyncio.wait_for(running.communicate(), 10)

    assert running.returncode == 1
    assert errors.decode().splitlines()[-1] == "model.bin is cut short"
    assert "Traceback" not in errors.decode()


async def test_a_port_in_use_ends_the_service_with_one_line(gate: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        uri = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        async with process(gate, "--uri", uri) as running:
            _, errors = await asyncio.wait_for(running.communicate(), 10)

    assert running.returncode == 1
    assert errors.decode().startswith(f"Cannot listen on {uri}")
    assert errors.decode().count("\n") == 1


async def test_a_bad_flag_ends_the_service_with_one_line(gate: Path) -> None:
    async with process(gate, "--threads", "-1") as running:
        _, errors = await asyncio.wait_for(running.communicate(), 10)

    assert running.returncode == 1
    assert errors.decode().startswith("threads: ")
    assert errors.decode().count("\n") == 1


async def test_readiness_is_reported_to_the_supervisor(
    gate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(10)
        async with process(gate, "--no-zeroconf") as running:
            await asyncio.to_thread(gate.write_text, "go")

            ready = (await asyncio.to_thread(listener.recv, 4096)).decode().splitlines()
            running.terminate()
            stopping = (await asyncio.to_thread(listener.recv, 4096)).decode()

    fields = dict(line.split("=", 1) for line in ready)
    assert fields["READY"] == "1"
    assert fields["X_URI"].startswith("tcp://127.0.0.1:")
    assert stopping == "STOPPING=1"
