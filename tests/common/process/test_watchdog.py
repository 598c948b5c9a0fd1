"""Watchdog: systemd hears of a service only while it works."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.services import SpeakingHandler, tts_info
from tests.support.wire import TIMEOUT_SECONDS
from wyoming_common.net.access import Access
from wyoming_common.net.server import serve
from wyoming_common.process.watchdog import watchdog_seconds, watched

PERIOD = 0.06


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield sock


@pytest.mark.parametrize("uri", ["tcp://127.0.0.1:0", "tcp://0.0.0.0:0"])
async def test_a_service_that_answers_itself_is_well(uri: str, told: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    async with serve(uri, tts_info, SpeakingHandler) as bound, watched(bound, PERIOD):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            said = [await loop.sock_recv(told, 100) for _ in range(3)]

    assert said == [b"WATCHDOG=1"] * 3


async def test_a_service_that_does_not_allow_itself_is_well(told: socket.socket) -> None:
    loop, access = asyncio.get_running_loop(), Access(["10.0.0.0/8"])

    async with (
        serve("tcp://127.0.0.1:0", tts_info, SpeakingHandler, access=access) as uri,
        watched(uri, PERIOD),
    ):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            said = await loop.sock_recv(told, 100)

    assert said == b"WATCHDOG=1"


async def test_a_service_that_does_not_answer_is_not_well(
    told: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        uri = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        async with watched(uri, PERIOD), asyncio.timeout(TIMEOUT_SECONDS):
            while "does not answer itself" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    with pytest.raises(BlockingIOError):
        told.recv(100)


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 0.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
    ],
)
def test_only_a_watched_process_reports(environment: dict[str, str], seconds: float) -> None:
    assert watchdog_seconds(environment) == seconds
