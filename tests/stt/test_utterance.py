"""Decoding during an utterance, on a clock that the test controls."""

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.stt.fakes import (
    FakeEngine,
    LoudnessVad,
    LoudnessVadStream,
    silence,
    soft_speech,
    speech,
)
from wyoming_common.audio.endpointing import Endpointer
from wyoming_common.audio.pcm import MODEL_RATE, PcmFormat
from wyoming_common.model_thread import ModelThread
from wyoming_stt.audio.segmenter import SpeechSegmenter
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.decoding.transcribe import DecodeStats
from wyoming_stt.decoding.utterance import UtteranceModels, UtteranceRecognizer
from wyoming_stt.endpointing.smart_turn import TurnModel
from wyoming_stt.engine import Audio, SttEngine, Transcription, TranscriptionRequest

MONO = PcmFormat()


class LiveAudio:
    """Feeds a recogniser as a microphone would, without waiting for the time to pass."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.now = 0.0
        self.stats = DecodeStats()
        self.model = ModelThread[SttEngine]("model", lambda: engine)
        self.vad = ModelThread[VadModel]("vad", LoudnessVad)
        self.partials: list[str] = []
        self.tentative: list[str] = []

    def recognizer(
        self,
        *,
        may_end: bool = True,
        partials: bool = False,
        tentative: bool = False,
        turn: ModelThread[TurnModel] | None = None,
    ) -> UtteranceRecognizer:
        return UtteranceRecognizer(
            TranscriptionRequest(language="en"),
            lambda _: SpeechSegmenter(LoudnessVadStream(), Endpointer(), may_end=may_end),
            UtteranceModels(self.model, self.vad, turn, self.stats, clock=lambda: self.now),
            self._note_partial if partials else None,
            self._note_tentative if tentative else None,
        )

    async def _note_tentative(self, text: str) -> None:
        self.tentative.append(text)

    async def _note_partial(self, text: str) -> None:
        self.partials.append(text)

    async def speak(self, recognizer: UtteranceRecognizer, pcm: bytes) -> None:
        for at in range(0, len(pcm), 640):
            self.now += 0.02
            await recognizer.feed(pcm[at : at + 640], MONO)
            await self.settle()

    async def settle(self) -> None:
        """Let everything that can happen by now happen."""
        for _ in range(6):
            await self.vad.call(lambda _: None)
            await asyncio.sleep(0)

    async def decoded(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.engine.requests) < count:
                await self.model.call(lambda _: None)


@pytest_asyncio.fixture
async def audio(engine: FakeEngine) -> AsyncIterator[LiveAudio]:
    audio = LiveAudio(engine)
    yield audio
    engine.gate.set()
    await audio.model.aclose()
    await audio.vad.aclose()


async def test_the_text_is_known_before_the_turn_is_over(audio: LiveAudio) -> None:
    recognizer = audio.recognizer()
    running = asyncio.create_task(recognizer.run())

    await audio.speak(recognizer, speech(1.0) + silence(0.3))
    await audio.decoded(1)
    ended = running.done()
    await audio.speak(recognizer, silence(2.0))

    assert not ended
    assert (await running).text == "loud 1.0"
    assert len(audio.engine.requests) == 1
    assert audio.stats.used_seconds == pytest.approx(audio.stats.total_seconds)


async def test_audio_stop_in_the_pause_decodes_nothing_twice(audio: LiveAudio) -> None:
    recognizer = audio.recognizer(may_end=False)
    running = asyncio.create_task(recognizer.run())

    await audio.speak(recognizer, speech(1.0) + silence(0.5))
    await recognizer.stop()

    assert (await running).text == "loud 1.0"
    assert len(audio.engine.requests) == 1


async def test_speech_that_goes_on_drops_the_speculative_decode(audio: LiveAudio) -> None:
    recognizer = audio.recognizer()
    running = asyncio.create_task(recognizer.run())

    await audio.speak(recognizer, speech(1.0) + silence(0.3))
    await audio.decoded(1)
    await audio.speak(recognizer, speech(1.0) + silence(2.0))

    said = await running
    assert said.text == "loud 2.0"
    assert len(audio.engine.requests) == 2


async def test_speech_that_dies_away_softly_is_decoded_again_before_the_turn_is_over(
    audio: LiveAudio,
) -> None:
    recognizer = audio.recognizer()
    running = asyncio.create_task(recognizer.run())

    await audio.speak(recognizer, speech(1.0) + silence(0.16) + soft_speech(0.1) + silence(0.2))
    await audio.decoded(2)
    ended = running.done()
    await audio.speak(recognizer, silence(2.0))

    assert not ended
    assert (await running).text == "loud 1.0"
    assert len(audio.engine.requests) == 2


class SureTurnModel:
    """Takes every pause for an end."""

    def completeness(self, audio: Audio) -> float:
        return 0.99


class WaveringTurnModel:
    """Takes a pause for a pause at first, and for an end when it is asked again."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def completeness(self, audio: Audio) -> float:
        self.heard.append(len(audio))
        return 0.2 if len(self.heard) == 1 else 0.99


async def end_of_turn(audio: LiveAudio, turn: ModelThread[TurnModel] | None) -> float:
    """Return the seconds of silence that end a turn of one second."""
    recognizer = audio.recognizer(turn=turn)
    running = asyncio.create_task(recognizer.run())
    await audio.speak(recognizer, speech(1.0))
    silent = 0
    while not running.done() and silent < 200:
        silent += 1
        await audio.speak(recognizer, silence(0.02))
        await audio.model.call(lambda _: None)
        if turn is not None:
            await turn.call(lambda _: None)
        await audio.settle()
    await running
    return silent / 50


async def test_a_turn_model_is_asked_again_with_more_of_the_pause(audio: LiveAudio) -> None:
    model = WaveringTurnModel()
    turn = ModelThread[TurnModel]("turn", lambda: model)

    await end_of_turn(audio, turn)
    await turn.aclose()

    first, second = model.heard
    assert second - first >= 0.1 * MODEL_RATE


async def test_a_turn_model_that_is_certain_of_an_end_is_asked_once(audio: LiveAudio) -> None:
    class CountedTurnModel(SureTurnModel):
        calls = 0

        def completeness(self, audio: Audio) -> float:
            self.calls += 1
            return super().completeness(audio)

    model = CountedTurnModel()
    turn = ModelThread[TurnModel]("turn", lambda: model)

    await end_of_turn(audio, turn)
    await turn.aclose()

    assert model.calls == 1


async def test_a_turn_model_that_changes_its_mind_ends_the_turn_sooner(audio: LiveAudio) -> None:
    class DoubtfulTurnModel(WaveringTurnModel):
        def completeness(self, audio: Audio) -> float:
            super().completeness(audio)
            return 0.2

    ends = []
    for make in (WaveringTurnModel, DoubtfulTurnModel):
        turn = ModelThread[TurnModel]("turn", make)
        ends.append(await end_of_turn(audio, turn))
        await turn.aclose()

    assert ends[0] < ends[1]


async def test_a_text_that_the_recogniser_hardly_closes_keeps_the_turn_open(
    audio: LiveAudio,
) -> None:
    class ClosingEngine(FakeEngine):
        probability = 0.9

        def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
            return Transcription(text="One two three four.", language=request.language)

        def score(self, *given: object) -> list[float]:
            marks = {".": math.log(self.probability), "?": -20.0}
            texts = given[1]
            assert isinstance(texts, list)
            return [marks.get(text[-1], 0.0) for text in texts]

    engine = ClosingEngine()
    ends = []
    for engine.probability in (0.45, 0.01):
        live = LiveAudio(engine)
        turn = ModelThread[TurnModel]("turn", SureTurnModel)
        ends.append(await end_of_turn(live, turn))
        for thread in (live.model, live.vad, turn):
            await thread.aclose()

    assert ends[0] < ends[1]


async def test_a_file_is_decoded_once(audio: LiveAudio) -> None:
    recognizer = audio.recognizer()
    running = asyncio.create_task(recognizer.run())

    for _ in range(3):
        await recognizer.feed(speech(1.0) + silence(1.0), MONO)
        await audio.settle()
    await recognizer.stop()

    assert (await running).text == "loud 3.0"
    assert len(audio.engine.requests) == 1


async def test_wasted_decoding_is_bounded_for_a_speaker_with_many_pauses(audio: LiveAudio) -> None:
    class Slow(FakeEngine):
        def transcribe(self, segment: object, request: TranscriptionRequest) -> Transcription:
            audio.now += 2.0
            self.requests.append(request)
            return Transcription(text="slow")

    slow = Slow()
    audio.engine = slow
    audio.model = ModelThread[SttEngine]("slow", lambda: slow)
    recognizer = audio.recognizer(may_end=False)
    running = asyncio.create_task(recognizer.run())

    for _ in range(20):
        await audio.speak(recognizer, speech(0.5) + silence(0.3))
    await recognizer.stop()
    await running

    assert len(slow.requests) < 8


async def test_long_speech_whose_pauses_are_not_decoded_may_pause_as_long(audio: LiveAudio) -> None:
    audio.engine.gate.clear()
    others = [
        asyncio.create_task(audio.model.call(lambda _: audio.engine.gate.wait(30)))
        for _ in range(4)
    ]
    recognizer = audio.recognizer()
    running = asyncio.create_task(recognizer.run())

    await audio.speak(recognizer, speech(9.0) + silence(1.0) + speech(1.0) + silence(2.0))
    audio.engine.gate.set()

    assert (await running).text == "loud 10.0"
    await asyncio.gather(*others)


async def test_partial_texts_follow_the_speech(audio: LiveAudio) -> None:
    recognizer = audio.recognizer(partials=True)
    running = asyncio.create_task(recognizer.run())

    await audio.speak(recognizer, speech(2.0))
    await audio.decoded(1)
    await audio.settle()
    await audio.speak(recognizer, speech(1.0) + silence(2.0))
    await running

    assert audio.partials
    assert all(text.startswith("loud ") for text in audio.partials)


async def test_a_session_that_is_cancelled_ends_its_decodes(audio: LiveAudio) -> None:
    recognizer = audio.recognizer()
    running = asyncio.create_task(recognizer.run())
    await audio.speak(recognizer, speech(1.0) + silence(0.3))
    await audio.decoded(1)

    running.cancel()
    await asyncio.wait([running])

    assert audio.model.waiting == 0


async def test_a_tentative_transcript_is_taken_back_when_speech_goes_on(
    audio: LiveAudio,
) -> None:
    recognizer = audio.recognizer(tentative=True)
    running = asyncio.create_task(recognizer.run())

    await audio.speak(recognizer, speech(1.0) + silence(0.3))
    await audio.decoded(1)
    await audio.speak(recognizer, speech(1.0) + silence(0.3))
    await audio.decoded(2)
    await audio.speak(recognizer, silence(2.0))

    assert (await running).text == "loud 2.0"
    assert audio.tentative == ["loud 1.0", "", "loud 2.0"]
