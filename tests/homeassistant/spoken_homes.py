"""Homes of bench/homes.yaml as Home Assistant's configuration: every device can be seen to act.

Each area has a lamp, a curtain and a shutter besides, for commands about all those of a place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.homeassistant.hass import URL

_HOMES: Final = Path(__file__).parents[2] / "bench" / "homes.yaml"
_THERMOMETER: Final = {"unit_of_measurement": "°C", "device_class": "temperature"}
_ON_OFF: Final = "{{{{ is_state('{helper}', 'on') }}}}"


@dataclass(frozen=True, slots=True)
class SpokenHome:
    """The home that the recorded commands of one language speak of."""

    configuration: str
    """Content of configuration.yaml."""
    areas: tuple[str, ...]
    floors: tuple[str, ...]
    shopping_list: bool
    """Whether there is a shopping list, which has no YAML"""
    placed: dict[str, str]
    """Area of each entity that has one, by its unique id."""


def spoken_home(language: str) -> SpokenHome:
    """Return the home of a language."""
    content = yaml.safe_load(_HOMES.read_text(encoding="utf-8"))[language]
    named: dict[str, list[str]] = {
        domain: list(map(str, names)) for domain, names in content["entities"].items()
    }
    areas = tuple(content["areas"])
    named["light"] = [*named.get("light", ()), *(f"L{number}" for number in range(len(areas)))]
    for kind, letter in (("curtain", "C"), ("shutter", "S")):
        named[kind] = [f"{letter}{number}" for number in range(len(areas))]
    config = _base()
    placed: dict[str, str] = {}
    for domain, names in named.items():
        for number, name in enumerate(names):
            key = f"{domain}_{number}"
            helper = f"input_boolean.{key}"
            if domain in _TEMPLATES:
                config["input_boolean"][key] = {"name": f"Helper {key}"}
                kind = "cover" if domain in ("curtain", "shutter") else domain
                made = {"name": name, "unique_id": key, **_TEMPLATES[domain](helper)}
                config["template"].append({kind: [made]})
                own = number - len(names) + len(areas) if domain == "light" else number
                placed[key] = areas[own % len(areas)]
            elif domain in _PLATFORMS:
                config["input_boolean"][key] = {"name": f"Helper {key}"}
                _PLATFORMS[domain](config, key, name, helper)
                if domain in ("climate", "media_player"):
                    placed[key] = areas[0]
    return SpokenHome(
        yaml.safe_dump(config, allow_unicode=True, sort_keys=False),
        areas,
        tuple(content["floors"]),
        bool(named.get("todo")),
        placed,
    )


def _base() -> dict[str, Any]:
    empty = ("config", "conversation", "assist_pipeline", "stt", "tts", "intent")
    return {
        "homeassistant": {
            "name": "Spoken", "latitude": 52.0, "longitude": 13.0, "elevation": 30,
            "unit_system": "metric", "time_zone": "UTC", "country": "US", "language": "en",
            "internal_url": URL,
        },
        **dict.fromkeys(empty),
        "logger": {"default": "warning"},
        "input_boolean": {"marker": {"name": "Marker"}},
        "template": [],
    }  # fmt: skip


def _turn(helper: str, on: bool) -> dict[str, Any]:
    action = "input_boolean.turn_on" if on else "input_boolean.turn_off"
    return {"action": action, "target": {"entity_id": helper}}


def _switched(on: str, off: str) -> Callable[[str], dict[str, Any]]:
    return lambda helper: {
        "state": _ON_OFF.format(helper=helper),
        on: _turn(helper, True),
        off: _turn(helper, False),
    }


def _light(helper: str) -> dict[str, Any]:
    return {
        **_switched("turn_on", "turn_off")(helper),
        "level": "{{ 255 }}",
        "hs": "{{ (0, 0) }}",
        "set_level": _turn(helper, True),
        "set_hs": _turn(helper, True),
    }


def _cover(kind: str) -> Callable[[str], dict[str, Any]]:
    return lambda helper: {
        **_switched("open_cover", "close_cover")(helper),
        "device_class": kind,
    }


def _vacuum(helper: str) -> dict[str, Any]:
    return {
        "state": f"{{{{ 'cleaning' if is_state('{helper}', 'on') else 'docked' }}}}",
        "start": _turn(helper, True),
        "return_to_base": _turn(helper, False),
    }


_TEMPLATES: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "light": _light,
    "switch": _switched("turn_on", "turn_off"),
    "fan": _switched("turn_on", "turn_off"),
    "lock": _switched("lock", "unlock"),
    "cover": _cover("garage"),
    "curtain": _cover("curtain"),
    "shutter": _cover("shutter"),
    "vacuum": _vacuum,
    "sensor": lambda _: {**_THERMOMETER, "state": "7.5"},
}


def _scene(config: dict[str, Any], _: str, name: str, helper: str) -> None:
    config.setdefault("scene", []).append({"name": name, "entities": {helper: "on"}})


def _script(config: dict[str, Any], key: str, name: str, helper: str) -> None:
    config.setdefault("script", {})[key] = {"alias": name, "sequence": [_turn(helper, True)]}


def _thermostat(config: dict[str, Any], key: str, name: str, helper: str) -> None:
    sensor = {"name": f"T {key}", "unique_id": f"t_{key}", **_THERMOMETER, "state": "19.5"}
    config["template"].append({"sensor": [sensor]})
    config.setdefault("climate", []).append(
        {
            "platform": "generic_thermostat", "name": name, "unique_id": key, "heater": helper,
            "target_sensor": f"sensor.t_{key}", "target_temp": 18, "initial_hvac_mode": "heat",
        }
    )  # fmt: skip


def _player(config: dict[str, Any], key: str, name: str, helper: str) -> None:
    config.setdefault("media_player", []).append(
        {
            "platform": "universal", "name": name, "unique_id": key,
            "state_template": f"{{{{ 'paused' if is_state('{helper}', 'on') else 'playing' }}}}",
            "commands": {
                "turn_on": _turn(helper, True), "turn_off": _turn(helper, False),
                "media_play": _turn(helper, False), "media_pause": _turn(helper, True),
                "media_next_track": _turn(helper, False),
                "media_previous_track": _turn(helper, False),
            },
        }
    )  # fmt: skip


_PLATFORMS: Final[dict[str, Callable[[dict[str, Any], str, str, str], None]]] = {
    "scene": _scene,
    "script": _script,
    "climate": _thermostat,
    "media_player": _player,
}
