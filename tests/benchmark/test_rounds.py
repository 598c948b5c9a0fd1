"""Turns put to services on TCP, and the stage that is named."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk
from wyoming.info import AsrProgram, Attribution, HandleProgram, Info, TtsProgram
from wyoming.tts import SynthesizeStart, SynthesizeStop, SynthesizeStopped

from parley.benchmark.rounds import ServicesUnderTest, SpokenQuestion
from parley.benchmark.verdict import judge, make_rows
from wyoming_common.errors import Unavailable
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.server import serve
from wyoming_common.telemetry.recorder import Telemetry

_ABOUT: dict[str, Any] = {
    "attribution": Attribution(name="", url=""),
    "installed": True,
    "description": None,
    "version": None,
}
INFOS = {
    "stt": Info(asr=[AsrProgram(name="stt", models=[], requires_external_vad=False, **_ABOUT)]),
    "llm": Info(handle=[HandleProgram(name="llm", models=[], **_ABOUT)]),
    "tts": Info(
        tts=[TtsProgram(name="tts", voices=[], supports_synthesize_streaming=True, **_ABOUT)]
    ),
}
SPEECH = SpokenQuestion(
    np.concatenate([np.full(8000, 9000), np.zeros(8000)]).astype("<i2").tobytes(), 20
)


class Slow:
    """A model that takes as long as it is told."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def work(self) -> Iterator[bytes]:
        threading.Event().wait(self._seconds)
        yield bytes(320)


class Handler(ServiceHandler):
    """Answers a stage's request with what its model gives."""

    def __init__(self, stage: str, model: ModelThread[Slow], *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.stage = stage  # type: ignore[misc]
        self._model = model
        self._heard = 0

    async def on_request(self, event: Event) -> None:
        if AudioChunk.is_type(event.type):
            # The end of speech is 0.5 s into it.
            before, self._heard = self._heard, self._heard + len(event.payload or b"")
            if before < 16_000 <= self._heard:
                await self.start(self._answer(Transcript("how many").event()))
        elif Transcript.is_type(event.type):
            words = HandledChunk("Forty.").event()
            await self.start(self._answer(words, Handled("Forty.").event()))
        elif SynthesizeStart.is_type(event.type):
            self._text = asyncio.Event()
            await self.start(self._speak())
        elif SynthesizeStop.is_type(event.type):
            self._text.set()

    async def _speak(self) -> None:
        await self._text.wait()
        await self._answer(
            AudioStart(16_000, 2, 1).event(),
            AudioChunk(16_000, 2, 1, bytes(320)).event(),
            AudioStop().event(),
            SynthesizeStopped().event(),
        )

    async def _answer(self, *events: Event) -> None:
        async with self._model.stream(lambda model: model.work()) as pieces:
            async for _ in pieces:
                for event in events:
                    await self.write_event(event)


@asynccontextmanager
async def services(**seconds: float) -> AsyncIterator[ServicesUnderTest]:
    """Three services whose models take a given time."""
    async with AsyncExitStack() as stack:
        uris = {}
        for stage in INFOS:
            model = ModelThread(stage, partial(Slow, seconds.get(stage, 0.0)))
            stack.push_async_callback(model.aclose)
            uris[stage] = await stack.enter_async_context(
                serve(
                    "tcp://127.0.0.1:0",
                    partial(INFOS.__getitem__, stage),
                    partial(Handler, stage, model),
                    telemetry=Telemetry(stage),
                )
            )
        found = ServicesUnderTest(uris)
        await found.describe()
        yield found


@pytest.mark.parametrize("slow", ["stt", "llm", "tts"])
async def test_the_stage_that_was_made_slow_is_named(slow: str) -> None:
    async with services(**{slow: 1.1}) as running:
        rounds = [await running.run(SPEECH, "How many?") for _ in range(2)]
        await running.collect(rounds)

    rows = make_rows(rounds, {"stt": 1.0, "llm": 1.0, "tts": 1.0, "turn": 9.0})
    verdict = judge(rows)
    assert (verdict.stage, verdict.slow) == (slow, True)
    row = next(row for row in rows if row.stage == slow)
    assert row.beyond == 1.0
    assert row.model is not None
    assert row.model >= 1.1
    assert [row.stage for row in rows] == ["stt", "llm", "tts", "turn"]


async def test_a_round_says_what_was_heard_and_answered() -> None:
    async with services() as running:
        done = await running.run(SPEECH, "How many?")
        await running.collect([done])

    assert (done.transcript, done.reply) == ("how many", "Forty.")
    assert set(done.service_records) == {"stt", "llm", "tts"}
    assert json.dumps(done.trace.as_dict())


async def test_a_service_that_is_not_there_is_named() -> None:
    running = ServicesUnderTest({"stt": "tcp://127.0.0.1:1"})

    with pytest.raises(Unavailable, match="stt"):
        await running.describe()


def test_the_end_of_speech_is_its_last_loud_sample() -> None:
    assert SPEECH.end_seconds == 0.5
    assert SpokenQuestion(bytes(3200)).end_seconds == 0.0
