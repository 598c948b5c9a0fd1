"""The openai engine against a real HTTP server on the loopback."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
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
        self.answers: dict[str, tuple[str, bytes]] = {}
        """Content type and body by voice."""

    async def speech(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.text())
        self.requests.append(body)
        self.headers.append(request.headers.get("Authorization", ""))
        if body["voice"] == "nobody":
            return web.json_response({"error": {"message": "no voice nobody"}}, status=400)
        if body["voice"] == "broken":
            return web.Response(status=500)
        kind, content = self.answers.get(body["voice"], ("audio/pcm", PCM))
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for start in range(0, len(content), 997):  # cut inside samples
            await response.write(content[start : start + 997])
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


async def test_the_samples_of_the_server_are_passed_on(server: SpeechServer) -> None:
    assert await speak(server.url, Phrase("Hello", "b", length=2)) == PCM

    request = server.requests[0]
    assert (request["input"], request["voice"], request["speed"]) == ("Hello", "b", 0.5)
    assert (request["model"], request["response_format"]) == ("m", "pcm")
    assert server.headers == ["Bearer k"]


def wav(rate: int, channels: int, tag: int, samples: np.ndarray[Any, Any]) -> bytes:
    data = np.repeat(samples[:, None], channels, axis=1).tobytes()
    size = samples.dtype.itemsize
    head = struct.pack(
        "<HHIIHH", tag, channels, rate, rate * channels * size, channels * size, 8 * size
    )
    chunks = (
        b"fmt " + struct.pack("<I", len(head)) + head + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    )
    return (
        b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + chunks
        + b"data" + struct.pack("<I", len(data)) + data + b"LIST\x04\0\0\0tail"
    )  # fmt: skip


TONE = np.sin(np.arange(22_050) * 2 * np.pi * 440 / 22_050)


@pytest.mark.parametrize(
    "content",
    [
        wav(22_050, 1, 1, (TONE * 20_000).astype("<i2")),
        wav(22_050, 2, 1, (TONE * 20_000).astype("<i2")),
        wav(22_050, 1, 3, (TONE * 20_000 / 32_767).astype("<f4")),
        wav(22_050, 1, 3, (TONE * 20_000 / 32_767).astype("<f8")),
        wav(22_050, 1, 1, (TONE * 20_000 * 65_536).astype("<i4")),
    ],
    ids=["s16", "stereo", "f32", "f64", "s32"],
)
async def test_a_wav_is_played_at_its_own_speed_without_a_click(
    server: SpeechServer, content: bytes
) -> None:
    server.answers["b"] = ("audio/wav", content)

    samples = np.frombuffer(await speak(server.url, Phrase("Hello", "b")), "<i2").astype(float)

    assert abs(len(samples) - 24_000) < 50
    assert np.abs(np.diff(samples, prepend=0)).max() < 3_000
    assert 19_000 < np.abs(samples).max() < 21_500
    spectrum = np.abs(np.fft.rfft(samples[:24_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("application/json", b'{"error": {"message": "no credit"}}', "no credit"),
        ("audio/pcm", b'{"error": "no credit"}', "no credit"),
        ("text/html", b"<html>Login</html>", "Login"),
        ("audio/mpeg", b"\xff\xfb\x90\x64" + bytes(400), "MP3"),
        ("audio/pcm", b"ID3\x04" + bytes(400), "MP3"),
        ("application/ogg", b"OggS" + bytes(400), "Ogg"),
        ("audio/wav", b"RIFF\xff\xff\xff\xffWAVEdata\0\0\0\0", "WAV"),
        ("audio/wav", wav(22_050, 1, 6, TONE.astype("<i2")), "format 6"),
    ],
)
async def test_an_answer_that_cannot_be_played_is_one_error(
    server: SpeechServer, kind: str, content: bytes, message: str
) -> None:
    server.answers["b"] = (kind, content)

    with pytest.raises(Unavailable, match=message):
        await speak(server.url, Phrase("Hello", "b"))


async def test_raw_samples_may_name_their_rate(server: SpeechServer) -> None:
    server.answers["b"] = ("audio/L16; rate=48000", bytes(96_000))

    assert abs(len(await speak(server.url, Phrase("Hello", "b"))) - 48_000) < 200


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


def test_an_engine_without_an_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="base-url"):
        OpenAiEngine(TtsSettings(zeroconf="off"))
