"""Control of the home, from the words to what Home Assistant is told."""

from pathlib import Path

import pytest

from tests.llm.fakes import FakeLlm
from tests.llm.house import RECOGNITION, house
from tests.support.fake_home_assistant import TOKEN, FakeHome
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.home_assistant.home import Home
from wyoming_common.model_thread import ModelThread
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.outcome import Fail, Intent
from wyoming_llm.engine import LlmEngine
from wyoming_llm.home.control import HomeControl
from wyoming_llm.home.recognition import Recognition


async def test_a_light_is_switched_without_the_model() -> None:
    async with house() as it:
        text = await it.told("turn on the kitchen light")

        assert it.home.state("light.kitchen") == "on"
        assert text == "Turned on Kitchen light"
        assert it.engine.prompts == []


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("turn on the kitchen light", 0),
        ("the kitchen light would please me", 1),
        ("unlock the front door", 0),
        ("tell me something about whales", 1),
    ],
)
async def test_a_foreseen_command_does_nothing(text: str, prompts: int) -> None:
    async with house() as it:
        before = it.home.state("light.kitchen")
        await it.speculate(text)

        assert it.home.state("light.kitchen") == before
        assert it.home.handled == []
        assert len(it.engine.prompts) == prompts


@pytest.mark.parametrize(
    "text",
    [
        "turn on the kitchen light",
        "set the kitchen light to 40 percent",
        "unlock the front door",
        "is the kitchen light on",
        "turn on the bathroom light",
    ],
)
async def test_the_answer_to_a_command_is_known_before_it_is_done(text: str) -> None:
    async with house() as it:
        told = await it.speculate(text)

        assert told == [(await it.told(text), True)]


@pytest.mark.parametrize(
    ("text", "entity", "state"),
    [
        ("turn on the kitchin light", "light.kitchen", "on"),
        ("Turn on the night lamp.", "light.bedroom", "on"),
        ("switch on the cofee machine", "switch.coffee", "on"),
        ("turn on the lights in the bedroom", "light.bedroom", "on"),
        ("set the kitchen light to 40 percent", "light.kitchen", "on"),
    ],
)
async def test_names_are_found_also_when_misheard(text: str, entity: str, state: str) -> None:
    async with house() as it:
        await it.say(text)

        assert it.home.state(entity) == state


async def test_a_room_is_that_of_the_satellite() -> None:
    async with house() as it:
        await it.say("turn on the lights", device="sat")

        assert it.home.state("light.kitchen") == "on"
        assert it.home.state("light.bedroom") == "off"


@pytest.mark.parametrize(
    "text",
    [
        "turn on the bathroom light",
        "turn on the lights in the cellar",
        "turn on the secret light",
        "turn on the dead light",
        "turn on the lazy light",
        "open the chimney",
        "start the lawn mower",
        "activate party mode",
    ],
)
async def test_a_failure_is_not_claimed_as_done(text: str) -> None:
    async with house() as it:
        outcomes = await it.say(text)

        assert [type(outcome) for outcome in outcomes] == [Fail]
        assert "Sorry" in str(outcomes[0])
        assert it.home.state("light.secret") == "off"
        assert it.engine.prompts == []


async def test_a_home_that_does_not_answer_is_not_claimed_to_have_obeyed() -> None:
    async with house() as it:
        it.home.broken = True

        assert "did not answer" in await it.told("turn on the kitchen light")


async def test_part_of_a_success_is_told_as_that() -> None:
    fake = FakeHome(**{"light.lazy": {"name": "Lazy light", "state": "on", "works": False}})
    async with house(fake, confirm_above=9) as it:
        text = await it.told("turn off all the lights")

    assert "but" in text
    assert "Lazy light" in text
    assert "did not respond" in text


async def test_questions_are_answered_from_states() -> None:
    async with house() as it:
        before = await it.told("is the front door locked")
        await it.change("lock.front", "unlocked")
        await it.change("light.kitchen", "on")
        which = await it.told("which lights are on")

    assert before == "Yes"
    assert which == "Kitchen light"
    assert it.engine.prompts == []


@pytest.mark.parametrize(
    ("text", "answer"),
    [("are any fans on in the kitchen", "No"), ("is the dead light on", "No, unavailable")],
)
async def test_an_absent_thing_is_reported_as_it_is(text: str, answer: str) -> None:
    async with house() as it:
        assert await it.told(text) == answer


async def test_a_room_that_has_no_such_thing_is_not_called_unknown() -> None:
    hidden = {"light.kitchen": {"name": "Kitchen light", "area": "kitchen", "exposed": False}}
    async with house(FakeHome(**hidden)) as it:
        answer = await it.told("turn on the kitchen light")

        assert answer == "Sorry, I know no device in Kitchen that can do that."
        assert it.home.handled == []


@pytest.mark.parametrize(
    ("text", "entity", "before", "after"),
    [
        ("unlock the front door", "lock.front", "locked", "unlocked"),
        ("open the garage door", "cover.garage", "closed", "open"),
    ],
)
async def test_a_risky_deed_needs_a_yes(text: str, entity: str, before: str, after: str) -> None:
    async with house() as it:
        question = await it.told(text)
        asked = it.home.state(entity)
        await it.told("no")
        refused = it.home.state(entity)
        await it.told("yes")
        late = it.home.state(entity)
        await it.told(text)
        await it.told("yes please")

        assert question.endswith("?")
        assert [asked, refused, late] == [before] * 3
        assert it.home.state(entity) == after


async def test_locking_needs_no_yes() -> None:
    async with house(FakeHome(**{"lock.front": {"name": "Front door", "state": "unlocked"}})) as it:
        await it.say("lock the front door")

        assert it.home.state("lock.front") == "locked"


async def test_another_conversation_cannot_say_yes() -> None:
    async with house() as it:
        await it.say("unlock the front door", "one")
        await it.say("yes", "two")

        assert it.home.state("lock.front") == "locked"


async def test_a_deed_allowed_by_name_needs_no_yes() -> None:
    async with house(risky=("front door",)) as it:
        await it.say("unlock the front door")

        assert it.home.state("lock.front") == "unlocked"


async def test_without_a_conversation_nothing_risky_is_done() -> None:
    async with house() as it:
        (outcome,) = await it.say("unlock the front door", "")

        assert isinstance(outcome, Fail)
        assert it.home.state("lock.front") == "locked"


async def test_only_lights_are_lit() -> None:
    async with house() as it:
        await it.told("turn on the coffee machine")
        await it.told("turn on the kitchen light")
        await it.told("turn everything off that is lit")

        assert it.home.state("switch.coffee") == "on"
        assert it.home.state("light.kitchen") == "off"


async def test_many_devices_at_once_need_a_yes() -> None:
    async with house(confirm_above=2) as it:
        question = await it.told("turn off all the lights")
        assert it.home.handled == []
        await it.told("yes")

    assert "4 devices" in question
    assert len(it.home.handled) == 4


async def test_the_client_may_do_it_instead() -> None:
    async with house(control="wyoming") as it:
        (outcome,) = await it.say("turn on the kitchen light")
        refused = await it.say("turn on the dead light")

    assert outcome == Intent("HassTurnOn", {"name": "Kitchen light"}, outcome.text)
    assert isinstance(refused[0], Fail)
    assert it.home.handled == []


async def test_a_timer_goes_to_the_satellite_that_asked() -> None:
    async with house() as it:
        (outcome,) = await it.say("set a timer for 5 minutes", device="sat")
        without = await it.say("set a timer for 5 minutes")

    assert isinstance(outcome, Intent)
    assert outcome.name == "HassStartTimer"
    assert outcome.slots["minutes"] == "5"
    assert isinstance(without[0], Fail)


async def test_sixty_turns_stay_within_their_bounds() -> None:
    async with house(history_tokens=400) as it:
        for number in range(60):
            await it.say(f"tell me something about topic number {number}")

        sizes = [sum(len(m.content) for m in prompt.messages) for prompt in it.engine.prompts]
    assert max(sizes[30:]) <= max(sizes[:30])
    assert max(len(prompt.messages) for prompt in it.engine.prompts) < 30


async def test_the_same_question_gets_the_same_answer_without_the_model() -> None:
    async with house() as it:
        first = await it.told("why is the sky blue", "a")
        again = await it.told("Why is the sky blue?", "b")

    assert first == again
    assert len(it.engine.prompts) == 1


async def test_a_question_about_now_is_asked_anew() -> None:
    async with house() as it:
        await it.say("how old is the oldest tree", "a")
        await it.say("how old is the oldest tree", "b")

    assert len(it.engine.prompts) == 2


async def test_without_home_assistant_one_still_talks() -> None:
    engine = FakeLlm()
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    recognition = ModelThread("recognition", lambda: RECOGNITION)
    settings = LlmSettings(zeroconf="off")
    async with HomeAssistant("http://127.0.0.1:1", TOKEN).open() as home:
        replies = GenerationQueue(model, 2, pause=0)
        assistant = Assistant(settings, replies, HomeControl(settings, home, recognition, replies))

        outcomes = [o async for o in assistant.answer(Turn("hello my friend"))]
    await model.aclose()
    await recognition.aclose()
    assert "".join(outcome.text for outcome in outcomes).strip() == "You said: hello my friend"


def test_custom_sentences_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        'language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ["engage"]\n'
        '        slots: {name: "Warp drive"}\n        response: "Engaging the drive"\n'
    )

    understood = Recognition([tmp_path]).match("Engage!", "en", Home())

    assert understood is not None
    assert understood.slots == {"name": "Warp drive"}


@pytest.mark.parametrize(
    "broken",
    [
        "[1, 2",
        "[1, 2]",
        "intents:\n  HassTurnOn: [1, 2]\n",
        'intents:\n  HassTurnOn:\n    data:\n      - sentences: ["fire up (["]\n',
    ],
)
def test_a_broken_file_of_custom_sentences_is_named_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "bad.yaml").write_text(broken)

    understood = Recognition([tmp_path]).match("what time is it", "en", Home())

    assert understood is not None
    assert understood.intent == "HassGetCurrentTime"
    (line,) = [record.getMessage() for record in caplog.records]
    assert "bad.yaml" in line
    assert "\n" not in line


@pytest.mark.parametrize("code", ["../en", "/etc", "..", "e", "en-" + "x" * 99, "en\n", "a\0b"])
def test_a_language_that_is_none_names_no_folder(code: str, tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "ours.yaml").write_text(
        "intents:\n  HassTurnOn:\n    data:\n      - sentences: [engage]\n"
    )
    (tmp_path / "custom").mkdir()

    assert not Recognition([tmp_path / "custom"]).load(code)


def test_sentences_are_read_once_however_clients_call_their_language() -> None:
    sentences = Recognition()

    assert all(sentences.load(f"en-{region}") for region in ("US", "GB", "x1", "x2"))
    assert sentences.load("en_AU")
    assert sentences.languages == 1


def test_no_more_languages_are_kept_than_a_home_speaks() -> None:
    sentences = Recognition()

    for code in ["af", "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fi"]:
        assert sentences.load(code)

    assert sentences.languages <= 8
    assert sentences.match("what time is it", "en", Home()) is not None
