"""Home model: exposed entities, their areas and floors, and their states. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    """The state of an entity at one moment."""

    value: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    changed: str = ""
    """Time of its last change, in ISO 8601; "" where it is not known"""


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity that voice assistants may use."""

    id: str
    name: str
    called: tuple[str, ...] = ()
    """Names that people may use for it; its own name if empty."""
    area: str = ""
    """Id of its area, or of its device's"""

    @property
    def domain(self) -> str:
        return self.id.partition(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a person may use for it."""
        return self.called or (self.name,)


@dataclass(frozen=True, slots=True)
class Area:
    """A room, or a floor."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    floor: str = ""
    level: int | None = None
    """Of a floor: 0 is the ground, where Home Assistant was told"""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a person may use for it."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Home:
    """Everything exposed, at one moment. A new object whenever something but a state changes."""

    entities: Mapping[str, Entity] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    floors: Mapping[str, Area] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    """Id of the area of each device, by the id of the device."""
    language: str = ""
    temperature_unit: str = "°C"

    def names(self) -> list[str]:
        """Return every name a person may say, the entities' first."""
        groups = (self.entities.values(), self.areas.values(), self.floors.values())
        return list(
            dict.fromkeys(name for group in groups for item in group for name in item.names)
        )
