"""Delay of a satellite's answer to a ping while it plays, and while replies come in all at once."""

import asyncio
import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.ping import Ping, Pong
from wyoming.satellite import RunSatellite

from parley.supervise.processes import ChildProcess, ProgramSpec

_RATE = 22_050
_EVERY_SECONDS = 0.05
_REPLY_SECONDS = 20


def ping(seconds: float) -> Iterator[dict[str, Any]]:
    """Ping as Home Assistant does, more often, and send it reply after reply meanwhile."""
    waits = sorted(asyncio.run(_waits(seconds)))
    p50, p99 = np.percentile(waits, [50, 99])
    print(
        f"ping, {len(waits)} of them while replies play: p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"longest {waits[-1]:.1f} ms"
    )
    counts = {"count": len(waits), "p50_ms": p50, "p99_ms": p99, "longest_ms": waits[-1]}
    yield {"what": "ping"} | {name: round(value, 1) for name, value in counts.items()}


async def _waits(seconds: float) -> list[float]:
    with TemporaryDirectory() as folder:
        quiet = np.random.default_rng(0).normal(0, 10, int(seconds + 20) * 16_000)
        soundfile.write(f"{folder}/mic.wav", quiet.astype(np.int16), 16_000)
        files = (f"--mic=file:{folder}/mic.wav", f"--speaker=file:{folder}/speaker.wav")
        given = ("--uri=tcp://127.0.0.1:0", "--no-zeroconf", "--echo-cancellation=on", *files)
        child = await ChildProcess.start(ProgramSpec("satellite", "satellite", given))
        try:
            async with AsyncClient.from_uri(child.uri) as client:
                return await _ping(client, seconds)
        finally:
            await child.stop()


async def _ping(client: AsyncClient, seconds: float) -> list[float]:
    await client.write_event(RunSatellite().event())
    waits: list[float] = []
    end, reply_at = time.monotonic() + seconds, 0.0
    while (now := time.monotonic()) < end:
        if now >= reply_at:
            reply_at = now + _REPLY_SECONDS / 4
            await _reply(client)
        sent = time.monotonic()
        await client.write_event(Ping().event())
        while (event := await client.read_event()) is not None and not Pong.is_type(event.type):
            pass
        assert event is not None, "the satellite hung up"
        waits.append((time.monotonic() - sent) * 1000)
        await asyncio.sleep(_EVERY_SECONDS)
    return waits


async def _reply(client: AsyncClient) -> None:
    """Send a reply in chunks of 2048 bytes, as fast as it goes."""
    time_ = np.arange(_RATE * _REPLY_SECONDS) / _RATE
    pcm = (np.sin(2 * np.pi * 440 * time_) * 5000).astype("<i2").tobytes()
    await client.write_event(AudioStart(_RATE, 2, 1).event())
    for at in range(0, len(pcm), 2048):
        await client.write_event(AudioChunk(_RATE, 2, 1, pcm[at : at + 2048]).event())
    await client.write_event(AudioStop().event())
