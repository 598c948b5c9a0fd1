"""Read-back: whether a state is what an action wanted, in every attribute that was asked for."""

import colorsys
from collections.abc import Mapping
from typing import Any, Final

from wyoming_common.home_assistant.home import State
from wyoming_llm.home.intent import Action
from wyoming_llm.home.targets import GONE

_BRIGHTNESS_TOLERANCE: Final = 2.0
"""Percent that a lamp may round"""
_HUE_TOLERANCE: Final = 30.0
_KELVIN_TOLERANCE: Final = 150.0
_BECOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "HassVacuumStart": ("cleaning",),
    "HassVacuumCleanArea": ("cleaning",),
    "HassVacuumReturnToBase": ("returning", "docked"),
    "HassLawnMowerStartMowing": ("mowing",),
    "HassLawnMowerDock": ("returning", "docked"),
    "HassMediaPause": ("paused", "idle", "off", "standby"),
    "HassMediaUnpause": ("playing", "buffering"),
    "vacuum.pause": ("paused", "idle"),
    "lawn_mower.pause": ("paused",),
    "alarm_control_panel.alarm_arm_away": ("arming", "pending", "armed_away"),
    "alarm_control_panel.alarm_arm_home": ("arming", "pending", "armed_home"),
    "alarm_control_panel.alarm_arm_night": ("arming", "pending", "armed_night"),
    "alarm_control_panel.alarm_disarm": ("disarmed",),
}
_HELD: Final[Mapping[str, tuple[str, str]]] = {
    "select.select_option": ("option", ""),
    "input_select.select_option": ("option", ""),
    "media_player.select_source": ("source", "source"),
    "media_player.select_sound_mode": ("sound_mode", "sound_mode"),
    "climate.set_hvac_mode": ("hvac_mode", ""),
    "climate.set_preset_mode": ("preset_mode", "preset_mode"),
    "climate.set_fan_mode": ("fan_mode", "fan_mode"),
    "climate.set_swing_mode": ("swing_mode", "swing_mode"),
    "fan.set_preset_mode": ("preset_mode", "preset_mode"),
    "vacuum.set_fan_speed": ("fan_speed", "fan_speed"),
    "humidifier.set_mode": ("mode", "mode"),
    "water_heater.set_operation_mode": ("operation_mode", "operation_mode"),
    "light.turn_on": ("effect", "effect"),
}
"""Services that set one thing: its name as data, and as attribute ("" is the state)"""
_UNCHECKED: Final = frozenset(
    {
        "HassMediaNext",
        "HassMediaPrevious",
        "HassSetVolumeRelative",
        "cover.stop_cover",
        "counter.reset",
        "timer.start",
        "timer.cancel",
        "timer.pause",
        "HassListRemoveItem",
        "HassListCompleteItem",
    }
)
"""Actions that need not change a state"""
_HUES: Final = {
    "red": 0, "orange": 30, "yellow": 60, "green": 120, "turquoise": 180, "blue": 240,
    "purple": 285, "pink": 340,
}  # fmt: skip


def is_checked(action: Action) -> bool:
    """Whether an action changes a state in a way that can be read back."""
    return action.target is not None and action.intent not in _UNCHECKED


def happened(  # noqa: C901, PLR0912
    action: Action, before: State, after: State
) -> bool:
    """Whether `after` is what `action` wanted of its target."""
    slots, attributes = action.slots, after.attributes
    domain = action.target.domain if action.target is not None else ""
    match action.intent:
        case _ if after.value in GONE and domain not in ("scene", "button", "input_button"):
            done = False
        case intent if intent in _BECOMES:
            done = after.value in _BECOMES[intent]
        case "HassTurnOn":
            done = _turned(domain, before, after, on=True)
        case "HassTurnOff":
            done = _turned(domain, before, after, on=False)
        case "HassLightSet":
            done = after.value == "on" and _as_lit(slots, after)
        case "HassSetPosition":
            moving = after.value in ("opening", "closing")
            done = moving or _near(attributes.get("current_position"), slots.get("position"), 1)
        case "HassClimateSetTemperature":
            done = _near(attributes.get("temperature"), slots.get("temperature"), 0.1)
        case intent if intent in _HELD:
            slot, attribute = _HELD[intent]
            done = (attributes.get(attribute) if attribute else after.value) == slots.get(slot)
        case "input_number.set_value" | "number.set_value":
            done = _near(after.value, slots.get("value"), 0.01)
        case "HassFanSetSpeed":
            done = _near(attributes.get("percentage"), slots.get("percentage"), 5)
        case "HassSetVolume":
            level = attributes.get("volume_level")
            done = _near(None if level is None else level * 100, slots.get("volume_level"), 1)
        case "humidifier.set_humidity":
            done = _near(attributes.get("humidity"), slots.get("humidity"), 1)
        case "HassMediaPlayerMute":
            done = attributes.get("is_volume_muted") is True
        case "HassMediaPlayerUnmute":
            done = attributes.get("is_volume_muted") is not True
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
        case "climate" | "media_player" | "water_heater" | "humidifier":
            return (after.value not in ("off", "standby")) == on
        case _:
            return after.value == ("on" if on else "off")


def _as_lit(slots: Mapping[str, Any], after: State) -> bool:
    attributes = after.attributes
    if (wanted := slots.get("brightness")) is not None:
        level = attributes.get("brightness")
        if not _near(None if level is None else level / 2.55, wanted, _BRIGHTNESS_TOLERANCE):
            return False
    if (kelvin := slots.get("temperature")) is not None:
        return _near(attributes.get("color_temp_kelvin"), kelvin, _KELVIN_TOLERANCE)
    if (color := slots.get("color")) is not None:
        return _is_color(str(color), attributes.get("rgb_color"))
    return True


def _is_color(name: str, rgb: Any) -> bool:
    if not isinstance(rgb, list | tuple) or len(rgb) != 3:
        return False
    hue, saturation, _ = colorsys.rgb_to_hsv(*(float(part) / 255 for part in rgb))
    if name == "white":
        return saturation < 0.35
    wanted = _HUES.get(name)
    if wanted is None:
        return True
    apart = abs(hue * 360 - wanted) % 360
    return min(apart, 360 - apart) <= _HUE_TOLERANCE


def _near(value: Any, wanted: Any, tolerance: float) -> bool:
    try:
        return abs(float(value) - float(wanted)) <= tolerance
    except (TypeError, ValueError):
        return False
