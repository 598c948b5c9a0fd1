"""The overview of a home that Home Assistant gives to language models, read. No I/O.

Assist's system prompt holds names, domains and areas ("Static Context"), the answer of its tool
GetLiveContext holds states and attributes as well ("Live Context"). Both are a list in YAML.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from wyoming_common.home_assistant.home import Area, Entity, Home, State

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEADING: Final = re.compile(
    r"(?:(?:Static|Live) Context: )?An overview of the areas\s+and the devices in this smart home:"
    r"[ \t]*\n"
)
_LIST: Final = re.compile(r"(?:-[ \t].*\n|[ \t]+\S.*\n|[ \t]*\n(?=[ \t]+\S))+")
_DOMAIN: Final = re.compile(r"[a-z][a-z0-9_]*")
_MAX_CHARACTERS: Final = 1_000_000
_MAX_ENTITIES: Final = 5000
_MAX_DEPTH: Final = 4
_NUMBERS: Final = frozenset(
    {"temperature", "current_temperature", "brightness", "humidity", "current_position",
     "percentage", "volume_level"}
)  # fmt: skip
"""Attributes that are numbers, which the overview may hold as text"""


@dataclass(frozen=True, slots=True)
class ListedEntity:
    """One entry of an overview."""

    names: tuple[str, ...]
    domain: str
    areas: tuple[str, ...] = ()
    """The name of its area, and other names for that"""
    state: State | None = None
    """None where the overview has no states"""

    @property
    def key(self) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
        """The part that it shares with the entry of the same entity in another overview."""
        return self.names, self.domain, self.areas


@dataclass(frozen=True, slots=True)
class Overview:
    """A home as an overview shows it."""

    home: Home
    states: Mapping[str, State] = field(default_factory=dict)
    """Empty where the overview has none"""
    keys: Mapping[tuple[Any, ...], tuple[str, ...]] = field(default_factory=dict)
    """Ids of the entities of each key; the ids are our own"""

    def states_of(self, listed: Sequence[ListedEntity]) -> dict[str, State]:
        """Return the states of a later overview, by the ids of this one."""
        states: dict[str, State] = {}
        for one in listed:
            free = [name for name in self.keys.get(one.key, ()) if name not in states]
            if free and one.state is not None:
                states[free[0]] = one.state
        return states


def find_list(text: str) -> tuple[int, int] | None:
    """Return where the overview in `text` begins and ends, its heading included."""
    heading = _HEADING.search(text)
    if heading is None or len(text) > _MAX_CHARACTERS:
        return None
    found = _LIST.match(f"{text}\n", heading.end())
    return None if found is None else (heading.start(), min(found.end(), len(text)))


def read_list(text: str) -> list[ListedEntity] | None:
    """Return the entries of the overview in `text`, None where it has none that can be read."""
    place = find_list(text)
    if place is None:
        return None
    part = text[place[0] : place[1]]
    try:
        content = _content(part[part.index("\n") + 1 :])
        if not isinstance(content, list) or len(content) > _MAX_ENTITIES:
            return None
        return [_entry(one) for one in content]
    except (yaml.YAMLError, ValueError):
        return None


def overview_of(listed: Sequence[ListedEntity], language: str = "") -> Overview:
    """Return the home of the entries, with ids of our own."""
    areas: dict[str, Area] = {}
    entities: dict[str, Entity] = {}
    states: dict[str, State] = {}
    keys: dict[tuple[Any, ...], tuple[str, ...]] = {}
    unit = "°C"
    for number, one in enumerate(listed):
        area = one.areas[0] if one.areas else ""
        if area:
            areas.setdefault(area, Area(area, area, one.areas[1:]))
        entity = Entity(f"{one.domain}.{number}", one.names[0], one.names, area)
        entities[entity.id] = entity
        keys[one.key] = (*keys.get(one.key, ()), entity.id)
        if one.state is not None:
            states[entity.id] = one.state
            unit = str(one.state.attributes.get("temperature_unit") or unit)
    home = Home(entities, areas, {}, {}, language, unit)
    return Overview(home, states, keys)


def _entry(content: Any) -> ListedEntity:
    """Return an entry. Raises ValueError for one that is not of the known form."""
    if not isinstance(content, dict):
        raise ValueError("not a mapping")
    names = tuple(_parts(content.get("names")))
    domain = content.get("domain")
    if not names or not isinstance(domain, str) or not _DOMAIN.fullmatch(domain):
        raise ValueError("no names or no domain")
    state = content.get("state")
    attributes = content.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise ValueError("attributes are not a mapping")
    known = None
    if isinstance(state, str):
        known = State(state, {key: _value(key, value) for key, value in attributes.items()})
    return ListedEntity(names, domain, tuple(_parts(content.get("areas"))), known)


def _parts(value: Any) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, str):
        raise ValueError("not a text")
    yield from (part.strip() for part in value.split(", ") if part.strip())


def _value(key: str, value: Any) -> Any:
    if key not in _NUMBERS or not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def _content(text: str) -> Any:
    """Return YAML as lists, dicts and texts. Raises ValueError or YAMLError.

    Built from events, so that neither depth nor aliases can cost more than the text is long.
    """
    builder = _Builder()
    for event in yaml.parse(text, _LOADER):
        match event:
            case yaml.AliasEvent():
                raise ValueError("an alias")
            case yaml.ScalarEvent():
                builder.add(event.value)
            case yaml.SequenceStartEvent():
                builder.open([])
            case yaml.MappingStartEvent():
                builder.open({})
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                builder.close()
    return builder.root[0] if len(builder.root) == 1 else None


class _Builder:
    """Builds nested lists and dicts from their parts, in order."""

    def __init__(self) -> None:
        self.root: list[Any] = []
        self._stack: list[list[Any] | dict[str, Any]] = [self.root]
        self._keys: list[str | None] = [None]

    def add(self, value: Any) -> None:
        """Add a value, or a key that waits for its value."""
        into, key = self._stack[-1], self._keys[-1]
        if isinstance(into, list):
            into.append(value)
        elif key is not None:
            into[key] = value
            self._keys[-1] = None
        elif isinstance(value, str):
            self._keys[-1] = value
        else:
            raise ValueError("a key that is no text")

    def open(self, value: list[Any] | dict[str, Any]) -> None:
        """Add a list or a dict, into which all is added until it is closed."""
        if len(self._stack) > _MAX_DEPTH:
            raise ValueError("too deep")
        self.add(value)
        self._stack.append(value)
        self._keys.append(None)

    def close(self) -> None:
        """Close the last one that was opened."""
        self._stack.pop()
        self._keys.pop()
