"""Targets of Home Assistant's sentences: which of them can do what was said."""

from datetime import UTC, datetime

import pytest

from tests.llm.home.test_six_languages import HOME_OF, RECOGNITION, STATES, shown
from wyoming_common.home_assistant.home import State
from wyoming_llm.home.intent import Answer, Command, Refusal, Result
from wyoming_llm.home.package_intents import resolve
from wyoming_llm.home.package_sentences import Matched
from wyoming_llm.home.targets import HomeSnapshot
from wyoming_llm.languages import language

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def resolved(slots: dict[str, object], code: str = "en") -> Result | None:
    snapshot = HomeSnapshot(HOME_OF[code], STATES)
    return resolve(Matched("HassLightSet", slots), snapshot, language(code), NOW)


@pytest.mark.parametrize("slots", [{"color": "red"}, {"temperature": 4000}])
def test_a_lamp_without_colors_is_refused_by_name_and_not_said_to_be_silent(
    slots: dict[str, object],
) -> None:
    result = resolved({"name": "Counter light", **slots})

    assert result == Refusal("Counter light cannot show that color.")


def test_several_lamps_without_colors_are_refused_in_the_plural() -> None:
    kitchen = HOME_OF["de"].entities["light.kitchen"].area

    result = resolved({"area": kitchen, "color": "rot"}, "de")

    assert isinstance(result, Refusal)
    assert " und " in result.text
    assert result.text.endswith("können diese Farbe nicht zeigen.")


def test_a_sensor_without_a_reading_is_said_to_have_none() -> None:
    states = {**STATES, "sensor.temperature": State("unknown", {})}
    snapshot = HomeSnapshot(HOME_OF["en"], states)
    name = snapshot.home.entities["sensor.temperature"].name

    result = resolve(Matched("HassGetState", {"name": name}), snapshot, language("en"), NOW)

    assert result == Answer(f"{name} has no reading right now.")


def test_of_several_lamps_those_with_colors_change() -> None:
    result = resolved({"area": "Bedroom", "color": "red"})

    assert isinstance(result, Command)
    assert [a.target.id for a in result.actions if a.target] == ["light.bedside"]


def test_every_lamp_may_be_dimmed_as_far_as_is_known() -> None:
    result = resolved({"name": "Counter light", "brightness": 30})

    assert isinstance(result, Command)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Verlängere den Timer um 10 Minuten", "start HassIncreaseTimer 10"),
        ("Verlängere den 99 Sekunden Timer um 10 Sekunden", "start HassIncreaseTimer 1 39 10"),
        ("Pizza Timer 10 Minuten", "start HassStartTimer 10 pizza"),
    ],
)
def test_a_timer_is_lengthened_and_no_new_one_named_by_the_verb(text: str, meaning: str) -> None:
    snapshot = HomeSnapshot(HOME_OF["de"], STATES)

    assert shown(RECOGNITION.recognise(text, "de", snapshot)) == meaning
