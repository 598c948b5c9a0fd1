"""Operations: what a deed is for each domain, as an intent or a service of Home Assistant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.home.intent import Action
from wyoming_llm.home.kinds import SWITCHED
from wyoming_llm.home.lexicon import Lexicon
from wyoming_llm.home.parser import Clause

_STEP_PERCENT: Final = 20
_STEP_DEGREES: Final = 1.0
_MIN_LEFT_PERCENT: Final = 5
"""Below it, a difference is taken for a share: "by half" halves"""
_RISKY_COVERS: Final = ("garage", "gate", "door")
_VERBS: Final = frozenset({"turn", "put", "move"})
"""Deeds that another word says more about"""
_BINARY: Final = ("onoff",)
_HALF: Final = 50.0
"""Percent at which closing and opening end alike"""
_COLORS: Final = ("hs", "rgb", "rgbw", "rgbww", "xy")

_SIMPLE: Final[Mapping[str, Mapping[str, str]]] = {
    "on": dict.fromkeys(SWITCHED, "HassTurnOn")
    | dict.fromkeys(("scene", "script", "button", "input_button"), "HassTurnOn")
    | {"vacuum": "HassVacuumStart", "lawn_mower": "HassLawnMowerStartMowing",
       "alarm_control_panel": "alarm_control_panel.alarm_arm_away"},
    "off": dict.fromkeys(SWITCHED, "HassTurnOff")
    | {"script": "HassTurnOff", "vacuum": "HassVacuumReturnToBase",
       "lawn_mower": "HassLawnMowerDock",
       "alarm_control_panel": "alarm_control_panel.alarm_disarm"},
    "open": {"cover": "HassTurnOn", "valve": "HassTurnOn", "lock": "HassTurnOff"},
    "close": {"cover": "HassTurnOff", "valve": "HassTurnOff", "lock": "HassTurnOn"},
    "lock": {"lock": "HassTurnOn"},
    "unlock": {"lock": "HassTurnOff"},
    "mute": {"media_player": "HassMediaPlayerMute"},
    "unmute": {"media_player": "HassMediaPlayerUnmute"},
    "pause": {"media_player": "HassMediaPause", "vacuum": "vacuum.pause",
              "lawn_mower": "lawn_mower.pause", "timer": "timer.pause"},
    "resume": {"media_player": "HassMediaUnpause", "vacuum": "HassVacuumStart",
               "lawn_mower": "HassLawnMowerStartMowing", "timer": "timer.start"},
    "play": {"media_player": "HassMediaUnpause"},
    "next": {"media_player": "HassMediaNext"},
    "previous": {"media_player": "HassMediaPrevious"},
    "stop": {"media_player": "HassMediaPause", "cover": "cover.stop_cover",
             "vacuum": "HassVacuumReturnToBase", "lawn_mower": "HassLawnMowerDock",
             "valve": "HassTurnOff", "switch": "HassTurnOff", "fan": "HassTurnOff",
             "script": "HassTurnOff", "siren": "HassTurnOff", "input_boolean": "HassTurnOff",
             "climate": "HassTurnOff", "timer": "timer.cancel"},
    "start": {"vacuum": "HassVacuumStart", "lawn_mower": "HassLawnMowerStartMowing",
              "script": "HassTurnOn", "scene": "HassTurnOn", "media_player": "HassMediaUnpause",
              "valve": "HassTurnOn", "switch": "HassTurnOn", "fan": "HassTurnOn",
              "button": "HassTurnOn", "input_button": "HassTurnOn", "automation": "HassTurnOn",
              "climate": "HassTurnOn", "humidifier": "HassTurnOn", "input_boolean": "HassTurnOn",
              "siren": "HassTurnOn", "timer": "timer.start"},
    "clean": {"vacuum": "HassVacuumStart"},
    "dock": {"vacuum": "HassVacuumReturnToBase", "lawn_mower": "HassLawnMowerDock"},
    "stop_mow": {"lawn_mower": "HassLawnMowerDock"},
    "stop_clean": {"vacuum": "HassVacuumReturnToBase"},
    "mow": {"lawn_mower": "HassLawnMowerStartMowing"},
    "water": {"valve": "HassTurnOn", "switch": "HassTurnOn"},
    "heat": {"climate": "HassTurnOn", "water_heater": "HassTurnOn", "switch": "HassTurnOn"},
    "light": {"light": "HassTurnOn", "switch": "HassTurnOn"},
    "stop_heating": {"climate": "HassTurnOff", "water_heater": "HassTurnOff"},
    "stop_watering": {"valve": "HassTurnOff", "switch": "HassTurnOff"},
    "cancel": {"timer": "timer.cancel"},
    "reset": {"counter": "counter.reset"},
    "press": {"button": "HassTurnOn", "input_button": "HassTurnOn"},
    "arm": {"alarm_control_panel": "alarm_control_panel.alarm_arm_away"},
    "disarm": {"alarm_control_panel": "alarm_control_panel.alarm_disarm"},
    "add": {},
}  # fmt: skip
_SETTABLE: Final = ("light", "cover", "fan", "climate", "media_player", "valve", "humidifier",
                    "water_heater", "input_number", "number")  # fmt: skip
_NUMBERS: Final = ("input_number", "number")
_LEVELLED: Final = ("cover", "light", "climate", "media_player", "fan", "water_heater",
                    "humidifier", "counter", *_NUMBERS)  # fmt: skip
_DOMAINS: Final[Mapping[str, tuple[str, ...]]] = {
    "brightness": ("light",), "color": ("light",), "temperature_color": ("light",),
    "volume": ("media_player",), "temperature": ("climate", "water_heater", *_NUMBERS),
    "humidity": ("humidifier", *_NUMBERS), "position": ("cover", "valve"), "speed": ("fan",),
    "dim": ("light",), "brighten": ("light",), "warmer": ("climate", "water_heater"),
    "colder": ("climate", "water_heater"), "louder": ("media_player",),
    "quieter": ("media_player",), "up": _LEVELLED, "down": _LEVELLED, "cool": ("climate",),
    "set": _SETTABLE, "toggle": (*SWITCHED, "cover"),
}  # fmt: skip
_DEFAULT_KINDS: Final[Mapping[str, str]] = {
    deed: kind
    for kind, deeds in {
        "light": "brightness color dim brighten on off toggle light",
        "media": "volume louder quieter mute unmute pause resume play next previous",
        "thermostat": "temperature warmer colder heat cool stop_heating",
        "sprinkler": "water stop_watering",
    }.items()
    for deed in deeds.split()
}
"""Kinds that are meant where a command names none"""
_ATTRIBUTES_OF_SETTING: Final = (
    "brightness", "color", "temperature_color", "volume", "temperature", "humidity", "position",
    "speed",
)  # fmt: skip
DIRECTIONS: Final = {
    "up": 1, "brighten": 1, "warmer": 1, "louder": 1,
    "down": -1, "dim": -1, "colder": -1, "quieter": -1,
}  # fmt: skip
_MERGED: Final[Mapping[frozenset[str], str]] = {
    frozenset(pair.split()): deed
    for pair, deed in {
        "open up": "open", "close down": "close", "close up": "close", "lock up": "lock",
        "start clean": "clean", "start mow": "mow", "stop clean": "stop_clean",
        "stop mow": "stop_mow", "down cool": "colder", "up heat": "warmer",
        "stop heat": "stop_heating", "stop cool": "stop_heating",
        "stop water": "stop_watering",
        "start play": "play", "play next": "next", "play previous": "previous",
        "off close": "close", "on open": "open", "up louder": "louder", "down quieter": "quieter",
        "start on": "start", "stop play": "stop", "start water": "water", "lock close": "lock",
        "off down": "off", "start heat": "heat", "up warmer": "warmer", "on heat": "heat",
        "down colder": "colder", "up brighten": "brighten", "down dim": "dim",
        "unlock open": "unlock", "on light": "on", "start on play": "play", "arm on": "arm",
        "dock clean": "dock", "stop start clean": "dock", "on clean": "clean", "on mow": "mow",
        "close lock up": "lock", "dock previous": "dock", "stop dock": "dock", "dock mow": "dock",
        "start dock": "dock", "play resume": "resume", "start resume": "resume",
        "start back": "dock",
        "off unlock": "unlock", "on unlock": "unlock", "off lock": "lock", "on lock": "lock",
        "shut": "close", "shut close": "close", "shut lock": "lock", "shut off": "lock",
        "shut open": "unlock", "bar": "lock", "bar close": "lock", "bar lock": "lock",
        "bar off": "lock", "bar open": "unlock",
    }.items()
}  # fmt: skip
"""Deeds of several words"""


@dataclass(frozen=True, slots=True)
class Unable:
    """Something of its kind cannot do that, or not now."""

    phrase: str = "not_able"
    values: Mapping[str, str] = field(default_factory=dict)
    """Further values of the phrase by their names"""


def deed_of(clause: Clause) -> str:  # noqa: PLR0911
    """Return the one deed of a clause, "" where it has none or several."""
    deeds = clause.deeds - _VERBS
    if "move" in clause.deeds and deeds <= {"on", "off"} and _is_awning(clause):
        # "Fahr die Markise aus": what is put out is open.
        return {"off": "open", "on": "close"}.get("".join(deeds), "")
    if not deeds and "put" in clause.deeds and not clause.attributes and clause.number is None:
        # "Mets la lumière" turns it on.
        deeds = deeds if clause.values else frozenset({"on"})
    kinds = {kind for phrase in clause.phrases for kind in phrase.kinds}
    if not deeds and clause.deeds == {"turn"} and "scene" in kinds and clause.number is None:
        # "Set the scene for dinner"
        return "on"
    if deeds == {"back"}:
        return "dock" if kinds & {"vacuum", "lawn_mower"} else "previous"
    if deeds in _MERGED:
        return _MERGED[deeds]
    spoken_of = bool(clause.deeds or clause.phrases)
    has_value = clause.number is not None or (bool(clause.values) and spoken_of)
    heated = clause.number is not None and deeds <= {"heat", "cool"}
    if has_value and (deeds <= {"on", "add", "light"} or heated):
        # "Turn on the lamp at 30 percent" sets it.
        return "set" if not clause.by else ""
    if len(deeds) == 1:
        (deed,) = deeds
        return deed if deed in _SIMPLE or deed in _DOMAINS else ""
    return "" if deeds else "set" if has_value else ""


def _is_awning(clause: Clause) -> bool:
    return any("awning" in phrase.kinds for phrase in clause.phrases)


def domains_of(clause: Clause, deed: str) -> tuple[tuple[str, ...], str]:  # noqa: C901, PLR0911
    """Return the domains that a clause can be about, and the kind it means where it names none."""
    for attribute in _ATTRIBUTES_OF_SETTING:
        if attribute in clause.attributes:
            return _DOMAINS[attribute], _DEFAULT_KINDS.get(attribute, "")
    if clause.unit == "degree" or (clause.number is not None and clause.deeds & {"heat", "cool"}):
        return ("climate", "water_heater", *_NUMBERS), "thermostat"
    if clause.unit in ("hour", "minute", "second"):
        return _NUMBERS, ""
    if clause.unit == "kelvin" or clause.values.keys() & {"color", "color_temperature"}:
        return ("light",), "light"
    if "mode" in clause.values and deed == "set":
        return ("climate",), "thermostat"
    if "level" in clause.values:
        return ("fan", "climate", "light"), ""
    if deed in ("open", "close") and clause.number is not None:
        return ("cover", "valve"), ""
    if deed in _SIMPLE:
        return tuple(_SIMPLE[deed]), _DEFAULT_KINDS.get(deed, "")
    if deed == "set" and not clause.values:
        return _SETTABLE, "light" if clause.unit == "percent" else "-"
    return _DOMAINS.get(deed, ()), _DEFAULT_KINDS.get(deed, "")


def operation(deed: str, clause: Clause, entity: Entity, state: State) -> Action | Unable | None:  # noqa: C901, PLR0911
    """Return what a deed is for an entity, None where the words make no sense for it."""
    if deed in DIRECTIONS or clause.by or (clause.step and deed in ("open", "close")):
        return _relative(deed, clause, entity, state)
    if deed == "set" or clause.number is not None or clause.values:
        return _setting(deed, clause, entity, state)
    if clause.attributes - {"setting"} or clause.step:
        return None
    if deed == "toggle":
        deed = "off" if state.value in ("on", "open", "playing", "heat", "cool") else "on"
        if entity.domain == "cover":
            deed = "close" if deed == "off" else "open"
    if deed == "cool":
        return Action("climate.set_hvac_mode", entity, {"hvac_mode": "cool"}, "cool")
    intent = _SIMPLE.get(deed, {}).get(entity.domain)
    if intent is None:
        return Unable()
    if not supports(intent, state):
        return Unable()
    return Action(intent, entity, {}, _shown_deed(deed, entity.domain))


def _shown_deed(deed: str, domain: str) -> str:  # noqa: C901, PLR0911
    """Return the deed by the name of what happens."""
    if domain == "lock":
        return {"open": "unlock", "close": "lock"}.get(deed, deed)
    if domain == "valve" and deed in (
        "on", "off", "start", "stop", "water", "stop_watering"
    ):  # fmt: skip
        return "close" if deed in ("off", "stop", "stop_watering") else "open"
    if domain in ("vacuum", "lawn_mower"):
        return {"on": "start", "off": "dock", "clean": "start", "mow": "start", "stop": "dock",
                "stop_mow": "dock", "stop_clean": "dock",
                "resume": "start"}.get(deed, deed)  # fmt: skip
    if domain == "alarm_control_panel":
        return {"on": "arm", "off": "disarm"}.get(deed, deed)
    if domain in ("scene", "script", "button", "input_button") and deed in ("on", "start", "press"):
        return "activate"
    if domain == "media_player" and deed in ("play", "start"):
        return "resume"
    if domain == "media_player" and deed == "stop":
        return "pause"
    if domain in ("timer", "counter"):
        return {"stop": "off", "cancel": "off", "reset": "set"}.get(deed, deed)
    return {"start": "on", "stop": "off", "heat": "on", "light": "on", "water": "on",
            "stop_heating": "off", "stop_watering": "off"}.get(deed, deed)  # fmt: skip


def supports(intent: str, state: State) -> bool:
    """Whether a thing in `state` supports an intent, as far as that is known."""
    supported = state.attributes.get("supported_features")
    needed = _FEATURES.get(intent, 0)
    return not isinstance(supported, int) or supported & needed == needed


_FEATURES: Final = {
    "HassMediaPause": 1, "HassSetVolume": 4, "HassMediaPlayerMute": 8, "HassMediaPlayerUnmute": 8,
    "HassMediaPrevious": 16, "HassMediaNext": 32, "HassMediaUnpause": 16384,
    "HassVacuumStart": 8192, "HassVacuumReturnToBase": 16, "HassSetPosition": 4,
    "HassVacuumCleanArea": 16384,
}  # fmt: skip
"""Features that a thing must support, as Home Assistant's integrations number it"""


def _setting(deed: str, clause: Clause, entity: Entity, state: State) -> Action | Unable | None:
    """Return the action that sets an entity to a value."""
    values, number = clause.values, clause.number
    if values and deed != "set":
        return None
    if values.keys() & {"color", "color_temperature"} or clause.unit == "kelvin":
        return _colored(clause, entity, state)
    if "mode" in values:
        return _in_mode(str(values["mode"]), clause, entity, state)
    if "level" in values and entity.domain == "fan":
        number = float(values["level"])
    half = number == _HALF
    if number is None or (deed == "close" and not clause.to and not half):
        return None
    if deed not in ("set", "dim", "brighten", "up", "down", "open", "close"):
        return None
    return _absolute(entity, state, number, clause.unit)


def _colored(clause: Clause, entity: Entity, state: State) -> Action | Unable:
    """Return the action that gives a lamp a color, or a color temperature."""
    if (color := clause.values.get("color")) is not None:
        if not shows_color(state, clause.values):
            return Unable("no_color")
        slots: dict[str, Any] = {"color": color}
        if clause.number is not None:
            slots["brightness"] = round(clause.number)
        return Action("HassLightSet", entity, slots, "set", str(color))
    kelvin = clause.values.get("color_temperature") or clause.number or 0
    if not shows_color(state, {"temperature": kelvin}):
        return Unable("no_color")
    return Action("HassLightSet", entity, {"temperature": int(kelvin)}, "set", f"{kelvin:g} K")


def _in_mode(mode: str, clause: Clause, entity: Entity, state: State) -> Action | Unable | None:
    """Return the action that has a thermostat heat, cool or dry."""
    if clause.number is not None or entity.domain != "climate":
        return None
    modes = state.attributes.get("hvac_modes")
    if isinstance(modes, list | tuple) and mode not in modes:
        return Unable()
    return Action("climate.set_hvac_mode", entity, {"hvac_mode": mode}, "set", mode)


def _absolute(entity: Entity, state: State, number: float, unit: str) -> Action | Unable | None:  # noqa: C901, PLR0911, PLR0912
    """Return the action that sets an entity to a number in its own unit."""
    percent = f"{number:g} %"
    domain = entity.domain
    if domain in ("climate", "water_heater"):
        if unit == "percent":
            return None
        low, high = state.attributes.get("min_temp"), state.attributes.get("max_temp")
        if not _within(number, low, high):
            return _out_of_range(low, high)
        slots = {"temperature": number}
        return Action("HassClimateSetTemperature", entity, slots, "set", f"{number:g} °")
    if domain in _NUMBERS:
        low, high = state.attributes.get("min"), state.attributes.get("max")
        if not _within(number, low, high):
            return _out_of_range(low, high)
        shown = f"{number:g} {state.attributes.get('unit_of_measurement') or ''}".strip()
        return Action(f"{domain}.set_value", entity, {"value": number}, "set", shown)
    if unit not in ("", "percent") or not 0 <= number <= 100:
        return None
    whole = round(number)
    match domain:
        case "light":
            if _only_switched(state) and whole not in (0, 100):
                return Unable()
            if whole == 0:
                return Action("HassTurnOff", entity, {}, "off")
            return Action("HassLightSet", entity, {"brightness": whole}, "set", percent)
        case "cover" | "valve":
            if not supports("HassSetPosition", state):
                if whole in (0, 100):
                    intent = "HassTurnOn" if whole else "HassTurnOff"
                    return Action(intent, entity, {}, "open" if whole else "close")
                return Unable()
            return Action("HassSetPosition", entity, {"position": whole}, "set", percent)
        case "fan":
            return Action("HassFanSetSpeed", entity, {"percentage": whole}, "set", percent)
        case "media_player":
            if not supports("HassSetVolume", state):
                return Unable()
            return Action("HassSetVolume", entity, {"volume_level": whole}, "set", percent)
        case "humidifier":
            return Action("humidifier.set_humidity", entity, {"humidity": whole}, "set", percent)
    return None


def _relative(deed: str, clause: Clause, entity: Entity, state: State) -> Action | Unable | None:  # noqa: C901, PLR0911, PLR0912
    direction = DIRECTIONS.get(deed, 0) or {"open": 1, "close": -1}.get(deed, 0)
    number = clause.number
    if not direction or clause.values:
        return None
    if number is not None and not clause.by and not _is_difference(deed, clause, entity):
        action = _absolute(entity, state, number, clause.unit)
        now = level_of(entity, state)
        if isinstance(action, Action) and deed in ("up", "down") and now is not None:
            against = (number - now) * direction < 0 and (now > 0 or entity.domain != "light")
            return (
                Action(action.intent, entity, action.slots, "against", action.value)
                if against
                else action
            )
        return action
    match entity.domain:
        case "cover" | "valve":
            if number is None and not clause.step:
                intent = "HassTurnOn" if direction > 0 else "HassTurnOff"
                return Action(intent, entity, {}, "open" if direction > 0 else "close")
        case "media_player":
            step = (
                round(number) * direction if number is not None else ("up", "down")[direction < 0]
            )
            shown = "louder" if direction > 0 else "quieter"
            return Action("HassSetVolumeRelative", entity, {"volume_step": step}, shown)
        case "counter":
            if number is not None:
                return Unable()
            service = "counter.increment" if direction > 0 else "counter.decrement"
            return Action(service, entity, {}, "set")
        case "climate" | "water_heater":
            if clause.unit == "percent":
                return None
            if state.attributes.get("temperature") is None:
                return Unable()
    now = level_of(entity, state)
    if entity.domain == "light" and state.value == "off" and direction < 0:
        return Unable("is_off")
    if now is None:
        return Unable()
    if entity.domain in ("climate", "water_heater"):
        step_size = number if number is not None else _STEP_DEGREES
    elif entity.domain in _NUMBERS:
        step_size = number if number is not None else _float(state.attributes.get("step")) or 1.0
    else:
        step_size = number if number is not None else _STEP_PERCENT
    wanted = now + direction * step_size
    if entity.domain not in ("climate", "water_heater", *_NUMBERS):
        if wanted < _MIN_LEFT_PERCENT and number is not None and direction < 0:
            # "Dim it by half" at 40 percent halves it.
            wanted = now * (1 - step_size / 100)
        wanted = min(100.0, max(1.0 if entity.domain == "light" else 0.0, wanted))
    return _absolute(entity, state, round(wanted, 1), "")


def _is_difference(deed: str, clause: Clause, entity: Entity) -> bool:
    """Whether a number without "by" is a difference: "20 percent brighter"."""
    if clause.to:
        return False
    if deed in ("brighten", "warmer", "colder", "louder", "quieter"):
        return True
    small = clause.number is not None and clause.number <= 5
    return entity.domain in ("climate", "water_heater", *_NUMBERS) and small


def level_of(entity: Entity, state: State) -> float | None:  # noqa: C901, PLR0911
    """Return brightness, position, speed, volume or target of an entity; percent or degrees."""
    attributes = state.attributes
    match entity.domain:
        case "light":
            if _only_switched(state):
                return None
            level = attributes.get("brightness")
            if state.value == "off":
                return 0.0
            return None if level is None else float(level) / 2.55
        case "cover" | "valve":
            return _float(attributes.get("current_position"))
        case "fan":
            return _float(attributes.get("percentage"))
        case "climate" | "water_heater":
            return _float(attributes.get("temperature"))
        case "media_player":
            level = _float(attributes.get("volume_level"))
            return None if level is None else level * 100
        case "humidifier":
            return _float(attributes.get("humidity"))
        case "input_number" | "number":
            return _float(state.value)
    return None


def is_risky(action: Action, state: State) -> bool:
    """Whether something would happen that a mishearing must not cause.

    Locking, closing and arming are what a lock, a door and an alarm are for; their opposite asks.
    """
    target = action.target
    if target is None:
        return False
    kind = str(state.attributes.get("device_class") or "")
    opening = action.intent in ("HassTurnOn", "HassOpenCover", "HassToggle") or (
        action.intent == "HassSetPosition" and action.slots.get("position") != 0
    )
    match target.domain:
        case "lock":
            return action.intent != "HassTurnOn"
        case "cover":
            return kind in _RISKY_COVERS and opening
        case "alarm_control_panel":
            return "arm_" not in action.intent or "disarm" in action.intent
        case "valve":
            named = any("gas" in name.casefold().split() for name in target.names)
            return (kind == "gas" or named) and opening
    return False


def shows_color(state: State, slots: Mapping[str, Any]) -> bool:
    """Whether a lamp can show the color or the color temperature in `slots`, as far as known."""
    if not slots.keys() & {"color", "temperature"}:
        return True
    modes = _COLORS if "color" in slots else ("color_temp", *_COLORS)
    known = state.attributes.get("supported_color_modes")
    return not isinstance(known, list | tuple) or any(mode in modes for mode in known)


def _only_switched(state: State) -> bool:
    known = state.attributes.get("supported_color_modes")
    return isinstance(known, list | tuple) and tuple(known) == _BINARY


def _out_of_range(low: Any, high: Any) -> Unable:
    """Return that a value is not between two limits; only one of them may be known."""
    smallest, largest = _float(low), _float(high)
    if smallest is None or largest is None:
        return Unable()
    return Unable("out_of_range", {"low": f"{smallest:g}", "high": f"{largest:g}"})


def _within(number: float, low: Any, high: Any) -> bool:
    smallest, largest = _float(low), _float(high)
    return (smallest is None or number >= smallest) and (largest is None or number <= largest)


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def deed_of_words(tokens: Sequence[str], lexicon: Lexicon) -> frozenset[str]:
    """Return the deeds that words name."""
    deeds = {
        role.value
        for start in range(len(tokens))
        for _, roles in lexicon.matches(tokens, start)
        for role in roles
        if role.kind == "deeds" and role.value not in _VERBS
    }
    named = frozenset(str(deed) for deed in deeds)
    return frozenset({_MERGED[named]}) if named in _MERGED else named
