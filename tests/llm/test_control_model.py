"""Control of the home where words do not fit: what a model may choose, and what it may not."""

import json
import random
from collections.abc import Iterator

import pytest

from tests.llm.fakes import FakeLlm
from tests.llm.house import house
from wyoming_llm.engine import Delta, Prompt, Sampling
from wyoming_llm.outcome import Fail, Say

pytestmark = pytest.mark.usefixtures("short_wait")

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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("could you not get the coffee machine going", "en"),
        ("n'allume surtout pas la coffee machine", "fr"),
        ("bitte niemals die Coffee machine anwerfen", "de"),
        ("nie ruszaj coffee machine", "pl"),
        ("rör inte coffee machine", "sv"),
    ],
)
async def test_a_model_that_is_trusted_does_nothing_that_is_denied(text: str, code: str) -> None:
    async with house(script=[json.dumps(CHOICE)] * 2, model_acts="do") as it:
        await it.say(text, language=code)

        assert it.home.handled == []


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
