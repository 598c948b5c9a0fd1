"""Voice lessons over TCP: utterances become a profile, and none is taken over by another voice."""

from ipaddress import ip_network
from pathlib import Path

import numpy as np
import pytest
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event

from tests.stt.speakers.test_household import home, said
from tests.stt.speakers.voices import ANNA, BEN, CARL, PitchModel, embedding, enrol, tone
from tests.support.wire import receive_until
from wyoming_common.discovery.apps import AppsBeside
from wyoming_common.errors import ModelError
from wyoming_common.protocol.learn_voice import LearnVoice, LessonState, LessonStep, VoiceLearning
from wyoming_stt.engine import Audio
from wyoming_stt.speakers.engine import Embedding, SpeakerModel
from wyoming_stt.speakers.lessons import LESSON_SECONDS, LessonSpeech, VoiceLessons
from wyoming_stt.speakers.profiles import VoiceProfiles


async def step(
    client: AsyncTcpClient, what: LessonStep, name: str = "", text: str = "", lesson: str = "1"
) -> VoiceLearning:
    await client.write_event(LearnVoice(what, lesson, name, text).event())
    return VoiceLearning.from_event(await receive_until(client, VoiceLearning))


async def samples(client: AsyncTcpClient, *voices: int) -> list[LessonState]:
    states = []
    for number, hertz in enumerate(voices):
        # The fake recogniser writes down how long it was.
        heard = await said(client, tone(hertz, 2.0 + number / 10))
        states.append((await step(client, LessonStep.SAMPLE, text=heard.text)).state)
    return states


def names(folder: Path) -> list[str]:
    return [profile.name for profile in VoiceProfiles([folder]).all()]


async def test_five_utterances_become_a_profile_that_counts_at_once(tmp_path: Path) -> None:
    async with home(tmp_path) as client:
        assert (await step(client, LessonStep.BEGIN, "Anna")).state is LessonState.READY
        assert await samples(client, *[ANNA] * 5) == [LessonState.TAKEN] * 5
        assert await step(client, LessonStep.SAVE) == VoiceLearning(LessonState.SAVED, "Anna")
        known = await said(client, tone(ANNA))

    assert names(tmp_path) == ["Anna"]
    assert known.context == {"speaker": "Anna"}


async def test_four_utterances_make_no_profile(tmp_path: Path) -> None:
    async with home(tmp_path) as client:
        await step(client, LessonStep.BEGIN, "Anna")
        await samples(client, *[ANNA] * 4)
        assert (await step(client, LessonStep.SAVE)).state is LessonState.UNCLEAR
        assert (await step(client, LessonStep.SAVE)).state is LessonState.ENDED

    assert names(tmp_path) == []


@pytest.mark.parametrize("pcm", [tone(ANNA, 0.8), tone(ANNA, 2.0, 1.2)])
async def test_speech_that_is_too_short_or_clipped_is_no_sample(tmp_path: Path, pcm: bytes) -> None:
    async with home(tmp_path) as client:
        await step(client, LessonStep.BEGIN, "Anna")
        heard = await said(client, pcm)
        assert (await step(client, LessonStep.SAMPLE, text=heard.text)).state is LessonState.UNCLEAR


async def test_a_text_that_nobody_or_two_people_said_is_no_sample(tmp_path: Path) -> None:
    async with home(tmp_path) as client:
        await step(client, LessonStep.BEGIN, "Anna")
        assert (await step(client, LessonStep.SAMPLE, text="never")).state is LessonState.UNCLEAR
        text = (await said(client, tone(ANNA))).text
        assert (await said(client, tone(BEN))).text == text
        assert (await step(client, LessonStep.SAMPLE, text=text)).state is LessonState.UNCLEAR


async def test_several_people_make_no_profile(tmp_path: Path) -> None:
    async with home(tmp_path) as client:
        await step(client, LessonStep.BEGIN, "Anna")
        await samples(client, ANNA, ANNA, BEN, ANNA, CARL)
        assert (await step(client, LessonStep.SAVE)).state is LessonState.SEVERAL

    assert names(tmp_path) == []


async def test_a_voice_that_has_a_profile_gets_no_second_one(tmp_path: Path) -> None:
    enrol(tmp_path, "Ben", BEN)
    async with home(tmp_path) as client:
        await step(client, LessonStep.BEGIN, "Anna")
        await samples(client, *[BEN] * 5)
        assert await step(client, LessonStep.SAVE) == VoiceLearning(LessonState.LIKE_ANOTHER, "Ben")

    assert names(tmp_path) == ["Ben"]


async def test_a_profile_is_replaced_by_the_same_voice_alone(tmp_path: Path) -> None:
    path = enrol(tmp_path, "Anna", ANNA)
    before = path.read_bytes()
    async with home(tmp_path) as client:
        assert await step(client, LessonStep.BEGIN, "anna") == VoiceLearning(
            LessonState.KNOWN, "Anna"
        )
        assert await samples(client, CARL, CARL) == [LessonState.TAKEN, LessonState.NOT_THEIRS]
        await samples(client, CARL, CARL, CARL)
        assert (await step(client, LessonStep.SAVE)).state is LessonState.NOT_THEIRS
        assert path.read_bytes() == before

        await step(client, LessonStep.BEGIN, "Anna")
        await samples(client, *[ANNA] * 5)
        assert (await step(client, LessonStep.SAVE)).state is LessonState.SAVED


async def test_a_profile_made_during_a_lesson_is_not_replaced_by_it(tmp_path: Path) -> None:
    async with home(tmp_path) as client:
        assert (await step(client, LessonStep.BEGIN, "Anna")).state is LessonState.READY
        await samples(client, *[CARL] * 5)
        enrol(tmp_path, "Anna", ANNA)
        assert (await step(client, LessonStep.SAVE)).state is LessonState.NOT_THEIRS


async def test_a_voice_is_forgotten_once(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)
    async with home(tmp_path) as client:
        assert (await step(client, LessonStep.FORGET, "anna")).state is LessonState.FORGOTTEN
        assert (await step(client, LessonStep.FORGET, "anna")).state is LessonState.UNKNOWN

    assert names(tmp_path) == []


async def test_a_lesson_that_was_ended_takes_nothing(tmp_path: Path) -> None:
    async with home(tmp_path) as client:
        await step(client, LessonStep.BEGIN, "Anna")
        assert (await step(client, LessonStep.END)).state is LessonState.ENDED
        assert await samples(client, ANNA) == [LessonState.ENDED]


@pytest.mark.parametrize("name", ["", "guest", "a/b", "x" * 60])
async def test_a_name_that_is_none_begins_no_lesson(tmp_path: Path, name: str) -> None:
    async with home(tmp_path) as client:
        assert (await step(client, LessonStep.BEGIN, name)).state is LessonState.BAD_NAME


async def test_without_a_model_voices_cannot_be_learned(tmp_path: Path) -> None:
    def fail() -> SpeakerModel:
        raise ModelError("damaged")

    async with home(tmp_path, fail) as client:
        assert (await step(client, LessonStep.BEGIN, "Anna")).state is LessonState.UNAVAILABLE


@pytest.mark.parametrize(
    "data", [{}, {"step": "steal"}, {"step": "begin", "name": 5}, {"step": "sample", "text": [1]}]
)
async def test_a_step_that_is_malformed_is_one_error(
    tmp_path: Path, data: dict[str, object]
) -> None:
    async with home(tmp_path) as client:
        await client.write_event(Event("learn-voice", data))
        error = Error.from_event(await receive_until(client, Error))
        assert error.code == "bad-request"


async def test_another_user_of_the_machine_may_not_have_voices_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(tmp_path, "Anna", ANNA)
    monkeypatch.setattr("wyoming_common.net.handler.is_same_user", lambda _: False)
    async with home(tmp_path) as client:
        await client.write_event(LearnVoice(LessonStep.FORGET, name="Anna").event())
        assert Error.from_event(await receive_until(client, Error)).code == "refused"

    assert names(tmp_path) == ["Anna"]


async def test_a_conversation_service_that_the_settings_name_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(tmp_path, "Anna", ANNA)
    monkeypatch.setattr("wyoming_common.net.handler.is_same_user", lambda _: False)
    async with home(tmp_path, voice_teachers=("127.0.0.0/8",)) as client:
        assert (await step(client, LessonStep.FORGET, "Anna")).state is LessonState.FORGOTTEN


@pytest.mark.parametrize(("address", "may"), [("127.0.0.1", True), ("127.0.0.2", False)])
async def test_the_conversation_app_beside_this_one_may_and_no_other_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, *, may: bool
) -> None:
    async def resolve(host: str) -> set[str]:
        assert host == "1a2b3c4d-parley-llm"
        return {address}

    enrol(tmp_path, "Anna", ANNA)
    monkeypatch.setattr("wyoming_common.net.handler.is_same_user", lambda _: False)
    monkeypatch.setattr("wyoming_common.discovery.apps.NETWORK", ip_network("127.0.0.0/8"))
    apps = AppsBeside("1a2b3c4d-parley-stt", resolve)
    async with home(tmp_path, apps=apps) as client:
        await client.write_event(LearnVoice(LessonStep.FORGET, name="Anna").event())
        answer = await receive_until(client, VoiceLearning if may else Error)

    assert answer.type == ("voice-learning" if may else "error")
    assert names(tmp_path) == ([] if may else ["Anna"])


def test_lessons_and_speech_end_with_time(tmp_path: Path) -> None:
    now = 0.0
    profiles = VoiceProfiles([tmp_path])
    lessons = VoiceLessons(profiles, PitchModel, lambda: now)
    speech = LessonSpeech(lambda: now)
    lessons.take(LearnVoice(LessonStep.BEGIN, "1", "Anna"))
    speech.add("too early", embedding(ANNA))
    speech.open()
    speech.add("in time", embedding(ANNA))
    assert speech.take("too early") is None
    assert lessons.are_open

    now = LESSON_SECONDS + 1

    assert speech.take("in time") is None
    assert lessons.take(LearnVoice(LessonStep.SAVE, "1")).state is LessonState.ENDED


def test_the_speech_of_few_utterances_is_kept_at_most() -> None:
    speech = LessonSpeech(lambda: 0.0)
    speech.open()
    sound: Embedding = embedding(ANNA)
    for number in range(100):
        speech.add(f"sentence {number}", sound)
    kept = [number for number in range(100) if speech.take(f"sentence {number}") is not None]
    assert kept == list(range(92, 100))


def test_a_voice_that_is_only_alike_does_not_renew_a_profile(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)

    class Alike(PitchModel):
        def embed(self, audio: Audio) -> Embedding:
            # Alike enough that one sentence of it passes for Anna's.
            return embedding(ANNA, CARL, 1.15)

    lessons = VoiceLessons(VoiceProfiles([tmp_path]), Alike)
    lessons.take(LearnVoice(LessonStep.BEGIN, "1", "Anna"))
    speech = np.full(32_000, 0.1, np.float32)
    step = LearnVoice(LessonStep.SAMPLE, "1")

    assert lessons.take(step, speech).state is LessonState.TAKEN
    assert lessons.take(step, speech).state is LessonState.NOT_THEIRS
