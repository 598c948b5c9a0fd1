"""Home control by the model: it may only choose among what exists."""

import json
from collections.abc import Sequence
from typing import Any, Final

from wyoming_common.home import Entity
from wyoming_llm.engine import Message, Prompt
from wyoming_llm.home.targets import Known
from wyoming_llm.home.understood import Understood
from wyoming_llm.languages import language as words_of

_SWITCHED: Final = frozenset(
    {"light", "switch", "fan", "input_boolean", "cover", "scene", "script", "lock", "climate",
     "media_player", "humidifier", "siren", "valve", "button", "input_button", "automation"}
)  # fmt: skip
_ONE_WAY: Final = frozenset({"scene", "script", "button", "input_button"})
MOST_CHARACTERS: Final = 400
"""Of a choice; a longer one is none"""

_INSTRUCTIONS: Final = (
    "You turn what a person says to a smart home into one JSON object. "
    'Use intent "none" for anything that asks for no device below. '
    "HassTurnOn: turn on, open, lock, activate. HassTurnOff: turn off, close, unlock. "
    "HassGetState: a question about a device. HassLightSet: brightness in percent. "
    "HassSetPosition: how far open, in percent.\nDevices:\n"
)
_RESPONSES: Final = {
    "HassTurnOn": "one_done",
    "HassTurnOff": "one_done",
    "HassLightSet": "one_set",
    "HassSetPosition": "one_set",
    "HassGetState": "state_is",
}


def state_of(entity: Entity, language: str) -> Understood:
    """Return the question what state an entity is in."""
    slots = {"name": entity.name}
    return Understood("HassGetState", slots, _response("HassGetState", language), language)


def question_of(understood: Understood) -> str:
    """Return the question whether a choice shall be done."""
    words, name = words_of(understood.language), understood.slots["name"]
    match understood.intent:
        case "HassTurnOn":
            return words.say("shall_turn_on", name=name)
        case "HassTurnOff":
            return words.say("shall_turn_off", name=name)
    percent = understood.slots.get("brightness", understood.slots.get("position"))
    return words.say("shall_set", name=name, percent=percent)


def choice_prompt(text: str, candidates: Sequence[Entity], known: Known) -> Prompt:
    """Return the prompt that lets the model choose; its answer can be nothing else."""
    devices = "\n".join(f"- {e.name} ({e.domain}): {known.state(e).value}" for e in candidates)
    return Prompt(
        (Message("system", _INSTRUCTIONS + devices), Message("user", text)),
        conversation="",
        schema=choice_schema(candidates),
    )


def choice_schema(candidates: Sequence[Entity]) -> dict[str, Any]:
    """Return the schema of every choice there is."""
    percent = {"type": "integer", "minimum": 0, "maximum": 100}
    options: list[dict[str, Any]] = [_option("none", ())]
    everything = [entity.name for entity in candidates]
    switched = [e.name for e in candidates if e.domain in _SWITCHED]
    offable = [e.name for e in candidates if e.domain in _SWITCHED - _ONE_WAY]
    options.append(_option("HassGetState", everything))
    options += [_option("HassTurnOn", switched)] if switched else []
    options += [_option("HassTurnOff", offable)] if offable else []
    for intent, domain, slot in (
        ("HassLightSet", "light", "brightness"),
        ("HassSetPosition", "cover", "position"),
    ):
        if names := [entity.name for entity in candidates if entity.domain == domain]:
            options.append(_option(intent, names, {slot: percent}))
    return {"anyOf": options}


def read_choice(answer: str, candidates: Sequence[Entity], language: str) -> Understood | None:
    """Return what the model chose, None for "none" and for anything that is not a choice.

    Everything is checked again here: a grammar is a promise of the engine's, not a proof.
    """
    choice = _object(answer)
    for option in choice_schema(candidates)["anyOf"]:
        properties = option["properties"]
        if "name" in properties and _fits(choice, properties):
            slots = {name: choice[name] for name in properties if name != "intent"}
            intent = choice["intent"]
            return Understood(intent, slots, _response(intent, language), language, guessed=True)
    return None


def _response(intent: str, language: str) -> str:
    """Return how success is said, as a template of Home Assistant's."""
    name, state = "{{ slots.name }}", "{{ state.state_with_unit }}"
    return words_of(language).say(_RESPONSES[intent], name=name, state=state)


def _object(answer: str) -> dict[str, Any]:
    if len(answer) > MOST_CHARACTERS:
        return {}
    try:
        choice = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return choice if isinstance(choice, dict) else {}


def _fits(choice: dict[str, Any], properties: dict[str, Any]) -> bool:
    """Whether `choice` holds exactly what `properties` ask for."""
    if choice.keys() != properties.keys():
        return False
    for name, rule in properties.items():
        value = choice[name]
        if "const" in rule or "enum" in rule:
            fits = value in rule.get("enum", [rule.get("const")])
        else:
            fits = type(value) is int and rule["minimum"] <= value <= rule["maximum"]
        if not fits:
            return False
    return True


def _option(
    intent: str, names: Sequence[str], more: dict[str, Any] | None = None
) -> dict[str, Any]:
    properties: dict[str, Any] = {"intent": {"const": intent}}
    if names:
        properties["name"] = {"enum": list(dict.fromkeys(names))}
    properties |= more or {}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
