"""Wyoming events of speech-to-text, with an engine that needs no model."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info, SelectProgram
from wyoming.ping import Ping, Pong

from tests.stt.fakes import RATE, FakeEngine, LoudnessVad, silence, speech
from tests.support.wire import receive, receive_until
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import SttEngine
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import stt_programs
from wyoming_stt.service import SttService


async def send_audio(
    client: AsyncTcpClient, pcm: bytes, rate: int = RATE, width: int = 2, channels: int = 1
) -> None:
    for start in range(0, len(pcm), 8192):
        chunk = AudioChunk(rate, width, channels, pcm[start : start + 8192])
        await client.write_event(chunk.event())


async def transcript(client: AsyncTcpClient) -> Transcript:
    return Transcript.from_event(await receive_until(client, Transcript))


async def test_audio_becomes_a_transcript(client: AsyncTcpClient) -> None:
    await client.write_event(Transcribe(language="en").event())
    await client.write_event(AudioStart(RATE, 2, 1).event())
    await send_audio(client, silence(0.3) + speech(1.0) + silence(0.3))
    await client.write_event(AudioStop().event())

    assert await transcript(client) == Transcript("loud 1.0", language="en")


async def test_transcribe_and_audio_start_may_be_left_out(client: AsyncTcpClient) -> None:
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())

    assert (await transcript(client)).text == "loud 1.0"


@pytest.mark.parametrize(("rate", "width", "channels"), [(44_100, 2, 2), (8_000, 1, 1)])
async def test_any_pcm_is_understood(
    client: AsyncTcpClient, rate: int, width: int, channels: int
) -> None:
    one = speech(1.0, rate)
    if width == 1:
        one = bytes((128 + int.from_bytes(one[at : at + 2], "little", signed=True) // 256)
                    for at in range(0, len(one), 2))  # fmt: skip
    pcm = b"".join(one[at : at + width] * channels for at in range(0, len(one), width))
    await client.write_event(AudioStart(rate, width, channels).event())
    await send_audio(client, pcm, rate, width, channels)
    await client.write_event(AudioStop().event())

    assert (await transcript(client)).text == "loud 1.0"


async def test_a_format_that_changes_in_mid_stream_is_followed(client: AsyncTcpClient) -> None:
    one = speech(1.0, 48_000)
    stereo = b"".join(2 * one[at : at + 2] for at in range(0, len(one), 2))
    await client.write_event(AudioStart(RATE, 2, 1).event())
    await send_audio(client, speech(1.0))
    await send_audio(client, stereo, 48_000, 2, 2)
    await client.write_event(AudioStop().event())

    assert (await transcript(client)).text == "loud 2.0"


async def test_audio_cut_within_samples_is_put_together(client: AsyncTcpClient) -> None:
    pcm = speech(1.0)
    for start in range(0, len(pcm), 1023):
        await client.write_event(AudioChunk(RATE, 2, 1, pcm[start : start + 1023]).event())
    await client.write_event(AudioStop().event())

    assert (await transcript(client)).text == "loud 1.0"


async def test_an_impossible_format_is_answered_once_and_ends_the_utterance(
    client: AsyncTcpClient,
) -> None:
    await send_audio(client, speech(1.0))
    for _ in range(5):
        await client.write_event(AudioChunk(RATE, 9, 1, bytes(900)).event())
    await client.write_event(AudioStop().event())
    await client.write_event(Transcribe().event())
    await send_audio(client, speech(2.0))
    await client.write_event(AudioStop().event())

    error = Error.from_event(await receive(client))

    assert error.code == "bad-audio"
    assert (await transcript(client)).text == "loud 2.0"


@asynccontextmanager
async def live(engine: FakeEngine) -> AsyncIterator[AsyncTcpClient]:
    """A client whose audio arrives as it is spoken, on the clock of the service."""
    ticks = itertools.count()
    [program] = stt_programs(["fake"], [engine.languages])
    service = SttService(
        SttSettings(),
        [(program, ModelThread[SttEngine]("fake", lambda: engine))],
        ModelThread[VadModel]("vad", LoudnessVad),
        clock=lambda: next(ticks) * 0.02,
    )
    async with (
        serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        yield client
    await service.aclose()


async def speak(client: AsyncTcpClient, pcm: bytes) -> None:
    for start in range(0, len(pcm), 640):
        await client.write_event(AudioChunk(RATE, 2, 1, pcm[start : start + 640]).event())


async def test_live_audio_is_answered_before_audio_stop(engine: FakeEngine) -> None:
    async with live(engine) as client:
        await client.write_event(AudioStart(RATE, 2, 1).event())
        await speak(client, speech(0.5) + silence(4.0))
        said = await transcript(client)

    assert said.text == "loud 0.5"


@pytest.mark.parametrize("wanted", [True, False])
async def test_tentative_transcripts_are_sent_to_clients_that_ask_for_them(
    engine: FakeEngine, wanted: bool
) -> None:
    async with live(engine) as client:
        context = {"tentative": True} if wanted else None
        await client.write_event(Transcribe(context=context).event())
        await client.write_event(AudioStart(RATE, 2, 1).event())
        await speak(client, speech(0.5) + silence(0.4))
        tentative = await receive(client) if wanted else None
        await speak(client, silence(4.0))
        last = await receive(client)

    assert last.type == "transcript"
    if tentative is not None:
        assert tentative.type == "transcript-tentative"
        assert tentative.data["text"] == last.data["text"] == "loud 0.5"


async def test_audio_after_the_answer_is_ignored(client: AsyncTcpClient) -> None:
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())
    await transcript(client)

    await send_audio(client, speech(2.0))
    await client.write_event(AudioStop().event())
    await client.write_event(Ping(text="after").event())

    assert Pong.is_type((await receive(client)).type)


async def test_a_connection_serves_one_utterance_after_another(client: AsyncTcpClient) -> None:
    texts = []
    for seconds in (1.0, 2.0):
        await client.write_event(Transcribe().event())
        await client.write_event(AudioStart(RATE, 2, 1).event())
        await send_audio(client, speech(seconds))
        await client.write_event(AudioStop().event())
        texts.append((await transcript(client)).text)

    assert texts == ["loud 1.0", "loud 2.0"]


async def test_the_next_utterance_may_be_sent_before_the_answer_is_read(
    client: AsyncTcpClient,
) -> None:
    for seconds in (1.0, 2.0):
        await client.write_event(Transcribe().event())
        await send_audio(client, speech(seconds))
        await client.write_event(AudioStop().event())

    assert [(await transcript(client)).text for _ in range(2)] == ["loud 1.0", "loud 2.0"]


async def test_a_new_request_drops_the_unfinished_one(client: AsyncTcpClient) -> None:
    await client.write_event(Transcribe().event())
    await send_audio(client, speech(5.0))

    await client.write_event(Transcribe().event())
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())

    assert (await transcript(client)).text == "loud 1.0"


async def test_no_audio_gives_an_empty_transcript(client: AsyncTcpClient) -> None:
    await client.write_event(AudioStart(RATE, 2, 1).event())
    await client.write_event(AudioStop().event())

    assert (await transcript(client)).text == ""


async def test_silence_is_not_decoded(client: AsyncTcpClient, engine: FakeEngine) -> None:
    await send_audio(client, silence(3.0))
    await client.write_event(AudioStop().event())

    assert (await transcript(client)).text == ""
    assert engine.requests == []


async def test_stopping_twice_is_answered_once(client: AsyncTcpClient) -> None:
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())
    await client.write_event(AudioStop().event())
    await transcript(client)
    await client.write_event(Ping(text="after").event())

    assert Pong.is_type((await receive(client)).type)


async def test_long_audio_is_transcribed_in_segments(
    client: AsyncTcpClient, engine: FakeEngine
) -> None:
    await send_audio(client, (speech(9.0) + silence(0.5)) * 7)
    await client.write_event(AudioStop().event())

    text = (await transcript(client)).text

    assert len(engine.requests) >= 3
    assert sum(float(word) for word in text.split() if word != "loud") == pytest.approx(
        63, rel=0.02
    )


async def test_a_client_chooses_its_model(
    client: AsyncTcpClient, engine: FakeEngine, other: FakeEngine
) -> None:
    await client.write_event(SelectProgram(name="parley-stt-second").event())
    await client.write_event(Transcribe(language="fr").event())
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())
    await transcript(client)
    await client.write_event(Transcribe(name="first").event())
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())
    await transcript(client)

    assert (len(engine.requests), len(other.requests)) == (1, 1)


@pytest.mark.parametrize(
    ("event", "code", "words"),
    [
        (Transcribe(language="xx").event(), "unknown-language", "understands en, de"),
        (Transcribe(name="nope").event(), "unknown-model", "there are first, second"),
        (SelectProgram(name="nope").event(), "unknown-model", "there are first, second"),
        (Transcribe(vad_sensitivity="much").event(), "bad-request", "relaxed"),
        (Event("transcribe", {"transcript_names": "Bob"}), "bad-request", "list of texts"),
        (Event("transcribe", {"language": 5}), "bad-request", "language"),
        (AudioStart(7, 2, 1).event(), "bad-audio", "rate"),
        (AudioStart(RATE, 9, 1).event(), "bad-audio", "width"),
        (Event("audio-start", {}), "bad-request", "audio-start"),
    ],
)
async def test_a_bad_request_is_answered_and_the_next_one_served(
    client: AsyncTcpClient, event: Event, code: str, words: str
) -> None:
    await client.write_event(event)
    error = Error.from_event(await receive_until(client, Error))
    await client.write_event(Transcribe().event())
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())

    assert error.code == code
    assert words in error.text
    assert (await transcript(client)).text == "loud 1.0"


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize(
    "refused", [Transcribe(language="xx").event(), Event("transcribe", {"language": 5})]
)
async def test_a_refused_request_is_answered_once_whatever_audio_follows_it(
    client: AsyncTcpClient, refused: Event, started: bool
) -> None:
    await client.write_event(refused)
    if started:
        await client.write_event(AudioStart(RATE, 2, 1).event())
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())
    await client.write_event(Ping(text="after").event())

    events = [await receive(client) for _ in range(2)]

    assert [event.type for event in events] == ["error", "pong"]


async def test_audio_after_a_refused_request_and_its_audio_is_another_utterance(
    client: AsyncTcpClient,
) -> None:
    await client.write_event(Transcribe(name="nope").event())
    for seconds in (1.0, 2.0):
        await client.write_event(AudioStart(RATE, 2, 1).event())
        await send_audio(client, speech(seconds))
        await client.write_event(AudioStop().event())

    assert (await receive(client)).type == "error"
    assert (await transcript(client)).text == "loud 2.0"


async def test_a_failing_engine_is_reported_and_the_service_goes_on(client: AsyncTcpClient) -> None:
    codes = []
    for word in ("boom", "refuse"):
        await client.write_event(Transcribe(transcript_names=[word]).event())
        await send_audio(client, speech(1.0))
        await client.write_event(AudioStop().event())
        codes.append(Error.from_event(await receive_until(client, Error)).code)
    await client.write_event(Transcribe().event())
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())

    assert codes == ["internal", "service-error"]
    assert (await transcript(client)).text == "loud 1.0"


async def test_describe_is_answered_while_the_model_works(
    client: AsyncTcpClient, port: int, engine: FakeEngine
) -> None:
    engine.gate.clear()
    await send_audio(client, speech(1.0))
    await client.write_event(AudioStop().event())
    await asyncio.to_thread(engine.begun.wait, 10)

    await client.write_event(Describe().event())
    info = Info.from_event(await receive_until(client, Info))

    assert [program.name for program in info.asr] == ["parley-stt", "parley-stt-second"]
    assert info.asr[0].models[0].languages == ["en", "de"]
    assert info.asr[0].requires_external_vad is False
    engine.gate.set()
    assert (await transcript(client)).text == "loud 1.0"


async def test_more_work_than_may_wait_is_refused(port: int, engine: FakeEngine) -> None:
    engine.gate.clear()
    clients = [AsyncTcpClient("127.0.0.1", port) for _ in range(6)]
    for client in clients:
        await client.connect()
        await send_audio(client, speech(1.0))
        await client.write_event(AudioStop().event())

    answers = [asyncio.create_task(receive(client)) for client in clients]
    done, _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    engine.gate.set()
    events = await asyncio.gather(*answers)
    for client in clients:
        await client.disconnect()

    assert all(Error.from_event(task.result()).code == "busy" for task in done)
    assert {event.type for event in events} == {"error", "transcript"}


async def test_a_client_that_hangs_up_leaves_no_work_behind(port: int, engine: FakeEngine) -> None:
    engine.gate.clear()
    async with AsyncTcpClient("127.0.0.1", port) as blocking:
        await send_audio(blocking, speech(1.0))
        await blocking.write_event(AudioStop().event())
        await asyncio.to_thread(engine.begun.wait, 10)
        for _ in range(3):
            async with AsyncTcpClient("127.0.0.1", port) as leaving:
                await send_audio(leaving, speech(1.0))
                await leaving.write_event(AudioStop().event())
                await leaving.write_event(Describe().event())
                await receive_until(leaving, Info)
        engine.gate.set()
        await transcript(blocking)
    async with AsyncTcpClient("127.0.0.1", port) as after:
        await send_audio(after, speech(1.0))
        await after.write_event(AudioStop().event())
        assert (await transcript(after)).text == "loud 1.0"

    assert len(engine.requests) <= 5
