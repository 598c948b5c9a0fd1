"""Control of the home, from the words to what Home Assistant is told."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.llm.fake_home import TOKEN, FakeHome, serving
from tests.llm.fakes import FakeLlm
from tests.wire import SECONDS
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.home import Home
from wyoming_common.home_assistant import HomeAssistant
from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant, Turn
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Delta, LlmEngine, Prompt, Sampling
from wyoming_llm.home import acting
from wyoming_llm.home.control import HomeControl
from wyoming_llm.home.sentences import Sentences
from wyoming_llm.outcome import Fail, Intent, Outcome, Say
from wyoming_llm.replies import Replies

SENTENCES = Sentences()
"""Loading them takes most of a second: once is enough."""


class House:
    def __init__(
        self, assistant: Assistant, known: HomeAssistant, home: FakeHome, engine: FakeLlm
    ) -> None:
        self._assistant = assistant
        self._known = known
        self.home = home
        self.engine = engine

    async def say(
        self, text: str, conversation: str = "one", device: str = "", language: str = "en"
    ) -> list[Outcome]:
        async with asyncio.timeout(SECONDS):
            turn = Turn(text, language, conversation, device=device)
            return [outcome async for outcome in self._assistant.answer(turn)]

    async def rehearse(self, text: str) -> None:
        """Suppose `text` was said, until all that follows from it has happened."""
        rehearsal = self._assistant.rehearse(Turn(text, "en", "one"))
        async with asyncio.timeout(SECONDS):
            async for _ in rehearsal.deltas():
                pass

    async def told(self, text: str, conversation: str = "one", language: str = "en") -> str:
        return "".join(o.text for o in await self.say(text, conversation, "", language)).strip()

    async def change(self, entity: str, state: str) -> None:
        await self.home.change(entity, state)
        while self._known.states[entity].value != state:
            await self._known.next_state(entity, 0.1)


@asynccontextmanager
async def house(
    fake: FakeHome | None = None,
    script: list[str] | None = None,
    engine: FakeLlm | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    fake, engine = fake or FakeHome(), engine or FakeLlm(script)
    chosen = LlmSettings(zeroconf="off", http_uri="off", **settings)
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    sentences = ModelThread("sentences", lambda: SENTENCES)
    async with serving(fake) as url, HomeAssistant(url, TOKEN).open() as home:
        async with asyncio.timeout(SECONDS):
            await home.ready.wait()
        replies = Replies(model, 2, pause=0)
        control = HomeControl(chosen, home, sentences, replies)
        yield House(Assistant(chosen, replies, control), home, fake, engine)
    await model.aclose()
    await sentences.aclose()


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "_READ_BACK_SECONDS", 0.2)


async def test_a_light_is_switched_without_the_model() -> None:
    async with house() as it:
        text = await it.told("turn on the kitchen light")

        assert it.home.state("light.kitchen") == "on"
        assert text == "Turned on the light"
        assert it.engine.prompts == []


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("turn on the kitchen light", 0),
        ("the kitchen light would please me", 0),
        ("unlock the front door", 0),
        ("tell me something about whales", 1),
    ],
)
async def test_what_may_be_about_the_home_is_left_alone_until_it_is_certain(
    text: str, prompts: int
) -> None:
    async with house() as it:
        before = it.home.state("light.kitchen")
        await it.rehearse(text)

        assert it.home.state("light.kitchen") == before
        assert it.home.handled == []
        assert len(it.engine.prompts) == prompts


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
async def test_what_did_not_happen_is_not_claimed(text: str) -> None:
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
async def test_what_is_not_there_is_said_as_it_is(text: str, answer: str) -> None:
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
async def test_what_is_risky_needs_a_yes(text: str, entity: str, before: str, after: str) -> None:
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


async def test_what_was_allowed_by_name_needs_no_yes() -> None:
    async with house(risky=("front door",)) as it:
        await it.say("unlock the front door")

        assert it.home.state("lock.front") == "unlocked"


async def test_without_a_conversation_nothing_risky_is_done() -> None:
    async with house() as it:
        (outcome,) = await it.say("unlock the front door", "")

        assert isinstance(outcome, Fail)
        assert it.home.state("lock.front") == "locked"


async def test_many_devices_at_once_need_a_yes() -> None:
    async with house(confirm_above=2) as it:
        question = await it.told("turn off all the lights")
        assert it.home.handled == []
        await it.told("yes")

    assert "4 devices" in question
    assert len(it.home.handled) == 1


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


CHOICE = {"intent": "HassTurnOn", "name": "Coffee machine"}


async def test_the_model_chooses_where_words_do_not_fit() -> None:
    async with house(script=[json.dumps(CHOICE)]) as it:
        question = await it.told("could you get the coffee machine going for me")
        asked = it.home.state("switch.coffee")
        await it.say("yes")

        assert question == "Shall I turn on Coffee machine?"
        assert asked == "off"
        assert it.home.state("switch.coffee") == "on"
        names = json.dumps(it.engine.prompts[0].schema)
        assert "Coffee machine" in names
        assert "Secret light" not in names


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("where might I find the coffee machine", CHOICE),
        ("make the coffee machine go", {"intent": "HassGetState", "name": "Coffee machine"}),
    ],
)
async def test_a_question_is_not_answered_by_a_deed_nor_a_command_by_a_state(
    text: str, choice: dict[str, str]
) -> None:
    async with house(script=[json.dumps(choice), "It is somewhere."], model_acts="do") as it:
        answer = await it.told(text)

        assert it.home.handled == []
        assert "Coffee machine is" not in answer


@pytest.mark.parametrize(
    "text", ["activate the coffee machine scene", "return the front door to dock"]
)
async def test_what_a_thing_cannot_do_is_refused_without_the_model(text: str) -> None:
    async with house() as it:
        (outcome,) = await it.say(text)

        assert isinstance(outcome, Fail)
        assert it.home.handled == []


async def test_a_question_after_a_thing_is_answered_by_its_state_whatever_the_words() -> None:
    async with house(script=["The coffee machine is unoccupied."]) as it:
        answer = await it.told("is there the coffee machine unoccupied")

        assert answer == "Coffee machine is off"
        assert it.engine.prompts == []


async def test_a_model_that_is_trusted_is_not_asked_back() -> None:
    async with house(script=[json.dumps(CHOICE)], model_acts="do") as it:
        await it.say("could you get the coffee machine going for me")

        assert it.home.state("switch.coffee") == "on"


async def test_the_model_may_choose_nothing() -> None:
    script = ['{"intent": "none"}', "I like coffee."]
    async with house(script=script) as it:
        text = await it.told("what do you think of my coffee machine my dear")

    assert text == "I like coffee."
    assert it.home.handled == []


HOSTILE = [
    "",
    "\x00\xff\ufffe" * 100,
    "x" * 100_000,
    "[" * 5000,
    '{"intent": "HassTurnOff", "name": "Secret light"}',
    '{"intent": "HassTurnOn", "name": "Coffee machine"}' * 50,
    '{"intent": "HassShutdown", "name": "Coffee machine"}',
    '{"intent": "HassTurnOn", "name": "Coffee machine", "domain": "lock"}',
    '{"intent": "HassTurnOn", "name": ["Coffee machine"]}',
    '{"intent": "HassLightSet", "name": "Coffee machine", "brightness": 50}',
    '{"intent": {"intent": "HassTurnOn"}, "name": "Coffee machine"}',
    "null",
    "<think>" * 1000,
]


@pytest.mark.parametrize("output", HOSTILE)
async def test_whatever_the_model_writes_does_nothing_that_was_not_asked(output: str) -> None:
    async with house(script=[output, output], model_acts="do") as it:
        outcomes = await it.say("make the coffee machine do its thing")

        assert it.home.handled == []
        assert outcomes
        assert all(isinstance(outcome, Say | Fail) for outcome in outcomes)
        assert sum(len(outcome.text) for outcome in outcomes) < 200_000


NESTED = "<tool_call>" * 50 + json.dumps(CHOICE) + "</tool_call>" * 50
GARBAGE = [
    "\x00\x01\ufffd \x02\x7f" * 200,
    NESTED,
    json.dumps({"tool_calls": [CHOICE] * 50}),
    '[{"name": "turn_on; rm -rf /", "arguments": {}}]',
    "",
]


@pytest.mark.parametrize("output", GARBAGE)
async def test_what_nobody_can_say_becomes_an_apology(output: str) -> None:
    async with house(script=[output]) as it:
        outcomes = await it.say("tell me something about rivers")

        assert it.home.handled == []
        assert isinstance(outcomes[-1], Fail)
        assert outcomes[-1].text.startswith("Sorry")
        assert len("".join(outcome.text for outcome in outcomes)) < 200


async def test_a_server_that_writes_without_end_is_stopped() -> None:
    class Endless(FakeLlm):
        def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
            self.prompts.append(prompt)
            while True:
                yield Delta(text="and on ")

    async with house(engine=Endless(), max_tokens=20) as it:
        text = await it.told("tell me something about rivers")
        chosen = await it.told("make the coffee machine do its thing")

        assert len(text) < 400
        assert "Sorry" in chosen
        assert it.home.handled == []


@pytest.mark.parametrize(
    "text",
    [
        "open the chimney",
        "is the attic window open",
        "make it cosy in here, dim everything",
        "did somebody leave the oven on",
        "could you get the lights in the shed going",
        "the garden lights off please",
        "call my mother",
        "Has the cellar door been locked?",
    ],
)
async def test_what_no_sentence_fits_is_not_left_to_a_model_that_claims_it(text: str) -> None:
    async with house(script=['{"intent": "none"}'] + ["Done, it is open now."] * 3) as it:
        outcomes = await it.say(text)

        assert isinstance(outcomes[-1], Fail), outcomes
        assert "Done" not in outcomes[-1].text
        assert it.home.handled == []


async def test_refusals_are_in_the_language_that_was_spoken() -> None:
    async with house() as it:
        unknown = await it.told("öffne den Kamin", language="de")
        away = await it.told("schalte Dead light ein", language="de")
        question = await it.told("open the garage door")

    assert unknown == "Kamin existiert nicht"
    assert "nicht verfügbar" in away
    assert question.startswith("Do you really")


async def test_random_output_does_nothing_either() -> None:
    chance = random.Random(5)  # noqa: S311 - no secret
    script = ["".join(chr(chance.randrange(1, 0xD000)) for _ in range(300)) for _ in range(20)]
    async with house(script=script, model_acts="do") as it:
        for _ in range(10):
            await it.say("make the coffee machine do its thing")

        assert it.home.handled == []


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
        await it.say("is it warm today or what", "a")
        await it.say("is it warm today or what", "b")

    assert len(it.engine.prompts) == 2


async def test_the_home_is_kept_up_to_date_and_found_again() -> None:
    fake = FakeHome()
    news: asyncio.Queue[Home] = asyncio.Queue()
    async with serving(fake) as url:
        home = HomeAssistant(url, TOKEN)
        home.listeners.append(news.put_nowait)
        async with home.open(), asyncio.timeout(SECONDS):
            first = await news.get()
            await fake.rename("light.kitchen", "Cooking light")
            second = await news.get()
            await fake.sockets[0].close()
            while home.ready.is_set():
                await home.next_state("light.kitchen", 0.01)
            await home.ready.wait()

    assert first.entities["light.kitchen"].name == "Kitchen light"
    assert second.entities["light.kitchen"].name == "Cooking light"
    assert first.entities["light.bedroom"].names == ("Bedroom lamp", "night lamp")
    assert "light.secret" not in first.entities


async def test_without_home_assistant_one_still_talks() -> None:
    engine = FakeLlm()
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    sentences = ModelThread("sentences", lambda: SENTENCES)
    settings = LlmSettings(zeroconf="off")
    async with HomeAssistant("http://127.0.0.1:1", TOKEN).open() as home:
        replies = Replies(model, 2, pause=0)
        assistant = Assistant(settings, replies, HomeControl(settings, home, sentences, replies))

        outcomes = [o async for o in assistant.answer(Turn("hello my friend"))]

        with pytest.raises(Unavailable):
            await home.command("get_states")
    await model.aclose()
    await sentences.aclose()
    assert "".join(outcome.text for outcome in outcomes).strip() == "You said: hello my friend"


def test_a_url_that_is_none_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("abc\n")

    assert HomeAssistant.from_settings("", None) is None
    assert HomeAssistant.from_settings("http://ha:8123", token) is not None
    for url, file in (("ha:8123", token), ("http://ha", tmp_path / "none"), ("http://ha", None)):
        with pytest.raises(ConfigError):
            HomeAssistant.from_settings(url, file)


def test_custom_sentences_come_first(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        'language: en\nintents:\n  HassTurnOn:\n    data:\n      - sentences: ["engage"]\n'
        '        slots: {name: "Warp drive"}\n        response: "Engaging the drive"\n'
    )

    understood = Sentences([tmp_path]).recognize("Engage!", "en", Home(), {})

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

    understood = Sentences([tmp_path]).recognize("what time is it", "en", Home(), {})

    assert understood is not None
    assert understood.intent == "HassGetCurrentTime"
    (line,) = [record.getMessage() for record in caplog.records]
    assert "bad.yaml" in line
    assert "\n" not in line
