"""A home as Home Assistant knows it: what is exposed, where it is, how it is. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    """What an entity is at a moment."""

    value: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity that voice assistants may use."""

    id: str
    name: str
    called: tuple[str, ...] = ()
    """What people may call it; its name where nothing else is said"""
    area: str = ""
    """Id of its area, or of its device's"""

    @property
    def domain(self) -> str:
        return self.id.partition(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by."""
        return self.called or (self.name,)


@dataclass(frozen=True, slots=True)
class Area:
    """A room, or a floor."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    floor: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it goes by."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Home:
    """Everything exposed, at one moment. A new object whenever something but a state changes."""

    entities: Mapping[str, Entity] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    floors: Mapping[str, Area] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    """Area's id of each device, for that of a satellite"""
    language: str = ""

    def names(self) -> list[str]:
        """Return every name a person may say, the entities' first."""
        groups = (self.entities.values(), self.areas.values(), self.floors.values())
        return list(
            dict.fromkeys(name for group in groups for item in group for name in item.names)
        )
