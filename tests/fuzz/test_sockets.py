"""Any frames at the WebSockets: the event socket of a satellite, and that of the page."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import aiohttp
from hypothesis import given, settings
from hypothesis import strategies as st

from satellite.peripherals.websocket import EventSocket
from tests.dashboard.rig import dashboard
from tests.fuzz.targets import no_bugs

NOWHERE = ["--stt=tcp://127.0.0.1:9", "--llm=tcp://127.0.0.1:9", "--tts=tcp://127.0.0.1:9"]
ORDERS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["do", "gain", "x"]),
            inner | st.sampled_from(["press", "stop", "mute", "unmute", "volume"]),
        )
    ),
    max_leaves=5,
)


class Pressed:
    """Counts orders; a satellite's own doing is tested elsewhere."""

    def __init__(self) -> None:
        self.orders: list[Any] = []

    def press(self) -> None:
        self.orders.append("press")

    def stop(self) -> None:
        self.orders.append("stop")

    def mute(self, *, on: bool) -> None:
        self.orders.append(on)

    def set_volume(self, gain: float) -> None:
        assert 0 <= gain <= 4
        self.orders.append(gain)


def frame(random: Random, content: bytes) -> bytes:
    """Return a WebSocket frame as RFC 6455 has it, or nearly."""
    code = random.choice([0x81] * 6 + [0x82, 0x01, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x83, 0xC1, 0xF1])
    size = random.choice([len(content)] * 8 + [0, 125, 126, 127, 2**16, 2**63 - 1, 2**64 - 1])
    masked = 0x80 if random.random() < 0.9 else 0
    if size < 126:
        head = bytes([code, masked | size])
    elif size < 2**16 and random.random() < 0.9:
        head = bytes([code, masked | 126]) + size.to_bytes(2)
    else:
        head = bytes([code, masked | 127]) + size.to_bytes(8)
    key = random.randbytes(4) if masked else b""
    body = bytes(b ^ key[n % 4] for n, b in enumerate(content)) if key else content
    return head + key + body


async def upgraded(uri: str, path: str, origin: str = "") -> asyncio.StreamWriter:
    """Open a WebSocket by hand."""
    host, _, port = uri.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"{f'Origin: {origin}' if origin else 'X: y'}\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readline()
    return writer


@asynccontextmanager
async def event_socket() -> AsyncIterator[tuple[EventSocket, Pressed]]:
    controls = Pressed()
    async with EventSocket("http://127.0.0.1:0", controls, ["127.0.0.0/8"]) as door:
        yield door, controls


@settings(max_examples=40, deadline=None)
@given(st.lists(ORDERS, max_size=6), st.integers(0, 2**32))
def test_any_frames_leave_the_event_door_open(orders: list[Any], seed: int) -> None:
    random = Random(seed)  # noqa: S311 - repeatable

    async def check() -> None:
        async with event_socket() as (door, controls):
            writer = await upgraded(door.uri, "/events")
            for order in orders:
                writer.write(frame(random, json.dumps(order).encode()))
            with suppress(ConnectionError):
                await writer.drain()
            async with (
                aiohttp.ClientSession() as http,
                http.ws_connect(f"{door.uri}/events") as honest,
            ):
                assert (await honest.receive_json(timeout=10))["event"] == "idle"
                await honest.send_json({"do": "press"})
                await honest.send_json({"do": "?"})
                assert "error" in await honest.receive_json(timeout=10)
            assert "press" in controls.orders
            writer.transport.abort()

    with no_bugs():
        asyncio.run(check())


async def test_any_frames_leave_the_page_and_its_talk_whole() -> None:
    random = Random(1)  # noqa: S311 - repeatable
    with no_bugs():
        async with dashboard(talk=NOWHERE) as shown, aiohttp.ClientSession() as http:
            for _ in range(2):
                writer = await upgraded(shown.uri, "/api/talk?rate=16000", shown.uri)
                with suppress(ConnectionError):
                    for _ in range(60):
                        writer.write(frame(random, random.randbytes(random.choice([0, 1, 640]))))
                        await writer.drain()
                writer.transport.abort()

            async with http.get(f"{shown.uri}/api/state") as answer:
                state = await answer.json()
                assert state["may_talk"]
            async with (
                asyncio.timeout(60),
                http.ws_connect(
                    f"{shown.uri}/api/talk?rate=16000", headers={"Origin": shown.uri}
                ) as honest,
            ):
                news = await honest.receive()
                while news.type is aiohttp.WSMsgType.BINARY:
                    news = await honest.receive()
                told = json.loads(news.data)
                assert told["event"] in ("ready", "failed")
                assert "talk already" not in told.get("reason", "")
