"""Home Assistant's side of the Wyoming connection to a satellite."""

import asyncio

import numpy as np
from numpy.typing import NDArray
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event, Eventable

from satellite.audio.devices.files import FileMicrophone
from satellite.core.turn import TurnState
from satellite.drivers.wyoming import WyomingDriver
from tests.support.satellite_rig import SPEECH, WAKE, SatelliteRig
from tests.support.wire import receive, receive_until

COMMAND = ((0.3, 0), (0.3, WAKE), (0.8, 0), (1.0, SPEECH), (60.0, 0))
"""A wake word, a pause, a second of speech, and silence."""
REPLY_RATE = 22_050

WyomingRig = SatelliteRig[WyomingDriver]


class HomeAssistantClient:
    """One connection of Home Assistant to a satellite."""

    def __init__(self, rig: WyomingRig, uri: str = "") -> None:
        self._client = AsyncClient.from_uri(uri or rig.driver.uri)

    async def __aenter__(self) -> "HomeAssistantClient":
        await self._client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def send(self, *events: Eventable) -> None:
        for event in events:
            await self.send_event(event.event())

    async def send_event(self, event: Event) -> None:
        await self._client.write_event(event)

    async def receive(self) -> Event:
        return await receive(self._client)

    async def receive_until(self, kind: type[Eventable]) -> Event:
        return await receive_until(self._client, kind)

    async def send_reply(self, seconds: float) -> None:
        """Send a reply as Home Assistant does: all at once, in chunks of 2048 bytes."""
        samples = int(REPLY_RATE * seconds)
        pcm = (b"\x00\x20" * samples)[: samples * 2]
        await self.send(AudioStart(REPLY_RATE, 2, 1, timestamp=0))
        for offset in range(0, len(pcm), 2048):
            await self.send(AudioChunk(REPLY_RATE, 2, 1, pcm[offset : offset + 2048]))
        await self.send(AudioStop())

    def reset(self) -> None:
        """Break the connection without a farewell."""
        writer = self._client._writer
        assert writer is not None
        writer.transport.abort()


async def until(rig: WyomingRig, state: TurnState) -> None:
    """Wait until the turn machine is in a state."""
    async with asyncio.timeout(10):
        while rig.machine.state is not state:
            await rig.clock.until(rig.clock.now() + 0.03)


async def hears(rig: WyomingRig, seconds: float) -> None:
    """Wait until the satellite has taken the given amount more of its recording."""
    assert isinstance(rig.devices.microphone, FileMicrophone)
    end = rig.clock.now() + seconds
    async with asyncio.timeout(10):
        while rig.clock.now() < end:
            await rig.clock.until(rig.clock.now() + 0.03)


def loud_samples(pcm: bytes) -> NDArray[np.intp]:
    """Return the indexes of samples of mono s16le that are as loud as the rig's speech."""
    return np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > 5000)
