"""Faults of daily use in the real Home Assistant: what is heard in part, said wrongly, or promised.

Each test puts simulated devices into a state, says a sentence to `wyoming-llm` from a satellite in
the kitchen, and reads the states afterwards.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from bench.home_control import Held, Rig, RigOptions, open_rig
from tests.homeassistant.conftest import ROOM

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOME = Path(__file__).parent / "faults_home.yaml"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig(network: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    options = RigOptions(home_assistant=Path(ROOM), flags=("--confirm-above", "20"))
    async with open_rig(options, tmp_path_factory.mktemp("faults")) as opened:
        await opened.build(yaml.safe_load(HOME.read_text(encoding="utf-8")))
        yield opened


def changes(before: Held, after: Held) -> dict[str, dict[str, object]]:
    """Return what each entity holds now, where it is not what it held before."""
    return {
        entity: {key: value for key, value in held.items() if value != before[entity].get(key)}
        for entity, held in after.items()
        if held != before[entity]
    }


async def said(
    rig: Rig, text: str, language: str = "en"
) -> tuple[str, dict[str, dict[str, object]]]:
    before = await rig.put({})
    reply = await rig.ask(text, area="kitchen", language=language)
    return reply, changes(before, await rig.look())


async def test_yes_never_unlocks_a_door_that_was_to_be_locked(rig: Rig) -> None:
    await rig.put({})

    await rig.ask("turn off the tv, lock the front door", area="kitchen")
    await rig.ask("yes", area="kitchen")

    assert (await rig.look())["lock.front_door"]["state"] == "locked"


async def test_a_question_before_unlocking_names_the_deed(rig: Rig) -> None:
    reply, changed = await said(rig, "unlock the front door")

    assert changed == {}
    assert reply.endswith("?")
    assert re.search(r"unlock|open", reply, re.IGNORECASE), reply


@pytest.mark.parametrize(
    "text",
    [
        "turn the living room lamp up to 100",
        "turn the living room lamp down to 10 percent",
        "lower the living room lamp to 20 percent",
        "increase the living room lamp by 20 percent",
    ],
)
async def test_a_command_for_a_lamp_leaves_the_speaker_alone(rig: Rig, text: str) -> None:
    _, changed = await said(rig, text)

    assert changed.keys() <= {"light.living_room_lamp"}


async def test_a_command_for_a_thermostat_leaves_the_speaker_alone(rig: Rig) -> None:
    _, changed = await said(rig, "turn the living room thermostat up to 22")

    assert changed in ({}, {"climate.living_room": {"target_temperature": 22}})


@pytest.mark.parametrize(
    "text",
    [
        "turn off the tv, the hallway light and the living room lamp",
        "turn off the hallway light, the living room lamp, and the tv",
    ],
)
async def test_a_list_of_things_is_done_as_a_whole_or_not_at_all(rig: Rig, text: str) -> None:
    _, changed = await said(rig, text)

    whole = {"switch.tv", "light.hallway", "light.living_room_lamp"}
    assert changed.keys() in (set(), whole)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "are all windows closed"),
        ("en", "are any windows open"),
        ("en", "which windows are open"),
        ("en", "is any window open"),
        ("de", "welche Fenster sind offen"),
        ("de", "sind alle Fenster zu"),
        ("fr", "quelles fenêtres sont ouvertes"),
        ("es", "qué ventanas están abiertas"),
        ("nl", "welke ramen zijn open"),
        ("it", "quali finestre sono aperte"),
    ],
)
async def test_an_open_contact_sensor_is_an_open_window(rig: Rig, language: str, text: str) -> None:
    reply, changed = await said(rig, text, language)

    assert changed == {}
    assert "Kitchen window" in reply
    assert "Skylight" not in reply


async def test_open_windows_and_covers_are_counted_together(rig: Rig) -> None:
    await rig.put({"cover.skylight": {"state": "open"}})

    reply = await rig.ask("how many windows are open", area="kitchen")

    assert re.search(r"\b(2|two)\b", reply), reply


async def test_an_open_door_is_not_said_to_be_closed(rig: Rig) -> None:
    reply, _ = await said(rig, "are all doors closed")

    assert not reply.lower().startswith("yes"), reply


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "what is the temperature in the kitchen"),
        ("en", "how warm is it in the kitchen"),
        ("de", "wie warm ist es in Kitchen"),
        ("fr", "quelle est la température dans Kitchen"),
    ],
)
async def test_the_temperature_is_that_of_the_sensor_that_knows_it(
    rig: Rig, language: str, text: str
) -> None:
    reply, _ = await said(rig, text, language)

    assert re.search(r"21[.,]5", reply), reply


async def test_a_state_is_never_said_as_degrees(rig: Rig) -> None:
    await rig.put({"sensor.kitchen_temperature": {"state": "unavailable"}})

    reply = await rig.ask("what is the temperature in the kitchen", area="kitchen")

    assert not re.search(r"(cool|unavailable|unknown|\b0) ?(°|degrees)", reply), reply


@pytest.mark.parametrize(
    "text",
    ["dim the kitchen light by 20 percent", "lower the kitchen light by 10 percent"],
)
async def test_by_is_not_to(rig: Rig, text: str) -> None:
    percent = 20 if "20" in text else 10
    _, changed = await said(rig, text)

    expected = 128 - 2.55 * percent
    assert changed.keys() <= {"light.kitchen"}
    for held in changed.values():
        assert held == {"brightness": pytest.approx(expected, abs=3)}


async def test_down_by_ten_percent_in_words_is_quieter(rig: Rig) -> None:
    _, changed = await said(rig, "turn down the volume by ten percent")

    assert changed in ({}, {"media_player.kitchen": {"volume_level": pytest.approx(0.4)}})


@pytest.mark.parametrize("text", ["set the kitchen light to red", "make the kitchen light blue"])
async def test_a_colour_that_a_lamp_cannot_show_is_not_claimed(rig: Rig, text: str) -> None:
    reply, changed = await said(rig, text)

    assert changed == {}
    assert not re.search(r"\b(set|changed|turned)\b", reply) or "not" in reply, reply


async def test_zero_percent_is_off_and_no_failure(rig: Rig) -> None:
    reply, changed = await said(rig, "set the kitchen light to 0 percent")

    assert changed["light.kitchen"]["state"] == "off"
    assert "did not respond" not in reply


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "the train leaves in 10 minutes"),
        ("en", "how many seconds are in 5 minutes"),
        ("en", "tell me a joke in 5 minutes"),
        ("en", "I am leaving in ten minutes"),
        ("de", "Ich gehe in 5 Minuten"),
        ("fr", "le train part dans 10 minutes"),
    ],
)
async def test_a_remark_about_minutes_starts_no_timer(rig: Rig, language: str, text: str) -> None:
    _, changed = await said(rig, text, language)

    assert changed == {}


async def test_a_delayed_unlocking_is_asked_for_now(rig: Rig) -> None:
    reply, changed = await said(rig, "unlock the front door in 5 minutes")

    assert changed == {}
    assert reply.endswith("?") or re.search(r"sorry|cannot|not", reply, re.IGNORECASE), reply


async def test_two_things_of_one_name_are_asked_about(rig: Rig) -> None:
    reply, changed = await said(rig, "turn off the desk lamp")

    assert changed == {}
    assert reply.endswith("?") or re.search(r"two|2|several|which", reply, re.IGNORECASE), reply
    assert "failed" not in reply
