"""Talking through the page: access, limits, and the reason shown when it fails."""

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
import pytest

from parley.cli import dashboard as command
from parley.cli.probe import QUESTION
from tests.dashboard.rig import Shown, dashboard
from tests.support.fake_services import fake_llm, fake_stt, fake_tts
from wyoming_common.audio.pcm import read_audio

NOWHERE = ["--stt=tcp://127.0.0.1:9", "--llm=tcp://127.0.0.1:9", "--tts=tcp://127.0.0.1:9"]
RATE = 16_000


@asynccontextmanager
async def asked(shown: Shown, rate: str = "16000", **headers: str) -> AsyncIterator[Any]:
    """The WebSocket of a page, as its own browser opens it."""
    async with (
        aiohttp.ClientSession(shown.uri) as http,
        http.ws_connect(f"/api/talk?rate={rate}", headers={"Origin": shown.uri, **headers}) as one,
    ):
        yield one


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", ""),
        ("http://rebound.example:8321", "rebound.example:8321"),
        ("null", ""),
        ("http://[", "["),
    ],
)
async def test_a_page_of_another_site_may_not_talk(origin: str, host: str) -> None:
    async with dashboard(talk=NOWHERE) as shown:
        headers = {"Origin": origin} | ({"Host": host} if host else {})
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with asked(shown, **headers):
                pass

    assert refused.value.status in (400, 403)


async def test_behind_ingress_the_page_has_the_name_of_home_assistant() -> None:
    async with (
        dashboard(talk=NOWHERE, ingress=True) as shown,
        asked(shown, Origin="https://home.example", Host="172.30.33.5:8099") as page,
    ):
        told = await page.receive_json(timeout=30)

    assert told["event"] == "failed"


@pytest.mark.parametrize("rate", ["", "7999", "192001", "-1", "1e4", "16000.0"])
async def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    async with dashboard(talk=NOWHERE) as shown:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with asked(shown, rate):
                pass

    assert refused.value.status == 400


async def test_a_page_that_was_told_not_to_does_not_talk() -> None:
    async with dashboard() as shown, aiohttp.ClientSession(shown.uri) as http:
        async with http.get("/api/state") as answer:
            state = await answer.json()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with asked(shown):
                pass

    assert state["may_talk"] is False
    assert refused.value.status == 404


async def test_services_that_are_not_there_are_said_on_the_page() -> None:
    async with dashboard(talk=NOWHERE) as shown, asked(shown) as page:
        told = await page.receive_json(timeout=30)

    assert told["event"] == "failed"
    assert "127.0.0.1:9" in told["reason"]
    assert "Traceback" not in told["reason"]


async def test_a_question_to_the_page_is_answered_and_shown_as_a_turn() -> None:
    async with (
        fake_stt("is it late") as stt,
        fake_llm("Yes it is") as llm,
        fake_tts() as tts,
        dashboard(talk=[f"--stt={stt.uri}", f"--llm={llm.uri}", f"--tts={tts.uri}"]) as shown,
        asked(shown) as page,
    ):
        assert await page.receive_json(timeout=30) == {"event": "ready"}
        talking = asyncio.create_task(speak(page))
        loud = await first_sound(page)
        known = [source.uri for source in shown.sources.all.values()]
        async with asyncio.timeout(30):
            while not len(shown.history):  # noqa: ASYNC110 - a history has no event
                await asyncio.sleep(0.05)
        talking.cancel()
        await page.close()

    assert loud
    assert len(known) == 1
    assert [event.data["text"] for event in llm.of("transcript")] == ["is it late"]


async def speak(page: aiohttp.ClientWebSocketResponse) -> None:
    """Send a recorded question, then silence, at the pace of speech."""
    pcm, _ = read_audio(QUESTION)
    pcm += bytes(20 * 2 * RATE)
    for at in range(0, len(pcm), 640):
        await page.send_bytes(pcm[at : at + 640])
        await asyncio.sleep(0.02)


async def first_sound(page: aiohttp.ClientWebSocketResponse) -> bool:
    """Wait until the satellite plays something."""
    async with asyncio.timeout(30):
        async for message in page:
            if np.any(np.frombuffer(message.data, "<i2")):
                return True
    return False


def parsed(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(flags)


def test_ingress_alone_may_connect_to_the_page_of_an_app() -> None:
    viewers = command._viewers(parsed("--ingress"))

    assert viewers.behind_ingress
    assert viewers.access.allows("172.30.32.2")
    assert not any(map(viewers.access.allows, ("172.30.32.1", "192.168.1.5", "127.0.0.1", "::1")))


def test_without_ingress_the_page_is_for_this_machine() -> None:
    arguments = parsed()

    assert arguments.uri is None
    assert command.DEFAULT_URI.startswith("http://127.0.0.1:")
    assert not command._viewers(arguments).show_text


async def test_a_client_that_is_not_ingress_gets_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = parsed("--ingress", "--no-discovery", "--uri", f"http://127.0.0.1:{port}")
    serving = asyncio.create_task(command._serve(arguments))
    try:
        status, text = await answered(f"http://127.0.0.1:{port}/")
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    assert status == 403
    assert "<html" not in text


async def answered(url: str) -> tuple[int, str]:
    """Return status and text of what `url` answers, once it does."""
    async with asyncio.timeout(20), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url, headers={"X-Ingress-Path": "/x"}) as answer:
                    return answer.status, await answer.text()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)
