"""HTTP connections of hostile clients: limits hold, and other clients are served."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from tests.support.wire import TIMEOUT_SECONDS, raw_connection
from wyoming_common.http.server import listening
from wyoming_common.net.limits import Limits


@asynccontextmanager
async def door(limits: Limits) -> AsyncIterator[str]:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_route("*", "/", echo)
    async with listening(app, "http://127.0.0.1:0", "uri", limits) as uri:
        yield uri


async def ask(uri: str, body: bytes = b"hello") -> bytes:
    timeout = aiohttp.ClientTimeout(TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(uri, data=body) as response,
    ):
        assert response.status == 200
        return await response.read()


HALF = (
    b"",
    b"GET / HT",
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
)


@pytest.mark.parametrize("sent", HALF)
async def test_a_request_that_never_ends_is_given_up(sent: bytes) -> None:
    async with door(Limits(event_seconds=0.1)) as uri:
        async with raw_connection(uri, sent) as (reader, _):
            said = await asyncio.wait_for(reader.read(4096), TIMEOUT_SECONDS)

        assert said.startswith(b"HTTP/1.1 408") if b"\r\n\r\n" in sent else not said
        assert await ask(uri) == b"hello"


async def test_silent_connections_keep_no_client_out() -> None:
    async with door(Limits(connections=8, silent_seconds=0.0)) as uri, AsyncExitStack() as stack:
        for sent in HALF[:3] * 10:
            await stack.enter_async_context(raw_connection(uri, sent))

        assert await ask(uri) == b"hello"


async def test_past_the_limit_a_client_gets_status_503() -> None:
    limits = Limits(connections=1, connections_per_client=1)
    async with (
        door(limits) as uri,
        raw_connection(uri, HALF[3]) as (busy, writer),
        raw_connection(uri) as (other, _),
    ):
        said = await asyncio.wait_for(other.read(), TIMEOUT_SECONDS)
        writer.write(b"12345678")

        assert said.startswith(b"HTTP/1.1 503")
        assert (await busy.readline()).startswith(b"HTTP/1.1 200")


async def test_large_requests_wait_for_the_memory_that_others_hold() -> None:
    large = b"a" * 700_000
    async with door(Limits(memory_bytes=1_000_000)) as uri:
        answers = await asyncio.gather(*(ask(uri, large) for _ in range(8)))

    assert answers == [large] * 8


async def test_pipelined_requests_are_read_no_faster_than_they_are_answered() -> None:
    async with door(Limits(write_seconds=0.2)) as uri, raw_connection(uri) as (_, writer):
        wanted = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000

        # Unread answers fill the buffers, and then the connection is ended.
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(_send_for_ever(writer, wanted), TIMEOUT_SECONDS)


async def _send_for_ever(writer: asyncio.StreamWriter, content: bytes) -> None:
    while True:
        writer.write(content)
        await writer.drain()
