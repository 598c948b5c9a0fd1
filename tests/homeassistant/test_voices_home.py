"""The household in the real Home Assistant: the voice decides about "my lamp" and the front door.

Home Assistant does not pass a speaker on: the conversation service asks speech-to-text.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.homeassistant import furnished
from tests.homeassistant.conftest import ROOM
from tests.homeassistant.furnished import Furnished, Home
from tests.homeassistant.hass import URL
from tests.homeassistant.installation import DATA_DIR, STT_MODEL
from tests.homeassistant.machines import Machine, Program
from tests.homeassistant.pipeline import Run, speak
from tests.homeassistant.two_voices import TEMPO, said
from wyoming_common.models import ModelStore
from wyoming_stt.speakers.campplus import CAMPPLUS, CamPlusPlus
from wyoming_stt.speakers.enrolment import SENTENCES, Enroller
from wyoming_stt.speakers.profiles import VoiceProfiles

pytestmark = pytest.mark.asyncio(loop_scope="module")
MINE = Machine("", "127.0.0.1")
STT_PORT, LLM_PORT = 10395, 10696
DOOR, LEFT, RIGHT = "lock.front_door", "light.bedside_lamp", "light.floor_lamp"
UNKNOWN = "people whose voice I know"
ANSWERS = (
    "I like to have bread with honey and a cup of tea for breakfast.",
    "There were some clouds this morning, and now the sun has come out.",
    "We played a game of cards and then we watched an old film together.",
    "I would love to see the mountains of Peru, because of the long walks.",
    "My favourite meal is a soup with noodles, and my aunt makes the best one.",
)


@dataclass(slots=True)
class Listening:
    """A furnished home that knows two voices."""

    home: Home
    pipeline: str
    profiles: VoiceProfiles

    async def hear(self, person: str, text: str, conversation: str | None = None) -> Run:
        """Say a text in a person's voice, through Home Assistant's pipeline."""
        run = await speak(
            self.home.client,
            self.pipeline,
            said(person, text),
            end_stage="intent",
            conversation_id=conversation,
        )
        assert run.transcript, run.summary()
        return run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listening(
    network: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Listening]:
    directory = tmp_path_factory.mktemp("household")
    model = CamPlusPlus(ModelStore([DATA_DIR]).ensure(CAMPPLUS))
    enroller = Enroller([directory], lambda: model)
    for person in TEMPO:
        enroller.enrol(person, [enroller.sample(said(person, s).pcm, s) for s in SENTENCES])
    async with AsyncExitStack() as stack:
        hass = Furnished(Path(ROOM) / "root", directory)
        stack.callback(hass.stop)
        home = await stack.enter_async_context(furnished.moved_in(hass, directory))
        (token_file := directory / "token").write_text(home.token, encoding="utf-8")
        speech = Program(
            "speech", MINE,
            [
                "wyoming_stt", "--uri", f"tcp://127.0.0.1:{STT_PORT}", "--model", STT_MODEL,
                "--no-zeroconf", "--home-assistant", URL, "--token-file", str(token_file),
                "--data-dir", str(directory), "--data-dir", str(DATA_DIR), "--no-learn-voices",
            ],
            directory,
        )  # fmt: skip
        talk = furnished.conversation_service(
            "talk", LLM_PORT, token_file, directory, "--http-uri", "off",
            "--speech-to-text", f"tcp://127.0.0.1:{STT_PORT}", "--risky-people", "lock=Anna",
            "--belongings", f"Anna/lamp={LEFT}", "--belongings", f"Ben/lamp={RIGHT}",
        )  # fmt: skip
        for program in (speech, talk):
            stack.callback(program.stop)
            starting = asyncio.create_task(asyncio.to_thread(program.start))
            while not starting.done():
                # Home Assistant hangs up on a client that does not read for a minute.
                await home.client.entities()
                await asyncio.wait([starting], timeout=2)
            await starting
        await furnished.join(home, "talk", LLM_PORT)
        await furnished.join(home, "speech", STT_PORT)
        pipeline = await home.client.call(
            "assist_pipeline/pipeline/create",
            name="household", language="en",
            stt_engine=home.agents["speech"], stt_language="en",
            conversation_engine=home.agents["talk"], conversation_language="en",
            tts_engine=None, tts_language=None, tts_voice=None,
            wake_word_entity=None, wake_word_id=None, prefer_local_intents=False,
        )  # fmt: skip
        yield Listening(home, pipeline["id"], VoiceProfiles([directory]))


async def test_turn_on_my_lamp_means_two_lamps_for_two_people(listening: Listening) -> None:
    await listening.home.reset()

    await listening.hear("Anna", "Turn on my lamp.")
    assert await listening.home.client.until(LEFT, lambda now: now == "on") == "on"
    assert await listening.home.client.state(RIGHT) == "off"

    await listening.hear("Ben", "Turn on my lamp.")
    assert await listening.home.client.until(RIGHT, lambda now: now == "on") == "on"


async def test_the_door_is_unlocked_for_one_person_and_refused_to_another(
    listening: Listening,
) -> None:
    await listening.home.reset()
    assert await listening.home.client.until(DOOR, lambda now: now == "locked") == "locked"

    refused = await listening.hear("Ben", "Unlock the front door.", "ben")
    assert UNKNOWN in refused.reply, refused.summary()

    asked = await listening.hear("Anna", "Unlock the front door.", "anna")
    assert asked.reply == "Unlock Front door?", asked.summary()
    conversation = str(asked.data("intent-end")["intent_output"]["conversation_id"])
    other = await listening.hear("Ben", "Yes, please go ahead.", conversation)
    assert UNKNOWN in other.reply, other.summary()
    assert await listening.home.client.state(DOOR) == "locked"

    await listening.hear("Anna", "Yes, please go ahead.", conversation)
    assert await listening.home.client.until(DOOR, lambda now: now == "unlocked") == "unlocked"


async def test_typed_text_is_nobody_s_and_unlocks_nothing(listening: Listening) -> None:
    await listening.home.reset()
    await listening.home.client.until(DOOR, lambda now: now == "locked")

    answer = await listening.home.ask("talk", "please unlock the front door now")

    assert UNKNOWN in answer.said
    assert await listening.home.client.state(DOOR) == "locked"


async def test_a_voice_is_learned_and_forgotten_in_a_conversation(listening: Listening) -> None:
    begun = await listening.hear("Clara", "Please learn my voice. My name is Clara.", "lesson")
    assert begun.reply.endswith("?"), begun.summary()
    conversation = str(begun.data("intent-end")["intent_output"]["conversation_id"])
    runs = [await listening.hear("Clara", answer, conversation) for answer in ANSWERS]
    for run in runs[:-1]:
        assert run.reply.endswith("?"), run.summary()
    assert "I know your voice now" in runs[-1].reply, runs[-1].summary()
    [name] = {profile.name for profile in listening.profiles.all()} - TEMPO.keys()

    asked = await listening.hear("Clara", "And now please forget my voice again.", "lesson")
    assert asked.reply == f"Shall I forget your voice, {name}?", asked.summary()
    conversation = str(asked.data("intent-end")["intent_output"]["conversation_id"])
    done = await listening.hear("Clara", "Yes, please do it.", conversation)
    assert done.reply == f"I have forgotten your voice, {name}.", done.summary()
    assert {profile.name for profile in listening.profiles.all()} == set(TEMPO)


async def test_a_stranger_does_not_take_over_a_profile(listening: Listening) -> None:
    before = listening.profiles.state()
    asked = await listening.hear("Clara", "Please learn my voice. My name is Ben.", "thief")
    assert asked.reply.startswith("I know the voice of Ben already."), asked.summary()
    conversation = str(asked.data("intent-end")["intent_output"]["conversation_id"])
    await listening.hear("Clara", "Yes, please do it.", conversation)
    await listening.hear("Clara", ANSWERS[0], conversation)

    refused = await listening.hear("Clara", ANSWERS[1], conversation)

    assert "does not sound like Ben" in refused.reply, refused.summary()
    assert listening.profiles.state() == before
