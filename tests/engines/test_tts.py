"""The real voice behind the real service."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import numpy as np
import pytest
import pytest_asyncio
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncClient
from wyoming.info import Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from tests.support.wire import receive
from wyoming_common.model_thread import ModelThread
from wyoming_common.models import ModelStore
from wyoming_common.net.server import serve
from wyoming_tts.config import TtsSettings
from wyoming_tts.engines.piper.engine import DEFAULT_VOICE, PiperEngine
from wyoming_tts.handler import TtsHandler
from wyoming_tts.info import tts_info
from wyoming_tts.synthesis.synthesizer import Synthesizer

RATE = 22_050


@pytest.fixture(scope="module")
def settings(store: ModelStore) -> TtsSettings:
    return TtsSettings(voice=str(store.ensure(DEFAULT_VOICE)), zeroconf="off")


@pytest.fixture(scope="module")
def engine(settings: TtsSettings) -> PiperEngine:
    return PiperEngine(settings)


@pytest_asyncio.fixture
async def client(settings: TtsSettings, engine: PiperEngine) -> AsyncIterator[AsyncClient]:
    speech = Synthesizer(engine, settings)
    model = ModelThread("tts", speech.load)

    def info() -> Info:
        return tts_info("piper", engine)

    async with (
        serve("tcp://127.0.0.1:0", info, partial(TtsHandler, speech, model, settings)) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        yield client
    await model.aclose()


async def reply(client: AsyncClient) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    pcm = b""
    while not AudioStop.is_type((event := await receive(client)).type):
        assert event.type != "error", event.data
        if AudioChunk.is_type(event.type):
            pcm += event.payload or b""
    return np.frombuffer(pcm, np.int16)


async def test_a_sentence_becomes_speech_of_its_length(client: AsyncClient) -> None:
    await client.write_event(Synthesize(text="The living room lights are now on.").event())

    samples = await reply(client)

    assert 1.2 < len(samples) / RATE < 4
    assert np.abs(samples).max() > 5_000


async def test_streamed_text_becomes_speech(client: AsyncClient) -> None:
    await client.write_event(SynthesizeStart().event())
    for piece in ("I have set a ti", "mer. Anything", " else I can do for", " you?"):
        await client.write_event(SynthesizeChunk(text=piece).event())
    await client.write_event(SynthesizeStop().event())

    assert 2 < len(await reply(client)) / RATE < 6


@pytest.mark.parametrize(
    "text",
    [
        "",
        "🙂",
        "\x00\x07\x1b[0m\ufffe",
        "שלום עולם",
        "今天天气很好。",
        "a" * 2000,
        "?!.,;",
        "a.a.a.a." * 300,
        "ä.ö.ü." * 60,
    ],
)
async def test_any_text_ends_in_audio(client: AsyncClient, text: str) -> None:
    await client.write_event(Synthesize(text=text).event())

    assert len(await reply(client))


async def test_twenty_clients_at_once_all_get_their_whole_reply(
    settings: TtsSettings, engine: PiperEngine
) -> None:
    speech = Synthesizer(engine, settings.model_copy(update={"cache": 0}))
    model = ModelThread("tts", speech.load)
    text = "The kettle has boiled. The garage door is still open."

    def info() -> Info:
        return tts_info("piper", engine)

    async def one(uri: str) -> float:
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Synthesize(text=text).event())
            return len(await reply(client)) / RATE

    async with serve(
        "tcp://127.0.0.1:0", info, partial(TtsHandler, speech, model, settings)
    ) as uri:
        lengths = await asyncio.gather(*(one(uri) for _ in range(20)))
    await model.aclose()

    assert len(lengths) == 20
    assert all(2 < seconds < 6 for seconds in lengths)


async def test_a_hundred_thousand_characters_begin_at_once_and_end_with_the_client(
    client: AsyncClient,
) -> None:
    await client.write_event(Synthesize(text="and so on " * 10_000).event())

    heard = 0
    while heard < 2 * RATE:
        heard += len((await receive(client)).payload or b"")

    await client.disconnect()
