"""Models that rest and have stand-ins, words of the house, partial texts."""

import asyncio
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from tests.stt.fakes import RATE, FakeEars, FakeEngine, silence, speech
from tests.wire import receive, receive_until
from wyoming_common.errors import BadRequest, ServiceError
from wyoming_common.server import serve
from wyoming_common.worker import ModelThread
from wyoming_stt.engine import Audio, Request, SttEngine, Transcription
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import programs
from wyoming_stt.resilient import Unloading, WithStandIn
from wyoming_stt.service import SttService
from wyoming_stt.vad import SpeechModel


class Saying(FakeEngine):
    """Writes what it is told to; fails where told an error."""

    def __init__(self, text: str | Exception, languages: tuple[str, ...] = ("en",)) -> None:
        super().__init__(languages)
        self.text = text
        self.closed = False

    def transcribe(self, audio: Audio, request: Request) -> Transcription:
        self.requests.append(request)
        if isinstance(self.text, Exception):
            raise self.text
        return Transcription(text=self.text, language="en")

    def close(self) -> None:
        self.closed = True


def service_of(load: Callable[[], SttEngine], **options: object) -> SttService:
    return SttService(
        programs(["fake"], [("en",)]),
        [ModelThread[SttEngine]("fake", load)],
        ModelThread[SpeechModel]("ears", FakeEars),
        **options,  # type: ignore[arg-type]
    )


async def ask(service: SttService, wanted: Transcribe | None = None) -> str:
    async with (
        serve(
            "tcp://127.0.0.1:0", lambda reader, writer: SttHandler(service, reader, writer)
        ) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        await client.write_event((wanted or Transcribe()).event())
        await client.write_event(AudioChunk(RATE, 2, 1, speech(1.0)).event())
        await client.write_event(AudioStop().event())
        return Transcript.from_event(await receive_until(client, Transcript)).text


def audio() -> Audio:
    return np.zeros(1600, np.float32)


def test_a_resting_model_comes_back_for_the_next_request() -> None:
    made: list[Saying] = []

    def load() -> Saying:
        made.append(Saying("hello"))
        return made[-1]

    engine = Unloading(load)
    engine.rest()
    resting = not engine.loaded
    said = engine.transcribe(audio(), Request())

    assert resting
    assert made[0].closed
    assert said.text == "hello"
    assert len(made) == 2


async def test_an_unused_model_leaves_memory_and_the_service_goes_on() -> None:
    loads = 0
    rested = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Noticing(Saying):
        def close(self) -> None:
            loop.call_soon_threadsafe(rested.set)

    def load() -> Saying:
        nonlocal loads
        loads += 1
        return Noticing("hello")

    service = service_of(lambda: Unloading(load), unload_after=0.02)
    await service.engine()
    async with service.tended(), asyncio.timeout(10):
        await rested.wait()
        text = await ask(service)
    await service.aclose()

    assert text == "hello"
    assert loads >= 2


@pytest.mark.parametrize("failure", [RuntimeError("out of memory"), ServiceError("gone")])
def test_a_stand_in_answers_when_the_model_fails(failure: Exception) -> None:
    stand_in = Saying("hello")
    engine = WithStandIn(Saying(failure, ("en", "de")), lambda: stand_in)

    said = engine.transcribe(audio(), Request(language="de", words=("Bob",)))

    assert said.text == "hello"
    assert stand_in.requests == [Request(language=None, words=("Bob",))]


def test_a_bad_request_is_the_clients_own_affair() -> None:
    engine = WithStandIn(Saying(BadRequest("no")), lambda: Saying("hello"))

    with pytest.raises(BadRequest):
        engine.transcribe(audio(), Request())


async def test_names_of_the_house_are_written_as_they_are() -> None:
    names = ["Torvane lamp"]
    service = service_of(lambda: Saying("Turn on the zephira."), words=lambda: names)

    before = await ask(service)
    names.append("Zephyra")
    after = await ask(service)
    asked = await ask(service, Transcribe(transcript_names=["Zefira"]))
    await service.aclose()

    assert before == "Turn on the zephira."
    assert after == "Turn on the Zephyra."
    assert asked == "Turn on the Zefira."


async def test_names_that_nobody_can_say_are_left_out() -> None:
    engine = Saying("Hello.")
    service = service_of(lambda: engine)
    names = ["Zephyra", "x" * 101, " ", *(f"name {n}" for n in range(2000))]

    await ask(service, Transcribe(transcript_names=names))
    await service.aclose()

    (request, *_) = engine.requests
    assert request.words[:2] == ("Zephyra", "name 0")
    assert len(request.words) == 1000


async def test_partial_texts_come_before_the_transcript_and_add_up_to_it() -> None:
    ticks = itertools.count()
    service = service_of(
        lambda: Saying("Turn on the light."), partials=True, clock=lambda: next(ticks) * 0.02
    )
    chunks = []
    async with (
        serve(
            "tcp://127.0.0.1:0", lambda reader, writer: SttHandler(service, reader, writer)
        ) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        await client.write_event(Describe().event())
        info = Info.from_event(await receive_until(client, Info))
        pcm = speech(2.5) + silence(0.3)
        for at in range(0, len(pcm), 640):
            await client.write_event(AudioChunk(RATE, 2, 1, pcm[at : at + 640]).event())
            await client.write_event(Ping().event())
        await client.write_event(AudioStop().event())
        kinds = []
        while not Transcript.is_type((event := await receive(client)).type):
            if not Pong.is_type(event.type):
                kinds.append(event.type)
            if TranscriptChunk.is_type(event.type):
                chunks.append(TranscriptChunk.from_event(event).text)
    await service.aclose()

    assert info.asr[0].supports_transcript_streaming
    assert TranscriptStart.is_type(kinds[0])
    assert TranscriptStop.is_type(kinds[-1])
    assert "".join(chunks) == "Turn on the light."
