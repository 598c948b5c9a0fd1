"""Supervisor discovery: a service in an app is announced once it answers."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.fake_supervisor import FakeSupervisor, serve_supervisor
from tests.support.services import TTS_INFO, SpeakingHandler, tts_info
from wyoming_common.discovery.advertise import publish
from wyoming_common.discovery.hassio import announce_to_supervisor
from wyoming_common.discovery.zeroconf import Watcher
from wyoming_common.net.server import serve

TOKEN = "the-token-of-this-app"  # noqa: S105


@pytest_asyncio.fixture
async def supervisor() -> AsyncIterator[FakeSupervisor]:
    async with serve_supervisor(FakeSupervisor(TOKEN)) as fake:
        yield fake


@pytest_asyncio.fixture
async def uri() -> AsyncIterator[str]:
    async with serve("tcp://0.0.0.0:0", tts_info, SpeakingHandler) as bound:
        yield bound


async def logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with asyncio.timeout(5):
        while text not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0)


async def test_the_supervisor_is_told_the_name_and_port_of_the_container(
    supervisor: FakeSupervisor, uri: str
) -> None:
    port = uri.rpartition(":")[2]

    async with announce_to_supervisor(uri, TOKEN, supervisor.url):
        await asyncio.wait_for(supervisor.accepted.wait(), 5)

    found_at = f"tcp://{socket.gethostname()}:{port}"
    assert supervisor.discovered == [{"service": "wyoming", "config": {"uri": found_at}}]


async def test_a_service_that_does_not_answer_is_not_announced(
    supervisor: FakeSupervisor, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]

        async with announce_to_supervisor(f"tcp://127.0.0.1:{port}", TOKEN, supervisor.url):
            await logged(caplog, "Not announced yet")

    assert not supervisor.request.is_set()


async def test_a_supervisor_that_is_busy_is_asked_again(
    supervisor: FakeSupervisor, uri: str
) -> None:
    supervisor.answers = [503, 429]

    async with announce_to_supervisor(uri, TOKEN, supervisor.url, first_pause_seconds=0.01):
        await asyncio.wait_for(supervisor.accepted.wait(), 5)

    assert len(supervisor.discovered) == 1


async def test_a_refusal_is_told_once_and_ends_it(
    supervisor: FakeSupervisor, uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.answers = [403]

    async with announce_to_supervisor(uri, TOKEN, supervisor.url):
        await logged(caplog, "refuses")

    assert not supervisor.discovered


async def test_a_stop_does_not_withdraw_the_announcement(
    supervisor: FakeSupervisor, uri: str
) -> None:
    async with announce_to_supervisor(uri, TOKEN, supervisor.url):
        await asyncio.wait_for(supervisor.accepted.wait(), 5)

    assert not supervisor.withdrawn


async def test_in_an_app_zeroconf_stays_silent(
    supervisor: FakeSupervisor, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_TOKEN", TOKEN)
    publishing = publish(uri, TTS_INFO, "in-an-app", supervisor.url)
    async with Watcher() as watcher, publishing:
        await asyncio.wait_for(supervisor.accepted.wait(), 5)
        await watcher.wait_for(["tts"], 0.3)

        assert "in-an-app" not in {found.name for found in watcher.of("tts")}
