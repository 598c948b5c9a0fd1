"""Resolution of Home Assistant's sentences: from a match and its slots to a result with targets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from wyoming_common.home_assistant.home import Area, Entity
from wyoming_llm.home.intent import Action, Answer, Command, Refusal, Result
from wyoming_llm.home.operations import shows_color, supports
from wyoming_llm.home.package_sentences import Matched
from wyoming_llm.home.responses import Shown, say, unavailable
from wyoming_llm.home.targets import GONE, HomeSnapshot
from wyoming_llm.languages import Language

TIMERS: Final = frozenset(
    {"HassStartTimer", "HassCancelTimer", "HassCancelAllTimers", "HassIncreaseTimer",
     "HassDecreaseTimer", "HassPauseTimer", "HassUnpauseTimer", "HassTimerStatus"}
)  # fmt: skip
"""Timers belong to the satellite that set them; only the client can say which that is."""
LOCAL: Final = frozenset({"HassGetCurrentTime", "HassGetCurrentDate", "HassRespond"})
QUESTIONS: Final = frozenset({"HassGetState", "HassClimateGetTemperature", "HassGetWeather"})
_DEEDS: Final[Mapping[str, str]] = {
    "HassTurnOn": "on", "HassTurnOff": "off", "HassToggle": "on", "HassLightSet": "set",
    "HassSetPosition": "set", "HassClimateSetTemperature": "set", "HassFanSetSpeed": "set",
    "HassSetVolume": "set", "HassSetVolumeRelative": "set", "HassMediaPause": "pause",
    "HassMediaUnpause": "resume", "HassMediaNext": "next", "HassMediaPrevious": "previous",
    "HassMediaPlayerMute": "mute", "HassMediaPlayerUnmute": "unmute", "HassVacuumStart": "start",
    "HassVacuumReturnToBase": "dock", "HassLawnMowerStartMowing": "start",
    "HassLawnMowerDock": "dock", "HassOpenCover": "open", "HassCloseCover": "close",
    "HassClimateSetFanMode": "set", "HassVacuumCleanArea": "start",
}  # fmt: skip
"""Intents that act on entities, and what a person calls it"""
_DOMAINS: Final[Mapping[str, tuple[str, ...]]] = {
    "HassLightSet": ("light",), "HassFanSetSpeed": ("fan",), "HassSetPosition": ("cover", "valve"),
    "HassClimateSetTemperature": ("climate",), "HassClimateGetTemperature": ("climate", "sensor"),
    "HassGetWeather": ("weather",), "HassSetVolume": ("media_player",),
    "HassSetVolumeRelative": ("media_player",), "HassMediaPause": ("media_player",),
    "HassMediaUnpause": ("media_player",), "HassMediaNext": ("media_player",),
    "HassMediaPrevious": ("media_player",), "HassMediaPlayerMute": ("media_player",),
    "HassMediaPlayerUnmute": ("media_player",), "HassClimateSetFanMode": ("climate",),
    "HassVacuumStart": ("vacuum",), "HassVacuumReturnToBase": ("vacuum",),
    "HassVacuumCleanArea": ("vacuum",), "HassLawnMowerDock": ("lawn_mower",),
    "HassLawnMowerStartMowing": ("lawn_mower",),
}  # fmt: skip
_NOT_SWITCHED: Final = ("sensor", "binary_sensor", "update", "weather", "calendar", "todo",
                        "person", "device_tracker", "sun", "zone", "event", "number")  # fmt: skip
_WHICHEVER: Final = frozenset(
    {"HassMediaPause", "HassMediaUnpause", "HassMediaNext", "HassMediaPrevious", "HassSetVolume",
     "HassSetVolumeRelative", "HassVacuumStart", "HassVacuumReturnToBase",
     "HassLawnMowerStartMowing", "HassLawnMowerDock", "HassVacuumCleanArea"}
)  # fmt: skip
"""Of several things that could do it, where none is named, one is meant."""
_PLAYING: Final[Mapping[str, str]] = {
    "HassMediaPause": "playing", "HassMediaNext": "playing", "HassMediaPrevious": "playing",
    "HassMediaUnpause": "paused",
}  # fmt: skip


def resolve(  # noqa: PLR0911
    matched: Matched, snapshot: HomeSnapshot, words: Language, now: datetime
) -> Result | None:
    """Return what a matched sentence comes to, None where it cannot be what was meant."""
    said = {**matched.slots, **matched.words}
    if matched.intent == "HassNevermind":
        return Answer(say(matched.response, said) or words.say("ok"))
    if matched.intent in LOCAL:
        text = say(matched.response, said, now=now)
        return Answer(text) if text else Refusal(words.say("no_answer"))
    if matched.intent in QUESTIONS:
        return _answer(matched, snapshot, words)
    slots = {name: value for name, value in matched.slots.items() if value is not None}
    if matched.intent not in _DEEDS:
        return _untargeted(matched, slots, snapshot, words)
    targets = _targets(matched, snapshot)
    if not targets:
        return Refusal(nothing(matched, words))
    if all(snapshot.state(entity).value == "unavailable" for entity in targets):
        return Refusal(unavailable(words, targets))
    return _deeds(matched, slots, targets, snapshot, words)


def _deeds(
    matched: Matched,
    slots: Mapping[str, Any],
    targets: Sequence[Entity],
    snapshot: HomeSnapshot,
    words: Language,
) -> Result:
    """Return the command for those of `targets` that can do what was said."""
    kept = {
        k: v
        for k, v in slots.items()
        if k not in ("name", "area", "floor", "domain", "device_class")
    }
    if matched.intent == "HassVacuumCleanArea":
        kept["area"] = slots.get("area", "")
    able = targets
    if matched.intent == "HassLightSet":
        able = [entity for entity in targets if shows_color(snapshot.state(entity), kept)]
    if not able:
        if len(targets) == 1:
            return Refusal(words.say("no_color", name=targets[0].name))
        names = words.listed([entity.name for entity in targets])
        return Refusal(words.say("no_color_many", names=names))
    actions = tuple(
        Action(matched.intent, entity, kept, _deed(matched.intent, entity)) for entity in able
    )
    return Command(actions, matched.language, matched.response, matched.words)


def _deed(intent: str, entity: Entity) -> str:
    """Return what an intent does to an entity, as people call it."""
    opened = {"lock": ("lock", "unlock"), "cover": ("open", "close"), "valve": ("open", "close")}
    if entity.domain in opened and intent in ("HassTurnOn", "HassTurnOff"):
        return opened[entity.domain][intent == "HassTurnOff"]
    if entity.domain in ("scene", "script", "button", "input_button"):
        return "activate"
    return _DEEDS[intent]


def _untargeted(
    matched: Matched, slots: Mapping[str, Any], snapshot: HomeSnapshot, words: Language
) -> Result | None:
    """Return a command of an intent that is not about switched entities: timers, lists, speech."""
    target = None
    if "List" in matched.intent and "Shopping" not in matched.intent:
        lists = [e for e in snapshot.home.entities.values() if e.domain == "todo"]
        name = str(slots.get("name", "")).casefold()
        named = [e for e in lists if name in {n.casefold() for n in e.names}]
        if len(named) != 1:
            return Refusal(words.say("no_name", name=slots.get("name", "")))
        target = named[0]
        slots = {key: value for key, value in slots.items() if key != "name"}
    action = Action(matched.intent, target, slots)
    return Command((action,), matched.language, matched.response, matched.words)


def _answer(matched: Matched, snapshot: HomeSnapshot, words: Language) -> Result:
    targets = find_targets(matched, snapshot)
    if matched.intent == "HassClimateGetTemperature":
        targets = _thermometers(targets, snapshot)
    if not targets and (matched.slots.get("name") or matched.intent != "HassGetState"):
        return Refusal(nothing(matched, words))
    shown = [Shown.of(entity, snapshot.state(entity)) for entity in targets]
    wanted = matched.slots.get("state")
    if wanted is None and [one.state for one in shown] == ["unknown"]:
        return Answer(words.say("no_reading", name=targets[0].name))
    states = wanted if isinstance(wanted, list | tuple) else (wanted,)
    found = [one for one in shown if wanted is None or one.state in map(str, states)]
    others = [one for one in shown if one not in found]
    text = say(matched.response, {**matched.slots, **matched.words}, found, others)
    if not text:
        text = ", ".join(f"{one.name}: {one.state_with_unit}" for one in shown[:5])
    return Answer(text) if text else Refusal(nothing(matched, words))


def _thermometers(targets: Sequence[Entity], snapshot: HomeSnapshot) -> list[Entity]:
    """Return thermostats that have a reading, or else temperature sensors that have one."""
    states = {entity.id: snapshot.state(entity) for entity in targets}
    thermostats = [
        entity
        for entity in targets
        if entity.domain == "climate"
        and isinstance(states[entity.id].attributes.get("current_temperature"), int | float)
    ]
    return thermostats or [
        entity
        for entity in targets
        if states[entity.id].attributes.get("device_class") == "temperature"
        and states[entity.id].value not in GONE
    ]


def _targets(matched: Matched, snapshot: HomeSnapshot) -> list[Entity]:
    """Return the entities that a command is about and that support it."""
    found = [e for e in find_targets(matched, snapshot) if e.domain not in _NOT_SWITCHED]
    if matched.slots.get("name") and len(found) > 1:
        found = [entity for entity in found if entity.area == snapshot.area] or found
        if len(found) > 1:
            return []
    found = [entity for entity in found if supports(matched.intent, snapshot.state(entity))]
    wanted = _PLAYING.get(matched.intent)
    if wanted is not None:
        found = [e for e in found if snapshot.state(e).value in (wanted, *GONE)]
    if matched.intent in _WHICHEVER and not matched.slots.get("name") and len(found) > 1:
        found = [entity for entity in found if entity.area == snapshot.area][:1] or found[:1]
    return found


def find_targets(matched: Matched, snapshot: HomeSnapshot) -> list[Entity]:
    """Return the exposed entities that the slots of a match describe."""
    home, slots = snapshot.home, matched.slots
    found = list(home.entities.values())
    if name := slots.get("name"):
        plain = str(name).casefold()
        found = [e for e in found if plain in {n.casefold() for n in e.names} | {e.id}]
    if (area := slots.get("area")) and matched.intent != "HassVacuumCleanArea":
        ids = _ids(home.areas, area)
        found = [entity for entity in found if entity.area in ids]
    if floor := slots.get("floor"):
        floors = _ids(home.floors, floor)
        rooms = {area.id for area in home.areas.values() if area.floor in floors}
        found = [entity for entity in found if entity.area in rooms]
    if domains := _several(slots.get("domain")) or _DOMAINS.get(matched.intent, ()):
        found = [entity for entity in found if entity.domain in domains]
    if classes := _several(slots.get("device_class")):
        found = [e for e in found if snapshot.state(e).attributes.get("device_class") in classes]
    return found


def nothing(matched: Matched, words: Language) -> str:
    """Return that there is no such thing, naming only what was said."""
    for slot, phrase in (("name", "no_name"), ("area", "nothing_in"), ("floor", "nothing_in")):
        if slot in matched.words and (name := matched.slots.get(slot)):
            return words.say(phrase, name=name)
    return words.say("nothing")


def _ids(places: Mapping[str, Area], name: Any) -> set[str]:
    plain = str(name).casefold()
    return {
        place.id
        for place in places.values()
        if plain == place.id or plain in {known.casefold() for known in place.names}
    }


def _several(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))
