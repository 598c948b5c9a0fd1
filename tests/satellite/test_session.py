"""The line to Home Assistant: small pieces while it is fast, larger ones when it is slow."""

import asyncio

from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Info
from wyoming.satellite import RunSatellite

from satellite.session import Session
from tests.wire import receive
from wyoming_common.limits import Limits
from wyoming_common.server import serve

FRAME = bytes(320)
"""10 ms"""


class Owner:
    """Sends frames to whoever connects, `at_once` of them before it lets anything go."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once

    def received(self, session: Session, event: Event) -> None:
        for _ in range(self._at_once):
            session.send_audio(FRAME)
        session.send(RunSatellite().event())

    def left(self, session: Session) -> None:
        pass


async def chunks(at_once: int) -> list[float]:
    """Return how long each piece is, in milliseconds, when so many frames wait for the line."""

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Session:
        return Session(Owner(at_once), "", Info, Limits(), reader, writer)

    sizes = []
    async with serve("tcp://127.0.0.1:0", handler) as uri, AsyncClient.from_uri(uri) as client:
        await client.write_event(RunSatellite().event())
        while AudioChunk.is_type((event := await receive(client)).type):
            sizes.append(len(AudioChunk.from_event(event).audio) / 32)
    return sizes


async def test_on_a_fast_line_a_piece_is_one_frame() -> None:
    assert await chunks(1) == [10]


async def test_what_waits_goes_in_pieces_of_a_tenth_of_a_second_and_loses_nothing() -> None:
    sizes = await chunks(95)

    assert sum(sizes) == 950
    assert max(sizes) == 100
    assert len(sizes) == 10
