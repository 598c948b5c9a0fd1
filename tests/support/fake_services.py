"""The three services without a model, on real TCP, and able to misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop
from wyoming.info import (
    AsrProgram,
    Attribution,
    Describe,
    HandleProgram,
    Info,
    TtsProgram,
)
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
)

from wyoming_common.protocol.interim_reply import InterimReply, InterimSpeech
from wyoming_common.protocol.interim_transcript import InterimTranscript
from wyoming_common.protocol.spoken_by import SPEAKER
from wyoming_common.protocol.unanswered import UNANSWERED

_ABOUT: dict[str, Any] = {
    "attribution": Attribution("", ""),
    "installed": True,
    "description": "",
    "version": "1",
}
SECONDS_A_WORD = 0.1
TTS_RATE = 22_050


@dataclass
class Client:
    """One connection to a fake."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *events: Event) -> None:
        for event in events:
            await async_write_event(event, self.writer)

    async def receive(self) -> Event | None:
        return await async_read_event(self.reader)


@dataclass
class FakeService:
    """Behaviour of a fake service, and the events that it has received.

    `broken` is one of the words below, or "".
    """

    info: Info
    broken: str = ""
    """hang: answers nothing; die: hangs up when asked; refuse: an `error` event;
    garbage: something that is not Wyoming; break: hangs up behind the first of its answer."""
    recovers: bool = False
    """Broken for the first request only."""
    uri: str = ""
    events: list[Event] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has hung up."""

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]

    async def misbehaves(self, client: Client) -> bool:
        """Do what `broken` says; whether anything was done."""
        if self.broken == "break":
            return False
        broken, self.broken = self.broken, "" if self.recovers else self.broken
        match broken:
            case "hang":
                await client.reader.read()
            case "die":
                client.writer.close()
            case "refuse":
                await client.send(Error("the model is on strike", "bad-model").event())
            case "garbage":
                client.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                await client.writer.drain()
        return bool(broken)

    def breaks_off(self, client: Client) -> bool:
        """Hang up if that is the time to; whether it is."""
        if self.broken != "break":
            return False
        self.broken = "" if self.recovers else self.broken
        client.writer.close()
        return True


Serve = Callable[[Client, Event], Awaitable[None]]


@asynccontextmanager
async def _serve(fake: FakeService, answer: Serve) -> AsyncIterator[FakeService]:
    clients: set[asyncio.Task[None]] = set()

    async def run(client: Client) -> None:
        try:
            while (event := await client.receive()) is not None:
                if Describe.is_type(event.type):
                    await client.send(fake.info.event())
                    continue
                fake.events.append(event)
                await answer(client, event)
            fake.left.set()
        except (ConnectionError, asyncio.IncompleteReadError):
            fake.left.set()
        finally:
            client.writer.transport.abort()

    def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(run(Client(reader, writer)))
        clients.add(task)
        task.add_done_callback(clients.discard)

    server = await asyncio.start_server(on_client, "127.0.0.1", 0)
    fake.uri = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        server.close()
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def fake_stt(
    *texts: str,
    ends_turn: bool = False,
    broken: str = "",
    recovers: bool = False,
    supposes: Sequence[str] = (),
    certain: asyncio.Event | None = None,
    speaker: str | None = None,
) -> AsyncIterator[FakeService]:
    """Gives one text after the other, said by `speaker`.

    `ends_turn`: after a second of audio, of its own accord.
    `supposes` are tentative transcripts, sent before the first, which then waits for `certain`.
    """
    program = AsrProgram(name="stt", models=[], requires_external_vad=not ends_turn, **_ABOUT)
    fake = FakeService(Info(asr=[program]), broken, recovers)
    left = list(texts)
    received = 0
    context = None if speaker is None else {SPEAKER: speaker}

    async def answer(client: Client, event: Event) -> None:
        nonlocal received
        if Transcribe.is_type(event.type):
            received = 0
        elif AudioChunk.is_type(event.type):
            before, received = received, received + len(event.payload or b"")
            if ends_turn and before < 32_000 <= received:
                await client.send(Transcript(text=left.pop(0), context=context).event())
        elif AudioStop.is_type(event.type) and not ends_turn and not await fake.misbehaves(client):
            await client.send(*(InterimTranscript(text).event() for text in supposes))
            if certain is not None:
                await certain.wait()
            await client.send(Transcript(text=left.pop(0), context=context).event())

    async with _serve(fake, answer):
        yield fake


@asynccontextmanager
async def fake_llm(
    *texts: str,
    streams: bool = True,
    broken: str = "",
    recovers: bool = False,
    tells: str = "",
    wants_silence: bool = False,
) -> AsyncIterator[FakeService]:
    """Replies one text after the other, word by word where it streams.

    `tells` is the interim reply to every interim transcript. `wants_silence`: if nothing is said
    to a reply, it wants to know.
    """
    context = {UNANSWERED: True} if wants_silence else None
    program = HandleProgram(name="llm", models=[], supports_handled_streaming=streams, **_ABOUT)
    fake = FakeService(Info(handle=[program]), broken, recovers)
    left = list(texts)

    async def answer(client: Client, event: Event) -> None:
        if InterimTranscript.is_type(event.type) and tells:
            await client.send(InterimReply(event.data["text"], tells, whole=True).event())
        if not Transcript.is_type(event.type) or await fake.misbehaves(client):
            return
        text = left.pop(0)
        if streams:
            await client.send(HandledStart().event())
            for word in text.split():
                await client.send(HandledChunk(text=f"{word} ").event())
                if fake.breaks_off(client):
                    return
        await client.send(Handled(text=text, context=context).event())
        if streams:
            await client.send(HandledStop().event())

    async with _serve(fake, answer):
        yield fake


@asynccontextmanager
async def fake_tts(
    *,
    streams: bool = True,
    broken: str = "",
    recovers: bool = False,
    voice: bytes = b"",
    supposed: asyncio.Event | None = None,
) -> AsyncIterator[FakeService]:
    """Speaks a tone of 0.1 s, or `voice`, for every word.

    `supposed` is set when it is told what may be spoken.
    """
    program = TtsProgram(name="tts", voices=[], supports_synthesize_streaming=streams, **_ABOUT)
    fake = FakeService(Info(tts=[program]), broken, recovers)
    speaker = _Voice(fake, voice or _tone())

    async def answer(client: Client, event: Event) -> None:
        if InterimSpeech.is_type(event.type) and supposed is not None:
            supposed.set()
        await speaker.answer(client, event)

    async with _serve(fake, answer):
        yield fake


class _Voice:
    """The side of a client that is served at a time."""

    def __init__(self, fake: FakeService, word: bytes) -> None:
        self._fake = fake
        self._word = word
        self._streaming = self._begun = False

    async def answer(self, client: Client, event: Event) -> None:
        if SynthesizeStart.is_type(event.type):
            self._streaming, self._begun = True, False
        elif SynthesizeStop.is_type(event.type):
            self._streaming = False
            await client.send(AudioStop().event(), SynthesizeStopped().event())
        elif SynthesizeChunk.is_type(event.type):
            if not await self._fake.misbehaves(client):
                await self._speak(client, event.data["text"])
        elif Synthesize.is_type(event.type) and not self._streaming:
            self._begun = False
            if not await self._fake.misbehaves(client):
                await self._speak(client, event.data["text"])
                await client.send(AudioStop().event())

    async def _speak(self, client: Client, text: str) -> None:
        if not self._begun:
            self._begun = True
            await client.send(AudioStart(TTS_RATE, 2, 1).event())
        for _ in text.split():
            await client.send(AudioChunk(TTS_RATE, 2, 1, self._word).event())
            if self._fake.breaks_off(client):
                return


def _tone() -> bytes:
    time = np.arange(int(SECONDS_A_WORD * TTS_RATE)) / TTS_RATE
    return (np.sin(2 * np.pi * 440 * time) * 8000).astype("<i2").tobytes()
