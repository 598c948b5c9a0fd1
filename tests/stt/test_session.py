"""Decoding while somebody speaks: what is decoded when, on a clock of the test's own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.stt.fakes import FakeEars, FakeEngine, LoudIsSpeech, murmur, silence, speech
from wyoming_common.audio import PcmFormat
from wyoming_common.endpoint import Endpoint
from wyoming_common.worker import ModelThread
from wyoming_stt.engine import Request, SttEngine, Transcription
from wyoming_stt.listener import Listener
from wyoming_stt.session import Session, Spent, Tools
from wyoming_stt.vad import SpeechModel

MONO = PcmFormat()


class Room:
    """Feeds a session as a microphone would, without waiting for the time to pass."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.now = 0.0
        self.spent = Spent()
        self.model = ModelThread[SttEngine]("model", lambda: engine)
        self.ears = ModelThread[SpeechModel]("ears", FakeEars)
        self.partials: list[str] = []
        self.supposed: list[str] = []

    def session(
        self, *, may_end: bool = True, partials: bool = False, tentative: bool = False
    ) -> Session:
        return Session(
            Request(language="en"),
            lambda _: Listener(LoudIsSpeech(), Endpoint(), may_end=may_end),
            Tools(self.model, self.ears, None, self.spent, lambda: self.now),
            self._partial if partials else None,
            self._suppose if tentative else None,
        )

    async def _suppose(self, text: str) -> None:
        self.supposed.append(text)

    async def _partial(self, text: str) -> None:
        self.partials.append(text)

    async def speak(self, session: Session, pcm: bytes) -> None:
        for at in range(0, len(pcm), 640):
            self.now += 0.02
            await session.feed(pcm[at : at + 640], MONO)
            await self.settle()

    async def settle(self) -> None:
        """Let everything that can happen by now happen."""
        for _ in range(3):
            await self.ears.call(lambda _: None)
            await asyncio.sleep(0)

    async def decoded(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.engine.requests) < count:
                await self.model.call(lambda _: None)


@pytest_asyncio.fixture
async def room(engine: FakeEngine) -> AsyncIterator[Room]:
    room = Room(engine)
    yield room
    engine.gate.set()
    await room.model.aclose()
    await room.ears.aclose()


async def test_the_text_is_there_before_the_turn_is_over(room: Room) -> None:
    session = room.session()
    running = asyncio.create_task(session.run())

    await room.speak(session, speech(1.0) + silence(0.3))
    await room.decoded(1)
    ended = running.done()
    await room.speak(session, silence(2.0))

    assert not ended
    assert (await running).text == "loud 1.0"
    assert len(room.engine.requests) == 1
    assert room.spent.used_seconds == pytest.approx(room.spent.total_seconds)


async def test_audio_stop_in_the_pause_decodes_nothing_twice(room: Room) -> None:
    session = room.session(may_end=False)
    running = asyncio.create_task(session.run())

    await room.speak(session, speech(1.0) + silence(0.5))
    await session.stop()

    assert (await running).text == "loud 1.0"
    assert len(room.engine.requests) == 1


async def test_speech_that_goes_on_drops_what_was_decoded(room: Room) -> None:
    session = room.session()
    running = asyncio.create_task(session.run())

    await room.speak(session, speech(1.0) + silence(0.3))
    await room.decoded(1)
    await room.speak(session, speech(1.0) + silence(2.0))

    said = await running
    assert said.text == "loud 2.0"
    assert len(room.engine.requests) == 2


async def test_speech_that_dies_away_softly_is_decoded_whole_before_the_turn_is_over(
    room: Room,
) -> None:
    session = room.session()
    running = asyncio.create_task(session.run())

    await room.speak(session, speech(1.0) + silence(0.16) + murmur(0.1) + silence(0.2))
    await room.decoded(2)
    ended = running.done()
    await room.speak(session, silence(2.0))

    assert not ended
    assert (await running).text == "loud 1.0"
    assert len(room.engine.requests) == 2


async def test_a_file_is_decoded_once(room: Room) -> None:
    session = room.session()
    running = asyncio.create_task(session.run())

    for _ in range(3):
        await session.feed(speech(1.0) + silence(1.0), MONO)
        await room.settle()
    await session.stop()

    assert (await running).text == "loud 3.0"
    assert len(room.engine.requests) == 1


async def test_waste_is_bounded_for_a_speaker_full_of_pauses(room: Room) -> None:
    class Slow(FakeEngine):
        def transcribe(self, audio: object, request: Request) -> Transcription:
            room.now += 2.0
            self.requests.append(request)
            return Transcription(text="slow")

    slow = Slow()
    room.engine = slow
    room.model = ModelThread[SttEngine]("slow", lambda: slow)
    session = room.session(may_end=False)
    running = asyncio.create_task(session.run())

    for _ in range(20):
        await room.speak(session, speech(0.5) + silence(0.3))
    await session.stop()
    await running

    assert len(slow.requests) < 8


async def test_partial_texts_follow_the_speech(room: Room) -> None:
    session = room.session(partials=True)
    running = asyncio.create_task(session.run())

    await room.speak(session, speech(2.0))
    await room.decoded(1)
    await room.settle()
    await room.speak(session, speech(1.0) + silence(2.0))
    await running

    assert room.partials
    assert all(text.startswith("loud ") for text in room.partials)


async def test_a_session_that_is_cancelled_ends_its_decodes(room: Room) -> None:
    session = room.session()
    running = asyncio.create_task(session.run())
    await room.speak(session, speech(1.0) + silence(0.3))
    await room.decoded(1)

    running.cancel()
    await asyncio.wait([running])

    assert room.model.waiting == 0


async def test_what_a_pause_would_end_with_is_told_and_taken_back_when_speech_goes_on(
    room: Room,
) -> None:
    session = room.session(tentative=True)
    running = asyncio.create_task(session.run())

    await room.speak(session, speech(1.0) + silence(0.3))
    await room.decoded(1)
    await room.speak(session, speech(1.0) + silence(0.3))
    await room.decoded(2)
    await room.speak(session, silence(2.0))

    assert (await running).text == "loud 2.0"
    assert room.supposed == ["loud 1.0", "", "loud 2.0"]
