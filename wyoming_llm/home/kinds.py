"""Kinds of things that people name, with their domains and device classes in Home Assistant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wyoming_common.home_assistant.home import Entity, State


@dataclass(frozen=True, slots=True)
class Kind:
    """Domains, each with the device classes that count; () is any class."""

    domains: Mapping[str, tuple[str, ...]]
    alike: tuple[str, ...] = ()
    """Kinds that people mean by the same word when there is nothing of this one"""


def _cover(*classes: str, binary: tuple[str, ...] = (), alike: tuple[str, ...] = ()) -> Kind:
    domains: dict[str, tuple[str, ...]] = {"cover": classes}
    return Kind(domains | ({"binary_sensor": binary} if binary else {}), alike)


_HANGINGS: Final = ("blind", "curtain", "shade", "shutter")
_WATER: Final[Mapping[str, tuple[str, ...]]] = {"valve": ("water", "")}
KINDS: Final[Mapping[str, Kind]] = {
    "light": Kind({"light": ()}),
    "fan": Kind({"fan": ()}),
    "switch": Kind({"switch": (), "input_boolean": ()}),
    "outlet": Kind({"switch": ("outlet",)}, ("switch",)),
    "lock": Kind({"lock": ()}),
    "blind": _cover("blind", alike=_HANGINGS),
    "curtain": _cover("curtain", alike=_HANGINGS),
    "shade": _cover("shade", alike=_HANGINGS),
    "shutter": _cover("shutter", alike=_HANGINGS),
    "awning": _cover("awning"),
    "window": _cover("window", binary=("window", "opening")),
    "door": Kind(
        {"cover": ("door",), "lock": (), "binary_sensor": ("door", "opening")}, ("garage",)
    ),
    "garage": _cover("garage", binary=("garage_door",), alike=("door", "gate")),
    "gate": _cover("gate", alike=("garage",)),
    "thermostat": Kind({"climate": ()}, ("water_heater",)),
    "ac": Kind({"climate": ()}),
    "tv": Kind({"media_player": ("tv",)}),
    "speaker": Kind({"media_player": ("speaker", "receiver", "")}),
    "media": Kind({"media_player": ()}),
    "vacuum": Kind({"vacuum": ()}),
    "lawn_mower": Kind({"lawn_mower": ()}),
    "valve": Kind(_WATER),
    "sprinkler": Kind(_WATER),
    "humidifier": Kind({"humidifier": ()}),
    "siren": Kind({"siren": ()}),
    "alarm": Kind({"alarm_control_panel": ()}),
    "scene": Kind({"scene": ()}),
    "script": Kind({"script": ()}),
    "automation": Kind({"automation": ()}),
    "water_heater": Kind({"water_heater": ()}, ("thermostat",)),
    "list": Kind({"todo": ()}),
    "motion": Kind({"binary_sensor": ("motion",)}),
    "smoke": Kind({"binary_sensor": ("smoke",)}),
    "leak": Kind({"binary_sensor": ("moisture",)}),
    "gas": Kind({"binary_sensor": ("gas", "carbon_monoxide")}),
    "occupancy": Kind({"binary_sensor": ("occupancy", "presence", "motion")}),
    "sensor": Kind({"sensor": (), "binary_sensor": ()}),
    "update": Kind({"update": ()}),
    "counter": Kind({"counter": ()}),
    "camera": Kind({"camera": ()}),
    "person": Kind({"person": ()}),
}
SWITCHED: Final = (
    "light", "switch", "fan", "input_boolean", "media_player", "climate", "humidifier", "siren",
    "water_heater", "valve", "vacuum", "lawn_mower", "automation", "remote", "camera", "group",
)  # fmt: skip
"""Domains that go on and off, the most likely ones first"""


def is_of_kind(kind: str, entity: Entity, state: State, *, alike: bool = False) -> bool:
    """Whether `entity` is of a kind, with `alike` also of one that shares its word."""
    known = KINDS.get(kind)
    if known is None:
        return False
    classes = known.domains.get(entity.domain)
    if classes is not None and (not classes or _class(state) in classes):
        return True
    return alike and any(is_of_kind(other, entity, state) for other in known.alike)


def kind_of(entity: Entity, state: State) -> str:
    """Return the kind by which people know `entity`, "" for none."""
    return next((kind for kind in KINDS if is_of_kind(kind, entity, state)), "")


def _class(state: State) -> Any:
    return str(state.attributes.get("device_class") or "")
