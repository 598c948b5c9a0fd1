"""Connections of Home Assistant: audio in small pieces while they are fast, else in larger ones."""

from functools import partial

from wyoming.audio import AudioChunk
from wyoming.event import Event
from wyoming.info import Info
from wyoming.satellite import RunSatellite

from satellite.wyoming.ha_connections import HaConnection
from tests.support.services import connected_client
from tests.support.wire import receive

FRAME = bytes(320)
"""10 ms"""


class Owner:
    """Sends `at_once` frames at once for each event."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once

    def refusal(self) -> None:
        return None

    def received(self, connection: HaConnection, event: Event) -> None:
        for _ in range(self._at_once):
            connection.send_audio(FRAME)
        connection.send(RunSatellite().event())

    def lost(self, connection: HaConnection) -> None:
        pass


async def chunks(at_once: int) -> list[float]:
    """Return the milliseconds of each piece when `at_once` frames wait for the connection."""
    handler = partial(HaConnection, Owner(at_once), "")
    sizes = []
    async with connected_client(Info, handler) as client:
        await client.write_event(RunSatellite().event())
        while AudioChunk.is_type((event := await receive(client)).type):
            sizes.append(len(AudioChunk.from_event(event).audio) / 32)
    return sizes


async def test_a_fast_connection_gets_pieces_of_one_frame() -> None:
    assert await chunks(1) == [10]


async def test_waiting_audio_goes_in_pieces_of_a_tenth_of_a_second_and_is_whole() -> None:
    sizes = await chunks(95)

    assert sum(sizes) == 950
    assert max(sizes) == 100
    assert len(sizes) == 10
