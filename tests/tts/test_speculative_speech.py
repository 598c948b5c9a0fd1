"""Speech begun ahead, while it is not certain yet that it will be heard."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Info
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

from tests.support.wire import TIMEOUT_SECONDS, receive, receive_until
from tests.tts.fakes import FakeTts
from tests.tts.test_handler import WORD, audio, until
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_common.protocol.interim_reply import InterimSpeech
from wyoming_tts.config import TtsSettings
from wyoming_tts.handler import TtsHandler
from wyoming_tts.synthesis import speculative_speech
from wyoming_tts.synthesis.speculative_speech import MAX_PIECES_AHEAD, may_speculate
from wyoming_tts.synthesis.synthesizer import SpeechStats, Synthesizer


class Rig:
    """A service whose voice has been loaded, and a client."""

    def __init__(self, engine: FakeTts, speech: Synthesizer, client: AsyncClient) -> None:
        self.engine = engine
        self.speech = speech
        self.client = client

    async def suppose(self, text: str, *, whole: bool = True) -> None:
        """Send what may be spoken, and wait until the service has read it."""
        await self.client.write_event(InterimSpeech(text, whole).event())
        await self.client.write_event(Ping().event())
        await receive_until(self.client, Pong)

    async def begun(self, text: str) -> None:
        """Send what may be spoken, until its synthesis has begun."""
        while not self.texts:
            await self.suppose(text)

    async def say(self, text: str) -> bytes:
        """Have `text` spoken, as a stream."""
        await self.client.write_event(SynthesizeStart().event())
        await self.client.write_event(SynthesizeChunk(text).event())
        await self.client.write_event(SynthesizeStop().event())
        return audio(await until(self.client, "synthesize-stopped"))

    @property
    def texts(self) -> list[str]:
        return [phrase.text for phrase in self.engine.phrases]

    async def synthesized(self) -> None:
        assert await asyncio.to_thread(self.engine.closed.wait, TIMEOUT_SECONDS)
        self.engine.closed.clear()


@pytest.fixture(autouse=True)
def spare_power(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speculative_speech, "has_spare_power", lambda: True)


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    engine = FakeTts()
    settings = TtsSettings(sentence_silence=0, cache=0, zeroconf="off")
    speech = Synthesizer(engine, settings)
    model = ModelThread("tts", speech.load)
    await model.engine()
    engine.phrases.clear()
    engine.closed.clear()
    handler = partial(TtsHandler, speech, model, settings)
    async with serve("tcp://127.0.0.1:0", Info, handler) as uri, AsyncClient.from_uri(uri) as c:
        yield Rig(engine, speech, c)
    await model.aclose()


async def test_speech_that_was_begun_is_heard_without_being_made_again(rig: Rig) -> None:
    await rig.suppose("One two.")
    await rig.synthesized()

    assert await rig.say("One two.") == 2 * WORD
    assert rig.texts == ["One two."]


async def test_no_more_is_made_ahead_than_a_bound(rig: Rig) -> None:
    text = " ".join(
        f"One {word}." for word in ["two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
    await rig.suppose(text)
    while len(rig.texts) < MAX_PIECES_AHEAD // 2:
        await rig.suppose(text)

    assert len(rig.texts) <= MAX_PIECES_AHEAD
    assert await rig.say(text) == 16 * WORD
    assert len(rig.texts) == 8


async def test_a_sentence_whose_end_is_not_certain_is_not_begun(rig: Rig) -> None:
    await rig.suppose("One two", whole=False)

    assert not rig.texts


async def test_a_growing_text_begins_one_speech(rig: Rig) -> None:
    await rig.suppose("One two. Th", whole=False)
    await rig.suppose("One two. Three fo", whole=False)
    await rig.synthesized()

    assert await rig.say("One two. Three four.") == 4 * WORD
    assert rig.texts == ["One two.", "Three four."]


async def test_a_sentence_is_begun_before_its_end_is_known(rig: Rig) -> None:
    rig.engine.opens = True
    await rig.suppose("One two three four fi", whole=False)
    await rig.synthesized()

    assert await rig.say("One two three four five.") == 5 * WORD
    assert [(phrase.text, phrase.is_open) for phrase in rig.engine.phrases] == [
        ("One two three four", True),
        ("One two three four five.", False),
    ]


async def test_a_reply_that_is_longer_than_was_told_is_spoken_whole(rig: Rig) -> None:
    await rig.suppose("One two.")
    await rig.synthesized()

    assert await rig.say("One two. Three.") == 3 * WORD


async def test_text_in_pieces_is_compared_with_the_speech_as_it_comes(rig: Rig) -> None:
    await rig.suppose("One two.")
    await rig.synthesized()
    await rig.client.write_event(SynthesizeStart().event())
    for piece in ("On", "e tw", "o."):
        await rig.client.write_event(SynthesizeChunk(piece).event())
    await rig.client.write_event(SynthesizeStop().event())

    assert audio(await until(rig.client, "synthesize-stopped")) == 2 * WORD
    assert rig.texts == ["One two."]


async def test_other_words_are_spoken_as_they_are(rig: Rig) -> None:
    await rig.suppose("One two.")
    await rig.synthesized()

    assert await rig.say("Four five six.") == 3 * WORD


async def test_speech_that_is_taken_back_ends_and_counts_as_wasted(rig: Rig) -> None:
    await rig.begun("Forever.")
    await rig.suppose("")
    await rig.synthesized()

    assert rig.speech.stats.wasted_seconds > 0


async def test_a_supposition_that_comes_late_does_not_end_what_is_heard(rig: Rig) -> None:
    await rig.begun("Forever.")
    await rig.client.write_event(SynthesizeStart().event())
    await rig.client.write_event(SynthesizeChunk("Forever.").event())
    await rig.client.write_event(SynthesizeStop().event())
    await receive_until(rig.client, AudioChunk)
    await rig.client.write_event(InterimSpeech("").event())
    for _ in range(8):
        await receive_until(rig.client, AudioChunk)


async def test_hanging_up_ends_the_speech(rig: Rig) -> None:
    await rig.begun("Forever.")
    await rig.client.disconnect()

    await rig.synthesized()


async def test_speech_that_failed_ahead_fails_only_when_it_is_wanted(rig: Rig) -> None:
    await rig.suppose("Bad.")
    await rig.synthesized()
    assert await rig.say("One.") == WORD
    await rig.suppose("Bad.")
    await rig.client.write_event(Synthesize("Bad.").event())

    assert (await receive(rig.client)).type == "audio-start"
    assert (await receive(rig.client)).data["code"] == "bad-request"


async def test_malformed_suppositions_are_refused_and_harm_nothing(rig: Rig) -> None:
    await rig.client.write_event(Event("synthesize-tentative", {"text": 5}))

    assert (await receive(rig.client)).data["code"] == "bad-request"
    assert await rig.say("One.") == WORD


def test_more_is_not_wasted_than_a_share_of_the_work() -> None:
    assert may_speculate(SpeechStats(total_seconds=100.0, wasted_seconds=30.0))
    assert not may_speculate(SpeechStats(total_seconds=100.0, wasted_seconds=32.0))
