"""HTTP server: broken requests are refused in one line, without a traceback in the log."""

import asyncio
import gzip
import logging
import zlib
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web

from tests.common.http.test_connections import ask, door
from tests.support.wire import TIMEOUT_SECONDS, raw_connection
from wyoming_common.http.cross_origin import is_own_page, no_foreign_pages
from wyoming_common.http.metrics import serve_metrics
from wyoming_common.http.server import listening
from wyoming_common.net.limits import Limits
from wyoming_common.telemetry.recorder import Telemetry

_POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
_SMUGGLED = b"\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
STRANGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 600,
    "two lengths": _POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "a length and chunks": _POST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    + _SMUGGLED,
    "a negative length": _POST + b"Content-Length: -2\r\n\r\n{}",
    "an endless length": _POST + b"Content-Length: 9999999999999999999999\r\n\r\n{}",
    "a chunk of any size": _POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n{",
    "trailers without end": _POST
    + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    + b"X-A: b\r\n" * 30_000,
    "a header that goes on": _POST + b"X: a\r\n b\r\n\r\n",
    "a header without end": b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000,
    "headers without end": b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 30_000,
    "an address without end": b"GET /?" + b"a" * 100_000,
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "bytes in a header": b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
}


@pytest.mark.parametrize("name", STRANGE)
async def test_a_broken_request_is_refused_in_one_log_line(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with door(Limits()) as uri:
        async with raw_connection(uri, STRANGE[name]) as (reader, _):
            try:
                said = await reader.readexactly(12)
            except (ConnectionError, asyncio.IncompleteReadError):
                said = b"HTTP/1.1 400"  # it was still sending

        assert said[8:] == b" 400"
        assert await ask(uri) == b"hello"
    assert not [record for record in caplog.records if record.exc_info]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gzip", gzip.compress(bytes(50_000_000))),
        ("deflate", zlib.compress(bytes(50_000_000))),
        ("GZIP", b"abcde"),
        ("br, gzip", b"{}"),
    ],
    ids=["gzip", "deflate", "not compressed", "twice"],
)
async def test_a_body_that_is_compressed_is_refused_unopened(name: str, body: bytes) -> None:
    timeout = aiohttp.ClientTimeout(TIMEOUT_SECONDS)
    async with door(Limits()) as uri, aiohttp.ClientSession(timeout=timeout) as session:
        answer = await session.post(uri, data=body, headers={"Content-Encoding": name})

        assert answer.status == 415
        assert await ask(uri) == b"hello"


async def test_a_web_socket_that_is_cut_while_we_answer_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    over = asyncio.Event()

    async def listen(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        try:
            async for _ in socket:
                pass
        finally:
            over.set()
        return socket

    app = web.Application()
    app.router.add_get("/", listen)
    async with listening(app, "http://127.0.0.1:0", "uri") as uri:
        async with raw_connection(uri, _UPGRADE) as (reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            with suppress(TimeoutError):  # as soon as nothing more goes in
                await asyncio.wait_for(_ping_for_ever(writer), 0.5)
        await asyncio.wait_for(over.wait(), TIMEOUT_SECONDS)

    assert not [record for record in caplog.records if record.exc_info]


async def _ping_for_ever(writer: asyncio.StreamWriter) -> None:
    ping = b"\x89\xe4" + bytes(4) + b"x" * 100
    while True:
        writer.write(ping * 1000)
        await writer.drain()


@pytest.mark.parametrize("since", ["9" * 5000, "-1", "\u0663", ""])
async def test_an_impossible_since_gives_all_records(since: str) -> None:
    async with (
        serve_metrics("http://127.0.0.1:0", Telemetry("stt")) as uri,
        aiohttp.ClientSession() as session,
        session.get(f"{uri}/trace", params={"since": since}) as answer,
    ):
        assert answer.status == 200
        assert (await answer.json())["records"] == []


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        (None, None, 200),
        ("app://program", None, 200),
        ("http://{here}", None, 200),
        ("http://known.example:8123", None, 200),
        ("http://evil.example", None, 403),
        ("http://127.0.0.1:1", None, 403),
        ("null", None, 403),
        ("http://evil.example", "evil.example", 403),
        ("http://[", "[", 403),
    ],
)
async def test_pages_of_other_sites_are_refused_also_under_a_name_that_they_gave_us(
    origin: str | None, host: str | None, status: int
) -> None:
    async def yes(_: web.Request) -> web.Response:
        return web.Response(text="yes")

    app = web.Application(middlewares=[no_foreign_pages(["http://known.example:8123"])])
    app.router.add_post("/", yes)
    async with listening(app, "http://127.0.0.1:0", "uri") as uri, aiohttp.ClientSession() as http:
        headers = {"Origin": origin.format(here=uri[7:])} if origin else {}
        headers |= {"Host": host} if host else {}
        async with http.post(uri, headers=headers) as answer:
            assert answer.status == status


def test_a_program_is_no_page_of_ours() -> None:
    from aiohttp.test_utils import make_mocked_request

    assert not is_own_page(make_mocked_request("GET", "/", headers={"Host": "127.0.0.1"}))
