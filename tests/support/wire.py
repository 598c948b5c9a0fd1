"""Wyoming clients for tests: reads with a time limit, and connections that send any bytes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from wyoming.client import AsyncClient
from wyoming.event import Event, Eventable

TIMEOUT_SECONDS = 60.0
"""Generous, because it only bounds a test that fails."""


async def receive(client: AsyncClient) -> Event:
    """Return the next event; fails the test when the server closes the connection instead."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        event = await client.read_event()
    assert event is not None, "the server closed the connection"
    return event


async def receive_until(client: AsyncClient, kind: type[Eventable]) -> Event:
    """Skip events until one of `kind`, and return it."""
    while not kind.is_type((event := await receive(client)).type):
        pass
    return event


@asynccontextmanager
async def raw_connection(
    uri: str, sent: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to `uri` (tcp or http), send some bytes, and abort the connection at the end."""
    host, _, port = uri.partition("://")[2].rpartition(":")
    host = host.strip("[]")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent)
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def answer_to(uri: str, sent: bytes) -> tuple[dict[str, Any], bytes]:
    """Send bytes; return the first event that comes back (header and data) and what follows it."""
    async with raw_connection(uri, sent) as (reader, _), asyncio.timeout(TIMEOUT_SECONDS):
        header = json.loads(await reader.readline())
        data = json.loads(await reader.readexactly(header.get("data_length", 0)) or b"{}")
        return header | data, await reader.read()
