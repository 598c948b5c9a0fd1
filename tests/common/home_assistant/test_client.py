"""Client of Home Assistant's WebSocket API, against a fake one over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.fake_home_assistant import TOKEN, FakeHome, serving
from tests.support.wire import TIMEOUT_SECONDS
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.home_assistant.home import Home

RETRY_SECONDS = 0.01


@asynccontextmanager
async def connected(
    fake: FakeHome, max_answer_seconds: float = 10.0
) -> AsyncIterator[HomeAssistant]:
    """Connect to `fake`, and yield the client once it has read everything."""
    async with serving(fake) as url:
        client = HomeAssistant(url, TOKEN, RETRY_SECONDS, max_answer_seconds)
        async with client.open(), asyncio.timeout(TIMEOUT_SECONDS):
            await client.ready.wait()
            yield client


async def test_the_home_is_read_and_kept_up_to_date() -> None:
    fake = FakeHome()
    homes: asyncio.Queue[Home] = asyncio.Queue()
    async with serving(fake) as url:
        client = HomeAssistant(url, TOKEN, RETRY_SECONDS)
        client.listeners.append(homes.put_nowait)
        async with client.open(), asyncio.timeout(TIMEOUT_SECONDS):
            first = await homes.get()
            await fake.rename("light.kitchen", "Cooking light")
            second = await homes.get()

    assert first.entities["light.kitchen"].name == "Kitchen light"
    assert first.entities["light.kitchen"].area == "kitchen"
    assert first.entities["light.bedroom"].names == ("Bedroom lamp", "night lamp")
    assert first.devices == {"sat": "kitchen"}
    assert first.language == "en"
    assert "light.secret" not in first.entities
    assert second.entities["light.kitchen"].name == "Cooking light"


async def test_a_lost_connection_is_made_again() -> None:
    fake = FakeHome()
    async with connected(fake) as client:
        await fake.sockets[0].close()
        while client.ready.is_set():
            await client.next_state("light.kitchen", 0.001)
        await client.ready.wait()

        assert await client.command("get_config") == {"language": "en"}


async def test_a_changed_state_is_known_at_once_and_can_be_waited_for() -> None:
    fake = FakeHome()
    async with connected(fake) as client:
        change = asyncio.create_task(client.next_state("light.kitchen", TIMEOUT_SECONDS))
        await asyncio.sleep(0)
        await fake.change("light.kitchen", "on")
        state = await change

        assert state is not None
        assert state.value == "on"
        assert client.states["light.kitchen"].value == "on"
        assert await client.next_state("light.kitchen", 0.01) is None


async def test_an_intent_is_posted_with_the_token() -> None:
    fake = FakeHome()
    async with connected(fake) as client:
        answer = await client.post(
            "/api/intent/handle", {"name": "HassTurnOn", "data": {"name": "Kitchen light"}}
        )

    assert answer["response_type"] == "action_done"
    assert fake.state("light.kitchen") == "on"


async def test_a_request_that_fails_is_unavailable_with_its_status() -> None:
    fake = FakeHome()
    async with connected(fake) as client:
        fake.broken = True
        with pytest.raises(Unavailable, match="answered /api/intent/handle with 500"):
            await client.post("/api/intent/handle", {})


async def test_a_refused_command_tells_the_reason() -> None:
    fake = FakeHome()
    async with connected(fake) as client:
        fake.refused.add("call_service")
        with pytest.raises(Unavailable, match="refused: not allowed"):
            await client.command("call_service")


async def test_a_command_without_an_answer_is_given_up() -> None:
    fake = FakeHome()
    async with connected(fake, max_answer_seconds=0.2) as client:
        fake.silent.add("call_service")
        with pytest.raises(Unavailable, match="did not answer call_service"):
            await client.command("call_service")


async def test_a_command_under_way_ends_with_the_connection() -> None:
    fake = FakeHome()
    async with connected(fake) as client:
        fake.silent.add("call_service")
        waiting = asyncio.create_task(client.command("call_service"))
        await asyncio.sleep(0)
        await fake.sockets[0].close()

        with pytest.raises(Unavailable, match="went away"):
            await waiting


async def test_a_refused_token_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(FakeHome()) as url:
        client = HomeAssistant(url, "wrong", RETRY_SECONDS)
        async with client.open(), asyncio.timeout(TIMEOUT_SECONDS):
            while "the access token was refused" not in caplog.text:
                assert await client.next_state("light.kitchen", 0.001) is None

    assert not client.ready.is_set()


async def test_without_a_connection_commands_are_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with HomeAssistant(url, TOKEN, RETRY_SECONDS).open() as client:
            with pytest.raises(Unavailable, match="not connected"):
                await client.command("get_states")
            with pytest.raises(Unavailable, match="did not answer"):
                await client.post("/api/intent/handle", {})


def test_the_settings_decide_which_home_assistant_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("abc\n")
    monkeypatch.delenv("SUPERVISOR_TOKEN", raising=False)

    assert HomeAssistant.from_settings("", None) is None
    assert HomeAssistant.from_settings("http://ha:8123", token) is not None

    monkeypatch.setenv("SUPERVISOR_TOKEN", "of the app")
    assert HomeAssistant.from_settings("", None) is not None


@pytest.mark.parametrize("url", ["ha:8123", "http://", "ftp://ha", "http://ha"])
def test_a_bad_address_or_a_missing_token_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUPERVISOR_TOKEN", raising=False)
    token = tmp_path / "token"
    if url != "http://ha":
        token.write_text("abc\n")

    with pytest.raises(ConfigError):
        HomeAssistant.from_settings(url, token)
