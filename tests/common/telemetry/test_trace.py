"""Traces: the stages of a turn, stamped by the events of a job."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Info
from wyoming.tts import Synthesize

from tests.support.clock import ManualClock
from tests.support.wire import receive, receive_until
from wyoming_common.errors import Busy, ConfigError
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.server import serve
from wyoming_common.telemetry.recorder import (
    TRACE_QUERY,
    TRACE_REPORT,
    Telemetry,
    parse_budgets,
    percentile,
)
from wyoming_common.telemetry.trace import NO_SPAN, Span, Trace, current_span, turn_id_of
from wyoming_common.telemetry.trace_log import open_trace_log


class TwoChunks:
    """An engine that takes half a second for each of two chunks."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def synthesize(self, text: str) -> Iterator[bytes]:
        for _ in range(2):
            self._clock.now += 0.5
            yield bytes(3200)


class Speaker(ServiceHandler):
    stage = "tts"

    def __init__(self, model: ModelThread[TwoChunks], *args: Any) -> None:
        super().__init__(*args)
        self._model = model

    async def on_request(self, event: Event) -> None:
        if Synthesize.is_type(event.type):
            await self.start(self._speak(Synthesize.from_event(event).text))

    async def _speak(self, text: str) -> None:
        if text == "full":
            raise Busy("Too much to do")
        if text == "for ever":
            await self.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
            await asyncio.Event().wait()
        async with self._model.stream(lambda engine: engine.synthesize(text)) as chunks:
            async for pcm in chunks:
                await self.write_event(
                    AudioChunk(rate=16_000, width=2, channels=1, audio=pcm).event()
                )
        await self.write_event(AudioStop().event())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def telemetry(clock: ManualClock) -> Telemetry:
    return Telemetry("speaker", {"tts": 0.4}, clock=clock)


@pytest_asyncio.fixture
async def client(telemetry: Telemetry, clock: ManualClock) -> AsyncIterator[AsyncTcpClient]:
    model = ModelThread("tts", partial(TwoChunks, clock))
    handler = partial(Speaker, model)
    async with (
        serve("tcp://127.0.0.1:0", Info, handler, telemetry=telemetry) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rsplit(":")[-1])) as opened,
    ):
        yield opened
    await model.aclose()


async def ask(client: AsyncTcpClient, **query: object) -> dict[str, Any]:
    await client.write_event(Event(TRACE_QUERY, query))
    event = await receive(client)
    while event.type != TRACE_REPORT:
        event = await receive(client)
    return event.data


async def ask_until(client: AsyncTcpClient, records: int, **query: object) -> dict[str, Any]:
    """Ask until there are `records` records: a job ends after its last event has left."""
    while len((report := await ask(client, **query))["records"]) < records:
        pass
    return report


def say(text: str, turn_id: str = "turn-1") -> Event:
    return Event("synthesize", {"text": text, "context": {"turn_id": turn_id}})


async def test_a_service_reports_each_stage_under_the_id_of_the_turn(
    client: AsyncTcpClient,
) -> None:
    await client.write_event(say("hello"))
    await receive_until(client, AudioStop)

    report = await ask_until(client, 1)

    (record,) = report["records"]
    (stage,) = record["stages"]
    assert record["turn"] == "turn-1"
    assert record["given"] is True
    assert record["source"] == "speaker"
    assert stage == {
        "stage": "tts",
        "start_ms": 0.0,
        "first_ms": 500.0,
        "end_ms": 1000.0,
        "wait_ms": 500.0,
        "queue_ms": 0.0,
        "model_ms": 1000.0,
        "audio_out_s": 0.2,
    }


async def test_a_wait_beyond_its_budget_is_counted(
    client: AsyncTcpClient, telemetry: Telemetry
) -> None:
    await client.write_event(say("slow: 500 ms of 400"))
    await receive_until(client, AudioStop)

    report = await ask_until(client, 1)

    assert report["stages"]["tts"]["violations"] == 1
    assert report["stages"]["tts"]["budget_ms"] == 400.0
    assert report["stages"]["tts"]["p95_ms"] == 500.0


async def test_a_failed_job_says_so_and_counts_no_wait(client: AsyncTcpClient) -> None:
    await client.write_event(say("full"))

    report = await ask_until(client, 1)

    assert report["records"][0]["stages"][0]["failed"] == "busy"
    assert report["stages"] == {}
    assert report["counts"] == {"errors:busy": 1}


async def test_a_client_that_hangs_up_leaves_a_cancelled_stage(
    client: AsyncTcpClient, telemetry: Telemetry
) -> None:
    done = asyncio.Event()
    telemetry.listeners.append(lambda _: done.set())
    await client.write_event(say("for ever"))
    await receive_until(client, AudioStart)

    await client.disconnect()

    async with asyncio.timeout(5):
        await done.wait()
    assert telemetry.outcomes["tts", "cancelled"] == 1


async def test_a_turn_without_an_id_gets_one(
    client: AsyncTcpClient,
) -> None:
    for _ in range(2):
        await client.write_event(Synthesize(text="hello").event())
        await receive_until(client, AudioStop)

    report = await ask_until(client, 2)

    one, two = report["records"]
    assert one["turn"] != two["turn"]
    assert one["given"] is two["given"] is False


async def test_a_second_report_holds_only_what_is_new(client: AsyncTcpClient) -> None:
    await client.write_event(say("hello", "turn-1"))
    await receive_until(client, AudioStop)
    first = await ask_until(client, 1)
    await client.write_event(say("again", "turn-2"))
    await receive_until(client, AudioStop)

    second = await ask_until(client, 1, source=first["source"], since=first["since"])

    assert [record["turn"] for record in second["records"]] == ["turn-2"]


def test_a_client_of_an_earlier_process_gets_all_records() -> None:
    telemetry = Telemetry("stt")
    telemetry.record(Trace(turn_id="one"))

    report = telemetry.report({"source": "before the restart", "since": 70}, local=True)

    assert [record["turn"] for record in report["records"]] == ["one"]


def test_a_long_history_comes_in_several_reports() -> None:
    telemetry = Telemetry("stt")
    for number in range(2000):
        telemetry.record(Trace(turn_id=str(number)))

    turns: list[str] = []
    query: dict[str, Any] = {}
    while not turns or query["more"]:
        query = telemetry.report(query, local=True)
        assert len(json.dumps(query)) < 200_000
        turns += [record["turn"] for record in query["records"]]

    assert turns == [str(number) for number in range(2000 - 512, 2000)]


def test_texts_are_kept_only_while_a_client_on_this_machine_asks_for_them(
    clock: ManualClock,
) -> None:
    telemetry = Telemetry("stt", clock=clock)
    trace = Trace(clock)

    telemetry.record(trace, {"transcript": "before"})
    telemetry.report({"text": True}, local=False)
    telemetry.record(trace, {"transcript": "asked from elsewhere"})
    telemetry.report({"text": True}, local=True)
    telemetry.record(trace, {"transcript": "asked"})
    clock.now += 61
    telemetry.record(trace, {"transcript": "long after"})

    records = telemetry.report({"text": True}, local=True)["records"]
    assert [record.get("texts") for record in records] == [
        None,
        None,
        {"transcript": "asked"},
        None,
    ]
    assert all("texts" not in record for record in telemetry.report({}, local=True)["records"])
    assert all(
        "texts" not in record for record in telemetry.report({"text": True}, local=False)["records"]
    )


def test_queue_and_model_time_are_told_apart(clock: ManualClock) -> None:
    span = Span("stt", clock=clock)

    def work() -> None:
        clock.now += 0.3

    timed = span.timed(work)
    clock.now += 0.2
    timed()
    span.end()

    assert span.trace.stages[0].facts == {"queue_ms": 200.0, "model_ms": 300.0}


def test_speech_to_text_is_measured_to_its_end_and_from_the_end_of_speech(
    clock: ManualClock,
) -> None:
    span = Span("stt", clock=clock)

    clock.now += 1
    span.first()
    clock.now += 1
    span.ready(at=clock.now - 0.25)
    clock.now += 0.5
    span.end()

    assert span.trace.stages[0].wait == pytest.approx(0.75)


def test_a_reply_that_was_begun_and_interrupted_was_waited_for(clock: ManualClock) -> None:
    waits = []
    for stage in ("llm", "stt"):
        span = Span(stage, clock=clock)
        clock.now += 0.5
        span.first()
        span.note(cancelled=True)
        span.end()
        waits.append(span.trace.stages[0].wait)

    assert waits == [0.5, None]


async def test_work_outside_a_job_is_traced_nowhere() -> None:
    model = ModelThread("model", object)

    await model.call(lambda _: None)

    assert current_span() is NO_SPAN
    await model.aclose()


@given(st.dictionaries(st.text(max_size=8), st.from_type(object) | st.text() | st.none()))
def test_any_context_gives_an_id_or_an_empty_one(context: dict[str, Any]) -> None:
    found = turn_id_of({"context": {**context, "turn_id": context.get("x")}})

    assert isinstance(found, str)
    assert len(found) <= 64


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_between_the_least_and_the_greatest(
    values: list[float], part: float
) -> None:
    ordered = sorted(values)

    found = percentile(ordered, part)

    assert ordered[0] <= found or found == pytest.approx(ordered[0])
    assert found <= ordered[-1] or found == pytest.approx(ordered[-1])


def test_a_budget_is_in_milliseconds_and_zero_removes_it() -> None:
    assert parse_budgets(["llm=800", "tts=0"]) == {"stt": 0.9, "llm": 0.8, "turn": 1.5}


@pytest.mark.parametrize("entry", ["llm", "llm=fast", "=5", "llm=-1", "llm=nan", "llm=inf"])
def test_an_impossible_budget_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match="expected STAGE=MILLISECONDS"):
        parse_budgets([entry])


def test_the_file_of_traces_holds_a_json_line_each_and_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "traces" / "stt.jsonl"
    record = {"turn": "x" * 1000}

    with open_trace_log(path) as write:
        for _ in range(900):
            write(record)
    for _ in range(7):
        with open_trace_log(path) as write:
            for _ in range(900):
                write(record)

    assert [json.loads(line) for line in path.read_text().splitlines()][-1] == record
    assert path.with_name("stt.jsonl.1").exists()
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 21_000_000


def test_a_file_of_traces_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(ConfigError, match="trace_file: cannot write"),
        open_trace_log(tmp_path / "file" / "x.jsonl"),
    ):
        pass
