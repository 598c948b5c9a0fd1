"""English that no sentence has: all of it is understood, or none is done."""

import pytest

from tests.llm.fake_home import FakeHome
from tests.llm.house import house
from wyoming_llm.home.consent import denies
from wyoming_llm.outcome import Fail, Intent, Say

pytestmark = pytest.mark.usefixtures("short_wait")


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("flick the kitchen light on", {"light.kitchen": "on"}),
        (
            "turn on the kitchen light and the bedroom lamp",
            {"light.kitchen": "on", "light.bedroom": "on"},
        ),
        (
            "turn the coffee machine on then switch the night lamp on",
            {"switch.coffee": "on", "light.bedroom": "on"},
        ),
    ],
)
async def test_other_words_do_the_same(text: str, states: dict[str, str]) -> None:
    async with house() as it:
        answer = await it.told(text)

        assert {key: it.home.state(key) for key in states} == states, answer
        assert it.engine.prompts == []
        assert len(it.home.handled) == len(states)


@pytest.mark.parametrize(
    "text",
    [
        "don't turn on the kitchen light",
        "never turn on the kitchen light",
        "turn on all the lights but not the kitchen light",
        "turn on everything except the kitchen light",
        "the kitchen light is on",
        "I turned on the kitchen light",
        "who turned on the kitchen light",
        "should I turn on the kitchen light",
        "is the kitchen light on and the coffee machine turned on",
        "turn on the kitchen light unless it is on",
        "turn on the kitchen light and the purple hippo",
        "turn on the kitchen light at ten pm",
        "turn on the attic light",
    ],
)
async def test_a_word_that_is_not_understood_may_change_everything(text: str) -> None:
    async with house() as it:
        await it.say(text, device="sat")

        assert it.home.handled == []


async def test_what_is_risky_among_several_deeds_is_asked_for_before_any_is_done() -> None:
    async with house() as it:
        question = await it.told("turn on the kitchen light and unlock the front door")
        before = list(it.home.handled)
        await it.told("yes")

        assert question == "Do you really want that for Front door?"
        assert before == []
        assert it.home.state("light.kitchen") == "on"
        assert it.home.state("lock.front") == "unlocked"


async def test_several_answers_are_sentences_of_their_own() -> None:
    async with house() as it:
        answer = await it.told("turn on the kitchen light and the coffee machine")

    assert answer == "Turned on the light. Turned on the switch"


async def test_the_client_is_handed_all_of_it() -> None:
    async with house(control="wyoming") as it:
        outcomes = await it.say("turn on the kitchen light and the coffee machine")

    assert [o.slots["name"] for o in outcomes if isinstance(o, Intent)] == [
        "Kitchen light",
        "Coffee machine",
    ]


async def test_home_assistant_is_asked_for_exposed_things_only_near_the_speaker() -> None:
    async with house() as it:
        await it.say("turn on the lights", device="sat")
        (request,) = it.home.handled

    assert request["assistant"] == "conversation"
    assert request["data"]["preferred_area_id"] == "kitchen"


async def test_of_two_things_of_one_name_that_in_the_room_of_the_speaker_is_meant() -> None:
    twins = {
        "light.one": {"name": "Lamp", "area": "kitchen"},
        "light.two": {"name": "Lamp", "area": "bedroom"},
    }
    async with house(FakeHome(**twins)) as it:
        (outcome,) = await it.say("turn on the lamp", device="sat")

        assert isinstance(outcome, Say)
        assert (it.home.state("light.one"), it.home.state("light.two")) == ("on", "off")


async def test_what_a_thing_does_not_support_is_not_asked_of_it() -> None:
    radio = {"name": "Radio", "state": "playing", "attributes": {"supported_features": 1}}
    async with house(FakeHome(**{"media_player.radio": radio})) as it:
        (outcome,) = await it.say("set the radio volume to 30 percent")

        assert isinstance(outcome, Fail)
        assert it.home.handled == []


async def test_what_is_named_but_may_not_be_controlled_is_not_left_to_a_model() -> None:
    async with house(script=["The secret light is on."] * 2) as it:
        (outcome,) = await it.say("how is our secret light feeling")

        assert isinstance(outcome, Fail)
        assert it.engine.prompts == []


@pytest.mark.parametrize("text", ["don't", "Nicht heute", "n'ouvre rien", "ikke nå", "не надо"])
def test_a_denial_is_known(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize("text", ["turn it on", "nachts", "note it down", "mach an"])
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert not denies(text)
