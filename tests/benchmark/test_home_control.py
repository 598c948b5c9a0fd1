"""Verdicts of the home-control benchmark, and the changes that it reads from sentences."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.home_control import Result, judge, matches
from bench.home_sets import LANGUAGES, Case, device_change, read_set

LAMP = {"light.lamp": {"state": "off", "brightness": 100}}


def lamp(**changes: Any) -> dict[str, dict[str, Any]]:
    return {"light.lamp": {**LAMP["light.lamp"], **changes}}


def test_an_expected_change_is_right() -> None:
    assert judge(LAMP, lamp(state="on"), {"light.lamp": {"state": "on"}}) == []


def test_a_missing_change_is_a_difference() -> None:
    assert judge(LAMP, LAMP, {"light.lamp": {"state": "on"}}) == ["light.lamp state: off, not on"]


def test_a_change_that_nothing_asked_for_is_marked() -> None:
    (difference,) = judge(LAMP, lamp(state="on"), {})

    assert difference.startswith("!")


def test_an_attribute_that_nothing_asked_for_may_not_change() -> None:
    expected = {"light.lamp": {"state": "on"}}

    assert judge(LAMP, lamp(state="on", brightness=10), expected) != []


def test_brightness_may_switch_a_light_on() -> None:
    expected = {"light.lamp": {"attributes": {"brightness": 128}}}

    assert judge(LAMP, lamp(state="on", brightness=127), expected) == []


def test_a_position_has_the_name_that_the_device_gives_it() -> None:
    before = {"cover.blind": {"state": "closed", "current_cover_position": 0}}
    after = {"cover.blind": {"state": "open", "current_cover_position": 50}}

    expected = {"cover.blind": {"attributes": {"current_position": 50}}}

    assert judge(before, after, expected) == []


@pytest.mark.parametrize(
    ("value", "wanted", "right"),
    [
        (120, {"above": 100}, True),
        (100, {"above": 100}, False),
        (80, {"below": 100}, True),
        (None, {"below": 100}, False),
        ("docked", {"any": ["docked", "returning"]}, True),
        ("cleaning", {"any": ["docked", "returning"]}, False),
        ([255, 0, 0], (255, 0, 0), True),
        (True, True, True),
        (1, 0, False),
        (None, None, True),
        ("1", 1, True),
        ("2", 1, False),
    ],
)
def test_conditions_are_judged(value: object, wanted: object, right: bool) -> None:
    assert matches("state", value, wanted) is right


@pytest.mark.parametrize(
    ("kind", "text", "entity", "before", "after"),
    [
        ("light", "Turn on the light in Guest Bedroom 2", "light.x", "off", {"state": "on"}),
        ("light", "Lights off", "light.x", "on", {"state": "off"}),
        ("smart-tv", "Unpause the TV", "media_player.x", "paused", {"state": "playing"}),
        ("vacuum", "Send it back to the base", "vacuum.x", "cleaning", {"any"}),
        ("smart-lock", "Unlock the door", "lock.x", "locked", {"state": "unlocked"}),
        ("smart-sprinkler", "Stop watering", "valve.x", "open", {"state": "closed"}),
    ],
)
def test_the_change_is_read_from_the_sentence(
    kind: str, text: str, entity: str, before: str, after: Any
) -> None:
    change = device_change(kind, text, entity)

    assert change is not None
    assert change[0]["state"] == before
    if isinstance(after, dict):
        assert after.items() <= change[1].items()
    else:
        assert after <= change[1]["state"].keys()


@pytest.mark.parametrize(
    ("kind", "text", "attribute", "value"),
    [
        ("light-dimmable", "Dim the lamp in Kids Room 2 to 25%", "brightness", 63.75),
        ("light-dimmable", "Decrease the brightness", "brightness", {"below": 100}),
        ("light-dimmable", "Make the light a bit brighter", "brightness", {"above": 100}),
        ("smart-speaker", "Turn it down to 3", "volume_level", 0.03),
        ("smart-speaker", "Skip back", "track", 4),
        ("hvac", "Make it 22 degrees", "temperature", 22.0),
        ("water-valve", "Open the garden water valve halfway", "current_position", 50.0),
    ],
)
def test_the_number_is_read_from_the_sentence(
    kind: str, text: str, attribute: str, value: Any
) -> None:
    entity = {"light-dimmable": "light.x", "smart-speaker": "media_player.x"}.get(kind, "x.x")

    change = device_change(kind, text, entity)

    assert change is not None
    assert change[1]["attributes"][attribute] == pytest.approx(value)


def test_a_placeholder_is_left_out() -> None:
    assert device_change("smart-speaker", "Please set the volume to [VOLUME]", "x.x") is None


@pytest.mark.parametrize(
    ("reply", "claims"),
    [
        ("Turned on the lights", True),
        ("Sorry, I have not turned on anything", False),
        ("Shall I have it turned on?", False),
        ("It was opened in 1912", True),
    ],
)
def test_a_deed_that_did_not_happen_is_a_false_claim(reply: str, claims: bool) -> None:
    result = Result(
        case=Case(home="h", kind="light", text="x"),
        replies=[reply],
        differences=["light.lamp state: off, not on"],
        milliseconds=1,
        by_model=False,
        asked=False,
    )

    assert result.false_claim is claims


def test_our_own_homes_have_forty_sentences_in_every_language() -> None:
    found = read_set("own", Path())

    counts = Counter(case.language for case in found.cases)

    assert min(counts[language] for language in LANGUAGES) >= 40
    assert {case.home for case in found.cases} == found.homes.keys()


def test_every_expected_change_is_one_of_an_entity_of_the_home() -> None:
    for case in (found := read_set("own", Path())).cases:
        known = {entity["id"] for entity in found.homes[case.home]["entities"]} | {"timers"}

        assert {*case.expected, *case.before} <= known, case


def test_three_hundred_requests_are_nonsense() -> None:
    assert len(read_set("nonsense", Path()).cases) == 300
