"""English that no sentence has: all of it is understood, or none is done."""

from dataclasses import replace

import pytest

from tests.llm.home.test_six_languages import HOME_OF, RECOGNITION, STATES, shown
from tests.llm.house import house
from tests.support.fake_home_assistant import FakeHome
from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.dialogue.outcome import Fail, Intent, Say
from wyoming_llm.home.confirmation import denies
from wyoming_llm.home.targets import HomeSnapshot


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
async def test_a_word_without_a_part_in_the_command_prevents_it(text: str) -> None:
    async with house() as it:
        await it.say(text, device="sat")

        assert it.home.handled == []


async def test_a_risky_deed_among_several_is_confirmed_before_any_is_done() -> None:
    async with house() as it:
        question = await it.told("turn on the kitchen light and unlock the front door")
        before = list(it.home.handled)
        await it.told("yes")

        assert question == "Unlock Front door?"
        assert before == []
        assert it.home.state("light.kitchen") == "on"
        assert it.home.state("lock.front") == "unlocked"


async def test_several_deeds_are_sentences_of_their_own() -> None:
    async with house() as it:
        answer = await it.told("turn on the kitchen light and lock the front door")

    assert answer == "Turned on Kitchen light. Locked Front door"


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
    assert request["data"] == {"name": "light.kitchen"}


async def test_of_two_things_of_one_name_that_in_the_room_of_the_speaker_is_meant() -> None:
    twins = {
        "light.one": {"name": "Lamp", "area": "kitchen"},
        "light.two": {"name": "Lamp", "area": "bedroom"},
    }
    async with house(FakeHome(**twins)) as it:
        (outcome,) = await it.say("turn on the lamp", device="sat")

        assert isinstance(outcome, Say)
        assert (it.home.state("light.one"), it.home.state("light.two")) == ("on", "off")


async def test_a_feature_that_a_thing_lacks_is_not_asked_of_it() -> None:
    radio = {"name": "Radio", "state": "playing", "attributes": {"supported_features": 1}}
    async with house(FakeHome(**{"media_player.radio": radio})) as it:
        (outcome,) = await it.say("set the radio volume to 30 percent")

        assert isinstance(outcome, Fail)
        assert it.home.handled == []


async def test_a_hidden_thing_is_not_left_to_the_model() -> None:
    async with house(script=["The secret light is on."] * 2) as it:
        (outcome,) = await it.say("how is our secret light feeling")

        assert isinstance(outcome, Fail)
        assert it.engine.prompts == []


@pytest.mark.parametrize("text", ["don't", "Nicht heute", "n'ouvre rien", "ikke nå", "не надо"])
def test_a_denial_is_known(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize("text", ["turn it on", "nachts", "note it down", "mach an"])
def test_words_that_look_like_a_denial_are_not_one(text: str) -> None:
    assert not denies(text)


async def test_a_word_of_another_things_name_is_not_left_out_of_a_command() -> None:
    fake = FakeHome(**{"switch.tv": {"name": "TV", "state": "on"}})
    async with house(fake) as it:
        await it.say("turn off the TV, lock the front door")
        await it.say("yes")

        assert it.home.state("lock.front") == "locked"


@pytest.mark.parametrize(
    "text", ["the train leaves in 10 minutes", "how many seconds are in 5 minutes"]
)
async def test_a_remark_that_ends_in_minutes_starts_no_timer(text: str) -> None:
    async with house() as it:
        outcomes = await it.say(text, device="sat")

        assert not any(isinstance(outcome, Intent) for outcome in outcomes)


async def test_a_risky_command_for_later_is_confirmed_now() -> None:
    async with house() as it:
        question, *rest = await it.say("unlock the front door in 5 minutes", device="sat")
        (timer,) = await it.say("yes", device="sat")

        assert isinstance(question, Say)
        assert rest == []
        assert isinstance(timer, Intent)
        assert timer.name == "HassStartTimer"


@pytest.mark.parametrize(
    "text",
    ["what time is my meeting", "what's the weather in Paris", "when was the front door unlocked"],
)
async def test_a_question_is_not_answered_as_if_half_of_it_had_not_been_said(text: str) -> None:
    async with house() as it:
        answer = await it.told(text)

        assert "2026" not in answer
        assert ":" not in answer.replace("You said:", "")


def with_more(**more: tuple[str, State]) -> HomeSnapshot:
    """The kitchen's satellite in the English home with more entities, none of which has a room."""
    named = {key.replace("__", "."): name for key, (name, _) in more.items()}
    states = STATES | {key.replace("__", "."): state for key, (_, state) in more.items()}
    home = HOME_OF["en"]
    entities = {**home.entities, **{key: Entity(key, name) for key, name in named.items()}}
    return HomeSnapshot(replace(home, entities=entities), states, "kitchen")


def test_the_light_is_the_one_of_the_room_but_one_of_no_room_is_meant_by_its_name() -> None:
    alone = RECOGNITION.recognise("turn on the lamp", "en", with_more())
    named = with_more(light__lamp=("Lamp", State("off")))

    assert shown(alone) == "? light.kitchen light.counter"
    assert shown(RECOGNITION.recognise("turn on the lamp", "en", named)) == "on light.lamp"
    both = RECOGNITION.recognise("turn on the light", "en", named)
    assert shown(both) == "on light.counter; on light.kitchen"


def test_a_sensor_of_unknown_state_has_no_reading() -> None:
    home = with_more(sensor__rain=("Rain gauge", State("unknown", {"unit_of_measurement": "mm"})))

    answer = RECOGNITION.recognise("what is the rain gauge", "en", home)

    assert shown(answer) == "Rain gauge has no reading right now."
