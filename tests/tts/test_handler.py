import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple

import pytest
import pytest_asyncio
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from tests.support.wire import receive, receive_until
from tests.tts.fakes import RATE, FakeTts
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_tts.config import TtsSettings
from wyoming_tts.handler import TtsHandler
from wyoming_tts.info import tts_info
from wyoming_tts.synthesis.synthesizer import Synthesizer


class Service(NamedTuple):
    engine: FakeTts
    uri: str


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    engine = FakeTts()
    settings = TtsSettings(max_text=1000, sentence_silence=0.01, zeroconf="off")
    speech = Synthesizer(engine, settings)
    model = ModelThread("tts", lambda: speech)

    def info() -> Info:
        return tts_info("fake", engine)

    handler = partial(TtsHandler, speech, model, settings)
    async with serve("tcp://127.0.0.1:0", info, handler) as uri:
        yield Service(engine, uri)
    await model.aclose()


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with AsyncClient.from_uri(service.uri) as client:
        yield client


async def until(client: AsyncClient, *kinds: str) -> list[Event]:
    events: list[Event] = []
    while not events or events[-1].type not in kinds:
        events.append(await receive(client))
    return events


def types(events: list[Event]) -> list[str]:
    """Event types in order, runs of the same taken together."""
    names = [event.type for event in events]
    return [name for place, name in enumerate(names) if names[place - 1 : place] != [name]]


def audio(events: list[Event]) -> bytes:
    return b"".join(event.payload or b"" for event in events if AudioChunk.is_type(event.type))


PAUSE = bytes(2 * RATE // 100)
WORD = b"\x01\x00\x02\x00"


async def test_plain_text_becomes_one_reply(client: AsyncClient) -> None:
    await client.write_event(Synthesize(text="One two. Three.").event())

    events = await until(client, "audio-stop")
    assert types(events) == ["audio-start", "audio-chunk", "audio-stop"]
    assert audio(events) == WORD * 2 + PAUSE + WORD
    assert AudioStart.from_event(events[0]).rate == RATE


async def test_streamed_text_becomes_one_reply_and_the_whole_text_is_ignored(
    client: AsyncClient,
) -> None:
    await client.write_event(SynthesizeStart().event())
    for piece in ("One t", "wo. Th", "ree."):
        await client.write_event(SynthesizeChunk(text=piece).event())
    await client.write_event(Synthesize(text="One two. Three.").event())
    await client.write_event(SynthesizeStop().event())

    events = await until(client, "synthesize-stopped")
    assert types(events) == ["audio-start", "audio-chunk", "audio-stop", "synthesize-stopped"]
    assert audio(events) == WORD * 2 + PAUSE + WORD


async def test_a_sentence_is_spoken_while_the_text_still_arrives(client: AsyncClient) -> None:
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text="One two. Three").event())

    await receive_until(client, AudioChunk)


async def test_one_connection_serves_one_reply_after_the_other(client: AsyncClient) -> None:
    for _ in range(2):
        await client.write_event(SynthesizeStart().event())
        await client.write_event(SynthesizeChunk(text="One.").event())
        await client.write_event(SynthesizeStop().event())
        assert audio(await until(client, "synthesize-stopped")) == WORD

        await client.write_event(Synthesize(text="One two.").event())
        assert audio(await until(client, "audio-stop")) == WORD * 2


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
async def test_text_without_a_word_is_a_moment_of_silence(client: AsyncClient, text: str) -> None:
    await client.write_event(Synthesize(text=text).event())

    events = await until(client, "audio-stop")
    assert len(audio(events)) > 0
    assert not any(audio(events))


async def test_characters_that_nobody_can_speak_never_reach_the_engine(
    client: AsyncClient, service: Service
) -> None:
    await client.write_event(Synthesize(text="On\u200be\x00 \x1b[31mtwo\x1b[0m\x07").event())
    await receive_until(client, AudioStop)

    assert [phrase.text.split() for phrase in service.engine.phrases] == [["One", "two"]]


async def test_a_request_without_a_voice_is_spoken_by_the_default_voice(
    client: AsyncClient, service: Service
) -> None:
    await client.write_event(Synthesize(text="One").event())
    await receive_until(client, AudioStop)

    assert [phrase.voice for phrase in service.engine.phrases] == ["plain"]


@pytest.mark.parametrize(
    "wanted",
    [
        SynthesizeVoice(name="deutsch", speaker="bert"),
        SynthesizeVoice(language="de_DE"),
        SynthesizeVoice(language="de-de"),
        SynthesizeVoice(language="de"),
    ],
)
async def test_a_voice_is_found_by_name_and_by_language(
    client: AsyncClient, service: Service, wanted: SynthesizeVoice
) -> None:
    await client.write_event(Synthesize(text="Eins", voice=wanted).event())
    await receive_until(client, AudioStop)

    assert [(p.voice, p.speaker) for p in service.engine.phrases] == [("deutsch", wanted.speaker)]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (SynthesizeVoice(name="nobody"), "unknown-voice"),
        (SynthesizeVoice(name="absent"), "unknown-voice"),
        (SynthesizeVoice(language="xx"), "unknown-language"),
    ],
)
async def test_a_voice_that_is_not_there_is_an_error_that_names_it(
    client: AsyncClient, wanted: SynthesizeVoice, code: str
) -> None:
    await client.write_event(Synthesize(text="One", voice=wanted).event())

    error = Error.from_event(await receive(client))
    assert error.code == code
    assert str(wanted.name or wanted.language) in error.text


@pytest.mark.parametrize(("text", "code"), [("boom", "internal"), ("bad", "bad-request")])
async def test_a_streaming_request_that_fails_still_ends(
    client: AsyncClient, text: str, code: str
) -> None:
    await client.write_event(SynthesizeStart().event())
    await client.write_event(SynthesizeChunk(text=text).event())
    await client.write_event(Synthesize(text=text).event())
    await client.write_event(SynthesizeStop().event())

    events = await until(client, "synthesize-stopped")
    assert [e.data["code"] for e in events if Error.is_type(e.type)] == [code]
    await client.write_event(Synthesize(text="One").event())
    assert audio(await until(client, "audio-stop")) == WORD


async def test_more_text_than_allowed_is_refused(client: AsyncClient) -> None:
    await client.write_event(Synthesize(text="a " * 600).event())

    events = await until(client, "error")
    assert events[-1].data["code"] == "too-large"


@pytest.mark.parametrize(
    "event",
    [
        Event("synthesize", {}),
        Event("synthesize", {"text": 5}),
        Event("synthesize", {"text": "One", "voice": "plain"}),
        Event("synthesize-chunk", {"text": "One"}),
    ],
)
async def test_a_malformed_request_is_refused_and_the_next_one_served(
    client: AsyncClient, event: Event
) -> None:
    await client.write_event(event)

    assert (await receive(client)).data["code"] == "bad-request"
    await client.write_event(Synthesize(text="One").event())
    assert audio(await until(client, "audio-stop")) == WORD


async def test_a_stop_without_a_start_is_answered(client: AsyncClient) -> None:
    await client.write_event(SynthesizeStop().event())

    await receive_until(client, SynthesizeStopped)


async def test_a_voice_of_the_catalogue_is_fetched_where_that_is_allowed() -> None:
    engine = FakeTts()
    settings = TtsSettings(allow_download=True, zeroconf="off")
    speech = Synthesizer(engine, settings)
    model = ModelThread("tts", lambda: speech)

    handler = partial(TtsHandler, speech, model, settings)
    async with (
        serve("tcp://127.0.0.1:0", Info, handler) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        await client.write_event(
            Synthesize(text="Un", voice=SynthesizeVoice(name="absent")).event()
        )
        assert audio(await until(client, "audio-stop")) == WORD
    await model.aclose()

    assert engine.fetched == ["absent"]


async def test_hanging_up_stops_the_engine(client: AsyncClient, service: Service) -> None:
    await client.write_event(Synthesize(text="forever").event())
    await receive_until(client, AudioChunk)

    await client.disconnect()

    assert await asyncio.to_thread(service.engine.closed.wait, 5)


async def test_a_new_request_replaces_the_one_in_progress(
    client: AsyncClient, service: Service
) -> None:
    await client.write_event(Synthesize(text="forever").event())
    await receive_until(client, AudioChunk)

    await client.write_event(Synthesize(text="bad").event())

    await receive_until(client, Error)
    assert service.engine.closed.is_set()


async def test_describe_is_answered_while_speaking(client: AsyncClient, service: Service) -> None:
    await client.write_event(Synthesize(text="forever").event())
    await receive_until(client, AudioChunk)

    async with AsyncClient.from_uri(service.uri) as other:
        await other.write_event(Describe().event())
        info = Info.from_event(await receive(other))

    assert info.tts[0].supports_synthesize_streaming
    assert [(v.name, v.installed) for v in info.tts[0].voices] == [
        ("plain", True),
        ("absent", False),
        ("deutsch", True),
    ]
    assert [speaker.name for speaker in info.tts[0].voices[2].speakers or ()] == ["anna", "bert"]


async def test_ssml_is_followed_where_the_request_says_so(client: AsyncClient) -> None:
    document = '<speak><break time="20ms"/>One.<break time="10ms"/>Two <b>three</b>.</speak>'
    await client.write_event(Synthesize(text=document, text_format="ssml").event())

    silence = bytes(2 * RATE // 50)
    assert audio(await until(client, "audio-stop")) == silence + WORD + PAUSE + WORD * 2


async def test_a_long_document_is_spoken_whole(client: AsyncClient, service: Service) -> None:
    document = f"<speak>{''.join(f'<s>Word {n}.</s>' for n in range(50))}</speak>"
    await client.write_event(Synthesize(text=document, text_format="ssml").event())
    await receive_until(client, AudioStop)

    assert len(service.engine.phrases) == 50


async def test_text_is_written_out_for_the_ear(client: AsyncClient, service: Service) -> None:
    await client.write_event(Synthesize(text="**5 km** 👍").event())
    await receive_until(client, AudioStop)

    assert [phrase.text for phrase in service.engine.phrases] == ["five kilometers"]


async def test_a_lone_emoji_is_a_moment_of_silence(client: AsyncClient, service: Service) -> None:
    await client.write_event(Synthesize(text="🙂").event())

    assert not any(audio(await until(client, "audio-stop")))
    assert service.engine.phrases == []


async def test_a_streamed_sentence_is_begun_before_its_end(
    client: AsyncClient, service: Service
) -> None:
    service.engine.opens = True
    await client.write_event(SynthesizeStart().event())
    for word in ("One ", "two ", "three ", "four ", "five "):
        await client.write_event(SynthesizeChunk(text=word).event())
    await receive_until(client, AudioChunk)
    await client.write_event(SynthesizeChunk(text="six.").event())
    await client.write_event(SynthesizeStop().event())
    events = await until(client, "synthesize-stopped")

    assert len(audio(events)) < 6 * len(WORD)
    opened = [phrase.is_open for phrase in service.engine.phrases]
    assert (opened[0], opened[-1]) == (True, False)


@pytest.mark.parametrize("text", ["It is 5 past the hour now", "See Dr. Smith about it now", "no"])
async def test_a_sentence_that_may_be_read_in_another_way_later_is_not_begun(
    client: AsyncClient, service: Service, text: str
) -> None:
    service.engine.opens = True
    await client.write_event(SynthesizeStart().event())
    for word in text.split():
        await client.write_event(SynthesizeChunk(text=f"{word} ").event())
    await client.write_event(SynthesizeStop().event())
    await until(client, "synthesize-stopped")

    assert not any(phrase.is_open for phrase in service.engine.phrases)
