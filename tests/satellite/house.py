"""Home Assistant's side of the connection to a satellite."""

import asyncio

import numpy as np
from numpy.typing import NDArray
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event, Eventable

from satellite.devices.device import FRAME_SECONDS
from satellite.devices.files import FileMicrophone
from satellite.homeassistant import Assistant
from satellite.turn import State
from tests.satellite.rig import SPEECH, WAKE
from tests.wire import receive, receive_until

COMMAND = ((0.3, 0), (0.3, WAKE), (0.8, 0), (1.0, SPEECH), (60.0, 0))
RATE = 22_050


class House:
    """Home Assistant's side of the connection."""

    def __init__(self, satellite: Assistant, uri: str = "") -> None:
        self._client = AsyncClient.from_uri(uri or satellite.uri)

    async def __aenter__(self) -> "House":
        await self._client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def say(self, *events: Eventable) -> None:
        for event in events:
            await self._client.write_event(event.event())

    async def hear(self) -> Event:
        return await receive(self._client)

    async def hear_until(self, kind: type[Eventable]) -> Event:
        return await receive_until(self._client, kind)

    async def reply(self, seconds: float) -> None:
        """Send a reply as Home Assistant does: all at once, in chunks of 2048 bytes."""
        pcm = (b"\x00\x20" * int(RATE * seconds))[: int(RATE * seconds) * 2]
        await self.say(AudioStart(RATE, 2, 1, timestamp=0))
        for offset in range(0, len(pcm), 2048):
            await self.say(AudioChunk(RATE, 2, 1, pcm[offset : offset + 2048]))
        await self.say(AudioStop())


async def until(satellite: Assistant, state: State) -> None:
    clock = satellite.body.clock
    async with asyncio.timeout(10):
        while satellite.machine.state is not state:
            await clock.until(clock.now() + 0.03)


async def hears(satellite: Assistant, seconds: float) -> None:
    """Wait until the satellite has heard so much more of its recording."""
    clock, microphone = satellite.body.clock, satellite.body.microphone
    assert isinstance(microphone, FileMicrophone)
    end = microphone._frames + seconds / FRAME_SECONDS
    async with asyncio.timeout(10):
        while microphone._frames < end:
            await clock.until(clock.now() + 0.03)


def loud_samples(pcm: bytes) -> NDArray[np.intp]:
    """Return which samples of mono s16le are as loud as speech in the rig."""
    return np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > 5000)
