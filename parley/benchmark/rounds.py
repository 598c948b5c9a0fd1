"""Whole voice turns sent to running services and timed by the client."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, NotHandled
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
)

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import TimedOut, Unavailable
from wyoming_common.telemetry.recorder import TRACE_QUERY, TRACE_REPORT
from wyoming_common.telemetry.trace import Trace

KINDS: Final = {"stt": "asr", "llm": "handle", "tts": "tts"}
_CHUNK_SECONDS: Final = 0.05
_CLOSING_SILENCE_SECONDS: Final = 0.7
"""Silence after which a client ends the utterance, where the service does not by itself: what
Home Assistant waits. https://developers.home-assistant.io/docs/voice/pipelines/"""
_MAX_STAGE_SECONDS: Final = 60.0
_MAX_QUERIES: Final = 5
_QUERY_INTERVAL_SECONDS: Final = 0.1
_SPEECH_AMPLITUDE_RATIO: Final = 0.03
"""Fraction of the peak amplitude above which a sample of a clean recording is speech."""


@dataclass(frozen=True, slots=True)
class SpokenQuestion:
    """A recorded question, mono s16le at 16 kHz, sent `pace` times as fast as real time."""

    pcm: bytes
    pace: float = 1.0

    @property
    def end_seconds(self) -> float:
        """Time of the last speech sample, in seconds from the start."""
        samples = np.abs(np.frombuffer(self.pcm, np.int16).astype(np.int32))
        loud = np.flatnonzero(samples > _SPEECH_AMPLITUDE_RATIO * max(1, samples.max(initial=0)))
        return (int(loud[-1]) + 1) / MODEL_RATE if len(loud) else 0.0


@dataclass(slots=True)
class Round:
    """One turn: the client's trace and the record of each service."""

    trace: Trace
    transcript: str = ""
    reply: str = ""
    service_records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def waits(self) -> dict[str, float]:
        """Return the seconds waited for each stage, `turn` for the whole."""
        return {stage.name: stage.wait for stage in self.trace.stages if stage.wait is not None}


class ServicesUnderTest:
    """The services under test, by `stt`, `llm` and `tts`."""

    def __init__(self, uris: Mapping[str, str]) -> None:
        self.uris = dict(uris)
        self.infos: dict[str, Info] = {}

    async def describe(self) -> None:
        """Send `describe` to each service and store its info. Raises Unavailable."""
        for kind, uri in self.uris.items():
            async with _connection(kind, uri) as client:
                await client.write_event(Describe().event())
                info = Info.from_event(await _next(client, kind, uri))
            if not getattr(info, KINDS[kind]):
                raise Unavailable(f"{uri}: serves no {kind}")
            self.infos[kind] = info

    async def run(self, speech: SpokenQuestion, question: str) -> Round:
        """Run one turn: transcribe `speech`, answer `question`, synthesize the answer.

        The question differs from the transcript, so that no service can answer from a cache.
        """
        done = Round(Trace())
        context = {"turn_id": done.trace.id}
        trace = done.trace
        await self._hear(speech, done, context)
        async with _connection("llm", self.uris["llm"]) as llm:
            trace.begin("llm")
            asked = {**context, "conversation_id": trace.id}
            await llm.write_event(Transcript(text=question, context=asked).event())
            await self._say(self._words(llm, done), done, context)
        trace.end("turn")
        return done

    async def collect(self, rounds: list[Round]) -> None:
        """Fetch each service's records of the rounds; skip services that do not record turns."""
        by_id = {one.trace.id: one for one in rounds}
        for kind in self.uris:
            for _ in range(_MAX_QUERIES):
                records_turns = await self._ask(kind, by_id)
                if not records_turns or all(kind in one.service_records for one in rounds):
                    break
                # A service records a reply after it has sent the last event.
                await asyncio.sleep(_QUERY_INTERVAL_SECONDS)

    async def _ask(self, kind: str, by_id: Mapping[str, Round]) -> bool:
        """Store one service's records of the rounds; return whether it records turns at all."""
        uri = self.uris[kind]
        records_turns = False
        async with _connection(kind, uri) as client:
            query: dict[str, Any] = {}
            await client.write_event(Event(TRACE_QUERY, query))
            await client.write_event(Describe().event())
            while (event := await _next(client, kind, uri)).type == TRACE_REPORT:
                records_turns = True
                for record in event.data["records"]:
                    if record["turn"] in by_id:
                        by_id[record["turn"]].service_records[kind] = record["stages"][0]
                if event.data["more"]:
                    query = {key: event.data[key] for key in ("source", "since")}
                    await client.write_event(Event(TRACE_QUERY, query))
                    await client.write_event(Describe().event())
        return records_turns

    async def _hear(self, speech: SpokenQuestion, done: Round, context: dict[str, Any]) -> None:
        own_end = not self.infos["stt"].asr[0].requires_external_vad
        trace = done.trace
        uri = self.uris["stt"]
        async with _connection("stt", uri) as client:
            begun = trace.now()
            trace.begin("turn")
            trace.begin("stt")
            sending = asyncio.create_task(_send_speech(client, speech, context, own_end=own_end))
            try:
                while not Transcript.is_type((event := await _next(client, "stt", uri)).type):
                    pass
            finally:
                sending.cancel()
                await asyncio.wait([sending])
            end_of_speech = begun + speech.end_seconds / speech.pace
            trace.ready("turn", at=end_of_speech)
            trace.ready("stt", at=end_of_speech)
            trace.end("stt")
        done.transcript = Transcript.from_event(event).text

    async def _words(self, client: AsyncClient, done: Round) -> AsyncIterator[str]:
        streamed = False
        while True:
            event = await _next(client, "llm", self.uris["llm"])
            if HandledChunk.is_type(event.type):
                streamed = True
                words = str(event.data.get("text") or "")
            elif Handled.is_type(event.type) or NotHandled.is_type(event.type):
                words = "" if streamed else str(event.data.get("text") or "")
            else:
                continue
            if words:
                done.trace.first("llm")
                done.reply += words
                yield words
            if not HandledChunk.is_type(event.type):
                done.trace.end("llm")
                return

    async def _say(self, words: AsyncIterator[str], done: Round, context: dict[str, Any]) -> None:
        streams = any(program.supports_synthesize_streaming for program in self.infos["tts"].tts)
        uri = self.uris["tts"]
        async with _connection("tts", uri) as client:
            sending = asyncio.create_task(_send_words(client, words, done, context, streams))
            last = SynthesizeStopped if streams else AudioStop
            try:
                while not last.is_type((event := await _next(client, "tts", uri)).type):
                    if AudioChunk.is_type(event.type):
                        done.trace.first("tts")
                        done.trace.first("turn")
                done.trace.end("tts")
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


async def _send_speech(
    client: AsyncClient, speech: SpokenQuestion, context: dict[str, Any], *, own_end: bool
) -> None:
    await client.write_event(Transcribe(context=context).event())
    await client.write_event(AudioStart(MODEL_RATE, 2, 1).event())
    begun = time.monotonic()
    size = 2 * int(_CHUNK_SECONDS * MODEL_RATE)
    silence = 15.0 if own_end else _CLOSING_SILENCE_SECONDS
    spoken = speech.pcm[: 2 * int(speech.end_seconds * MODEL_RATE)]
    pcm = spoken + bytes(2 * int(silence * MODEL_RATE))
    for number, start in enumerate(range(0, len(pcm), size), start=1):
        # A microphone delivers a chunk once its last sample has been recorded.
        due = begun + number * _CHUNK_SECONDS / speech.pace
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        chunk = pcm[start : start + size]
        await client.write_event(AudioChunk(MODEL_RATE, 2, 1, chunk).event())
    await client.write_event(AudioStop().event())


async def _send_words(
    client: AsyncClient,
    words: AsyncIterator[str],
    done: Round,
    context: dict[str, Any],
    streams: bool,
) -> None:
    if streams:
        await client.write_event(SynthesizeStart(context=context).event())
    async for part in words:
        done.trace.begin("tts")
        if streams:
            await client.write_event(SynthesizeChunk(part).event())
    if streams:
        await client.write_event(SynthesizeStop().event())
    else:
        await client.write_event(Synthesize(done.reply, context=context).event())


@asynccontextmanager
async def _connection(kind: str, uri: str) -> AsyncIterator[AsyncClient]:
    try:
        async with asyncio.timeout(_MAX_STAGE_SECONDS), AsyncClient.from_uri(uri) as client:
            yield client
    except TimeoutError as err:
        raise TimedOut(f"{kind} ({uri}): not done within {_MAX_STAGE_SECONDS:g} s") from err
    except OSError as err:
        # asyncio wraps the system's error text in a sentence of its own.
        reason = os.strerror(err.errno) if err.errno else str(err)
        raise Unavailable(f"{kind} ({uri}): {reason.lower()}") from err


async def _next(client: AsyncClient, kind: str, uri: str) -> Event:
    event = await client.read_event()
    if event is None:
        raise Unavailable(f"{kind} ({uri}): hung up")
    if Error.is_type(event.type):
        raise Unavailable(f"{kind} ({uri}): {Error.from_event(event).text}")
    return event
