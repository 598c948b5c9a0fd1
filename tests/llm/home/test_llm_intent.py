"""Control of the home where words do not fit: what a model may choose, and what it may not."""

import json
import random
from collections.abc import Iterator

import pytest

from tests.llm.fakes import FakeLlm
from tests.llm.house import house
from wyoming_llm.dialogue.outcome import Fail, Say
from wyoming_llm.engine import Delta, Prompt, Sampling
from wyoming_llm.home.intent import Action, Command
from wyoming_llm.home.llm_intent import says_other_number

CHOICE = {"action": "turn_on", "device": "Coffee machine"}


async def test_the_model_chooses_where_words_do_not_fit() -> None:
    async with house(script=[json.dumps(CHOICE)]) as it:
        question = await it.told("could you get the coffee machine going for me")
        asked = it.home.state("switch.coffee")
        await it.say("yes")

        assert question == "Turn on Coffee machine?"
        assert asked == "off"
        assert it.home.state("switch.coffee") == "on"
        names = json.dumps(it.engine.prompts[0].schema)
        assert "Coffee machine" in names
        assert "Secret light" not in names


async def test_a_choice_that_was_begun_ahead_is_taken_when_the_command_is_certain() -> None:
    async with house(script=[json.dumps(CHOICE)]) as it:
        text = "could you get the coffee machine going for me"
        speculation = await it.generated(text)
        question = await it.told(text, speculation=speculation)

        assert question == "Turn on Coffee machine?"
        assert len(it.engine.prompts) == 1
        assert it.home.handled == []


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("where might I find the coffee machine", CHOICE),
        ("make the coffee machine go", {"action": "get_state", "device": "Coffee machine"}),
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
async def test_a_deed_that_a_thing_cannot_do_is_refused_without_the_model(text: str) -> None:
    async with house() as it:
        (outcome,) = await it.say(text)

        assert isinstance(outcome, Fail) or outcome.text.endswith("?")
        assert it.home.handled == []


async def test_a_question_about_a_thing_is_never_answered_by_the_model() -> None:
    async with house(script=["The coffee machine is unoccupied."]) as it:
        (outcome,) = await it.say("is there the coffee machine unoccupied")

        assert isinstance(outcome, Fail)
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


async def test_talk_about_a_thing_is_not_a_choice() -> None:
    async with house(script=["I like coffee."]) as it:
        text = await it.told("what do you think of my coffee machine my dear")

    assert text == "I like coffee."
    assert it.home.handled == []


HOSTILE = [
    "",
    "\x00\xff\ufffe" * 100,
    "x" * 100_000,
    "[" * 5000,
    '{"action": "turn_off", "device": "Secret light"}',
    '{"action": "turn_on", "device": "Coffee machine"}' * 50,
    '{"action": "shutdown", "device": "Coffee machine"}',
    '{"action": "turn_on", "device": "Coffee machine", "domain": "lock"}',
    '{"action": "turn_on", "device": ["Coffee machine"]}',
    '{"action": "set_brightness", "device": "Coffee machine", "value": 50}',
    '{"action": {"action": "turn_on"}, "device": "Coffee machine"}',
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
async def test_output_that_cannot_be_spoken_becomes_an_apology(output: str) -> None:
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
async def test_an_impossible_request_is_not_left_to_a_model_that_claims_it(text: str) -> None:
    async with house(script=['{"action": "none"}'] + ["Done, it is open now."] * 3) as it:
        outcomes = await it.say(text)

        assert isinstance(outcomes[-1], Fail), outcomes
        assert "Done" not in outcomes[-1].text
        assert it.home.handled == []


async def test_refusals_are_in_the_language_that_was_spoken() -> None:
    async with house() as it:
        unknown = await it.told("öffne den Kamin", language="de")
        away = await it.told("schalte Dead light ein", language="de")
        question = await it.told("open the garage door")

    assert unknown == "Entschuldigung, Kamin kenne ich nicht."
    assert "nicht verfügbar" in away
    assert question == "Open Garage door?"


async def test_random_output_does_nothing_either() -> None:
    chance = random.Random(5)  # noqa: S311 - no secret
    script = ["".join(chr(chance.randrange(1, 0xD000)) for _ in range(300)) for _ in range(20)]
    async with house(script=script, model_acts="do") as it:
        for _ in range(10):
            await it.say("make the coffee machine do its thing")

        assert it.home.handled == []


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("set the ceiling light to 900 percent", True),
        ("make the ceiling light ninety", False),
        ("make the ceiling light 90", False),
        ("make the ceiling light very bright", False),
    ],
)
def test_a_value_that_the_person_did_not_say_is_not_chosen(text: str, refused: bool) -> None:
    chosen = Command((Action("HassLightSet", None, {"brightness": 90}),))

    assert says_other_number(text, chosen, "en") is refused
