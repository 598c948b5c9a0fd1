"""People of the household: "my lamp" is another for each, and what is risky is for some alone."""

import pytest

from tests.llm.house import house
from tests.support.fake_home_assistant import FakeHome
from wyoming_common.home_assistant.home import Entity, Home
from wyoming_llm.config import LlmSettings
from wyoming_llm.home.people import People

LAMPS = {
    "light.left": {"name": "Left bedside lamp", "area": "bedroom"},
    "light.right": {"name": "Right bedside lamp", "area": "bedroom"},
}
BELONGINGS = ("Anna/lamp=light.left", "Ben/lamp=light.right", "Anna/desk light=light.kitchen")
DOOR = "lock.front"


def home() -> Home:
    names = {"light.left": "Left lamp", "light.right": "Right lamp", "light.kitchen": "Kitchen"}
    return Home({key: Entity(key, name) for key, name in names.items()})


@pytest.mark.parametrize(
    ("text", "speaker", "meant"),
    [
        ("turn on my lamp", "Anna", "turn on Left lamp"),
        ("turn on my lamp", "ben", "turn on Right lamp"),
        ("Turn on my lamp, please.", "Anna", "Turn on Left lamp, please."),
        ("my lamps and my desk light off", "Anna", "Left lamp and Kitchen off"),
        ("schalte meine Lamp ein", "Ben", "schalte Right lamp ein"),
        ("accendi la mia lamp", "Anna", "accendi Left lamp"),
        ("turn on my lamp", "", "turn on my lamp"),
        ("turn on my lamp", "Carl", "turn on my lamp"),
        ("turn on my radio", "Anna", "turn on my radio"),
        ("turn on the lamp", "Anna", "turn on the lamp"),
        ("what is my", "Anna", "what is my"),
    ],
)
def test_my_lamp_is_spelled_out_for_who_speaks(text: str, speaker: str, meant: str) -> None:
    assert People(BELONGINGS).spelled_out(text, speaker, home()) == meant


def test_a_hidden_thing_is_left_as_it_was_said() -> None:
    assert People(BELONGINGS).spelled_out("my lamp", "Anna", Home()) == "my lamp"


@pytest.mark.parametrize(
    ("permissions", "speaker", "allowed"),
    [
        ((), "", True),
        (("lock=Anna",), "Anna", True),
        (("lock=Anna + Ben",), "ben", True),
        (("lock=Anna",), "Ben", False),
        (("lock=Anna",), "", False),
        (("cover=Anna",), "Ben", True),
        (("front door=Ben", "lock=Anna"), "Anna", False),
        (("lock.front=Anna", "front door=Ben"), "Ben", False),
    ],
)
def test_the_list_for_an_entity_goes_before_that_for_its_kind(
    permissions: tuple[str, ...], speaker: str, allowed: bool
) -> None:
    door = Entity(DOOR, "Front door")

    assert People((), permissions).may(speaker, door) is allowed


@pytest.mark.parametrize(
    "setting",
    [
        {"belongings": ("lamp=light.left",)},
        {"belongings": ("Anna/lamp=left",)},
        {"belongings": ("/lamp=light.left",)},
        {"risky_people": ("lock",)},
        {"risky_people": ("lock=",)},
        {"risky_people": ("lock=Anna+",)},
        {"speech_to_text": "localhost"},
    ],
)
def test_a_line_of_another_form_is_refused_when_the_service_starts(
    setting: dict[str, object],
) -> None:
    with pytest.raises(ValueError, match="expected "):
        LlmSettings(**setting)  # type: ignore[arg-type]


async def test_turn_on_my_lamp_means_two_lamps_for_two_people() -> None:
    async with house(FakeHome(**LAMPS), belongings=BELONGINGS) as it:
        await it.say("turn on my lamp", speaker="Anna")
        assert (it.home.state("light.left"), it.home.state("light.right")) == ("on", "off")

        await it.say("turn on my lamp", speaker="Ben")
        assert it.home.state("light.right") == "on"


async def test_only_the_people_of_the_list_may_unlock_and_they_are_asked_as_ever() -> None:
    async with house(risky_people=("lock=Anna",)) as it:
        for speaker in ("Ben", ""):
            refused = await it.told("unlock the front door", speaker=speaker)
            assert "people whose voice I know" in refused
            await it.say("yes", speaker="Anna")
        assert it.home.state(DOOR) == "locked"

        assert await it.told("unlock the front door", speaker="Anna") == "Unlock Front door?"
        await it.say("yes", speaker="Anna")
        assert it.home.state(DOOR) == "unlocked"


async def test_a_yes_in_another_voice_does_not_unlock_and_the_right_one_still_may() -> None:
    async with house(risky_people=("lock=Anna",)) as it:
        await it.say("unlock the front door", speaker="Anna")
        for speaker in ("Ben", ""):
            assert "people whose voice I know" in await it.told("yes", speaker=speaker)
            assert it.home.state(DOOR) == "locked"

        await it.say("yes, do it", speaker="Anna")
        assert it.home.state(DOOR) == "unlocked"


async def test_the_list_holds_where_a_thing_may_be_controlled_without_a_question() -> None:
    async with house(risky=("front door",), risky_people=("lock=Anna",)) as it:
        await it.say("unlock the front door", speaker="Ben")
        assert it.home.state(DOOR) == "locked"

        await it.say("unlock the front door", speaker="Anna")
        assert it.home.state(DOOR) == "unlocked"


async def test_the_list_holds_for_a_command_for_later() -> None:
    async with house(risky_people=("cover=Anna",)) as it:
        said = await it.told("open the garage door in five minutes", speaker="Ben")

        assert "people whose voice I know" in said


async def test_harmless_deeds_are_for_everyone() -> None:
    async with house(risky_people=("lock=Anna", "cover=Anna")) as it:
        await it.change(DOOR, "unlocked")
        await it.say("lock the front door", speaker="Ben")
        assert it.home.state(DOOR) == "locked"


async def test_a_refusal_is_foreseen_and_not_the_question() -> None:
    async with house(risky_people=("lock=Anna",)) as it:
        [(said, whole)] = await it.speculate("unlock the front door")

    assert whole
    assert "people whose voice I know" in said
