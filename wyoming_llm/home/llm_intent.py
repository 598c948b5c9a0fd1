"""Choice of an action by the model: by a grammar, among what exists and what it can do."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rapidfuzz import fuzz

from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.engine import Message, Prompt
from wyoming_llm.home.intent import Action, Command
from wyoming_llm.home.lexicon import lexicon, tokenize
from wyoming_llm.home.operations import Unable, operation
from wyoming_llm.home.parser import Clause
from wyoming_llm.home.targets import HomeSnapshot, stem

MAX_CHARACTERS: Final = 400
"""Of a choice; a longer one is not one"""
_MIN_WORD_SCORE: Final = 75.0
_MIN_ENTITY_SCORE: Final = 0.5

_DEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "turn_on": ("light", "switch", "fan", "input_boolean", "climate", "media_player", "humidifier",
                "siren", "automation", "water_heater"),
    "turn_off": ("light", "switch", "fan", "input_boolean", "climate", "media_player",
                 "humidifier", "siren", "automation", "water_heater"),
    "activate": ("scene", "script", "button", "input_button"),
    "open": ("cover", "valve"), "close": ("cover", "valve"),
    "lock": ("lock",), "unlock": ("lock",),
    "start": ("vacuum", "lawn_mower"), "return_home": ("vacuum", "lawn_mower"),
    "play": ("media_player",), "pause": ("media_player",), "next": ("media_player",),
    "previous": ("media_player",), "volume_up": ("media_player",), "volume_down": ("media_player",),
}  # fmt: skip
_WORDS: Final = {
    "turn_on": "on", "turn_off": "off", "activate": "start", "return_home": "dock",
    "volume_up": "louder", "volume_down": "quieter",
}  # fmt: skip
_LEVELS: Final[Mapping[str, tuple[tuple[str, ...], str, int]]] = {
    "set_brightness": (("light",), "percent", 100),
    "set_position": (("cover", "valve"), "percent", 100),
    "set_volume": (("media_player",), "percent", 100),
    "set_fan_speed": (("fan",), "percent", 100),
    "set_temperature": (("climate", "water_heater"), "degree", 95),
}
_INSTRUCTIONS: Final = (
    "A person speaks to a smart home. Choose the one action on one of the devices below that does "
    'what the person wants, as a JSON object. Choose "none" only if no device below can do '
    "it.\nDevices (name, kind, room, state):\n"
)


def best_entities(text: str, snapshot: HomeSnapshot, count: int) -> list[Entity]:
    """Return the entities that `text` may be about, the likeliest first."""
    said = [stem(token) for token in tokenize(text) if len(token) > 2]
    scored = []
    for entity in snapshot.home.entities.values():
        score = max((_mentioned(said, name) for name in entity.names), default=0.0)
        place = snapshot.place(entity)
        if place:
            score += 0.3 * _mentioned(said, place)
        if score >= _MIN_ENTITY_SCORE and _can_act(entity):
            scored.append((-score, entity.id, entity))
    return [entity for _, _, entity in sorted(scored, key=lambda item: item[:2])[:count]]


def _can_act(entity: Entity) -> bool:
    return any(entity.domain in domains for domains in _DEEDS.values())


def _mentioned(said: Sequence[str], name: str) -> float:
    """Return the share of a name's words that are said."""
    words = [stem(token) for token in tokenize(name)]
    if not words or not said:
        return 0.0
    hits = [max(fuzz.ratio(word, other) for other in said) for word in words]
    return sum(hit >= _MIN_WORD_SCORE for hit in hits) / len(words)


def choice_prompt(text: str, candidates: Sequence[Entity], snapshot: HomeSnapshot) -> Prompt:
    """Return the prompt that lets the model choose; its answer can be nothing else."""
    devices = "\n".join(
        ", ".join(
            filter(None, (f"- {e.name}", e.domain, snapshot.place(e), snapshot.state(e).value))
        )
        for e in candidates
    )
    return Prompt(
        (Message("system", _INSTRUCTIONS + devices), Message("user", text)),
        conversation="",
        schema=choice_schema(candidates),
    )


def choice_schema(candidates: Sequence[Entity]) -> dict[str, Any]:
    """Return the schema of every choice that exists."""
    options: list[dict[str, Any]] = []
    for deed, domains in _DEEDS.items():
        if names := [e.name for e in candidates if e.domain in domains]:
            options.append(_option(deed, names))
    for deed, (domains, _, most) in _LEVELS.items():
        if names := [e.name for e in candidates if e.domain in domains]:
            value = {"type": "integer", "minimum": 0, "maximum": most}
            options.append(_option(deed, names, {"value": value}))
    options.append(_option("none", ()))
    return {"anyOf": options}


def read_choice(
    answer: str, candidates: Sequence[Entity], snapshot: HomeSnapshot, language: str
) -> Command | None:
    """Return what the model chose, None for "none" and for anything that is not a choice.

    Everything is checked again here: a grammar is a promise of the engine's, not a proof.
    """
    choice = _object(answer)
    for option in choice_schema(candidates)["anyOf"]:
        properties = option["properties"]
        if "device" in properties and _fits(choice, properties):
            target = next(e for e in candidates if e.name == choice["device"])
            action = _action(choice, target, snapshot.state(target))
            return None if action is None else Command((action,), language, guessed=True)
    return None


def says_other_number(text: str, command: Command, code: str) -> bool:
    """Whether `text` names numbers, and the value that a model chose is none of them."""
    said = numbers_in(text, code)
    values = {
        float(value)
        for action in command.actions
        for value in action.slots.values()
        if isinstance(value, int | float)
    }
    return bool(said) and not values <= said


def numbers_in(text: str, code: str) -> set[float]:
    """Return the numbers of `text`, in digits and in words of one token."""
    tokens = tokenize(text)
    said = {float(t.replace(",", ".")) for t in tokens if re.fullmatch(r"\d+(?:[.,]\d+)?", t)}
    words = lexicon(code)
    if words is not None:
        roles = [role for token in tokens for role in words.roles((token,))]
        said |= {float(r.value) for r in roles if r.kind == "number" and r.value != 1}
    return said


def _action(choice: Mapping[str, Any], target: Entity, state: State) -> Action | None:
    deed = str(choice["action"])
    if deed in _LEVELS:
        domains, unit, _ = _LEVELS[deed]
        clause = Clause(number=float(choice["value"]), unit=unit)
        done = operation("set", clause, target, state) if target.domain in domains else None
    else:
        known = _WORDS.get(deed, deed)
        done = operation(known, Clause(), target, state)
    return None if done is None or isinstance(done, Unable) else done


def _object(answer: str) -> dict[str, Any]:
    if len(answer) > MAX_CHARACTERS:
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


def _option(deed: str, names: Sequence[str], more: dict[str, Any] | None = None) -> dict[str, Any]:
    properties: dict[str, Any] = {"action": {"const": deed}}
    if names:
        properties["device"] = {"enum": list(dict.fromkeys(names))}
    properties |= more or {}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
