"""Audio on its way is bounded in what it takes, not only in what it lasts."""

import asyncio

from wyoming_common.audio import PcmFormat
from wyoming_stt.audio_queue import AudioQueue
from wyoming_stt.listener import Pcm


async def test_pieces_of_a_byte_fill_it_as_well() -> None:
    queue, taken = AudioQueue(limit=4096), 0

    async def fill() -> None:
        nonlocal taken
        while True:
            await queue.put(Pcm(b"x", PcmFormat(), 0.0))
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
