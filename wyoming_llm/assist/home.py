"""The home of an Assist request, as the recognisers need it. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wyoming_common.home_assistant.home import Area, Entity, Home, State
from wyoming_llm.assist.overview import ListedEntity, Overview, overview_of, read_list
from wyoming_llm.assist.request import AssistRequest
from wyoming_llm.home.language_guess import guess
from wyoming_llm.home.lexicon import tokenize

_ON: Final[Mapping[str, str]] = {
    "cover": "open", "valve": "open", "lock": "locked", "media_player": "playing",
    "climate": "heat", "vacuum": "cleaning", "lawn_mower": "mowing", "person": "home",
    "alarm_control_panel": "armed_away", "timer": "active",
}  # fmt: skip
_OFF: Final[Mapping[str, str]] = {
    "cover": "closed", "valve": "closed", "lock": "unlocked", "media_player": "idle",
    "vacuum": "docked", "lawn_mower": "docked", "person": "not_home",
    "alarm_control_panel": "disarmed", "timer": "idle",
}  # fmt: skip
_LEVELS: Final[Mapping[str, float]] = {
    "brightness": 127, "current_position": 50, "volume_level": 0.5, "percentage": 50,
    "temperature": 20, "humidity": 50,
}  # fmt: skip
_MAX_GUESSED: Final = 1000
"""Characters of names by which their language is guessed"""
_LIMITS: Final = {"min_temp": 5, "max_temp": 95}
"""Of thermostats, whose own ones the overview does not tell; °C and °F"""
_LIMITED: Final = ("climate", "water_heater")
_HERE: Final = ("script", "calendar")
"""Domains that the overview leaves out, as they have tools of their own"""


@dataclass(frozen=True, slots=True, eq=False)
class AssistHome:
    """A home that is the same object as long as the prompt stays the same."""

    overview: Overview
    home: Home
    words: frozenset[str]
    """The words of its names, in small letters"""
    all_on: Mapping[str, State]
    all_off: Mapping[str, State]
    """States that are assumed: what follows from both is true of any states"""
    area: str = ""
    """Id of the speaker's area"""
    language: str = ""
    """The language of its names"""

    @property
    def states(self) -> Mapping[str, State]:
        """The states that the prompt itself tells; newer versions tell none."""
        return self._complete(self.overview.states) if self.overview.states else {}

    @classmethod
    def of(cls, request: AssistRequest, language: str = "") -> "AssistHome | None":
        """Read the home of a request, None where that cannot be done."""
        listed = read_list(request.system)
        if listed is None:
            return None
        overview = overview_of(listed, language)
        home = _with_tools(_with_place(overview.home, request.area, request.floor), request)
        return cls(
            overview,
            home,
            frozenset(token for name in home.names() for token in tokenize(name)),
            {
                e.id: _limited(e, State(_ON.get(e.domain, "on"), _LEVELS))
                for e in home.entities.values()
            },
            {e.id: _limited(e, State(_OFF.get(e.domain, "off"))) for e in home.entities.values()},
            request.area if request.area in home.areas else "",
            guess(" ".join(home.names())[:_MAX_GUESSED]).codes[0],
        )

    def states_of(self, listed: Sequence[ListedEntity]) -> dict[str, State]:
        """Return the states of an answer of GetLiveContext."""
        return self._complete(self.overview.states_of(listed))

    def _complete(self, states: Mapping[str, State]) -> dict[str, State]:
        """Return states with those of what the overview leaves out."""
        entities = self.home.entities
        told = {name: _limited(entities[name], state) for name, state in states.items()}
        others = (entity for entity in entities.values() if entity.domain in _HERE)
        return {**{entity.id: State("off") for entity in others}, **told}


def _limited(entity: Entity, state: State) -> State:
    """Return a state with the limits of a thermostat."""
    if entity.domain not in _LIMITED:
        return state
    return replace(state, attributes={**_LIMITS, **state.attributes})


def _with_place(home: Home, area: str, floor: str) -> Home:
    """Return the home with the speaker's area and floor."""
    if not area:
        return home
    known = home.areas.get(area) or Area(area, area)
    floors = {floor: Area(floor, floor)} if floor and floor != area else {}
    areas = {**home.areas, area: replace(known, floor=floor if floors else "")}
    return replace(home, areas=areas, floors=floors)


def _with_tools(home: Home, request: AssistRequest) -> Home:
    """Return the home with the scripts and calendars that have tools of their own."""
    entities = dict(home.entities)
    named = [("script", script.names) for script in request.tools.scripts]
    named += [("calendar", (name,)) for name in request.tools.calendars()]
    for domain, names in named:
        entity = Entity(f"{domain}.{len(entities)}", names[0], names)
        entities[entity.id] = entity
    return replace(home, entities=entities)
