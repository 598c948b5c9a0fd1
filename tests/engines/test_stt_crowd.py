"""The real service with several clients at once, well-behaved and not."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import numpy as np
import pytest_asyncio
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info

from tests.engines.test_stt import DATA, needs_data, rows
from tests.support.wire import receive_until
from wyoming_common.audio.pcm import read_audio
from wyoming_common.models import ModelStore
from wyoming_common.net.server import serve
from wyoming_stt.config import SttSettings
from wyoming_stt.handler import SttHandler
from wyoming_stt.service import build


@pytest_asyncio.fixture
async def port(store: ModelStore) -> AsyncIterator[int]:
    model = str(store.ensure("tiny.en"))
    service = build(SttSettings(model=(model,), device="cpu", threads=2))
    async with serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri:
        yield int(uri.rpartition(":")[2])
    await service.aclose()


async def transcribe(port: int, pcm: bytes) -> str:
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(language="en").event())
        for at in range(0, len(pcm), 8192):
            await client.write_event(AudioChunk(16_000, 2, 1, pcm[at : at + 8192]).event())
        await client.write_event(AudioStop().event())
        return Transcript.from_event(await receive_until(client, Transcript)).text


@needs_data
async def test_eight_at_once_are_told_what_each_said_alone(port: int) -> None:
    chosen = [row for row in rows("command") if row["text"]][::17]
    recordings = [read_audio(DATA / row["audio"])[0] for row in chosen]
    alone = [await transcribe(port, pcm) for pcm in recordings]

    together = await asyncio.gather(*(transcribe(port, pcm) for pcm in recordings))

    assert len(recordings) == 8
    assert together == alone
    assert all(alone)


async def test_ten_minutes_of_noise_harm_nobody(port: int) -> None:
    noise = np.random.default_rng(1).normal(0, 2000, 16_000 * 60).astype("<i2").tobytes()
    async with AsyncTcpClient("127.0.0.1", port) as noisy:
        await noisy.write_event(AudioStart(16_000, 2, 1).event())

        async def roar() -> None:
            for _ in range(10):
                for at in range(0, len(noise), 65_536):
                    chunk = AudioChunk(16_000, 2, 1, noise[at : at + 65_536])
                    await noisy.write_event(chunk.event())
            await noisy.write_event(AudioStop().event())

        roaring = asyncio.create_task(roar())
        async with AsyncTcpClient("127.0.0.1", port) as other:
            await other.write_event(Describe().event())
            await receive_until(other, Info)
        async with asyncio.timeout(25):
            await roaring
            event = await noisy.read_event()
            while event is not None and not Transcript.is_type(event.type):
                event = await noisy.read_event()

    assert event is not None
    assert Transcript.from_event(event).text == ""
