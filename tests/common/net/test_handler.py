"""Connection handler of every service, over real TCP."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncClient, AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize

from tests.support.services import (
    TTS_INFO,
    SpeakingHandler,
    running_service,
    tts_info,
)
from tests.support.wire import answer_to, raw_connection, receive, receive_until
from wyoming_common.errors import ConfigError
from wyoming_common.net.limits import Limits
from wyoming_common.net.server import serve


@asynccontextmanager
async def service(limits: Limits | None = None) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Run SpeakingHandler; yields the URI and an event set whenever a job has ended."""
    ended = asyncio.Event()
    handler = partial(SpeakingHandler, job_ended=ended)
    async with running_service(tts_info, handler, limits) as uri:
        yield uri, ended


async def test_describe_and_ping_are_answered_while_a_job_runs() -> None:
    async with service() as (uri, _), AsyncClient.from_uri(uri) as client:
        await client.write_event(Synthesize("forever").event())
        await receive_until(client, AudioChunk)

        await client.write_event(Describe().event())
        described = Info.from_event(await receive(client))
        await client.write_event(Ping(text="there?").event())
        ponged = Pong.from_event(await receive(client))

    assert described.tts[0].name == "test"
    assert ponged.text == "there?"


async def test_a_job_dies_with_its_connection() -> None:
    async with service() as (uri, ended):
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Synthesize("forever").event())
            await receive_until(client, AudioChunk)
            assert not ended.is_set()

        await asyncio.wait_for(ended.wait(), 10)


async def test_a_job_stopped_before_its_first_step_is_closed() -> None:
    jobs = []
    ended = asyncio.Event()

    class Hasty(SpeakingHandler):
        async def on_request(self, event: Event) -> None:
            jobs.append(self.speak(Synthesize.from_event(event).text))
            await self.start(jobs[-1])
            await self.stop_job()

    async with (
        running_service(tts_info, partial(Hasty, job_ended=ended)) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        await client.write_event(Synthesize("hello").event())
        await client.write_event(Ping().event())
        await receive_until(client, Pong)

    # Else Python complains that it was never awaited.
    assert [inspect.getcoroutinestate(job) for job in jobs] == [inspect.CORO_CLOSED]
    assert not ended.is_set()


async def test_a_new_request_replaces_the_one_in_progress() -> None:
    async with service() as (uri, ended), AsyncClient.from_uri(uri) as client:
        await client.write_event(Synthesize("forever").event())
        await receive_until(client, AudioChunk)

        await client.write_event(Synthesize("next").event())
        chunk = AudioChunk.from_event(await receive(client))

        assert chunk.audio == b"next"
        assert ended.is_set()
        await receive_until(client, AudioStop)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [("refuse", "bad-audio", "not like this"), ("bug", "internal", "see the service log")],
)
async def test_a_failed_job_is_one_error_event_and_the_connection_stays_usable(
    text: str, code: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with service() as (uri, _), AsyncClient.from_uri(uri) as client:
        await client.write_event(Synthesize(text).event())
        error = Error.from_event(await receive(client))
        await client.write_event(Synthesize("again").event())
        await receive_until(client, AudioStop)

    assert error.code == code
    assert says in error.text
    assert "a secret path" not in error.text
    traceback = any(record.exc_info for record in caplog.records if record.levelno > logging.DEBUG)
    assert traceback == (text == "bug")


async def test_an_event_without_its_fields_is_refused_and_the_connection_stays_usable() -> None:
    async with service() as (uri, _), AsyncClient.from_uri(uri) as client:
        await client.write_event(Event("synthesize", {"texxt": "?"}))
        error = Error.from_event(await receive(client))
        await client.write_event(Synthesize("again").event())
        await receive_until(client, AudioStop)

    assert error.code == "bad-request"
    assert error.text == "synthesize: malformed event: 'text' is missing"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "bad-request"),
        (b"[]\n", "bad-request"),
        (b'{"type": 7}\n', "bad-request"),
        (b'{"type": "describe", "data": []}\n', "bad-request"),
        (b'{"type": "describe", "data_length": -1}\n', "bad-request"),
        (b'{"type": "describe", "data_length": true}\n', "bad-request"),
        (b'{"type": "describe", "data_length": 3}\n{]}', "bad-request"),
        (b'{"type": "describe", "payload_length": 99999999999}\n', "too-large"),
        (b'{"type": "describe", "data_length": 99999999999}\n', "too-large"),
        (b'{"type": "' + 70_000 * b"a" + b'"}\n', "too-large"),
        (100_000 * b"[" + b"\n", "too-large"),
        (30_000 * b"[" + b"\n", "bad-request"),
    ],
)
async def test_bytes_that_are_no_event_get_an_error_and_the_service_lives_on(
    sent: bytes, code: str
) -> None:
    async with service() as (uri, _):
        answer, rest = await answer_to(uri, sent)
        again, _ = await answer_to(uri, b'{"type": "ping"}\n{"type": "nonsense"\n')

    assert (answer["type"], answer["code"]) == ("error", code)
    assert rest == b""
    assert again["type"] == "pong"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=st.lists(st.binary(max_size=300), max_size=4))
def test_no_bytes_end_the_service(sent: list[bytes]) -> None:
    async def check() -> str:
        async with service(Limits(event_seconds=0.2)) as (uri, _):
            async with raw_connection(uri) as (_, writer):
                writer.writelines(sent)
                writer.write_eof()
            again, _ = await answer_to(uri, b'{"type": "ping"}\n\n')
            return str(again["type"])

    assert asyncio.run(check()) == "pong"


async def test_an_event_that_never_arrives_whole_is_given_up() -> None:
    async with service(Limits(event_seconds=0.05)) as (uri, _):
        answer, _ = await answer_to(uri, b'{"type": "synthesize", "payload_length": 10}\nabc')

    assert answer["code"] == "timed-out"


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    async with service(Limits(idle_seconds=0.05)) as (uri, _):
        answer, _ = await answer_to(uri, b"")
        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Synthesize("forever").event())
            await receive_until(client, AudioChunk)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.read_event(), 0.2)

    assert answer["code"] == "timed-out"


async def test_a_client_that_stops_reading_is_dropped() -> None:
    async with (
        service(Limits(write_seconds=0.1)) as (uri, ended),
        raw_connection(uri) as (_, writer),
    ):
        writer.write(b'{"type": "synthesize", "data": {"text": "flood"}}\n')

        assert await asyncio.wait_for(ended.wait(), 10)


async def test_many_describe_requests_cost_no_more_than_one() -> None:
    made = 0

    def info() -> Info:
        nonlocal made
        made += 1
        return TTS_INFO

    async with (
        running_service(info, SpeakingHandler) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        began = asyncio.get_running_loop().time()
        for _ in range(200):
            await client.write_event(Describe().event())
            assert Info.is_type((await receive(client)).type)
        seconds = asyncio.get_running_loop().time() - began

    assert 1 <= made <= 1 + seconds * 10


async def test_a_request_too_many_is_refused_and_describe_is_still_answered() -> None:
    async with service(Limits(connections=1)) as (uri, _), AsyncClient.from_uri(uri) as first:
        await first.write_event(Synthesize("forever").event())
        await receive_until(first, AudioChunk)

        async with AsyncClient.from_uri(uri) as second:
            await second.write_event(Describe().event())
            described = await receive(second)
        answer, rest = await answer_to(uri, b'{"type": "synthesize", "data": {"text": "one"}}\n')

    assert Info.is_type(described.type)
    assert answer["code"] == "busy"
    assert rest == b""


async def test_stopping_the_service_ends_its_jobs_and_does_not_wait_for_a_stuck_client() -> None:
    async with asyncio.timeout(10):
        async with service() as (uri, ended):
            host, _, port = uri.removeprefix("tcp://").rpartition(":")
            client = AsyncTcpClient(host, int(port))
            await client.connect()
            await client.write_event(Synthesize("flood").event())
            await receive_until(client, AudioChunk)

    assert ended.is_set()
    await client.disconnect()


async def test_a_unix_socket_serves_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "tts.sock"

    async with (
        serve(f"unix://{path}", tts_info, SpeakingHandler) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        await client.write_event(Describe().event())
        assert Info.is_type((await receive(client)).type)

    assert not path.exists()


async def test_a_port_in_use_is_one_clear_line() -> None:
    async with service() as (uri, _):
        with pytest.raises(ConfigError, match=f"Cannot listen on {uri}.*in use"):
            async with serve(uri, tts_info, SpeakingHandler):
                pass


@pytest.mark.parametrize(
    "uri",
    ["", "10300", "tcp://", "tcp://host", "tcp://h:port", "tcp://h:99999", "http://h:1",
     "unix://", "tcp://[::1", "tcp://no.such.host.invalid:1"],
)  # fmt: skip
async def test_an_address_that_cannot_be_used_is_one_clear_line(uri: str) -> None:
    with pytest.raises(ConfigError) as caught:
        async with serve(uri, tts_info, SpeakingHandler):
            pass

    assert uri in str(caught.value)
    assert "\n" not in str(caught.value)
