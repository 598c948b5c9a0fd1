"""The audio queue is bounded in memory, not only in seconds."""

import asyncio

from wyoming_common.audio.pcm import PcmFormat
from wyoming_stt.audio.audio_queue import AudioQueue, PcmChunk


async def test_chunks_of_one_byte_fill_the_queue_too() -> None:
    queue, taken = AudioQueue(max_bytes=4096), 0

    async def fill() -> None:
        nonlocal taken
        while True:
            await queue.put(PcmChunk(b"x", PcmFormat(), 0.0))
            taken += 1

    filling = asyncio.create_task(fill())
    for _ in range(1000):
        await asyncio.sleep(0)
    before = taken
    parts = await queue.get()
    for _ in range(1000):
        await asyncio.sleep(0)
    filling.cancel()
    await asyncio.wait([filling])

    assert before == len(parts) < 20
    assert taken == 2 * before
