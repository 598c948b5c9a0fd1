"""Voice lessons over TCP: a conversation by which speech-to-text learns a voice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from wyoming.client import AsyncClient, AsyncTcpClient
from wyoming.event import Event

from tests.llm.conftest import NOON
from tests.llm.fakes import FakeLlm
from tests.llm.house import house
from tests.llm.test_handler import ask, spoken
from tests.stt.speakers.test_household import home, said
from tests.stt.speakers.voices import ANNA, BEN, CARL, enrol, tone
from wyoming_common.discovery.apps import AppsBeside
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_common.protocol.learn_voice import LearnVoice, LessonState, LessonStep, VoiceLearning
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.dialogue.speakers import AskedSpeakers
from wyoming_llm.engine import LlmEngine
from wyoming_llm.handler import LlmHandler
from wyoming_llm.info import llm_info
from wyoming_llm.voices.lessons import WAITING_SECONDS, LessonDialogues, teacher
from wyoming_stt.speakers.profiles import VoiceProfiles


class Household:
    """A conversation service and a speech-to-text service, each with a client."""

    def __init__(self, folder: Path, speech: AsyncTcpClient, talk: AsyncClient) -> None:
        self.folder = folder
        self._speech = speech
        self.talk = talk
        self._number = 0

    async def write(self, text: str, **context: object) -> str:
        """Return the answer to a text that was not spoken just now."""
        given = {"conversation_id": "one", **context}
        return spoken(await ask(self.talk, text, **given))  # type: ignore[arg-type]

    async def speak(self, hertz: int, seconds: float = 2.0) -> str:
        """Say a sentence of its own in a voice; return the answer to its transcript."""
        self._number += 1
        heard = await said(self._speech, tone(hertz, seconds + self._number / 20))
        return await self.write(heard.text)

    @property
    def names(self) -> list[str]:
        return [profile.name for profile in VoiceProfiles([self.folder]).all()]


@asynccontextmanager
async def household(folder: Path, **settings: object) -> AsyncIterator[Household]:
    engine = FakeLlm()
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    chosen = LlmSettings(zeroconf="off", http_uri="off")
    replies = GenerationQueue(model, chosen.parallel, pause=0)
    async with home(folder) as speech:
        uri = f"tcp://127.0.0.1:{speech.port}"
        lessons = LessonDialogues(teacher(uri), **settings)  # type: ignore[arg-type]
        assistant = Assistant(chosen, replies, now=lambda: NOON, lessons=lessons)
        handler = partial(LlmHandler, assistant, speakers=AskedSpeakers(uri, 10))
        info = partial(llm_info, "fake", engine.model, controls=False)
        async with (
            idle_work(replies),
            serve("tcp://127.0.0.1:0", info, handler) as talking,
            AsyncClient.from_uri(talking) as talk,
        ):
            yield Household(folder, speech, talk)
    await model.aclose()


async def test_learn_my_voice_asks_for_name_and_sentences_and_knows_the_voice_then(
    tmp_path: Path,
) -> None:
    async with household(tmp_path) as it:
        assert await it.write("Learn my voice.") == "What is your name?"
        assert (await it.write("I'm Anna.")).startswith("All right, Anna.")
        asked = [await it.speak(ANNA) for _ in range(5)]
        assert it.names == ["Anna"]
        assert [reply.endswith("?") for reply in asked] == [True] * 4 + [False]
        assert "I know your voice now" in asked[-1]

        assert await it.write("and now") == "You said: and now"


async def test_a_name_in_the_request_is_taken_and_the_language_is_that_of_the_turn(
    tmp_path: Path,
) -> None:
    async with household(tmp_path) as it:
        german = partial(_in_language, it, "de")
        begun = await german("Lerne meine Stimme, ich bin Anna.")
        assert begun.startswith("Gut, Anna.")
        assert begun.endswith("?")
        assert await german("Abbrechen") == "Ich habe aufgehört und keine Stimme gelernt."


async def _in_language(it: Household, code: str, text: str) -> str:
    await it.talk.write_event(
        Event("transcript", {"text": text, "language": code, "context": {"conversation_id": "one"}})
    )
    events = []
    while True:
        event = await it.talk.read_event()
        assert event is not None
        events.append(event)
        if event.type in ("handled-stop", "not-handled", "error"):
            return spoken(events)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("never mind", "I have stopped, and learned no voice."),
        ("yes yes yes", "I did not catch a name. What are you called?"),
    ],
)
async def test_a_lesson_ends_with_one_line(tmp_path: Path, answer: str, line: str) -> None:
    async with household(tmp_path) as it:
        await it.write("Learn my voice.")
        assert await it.write(answer) == line
        if line.endswith("?"):
            assert "learned no voice" in await it.write(answer)
        assert await it.write("hello there") == "You said: hello there"

    assert it.names == []


async def test_silence_ends_a_lesson_with_one_line_and_is_else_answered_with_nothing(
    tmp_path: Path,
) -> None:
    async with household(tmp_path) as it:
        assert await it.write("", unanswered=True) == ""
        await it.write("Learn my voice, I am Anna.")
        assert await it.write("", unanswered=True) == "I have stopped, and learned no voice."
        assert await it.write("", unanswered=True) == ""
        assert await it.write("") == "Sorry, I did not hear anything."


async def test_another_language_ends_a_lesson(tmp_path: Path) -> None:
    async with household(tmp_path) as it:
        await _in_language(it, "en", "Learn my voice, I am Anna.")
        heard = await _in_language(it, "de", "Ich esse gern Brot.")
        assert heard == "I have stopped, and learned no voice."


async def test_a_sentence_that_was_not_spoken_here_is_asked_for_once_more(tmp_path: Path) -> None:
    async with household(tmp_path) as it:
        await it.write("Learn my voice, I am Anna.")
        assert (await it.write("typed")).startswith("That was too short or too soft.")
        assert "could not hear you" in await it.write("typed again")


async def test_a_known_voice_is_learned_anew_after_a_yes(tmp_path: Path) -> None:
    path = enrol(tmp_path, "Anna", ANNA)
    path.write_text(path.read_text().replace('"made": "2', '"made": "1'))
    before = path.read_bytes()
    async with household(tmp_path) as it:
        asked = await it.write("Learn my voice, I am Anna.")
        assert asked == "I know the voice of Anna already. Shall I learn it anew?"
        assert await it.write("no") == "All right, everything stays as it was."
        assert path.read_bytes() == before

        await it.write("Learn my voice, I am Anna.")
        assert (await it.write("yes please")).startswith("All right, Anna.")
        assert "I know your voice now" in [await it.speak(ANNA) for _ in range(5)][-1]
    assert path.read_bytes() != before


async def test_a_stranger_does_not_take_over_a_profile(tmp_path: Path) -> None:
    path = enrol(tmp_path, "Anna", ANNA)
    before = path.read_bytes()
    async with household(tmp_path) as it:
        await it.write("Learn my voice, I am Anna.")
        await it.write("yes please")
        await it.speak(CARL)
        assert "does not sound like Anna" in await it.speak(CARL)

    assert path.read_bytes() == before


async def test_a_person_of_a_list_of_risky_people_is_not_learned_by_voice(tmp_path: Path) -> None:
    async with household(tmp_path, reserved=("anna",)) as it:
        assert "page only" in await it.write("Learn my voice, I am Anna.")
        assert "I ask you five things" in await it.write("Learn my voice, I am Ben.")


async def test_forget_my_voice_asks_first_and_counts_for_the_speaker_alone(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)
    enrol(tmp_path, "Ben", BEN)
    async with household(tmp_path) as it:
        assert "do not recognise your voice" in await it.write("Forget my voice.")
        assert it.names == ["Anna", "Ben"]
    dialogues = LessonDialogues(_forgets)
    assert await dialogues.answer("forget my voice", "en", "one", "Ben") == (
        "Shall I forget your voice, Ben?"
    )
    assert "everything stays" in await dialogues.answer("yes", "en", "one", "Anna")
    await dialogues.answer("forget my voice", "en", "one", "Ben")
    assert "forgotten your voice, Ben" in await dialogues.answer("yes", "en", "one", "")


async def _forgets(asked: LearnVoice) -> VoiceLearning:
    known = asked.step is LessonStep.FORGET
    return VoiceLearning(LessonState.FORGOTTEN if known else LessonState.ENDED, asked.name)


async def test_without_speech_to_text_or_a_conversation_it_is_said_that_it_cannot_be() -> None:
    assert "cannot learn voices here" in await LessonDialogues(None).answer(
        "learn my voice", "en", "one", ""
    )
    gone = LessonDialogues(teacher("tcp://127.0.0.1:1"))
    assert "cannot learn voices here" in await gone.answer(
        "learn my voice, i am Anna", "en", "one", ""
    )
    no_app = LessonDialogues(teacher("", AppsBeside("1a2b3c4d-parley-llm", _no_address)))
    assert "cannot learn voices here" in await no_app.answer(
        "learn my voice, i am Anna", "en", "one", ""
    )
    async with house() as it:
        assert "cannot ask you back" in await it.told("Learn my voice.", conversation="")


async def _no_address(_: str) -> set[str]:
    return set()


async def test_a_command_ends_a_lesson_and_is_not_done() -> None:
    async with house(lessons=LessonDialogues(_takes_all)) as it:
        assert (await it.told("Learn my voice, I am Anna.")).endswith("?")
        assert "learned no voice" in await it.told("turn on the kitchen light")
        assert it.home.handled == []


async def _takes_all(asked: LearnVoice) -> VoiceLearning:
    return VoiceLearning(
        LessonState.READY if asked.step is LessonStep.BEGIN else LessonState.TAKEN, asked.name
    )


async def test_an_answer_that_comes_too_late_is_another_turn() -> None:
    now = 0.0
    dialogues = LessonDialogues(_takes_all, clock=lambda: now)
    await dialogues.answer("learn my voice", "en", "one", "")
    assert dialogues.takes("hello", "en", "one")
    assert not dialogues.takes("hello", "en", "two")

    now = WAITING_SECONDS + 1

    assert not dialogues.takes("hello", "en", "one")


async def test_answers_that_are_no_states_are_as_good_as_none() -> None:
    async def serve_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"type": "voice-learning", "data": {"state": 5}}\n')
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve_nonsense, "127.0.0.1", 0)
    async with server:
        teach = teacher(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert teach is not None
        result = await teach(LearnVoice(LessonStep.BEGIN, "1", "Anna"))
    assert result == VoiceLearning(LessonState.UNAVAILABLE, "Anna")
