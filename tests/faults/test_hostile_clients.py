"""Hostile clients of the services: other clients are served, and nothing is left behind."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import ClassVar

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, Eventable
from wyoming.handle import Handled
from wyoming.tts import Synthesize

from tests.fuzz.events import encode
from tests.fuzz.targets import LIMITS, TARGETS, Target, no_bugs, stt
from tests.stt.fakes import FakeEngine, LoudnessVadStream, speech
from tests.support.wire import receive, receive_until
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.limits import Limits
from wyoming_common.net.server import serve
from wyoming_stt.audio.vad import Probabilities
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import SttEngine
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import stt_programs
from wyoming_stt.service import SttService

every_service = pytest.mark.parametrize("service", sorted(TARGETS))
REQUESTS = {
    "stt": encode("audio-start", {"rate": 16_000, "width": 2, "channels": 1})
    + encode("audio-chunk", {"rate": 16_000, "width": 2, "channels": 1}, speech(0.5))
    + encode("audio-stop", {}),
    "tts": encode("synthesize", {"text": "One two."}),
    "llm": encode("transcript", {"text": "One two."}),
}
UNFINISHED = {
    "stt": encode("transcribe", {})
    + encode("audio-start", {"rate": 16_000, "width": 2, "channels": 1}),
    "tts": encode("synthesize-start", {}) + encode("synthesize-chunk", {"text": "One"}),
}
LAST: dict[str, type[Eventable]] = {"stt": Transcript, "tts": AudioStop, "llm": Handled}


@asynccontextmanager
async def attacked(service: str, limits: Limits = LIMITS) -> AsyncIterator[Target]:
    """Run a service; fails if it logs a traceback."""
    with no_bugs():
        async with TARGETS[service](limits) as target:
            yield target


@asynccontextmanager
async def raw(target: Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = target.uri.removeprefix("tcp://").rpartition(":")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)  # soon full
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=sock)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answered(service: str, target: Target) -> bool:
    """Send a request; return whether the last event of its answer arrives."""
    async with AsyncClient.from_uri(target.uri) as client:
        await _send(client, REQUESTS[service])
        return LAST[service].is_type((await receive_until(client, LAST[service])).type)


async def _send(client: AsyncClient, content: bytes) -> None:
    writer = client._writer
    assert writer is not None
    writer.write(content)
    await writer.drain()


async def _flood(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(encode("describe", {}) * 100)
        await writer.drain()


async def _error(client: AsyncClient) -> str:
    return Error.from_event(await receive_until(client, Error)).code or ""


@every_service
async def test_silent_connections_keep_no_client_out(service: str) -> None:
    async with (
        attacked(service, Limits(connections=8, silent_seconds=0.0)) as target,
        AsyncExitStack() as s,
    ):
        for sent in (b"", b'{"type": "pi', b"", b'{"type": "ping", "payload_length": 9}\nx') * 10:
            _, writer = await s.enter_async_context(raw(target))
            writer.write(sent)

        assert await answered(service, target)


@pytest.mark.parametrize("service", sorted(UNFINISHED))
async def test_endless_requests_keep_no_client_out(service: str) -> None:
    limits = Limits(connections=8, silent_seconds=0.0, waiting_seconds=0.0)
    async with (
        attacked(service, limits) as target,
        AsyncExitStack() as s,
    ):
        for _ in range(20):
            _, writer = await s.enter_async_context(raw(target))
            writer.write(UNFINISHED[service])

        assert await answered(service, target)


@pytest.mark.parametrize("service", sorted(UNFINISHED))
async def test_a_request_that_never_ends_is_given_up(service: str) -> None:
    async with attacked(service, Limits(stall_seconds=0.1)) as target:
        async with AsyncClient.from_uri(target.uri) as client:
            await _send(client, UNFINISHED[service])

            assert await _error(client) == "timed-out"
        assert await target.at_rest()


@every_service
async def test_a_header_that_trickles_in_is_given_up(service: str) -> None:
    async with (
        attacked(service, Limits(event_seconds=0.1)) as target,
        AsyncClient.from_uri(target.uri) as client,
    ):
        await _send(client, b'{"type": ')

        assert await _error(client) == "timed-out"


async def test_a_client_that_never_reads_holds_no_model() -> None:
    async with attacked("tts") as target, AsyncExitStack() as stack:
        for _ in range(8):
            _, writer = await stack.enter_async_context(raw(target))
            writer.write(encode("synthesize", {"text": "forever"}))

        assert await answered("tts", target)


@every_service
async def test_a_client_that_floods_without_reading_is_dropped_and_others_are_served(
    service: str,
) -> None:
    async with attacked(service, Limits(write_seconds=0.2)) as target:
        async with raw(target) as (_, writer):
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(_flood(writer), 10)
        assert await answered(service, target)
        assert await target.at_rest()


@every_service
async def test_two_requests_at_once_on_one_connection_leave_it_usable(service: str) -> None:
    async with (
        attacked(service) as target,
        AsyncClient.from_uri(target.uri) as client,
    ):
        await _send(client, REQUESTS[service] * 2)
        await receive_until(client, LAST[service])
        await _send(client, REQUESTS[service])
        last = await receive_until(client, LAST[service])

    assert LAST[service].is_type(last.type)


@every_service
async def test_a_hang_up_at_every_byte_leaves_nothing_behind(service: str) -> None:
    whole = REQUESTS[service][-200:] if service == "stt" else REQUESTS[service]
    async with attacked(service) as target:
        for end in range(len(whole)):
            async with raw(target) as (_, writer):
                writer.write(whole[:end])
                await writer.drain()

        assert await target.at_rest()
        assert await answered(service, target)


async def test_audio_without_end_ends() -> None:
    chunk = AudioChunk(16_000, 2, 1, speech(1.0)).event()
    async with (
        attacked("stt", Limits(audio_seconds=3)) as target,
        AsyncClient.from_uri(target.uri) as client,
    ):
        for _ in range(5):
            await client.write_event(chunk)

        assert await _error(client) == "too-large"
        await _send(client, REQUESTS["stt"])
        await receive_until(client, Transcript)


async def test_hours_of_audio_in_one_event_are_heard_a_few_seconds_at_a_time() -> None:
    class Ears(LoudnessVadStream):
        heard: ClassVar[list[int]] = []

        def process(self, frames: bytes) -> Probabilities:
            self.heard.append(len(frames))
            return super().process(frames)

    vad = type("OneModel", (), {"stream": staticmethod(Ears)})
    engine: ModelThread[SttEngine] = ModelThread("stt", FakeEngine)
    [program] = stt_programs(["one"], [("en",)])
    service = SttService(SttSettings(), [(program, engine)], ModelThread("vad", vad))
    async with (
        serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        hour = {"rate": 4_000, "width": 1, "channels": 1}
        await _send(client, encode("audio-chunk", hour, b"\x80" * 4_000_000))
        await client.write_event(AudioStop().event())
        await receive_until(client, Transcript)
    await service.aclose()

    assert sum(Ears.heard) > 900 * 32_000
    assert max(Ears.heard) <= 5 * 32_000


async def test_text_of_100000_characters_does_not_keep_others_waiting() -> None:
    async with (
        attacked("llm") as target,
        AsyncClient.from_uri(target.uri) as client,
    ):
        await client.write_event(Event("transcript", {"text": "word " * 20_000}))

        assert (await receive(client)).type == "not-handled"
    async with (
        attacked("tts") as target,
        AsyncClient.from_uri(target.uri) as client,
    ):
        await client.write_event(Synthesize("word " * 20_000).event())

        assert await _error(client) == "too-large"


@every_service
async def test_a_client_that_sends_too_much_can_read_the_reason(service: str) -> None:
    too_much = b'{"type": "audio-chunk", "payload_length": 9000000}\n' + bytes(9_000_000)
    async with attacked(service) as target, raw(target) as (reader, writer):
        writer.write(too_much)

        header = await asyncio.wait_for(reader.readline(), 10)

        assert b'"error"' in header


async def test_a_client_that_leaves_behind_unread_audio_leaves_no_work() -> None:
    hold = threading.Event()

    class Waiting(LoudnessVadStream):
        def process(self, frames: bytes) -> Probabilities:
            hold.wait(10)
            return super().process(frames)

    class WaitingModel:
        stream = staticmethod(Waiting)

    hour = {"rate": 4_000, "width": 1, "channels": 1}
    with no_bugs():
        async with stt(Limits(abandoned_seconds=0.05), WaitingModel) as target:
            async with raw(target) as (_, writer):
                writer.write(encode("audio-chunk", hour, bytes(4_000_000)) + bytes(200_000))
                while not target.handled["audio-chunk"]:
                    await target.check()
            assert await target.without_connections()
            hold.set()
