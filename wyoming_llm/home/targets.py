"""Which entities an intent is about, what may happen to them only when asked, what must follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wyoming_common.home import Area, Entity, Home, State

GONE: Final = ("unavailable", "unknown")

_BECOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "HassVacuumStart": ("cleaning",),
    "HassVacuumReturnToBase": ("returning", "docked"),
    "HassLawnMowerStartMowing": ("mowing",),
    "HassLawnMowerDock": ("returning", "docked"),
    "HassMediaPause": ("paused", "idle", "off", "standby"),
    "HassMediaUnpause": ("playing", "buffering"),
}
"""States that things get into"""
ACTIONS: Final = _BECOMES.keys() | frozenset(
    {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassSetPosition", "HassClimateSetTemperature",
     "HassFanSetSpeed", "HassSetVolume", "HassToggle", "HassOpenCover", "HassCloseCover"}
)  # fmt: skip
"""Intents that change an entity's state in a way that can be read back."""
REFUSABLE: Final = ACTIONS | {
    "HassSetVolumeRelative", "HassMediaNext", "HassMediaPrevious", "HassMediaPlayerMute",
    "HassMediaPlayerUnmute", "HassClimateSetFanMode", "HassVacuumCleanArea",
}  # fmt: skip
"""Intents that name a thing to do something with"""
TARGETED: Final = REFUSABLE - {"HassVacuumCleanArea"}
"""Those of which the slots say what does it, and not where it is done"""
QUESTIONS: Final = frozenset({"HassGetState", "HassClimateGetTemperature", "HassGetWeather"})

_DOMAIN_OF: Final = {
    "HassLightSet": ("light",),
    "HassFanSetSpeed": ("fan",),
    "HassSetPosition": ("cover", "valve"),
    "HassClimateSetTemperature": ("climate",),
    "HassClimateGetTemperature": ("climate", "sensor"),
    "HassGetWeather": ("weather",),
    "HassSetVolume": ("media_player",),
    "HassSetVolumeRelative": ("media_player",),
    "HassMediaPause": ("media_player",),
    "HassMediaUnpause": ("media_player",),
    "HassMediaNext": ("media_player",),
    "HassMediaPrevious": ("media_player",),
    "HassMediaPlayerMute": ("media_player",),
    "HassMediaPlayerUnmute": ("media_player",),
    "HassClimateSetFanMode": ("climate",),
    "HassVacuumStart": ("vacuum",),
    "HassVacuumReturnToBase": ("vacuum",),
    "HassLawnMowerDock": ("lawn_mower",),
    "HassLawnMowerStartMowing": ("lawn_mower",),
}
WHICHEVER: Final = frozenset(_BECOMES) | {"HassSetVolume"}
"""Of several things that could do it, where none is named, Home Assistant chooses one."""
WHILE: Final = {
    "HassMediaPause": "playing",
    "HassMediaNext": "playing",
    "HassMediaPrevious": "playing",
    "HassMediaUnpause": "paused",
}
"""State in which alone something can be done"""
_FEATURES: Final = {
    "HassMediaPause": 1, "HassSetVolume": 4, "HassMediaPlayerMute": 8, "HassMediaPlayerUnmute": 8,
    "HassMediaPrevious": 16, "HassMediaNext": 32, "HassMediaUnpause": 16384,
    "HassVacuumStart": 8192, "HassVacuumReturnToBase": 16,
    "HassSetPosition": 4,
}  # fmt: skip
"""What a thing must support, as Home Assistant's integrations number it"""
_RISKY_COVERS: Final = ("garage", "gate", "door")
_BRIGHTNESS_STEP: Final = 2.0
"""Percent that a lamp may round"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the home at a moment."""

    home: Home
    states: Mapping[str, State]

    def state(self, entity: Entity) -> State:
        return self.states.get(entity.id, State("unavailable"))


def find_targets(intent: str, slots: Mapping[str, Any], known: Known) -> list[Entity]:
    """Return the exposed entities that the slots describe."""
    home = known.home
    found = list(home.entities.values())
    if name := slots.get("name"):
        plain = str(name).casefold()
        found = [e for e in found if plain in {n.casefold() for n in e.names} | {e.id}]
    if area := slots.get("area"):
        ids = _ids(home.areas, area)
        found = [entity for entity in found if entity.area in ids]
    if floor := slots.get("floor"):
        floors = _ids(home.floors, floor)
        rooms = {area.id for area in home.areas.values() if area.floor in floors}
        found = [entity for entity in found if entity.area in rooms]
    domains = _several(slots.get("domain")) or _DOMAIN_OF.get(intent, ())
    if domains:
        found = [entity for entity in found if entity.domain in domains]
    if classes := _several(slots.get("device_class")):
        found = [e for e in found if known.state(e).attributes.get("device_class") in classes]
    return found


def able(intent: str, state: State) -> bool:
    """Whether a thing in `state` supports what is asked, as far as that is known."""
    supported = state.attributes.get("supported_features")
    needed = _FEATURES.get(intent, 0)
    return not isinstance(supported, int) or supported & needed == needed


def risky(
    intent: str, slots: Mapping[str, Any], targets: Sequence[Entity], known: Known
) -> list[Entity]:
    """Return the targets to which something would happen that a mishearing must not cause.

    Locking, closing and arming are what a lock, a door and an alarm are for; their opposite asks.
    """
    opening = intent in ("HassTurnOn", "HassToggle", "HassOpenCover") or (
        intent == "HassSetPosition" and slots.get("position") != 0
    )
    found = []
    for entity in targets:
        kind = known.state(entity).attributes.get("device_class")
        if (
            (entity.domain == "lock" and intent != "HassTurnOn" and intent in ACTIONS)
            or (entity.domain == "cover" and kind in _RISKY_COVERS and opening)
            or (entity.domain == "alarm_control_panel" and intent in ACTIONS)
            or (entity.domain == "valve" and opening)
        ):
            found.append(entity)
    return found


def happened(  # noqa: C901 - a table of intents
    intent: str, slots: Mapping[str, Any], before: State, after: State, domain: str
) -> bool:
    """Whether `after` is what the intent wanted of an entity."""
    attributes = after.attributes
    match intent:
        case _ if after.value in GONE:
            done = False
        case _ if intent in _BECOMES:
            done = after.value in _BECOMES[intent]
        case "HassTurnOn" | "HassOpenCover":
            done = _turned(domain, before, after, on=True)
        case "HassTurnOff" | "HassCloseCover":
            done = _turned(domain, before, after, on=False)
        case "HassLightSet":
            done = after.value == "on" and _as_bright(slots, after)
        case "HassSetPosition":
            moving = after.value in ("opening", "closing")
            done = moving or _near(attributes.get("current_position"), slots.get("position"), 1)
        case "HassClimateSetTemperature":
            done = _near(attributes.get("temperature"), slots.get("temperature"), 0.1)
        case "HassFanSetSpeed":
            done = _near(attributes.get("percentage"), slots.get("percentage"), 5)
        case "HassSetVolume":
            level = attributes.get("volume_level")
            done = _near(None if level is None else level * 100, slots.get("volume_level"), 1)
        case _:
            done = after != before
    return done


def _turned(domain: str, before: State, after: State, *, on: bool) -> bool:
    match domain:
        case "cover" | "valve":
            return after.value in (("open", "opening") if on else ("closed", "closing"))
        case "lock":
            return after.value in (
                ("locked", "locking") if on else ("unlocked", "unlocking", "open")
            )
        case "scene" | "button" | "input_button" | "script" | "automation":
            return after != before or (domain in ("script", "automation") and after.value == "on")
        case "vacuum" | "lawn_mower":
            return after != before
        case "climate" | "media_player" | "water_heater" | "humidifier":
            return (after.value != "off") == on
        case _:
            return after.value == ("on" if on else "off")


def _as_bright(slots: Mapping[str, Any], after: State) -> bool:
    if (wanted := slots.get("brightness")) is None:
        return True
    level = after.attributes.get("brightness")
    return _near(None if level is None else level / 2.55, wanted, _BRIGHTNESS_STEP)


def _near(value: Any, wanted: Any, tolerance: float) -> bool:
    try:
        return abs(float(value) - float(wanted)) <= tolerance
    except (TypeError, ValueError):
        return False


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
