"""One home in six languages: the same things, asked for in the words of each."""

import asyncio
from importlib.resources import files

import pytest
import yaml

from tests.llm.home.sentences import HOMES, SENTENCES
from wyoming_common.home_assistant.home import Area, Entity, Home, State
from wyoming_llm.home.intent import Answer, Command, Question, Result
from wyoming_llm.home.lexicon import codes
from wyoming_llm.home.recognition import Recognition
from wyoming_llm.home.targets import HomeSnapshot
from wyoming_llm.languages import grammar

RECOGNITION = Recognition()
STATES = {
    "light.kitchen": State("on", {"brightness": 128, "supported_color_modes": ["brightness"]}),
    "light.counter": State("off", {"supported_color_modes": ["brightness"]}),
    "light.bedside": State("off", {"supported_color_modes": ["rgb", "color_temp"]}),
    "light.floor": State("on", {"brightness": 255, "supported_color_modes": ["rgb"]}),
    "light.garden": State("off"),
    "switch.coffee": State("off"),
    "fan.bedroom": State("off", {"percentage": 0}),
    "cover.bedroom": State(
        "open", {"device_class": "shutter", "current_position": 100, "supported_features": 15}
    ),
    "cover.garage": State("closed", {"device_class": "garage", "supported_features": 11}),
    "lock.front": State("locked"),
    "climate.living": State("heat", {"temperature": 20, "current_temperature": 19.5}),
    "climate.bath": State("off", {"temperature": 18, "current_temperature": 21}),
    "media_player.speaker": State(
        "playing", {"volume_level": 0.3, "device_class": "speaker", "supported_features": 152509}
    ),
    "media_player.tv": State("off", {"device_class": "tv", "supported_features": 152461}),
    "vacuum.robot": State("docked", {"supported_features": 8192 + 16}),
    "lawn_mower.garden": State("docked"),
    "valve.garden": State("closed", {"device_class": "water"}),
    "scene.movie": State("unknown"),
    "todo.shopping": State("2"),
    "binary_sensor.window": State("on", {"device_class": "window"}),
    "binary_sensor.bath_window": State("off", {"device_class": "window"}),
    "sensor.temperature": State(
        "21.5", {"device_class": "temperature", "unit_of_measurement": "°C"}
    ),
    "sensor.humidity": State("55", {"device_class": "humidity", "unit_of_measurement": "%"}),
}
PLACES = {
    "light.kitchen": "kitchen", "light.counter": "kitchen", "light.bedside": "bedroom",
    "light.floor": "living", "light.garden": "garden", "switch.coffee": "kitchen",
    "fan.bedroom": "bedroom", "cover.bedroom": "bedroom", "cover.garage": "garage",
    "lock.front": "hall", "climate.living": "living", "climate.bath": "bath",
    "media_player.speaker": "living", "media_player.tv": "living", "vacuum.robot": "living",
    "lawn_mower.garden": "garden", "valve.garden": "garden", "binary_sensor.window": "kitchen",
    "binary_sensor.bath_window": "bath", "sensor.temperature": "kitchen",
    "sensor.humidity": "bath",
}  # fmt: skip


def home_of(code: str) -> Home:
    """Return the home with the names of a language."""
    names = HOMES[code]
    rooms = {room: Area(room, names[room]) for room in set(PLACES.values())}
    entities = {name: Entity(name, names[name], area=PLACES.get(name, "")) for name in STATES}
    return Home(entities, rooms, {}, {}, code)


def shown(result: Result | None) -> str:
    """Return a result in one line: deeds and targets, an answer, or a question."""
    if isinstance(result, Command):
        parts = []
        for action in sorted(result.actions, key=lambda one: one.target.id if one.target else ""):
            values = " ".join(str(value) for value in action.slots.values())
            target = action.target.id if action.target is not None else action.intent
            parts.append(f"{action.deed or 'start'} {target} {values}".strip())
        return "; ".join(parts)
    if isinstance(result, Answer):
        return result.text
    if isinstance(result, Question):
        return "? " + " ".join(
            a.target.id for o in result.options for a in o.command.actions if a.target is not None
        )
    return "" if result is None else f"refused: {result}"


HOME_OF = {code: home_of(code) for code in HOMES}


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [(code, text, expected) for code, rows in SENTENCES.items() for text, expected in rows],
)
def test_a_sentence_means_what_people_mean_by_it(code: str, text: str, expected: str) -> None:
    result = RECOGNITION.recognise(text, code, HomeSnapshot(HOME_OF[code], STATES))

    said = shown(result)
    if expected.startswith("~"):
        assert expected[1:] in said
    else:
        assert said == expected


def test_every_language_is_tried() -> None:
    assert sorted(SENTENCES) == codes(), "add a home and sentences to tests/llm/home/sentences.py"


@pytest.mark.parametrize("code", codes())
def test_a_grammar_has_the_sections_of_the_english_one(code: str) -> None:
    def sections(code: str) -> set[str]:
        return set(yaml.safe_load((files(grammar) / f"{code}.yaml").read_text(encoding="utf-8")))

    assert sections(code) == sections("en")


@pytest.mark.parametrize("code", SENTENCES)
def test_every_language_has_thirty_sentences(code: str) -> None:
    assert len(SENTENCES[code]) >= 30


async def test_the_first_sentence_after_the_words_are_loaded_is_not_slow() -> None:
    recognition = Recognition()
    await asyncio.to_thread(recognition.load, "en", HOME_OF["en"])

    assert recognition.recognise("turn on the light", "en", HomeSnapshot(HOME_OF["en"], STATES))
