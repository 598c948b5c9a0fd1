"""The speaker of an utterance: decided beside the decode, in the context, and never in its way."""

import itertools
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error

from tests.stt.fakes import RATE, FakeEngine, LoudnessVad, silence
from tests.stt.speakers.voices import ANNA, BEN, CARL, PitchModel, enrol, tone
from tests.support.wire import receive_until
from wyoming_common.discovery.apps import AppsBeside
from wyoming_common.errors import ModelError
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_common.protocol.interim_transcript import WANTS_INTERIM, InterimTranscript
from wyoming_common.protocol.spoken_by import SpokenBy, WhoSpoke
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Audio, SttEngine
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import stt_programs
from wyoming_stt.service import SttService
from wyoming_stt.speakers.engine import Embedding, SpeakerModel
from wyoming_stt.speakers.household import Household
from wyoming_stt.speakers.profiles import VoiceProfiles


@asynccontextmanager
async def home(
    folder: Path,
    make_model: Callable[[], SpeakerModel] = PitchModel,
    *,
    learns: bool = False,
    apps: AppsBeside | None = None,
    **settings: Any,
) -> AsyncIterator[AsyncTcpClient]:
    """A client of a service that knows the profiles in a folder; its clock is that of the audio."""
    ticks = itertools.count()
    engine = FakeEngine()
    [program] = stt_programs(["fake"], [engine.languages])
    service = SttService(
        SttSettings(**settings),
        [(program, ModelThread[SttEngine]("fake", lambda: engine))],
        ModelThread[VadModel]("vad", LoudnessVad),
        household=Household([folder], learns=learns, make_model=make_model),
        apps=apps,
        clock=lambda: next(ticks) * 0.02,
    )
    async with (
        serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        yield client
    await service.aclose()


async def said(
    client: AsyncTcpClient, pcm: bytes, context: dict[str, object] | None = None
) -> Transcript:
    await client.write_event(Transcribe(context=context).event())
    await client.write_event(AudioStart(RATE, 2, 1).event())
    for start in range(0, len(pcm), 8192):
        await client.write_event(AudioChunk(RATE, 2, 1, pcm[start : start + 8192]).event())
    await client.write_event(AudioStop().event())
    return Transcript.from_event(await receive_until(client, Transcript))


async def spoken_by(client: AsyncTcpClient, text: str, *, last: bool = False) -> str | None:
    await client.write_event(WhoSpoke(text, last).event())
    return SpokenBy.from_event(await receive_until(client, SpokenBy)).speaker


@pytest.fixture
def household(tmp_path: Path) -> Path:
    enrol(tmp_path, "Anna", ANNA)
    enrol(tmp_path, "Ben", BEN)
    return tmp_path


async def test_the_transcript_names_its_speaker(household: Path) -> None:
    async with home(household) as client:
        first = await said(client, tone(ANNA), {"turn_id": "1"})
        second = await said(client, tone(BEN))

    assert first.context == {"turn_id": "1", "speaker": "Anna"}
    assert second.context == {"speaker": "Ben"}


async def test_an_unknown_voice_is_a_guest_even_if_the_client_says_otherwise(
    household: Path,
) -> None:
    async with home(household) as client:
        stranger = await said(client, tone(CARL), {"speaker": "Anna"})

    assert stranger.context == {"speaker": "guest"}


async def test_without_a_profile_nothing_changes_and_no_model_is_made(tmp_path: Path) -> None:
    made: list[SpeakerModel] = []

    def make() -> SpeakerModel:
        made.append(PitchModel())
        return made[-1]

    async with home(tmp_path, make) as client:
        plain = await said(client, tone(ANNA))
        context = await said(client, tone(ANNA), {"turn_id": "1"})
        assert await spoken_by(client, plain.text) is None

    assert plain.context is None
    assert context.context == {"turn_id": "1"}
    assert made == []


async def test_a_profile_made_or_deleted_while_the_service_runs_counts_at_once(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as client:
        before = await said(client, tone(ANNA))
        enrol(tmp_path, "Anna", ANNA)
        known = await said(client, tone(ANNA))
        VoiceProfiles([tmp_path]).delete("Anna")
        after = await said(client, tone(ANNA))

    assert (before.context, known.context, after.context) == (None, {"speaker": "Anna"}, None)


async def test_the_speaker_is_known_before_the_turn_ends(household: Path) -> None:
    async with home(household) as client:
        await client.write_event(Transcribe(context={WANTS_INTERIM: True}).event())
        await client.write_event(AudioStart(RATE, 2, 1).event())
        pcm = tone(ANNA, 2.5) + silence(2.0)
        for start in range(0, len(pcm), 640):
            await client.write_event(AudioChunk(RATE, 2, 1, pcm[start : start + 640]).event())
        interim = InterimTranscript.from_event(await receive_until(client, InterimTranscript))
        final = Transcript.from_event(await receive_until(client, Transcript))

    assert final.context is not None
    assert final.context["speaker"] == "Anna"
    assert interim.context in (None, {"speaker": "Anna"})


async def test_a_service_may_ask_who_said_a_text(household: Path) -> None:
    async with home(household) as client:
        text = (await said(client, tone(ANNA))).text
        assert await spoken_by(client, f" {text} ") == "Anna"
        assert await spoken_by(client, "never said") is None

        await said(client, tone(BEN))
        assert await spoken_by(client, text, last=True) == "guest"
        assert await spoken_by(client, text) is None


async def test_the_same_words_are_another_person_s_once_they_were_acted_on(
    household: Path,
) -> None:
    async with home(household) as client:
        text = (await said(client, tone(ANNA))).text
        assert await spoken_by(client, text, last=True) == "Anna"
        await said(client, tone(BEN))

        assert await spoken_by(client, text, last=True) == "Ben"


async def test_a_question_without_a_text_is_one_error(household: Path) -> None:
    async with home(household) as client:
        event = WhoSpoke("x").event()
        event.data["text"] = 5
        await client.write_event(event)

        assert Error.from_event(await receive_until(client, Error)).code == "bad-request"


async def test_a_sure_turn_teaches_the_profile_and_a_guest_teaches_nothing(
    household: Path,
) -> None:
    async with home(household, learns=True) as client:
        await said(client, tone(ANNA, 3.0))
        await said(client, tone(CARL, 3.0))
        await said(client, tone(ANNA, 3.0))
        await said(client, tone(CARL, 1.0))

    learned = {one.name: len(one.learned) for one in VoiceProfiles([household]).all()}
    assert learned == {"Anna": 1, "Ben": 0}


async def test_learning_can_be_switched_off(household: Path) -> None:
    before = VoiceProfiles([household]).state()
    async with home(household) as client:
        await said(client, tone(ANNA, 3.0))
        await said(client, tone(ANNA, 3.0))

    assert VoiceProfiles([household]).state() == before


async def test_a_model_that_cannot_be_loaded_leaves_the_speaker_open(household: Path) -> None:
    def fail() -> SpeakerModel:
        raise ModelError("damaged")

    async with home(household, fail) as client:
        assert (await said(client, tone(ANNA))).context is None
        assert (await said(client, tone(ANNA))).text == "loud 2.0"


async def test_a_slow_model_does_not_hold_the_transcript_back(household: Path) -> None:
    gate = threading.Event()

    class SlowModel(PitchModel):
        def embed(self, audio: Audio) -> Embedding:
            gate.wait(10)
            return super().embed(audio)

    try:
        async with home(household, SlowModel) as client:
            late = await said(client, tone(ANNA))
            assert not gate.is_set()
            gate.set()
    finally:
        gate.set()

    assert (late.text, late.context) == ("loud 2.0", None)
