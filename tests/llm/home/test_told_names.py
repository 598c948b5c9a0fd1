"""Answers about things that share a name, and about values that a thing cannot have."""

import pytest

from tests.llm.house import RECOGNITION
from wyoming_common.home_assistant.home import Area, Entity, Home, State
from wyoming_llm.home.intent import Command, Refusal
from wyoming_llm.home.responses import report
from wyoming_llm.home.targets import HomeSnapshot
from wyoming_llm.languages import language

STATES = {
    "light.study": State("on", {"supported_color_modes": ["brightness"]}),
    "media_player.study": State("playing", {"volume_level": 0.4, "supported_features": 152509}),
    "update.study": State("on"),
    "climate.heating": State("heat", {"temperature": 68, "min_temp": 45, "max_temp": 95}),
}


def snapshot(*ids: str, unit: str = "°C") -> HomeSnapshot:
    """Return a home in which every one of `ids` is called like its room."""
    entities = {one: Entity(one, "Study", area="study") for one in ids}
    home = Home(entities, {"study": Area("study", "Study")}, temperature_unit=unit)
    return HomeSnapshot(home, STATES)


def told(text: str, code: str, home: HomeSnapshot) -> str:
    result = RECOGNITION.recognise(text, code, home)
    assert isinstance(result, Command)
    return report(language(code), result, result.actions, (), (), STATES)


@pytest.mark.parametrize(
    ("code", "text", "answer"),
    [
        ("en", "turn off study", "Turned off Study (light)"),
        ("en", "pause study", "Paused Study (speaker)"),
        ("de", "Study aus", "Study (Licht) ausgeschaltet"),
        ("fr", "éteins Study", "J'ai éteint Study (lumière)"),
        ("es", "apaga Study", "He apagado Study (luz)"),
        ("it", "spegni Study", "Ho spento Study (luce)"),
        ("nl", "zet Study uit", "Study (lamp) uitgezet"),
    ],
)
def test_of_things_with_one_name_the_kind_is_told(code: str, text: str, answer: str) -> None:
    home = snapshot("light.study", "media_player.study", "update.study")

    assert told(text, code, home) == answer


def test_an_update_is_nothing_that_a_light_is_taken_for() -> None:
    assert told("turn off study", "en", snapshot("light.study", "update.study")) == (
        "Turned off Study"
    )


def test_a_temperature_out_of_range_is_refused_in_the_unit_of_the_home() -> None:
    home = snapshot("climate.heating", unit="°F")

    result = RECOGNITION.recognise("set study to 21 degrees", "en", home)

    assert result == Refusal("Study goes from 45 to 95 °F.")
