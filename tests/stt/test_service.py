"""The service: models unloaded while idle, names of the home, partial transcripts."""

import asyncio
import itertools
from functools import partial

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from tests.stt.fakes import RATE, FakeEngine, LoudnessVad, silence, speech
from tests.support.wire import receive, receive_until
from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.home_assistant.home import Entity, Home
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.engine_wrappers import IdleUnload
from wyoming_stt.engine import Audio, SttEngine, Transcription, TranscriptionRequest
from wyoming_stt.handler import SttHandler
from wyoming_stt.home_sentences.sentences import CompiledSentences
from wyoming_stt.info import stt_programs
from wyoming_stt.service import SttService


class FixedText(FakeEngine):
    """Transcribes everything as one text."""

    def __init__(self, text: str) -> None:
        super().__init__(("en",))
        self.text = text

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        self.requests.append(request)
        return Transcription(text=self.text, language="en")


def service_of(
    engine: SttEngine, settings: SttSettings | None = None, **options: object
) -> SttService:
    [program] = stt_programs(["fake"], [("en",)])
    return SttService(
        settings or SttSettings(),
        [(program, ModelThread[SttEngine]("fake", lambda: engine))],
        ModelThread[VadModel]("vad", LoudnessVad),
        **options,  # type: ignore[arg-type]
    )


async def ask(service: SttService, wanted: Transcribe | None = None) -> str:
    async with (
        serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        await client.write_event((wanted or Transcribe()).event())
        await client.write_event(AudioChunk(RATE, 2, 1, speech(1.0)).event())
        await client.write_event(AudioStop().event())
        return Transcript.from_event(await receive_until(client, Transcript)).text


async def test_an_idle_model_is_unloaded_and_the_service_goes_on() -> None:
    unloaded = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Noticing(FixedText):
        def close(self) -> None:
            super().close()
            loop.call_soon_threadsafe(unloaded.set)

    model = Noticing("hello")
    engine = IdleUnload(model)
    engine.load()
    service = service_of(engine, SttSettings(unload_after=0.02))
    await service.engine()
    async with service.tended(), asyncio.timeout(10):
        await unloaded.wait()
        text = await ask(service)
    await service.aclose()

    assert text == "hello"
    assert model.loads >= 2


async def test_names_of_the_home_are_corrected_as_they_are_now() -> None:
    names = ["Torvane lamp"]
    service = service_of(FixedText("Turn on the zephira."), words=lambda: names)

    before = await ask(service)
    names.append("Zephyra")
    after = await ask(service)
    requested = await ask(service, Transcribe(transcript_names=["Zefira"]))
    await service.aclose()

    assert before == "Turn on the zephira."
    assert after == "Turn on the Zephyra."
    assert requested == "Turn on the Zefira."


async def test_blank_long_and_surplus_names_are_ignored() -> None:
    engine = FixedText("Hello.")
    service = service_of(engine)
    names = ["Zephyra", "x" * 101, " ", *(f"name {n}" for n in range(2000))]

    await ask(service, Transcribe(transcript_names=names))
    await service.aclose()

    (request, *_) = engine.requests
    assert request.words[:2] == ("Zephyra", "name 0")
    assert len(request.words) == 1000


@pytest.mark.parametrize(
    ("text", "transcript"),
    [("Turn off the light.\n[Beep]", "Turn off the light."), ("[BLANK_AUDIO]", ""), (" . ", "")],
)
async def test_annotations_of_any_engine_are_not_sent(text: str, transcript: str) -> None:
    service = service_of(FixedText(text))

    sent = await ask(service)
    await service.aclose()

    assert sent == transcript


async def test_partial_transcripts_come_before_the_transcript_and_add_up_to_it() -> None:
    ticks = itertools.count()
    service = service_of(
        FixedText("Turn on the light."),
        SttSettings(partials=True),
        clock=lambda: next(ticks) * 0.02,
    )
    chunks = []
    async with (
        serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri,
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


async def test_a_command_of_the_home_is_corrected_to_its_sentence() -> None:
    class Scoring(FixedText):
        def score(self, *arguments: object) -> list[float]:
            _, texts, _ = arguments
            assert isinstance(texts, list)
            return [0.0 if text == "Turn on the bedroom lamp." else -30.0 for text in texts]

    home = Home(entities={"light.one": Entity("light.one", "Bedroom Lamp")})
    sentences = CompiledSentences(lambda: home)
    sentences.wait("en")
    service = service_of(Scoring("Turn on the bedroom leap."), sentences=sentences)

    transcript = await ask(service)
    translated = await ask(service, Transcribe(context={"task": "translate"}))
    await service.aclose()

    assert transcript == "Turn on the Bedroom Lamp."
    assert translated == "Turn on the bedroom leap."


async def test_the_sentences_of_a_language_are_compiled_as_its_first_utterance_begins() -> None:
    home = Home(entities={"light.one": Entity("light.one", "Bedroom Lamp")}, language="de")
    sentences = CompiledSentences(lambda: home)
    service = service_of(FixedText("Turn on the bed room lamp."), sentences=sentences)

    recognizer = service.recognizer(Transcribe(language="en"), 0)
    await sentences.ready()
    run = asyncio.create_task(recognizer.run())
    await recognizer.feed(speech(1.0), PcmFormat())
    await recognizer.stop()

    assert (await run).text == "Turn on the Bedroom Lamp."
    await service.aclose()


@pytest.mark.parametrize(("drop_others", "seconds"), [(True, 1.6), (False, 4.0)])
async def test_softer_people_are_written_down_where_the_settings_say_so(
    drop_others: bool,
    seconds: float,
) -> None:
    now = 0.0
    settings = SttSettings(endpointing="off", drop_others=drop_others)
    service = service_of(FakeEngine(), settings, clock=lambda: now)
    recognizer = service.recognizer(Transcribe(), 0)
    run = asyncio.create_task(recognizer.run())

    softer = (np.frombuffer(speech(1.5), "<i2") // 4).tobytes()
    pcm = softer + speech(1.0) + softer
    for at in range(0, len(pcm), 640):
        now += 0.02
        await recognizer.feed(pcm[at : at + 640], PcmFormat())
    await recognizer.stop()

    text = (await run).text
    assert float(text.removeprefix("loud ")) == pytest.approx(seconds, abs=0.25)
    await service.aclose()
