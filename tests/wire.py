"""Talking Wyoming in tests: every read has its own time-out, and says what it waited for."""

import asyncio

from wyoming.client import AsyncClient
from wyoming.event import Event, Eventable

SECONDS = 60.0
"""Generous: it only bounds a test that fails."""


async def receive(client: AsyncClient) -> Event:
    async with asyncio.timeout(SECONDS):
        event = await client.read_event()
    assert event is not None, "the server closed the connection"
    return event


async def receive_until(client: AsyncClient, kind: type[Eventable]) -> Event:
    """Skip events until one of `kind`, and return it."""
    while not kind.is_type((event := await receive(client)).type):
        pass
    return event
