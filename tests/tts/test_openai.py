"""The openai engine against a real HTTP server on the loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from wyoming_common.errors import BadRequest, ConfigError, TimedOut, Unavailable
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase
from wyoming_tts.engines.openai import OpenAiEngine

PCM = bytes(range(200)) * 3


class SpeechServer:
    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.url = ""

    async def speech(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text())
        self.requests.append(body)
        self.headers.append(request.headers.get("Authorization", ""))
        if body["voice"] == "nobody":
            return web.json_response({"error": {"message": "no voice nobody"}}, status=400)
        if body["voice"] == "broken":
            return web.Response(status=500)
        response = web.StreamResponse()
        await response.prepare(request)
        for start in range(0, len(PCM), 7):  # cut inside samples
            await response.write(PCM[start : start + 7])
        await response.write_eof()
        return response


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SpeechServer]:
    speech = SpeechServer()
    app = web.Application()
    app.router.add_post("/v1/audio/speech", speech.speech)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    speech.url = f"http://127.0.0.1:{port}/v1"
    yield speech
    await runner.cleanup()


async def speak(url: str, phrase: Phrase) -> bytes:
    settings = TtsSettings(zeroconf="off", base_url=url, voice="a,b", model="m", api_key="k")
    engine = OpenAiEngine(settings)
    try:
        return await asyncio.to_thread(lambda: b"".join(engine.synthesize(phrase)))
    finally:
        engine.close()


async def test_the_servers_samples_are_what_is_heard(server: SpeechServer) -> None:
    assert await speak(server.url, Phrase("Hello", "b", length=2)) == PCM

    request = server.requests[0]
    assert (request["input"], request["voice"], request["speed"]) == ("Hello", "b", 0.5)
    assert (request["model"], request["response_format"]) == ("m", "pcm")
    assert server.headers == ["Bearer k"]


async def test_volume_is_applied_to_what_comes(server: SpeechServer) -> None:
    assert not any(await speak(server.url, Phrase("Hello", "b", volume=0)))


@pytest.mark.parametrize(("voice", "error"), [("nobody", BadRequest), ("broken", Unavailable)])
async def test_a_refusal_is_passed_on(
    server: SpeechServer, voice: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"answered [45]00"):
        await speak(server.url, Phrase("Hello", voice))


async def test_a_server_that_is_not_there_is_said_to_be_unavailable() -> None:
    with pytest.raises((Unavailable, TimedOut)):
        await speak("http://127.0.0.1:9/v1", Phrase("Hello", "a"))


def test_several_voices_may_be_named() -> None:
    engine = OpenAiEngine(TtsSettings(zeroconf="off", base_url="http://x", voice="one, two"))

    assert engine.default == "one"
    assert [voice.name for voice in engine.voices()] == ["one", "two"]
    assert engine.sample_rate("one") == 24_000
    engine.close()


def test_without_an_address_there_is_nothing_to_ask() -> None:
    with pytest.raises(ConfigError, match="base-url"):
        OpenAiEngine(TtsSettings(zeroconf="off"))
