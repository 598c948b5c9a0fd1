"""English in other words than the sentences': what Home Assistant tries behind them as well.

https://pypi.org/project/gazetteer-matcher/ finds actions, names and values wherever they stand.
Home Assistant lets it leave words out: "don't turn on the light" then turns it on. Here every word
of a command must have its part in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wyoming_common.home import Home
from wyoming_llm.home.names import plain
from wyoming_llm.home.targets import QUESTIONS
from wyoming_llm.languages import language

if TYPE_CHECKING:
    from gazetteer_matcher import EntitySpec, FrameCandidate, GazetteerMatcher, Interpretation
    from gazetteer_matcher import Home as Specs

_HARMLESS: Final = QUESTIONS | {"HassTimerStatus", "HassGetCurrentTime", "HassGetCurrentDate"}
"""Nothing is done by an answer."""
CODE: Final = "en"
"""The only language there is"""
_IDLE: Final = frozenset(
    """
    please now right away immediately quickly just can could would will you i'd like to want for me
    the my our a an in on at of across around throughout inside to this that these those room area
    here there hey ok okay so well and then also too thanks thank scene script
    """.split()  # noqa: SIM905 - one string can be read
)
"""Words without which a command is the same"""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing to do, or to answer."""

    intent: str
    slots: Mapping[str, Any]
    """Names as they are called; ids where a name is not one entity's alone"""
    words: Mapping[str, Any]
    response: str
    """Key of Home Assistant's response"""


class Gazetteer:
    """Blocking: 1 to 8 ms a sentence, most of a second for the first. Not thread-safe."""

    def __init__(self) -> None:
        self._matcher: GazetteerMatcher | None = None
        self._known: tuple[Home, dict[str, str]] | None = None

    def find(self, text: str, home: Home, classes: Mapping[str, str], area: str) -> list[Found]:
        """Return everything that `text` asks for, nothing unless all of it is understood.

        `classes` holds the device class of entities, `area` the name of the speaker's room.
        """
        matcher = self._of(home, classes)
        interpretation = matcher.interpret(text, context_area=area or None)
        frames = interpretation.frames
        if not interpretation.accepted or not all(
            frame.response_key and _is_whole(frame, interpretation, home) for frame in frames
        ):
            return []
        return [_found(frame, matcher, home) for frame in frames]

    def _of(self, home: Home, classes: Mapping[str, str]) -> "GazetteerMatcher":
        from gazetteer_matcher import GazetteerMatcher

        if self._matcher is None:
            self._matcher = GazetteerMatcher(home=_specs(home, classes))
        elif self._known is None or self._known[0] is not home or self._known[1] != classes:
            self._matcher.set_home(_specs(home, classes))
        self._known = (home, dict(classes))
        return self._matcher


def _is_whole(frame: "FrameCandidate", interpretation: "Interpretation", home: Home) -> bool:
    """Whether no word was left out that could change what is meant."""
    asked = language(CODE).is_question(interpretation.text)
    if asked:
        # "Is the door locked and the gate closed" closes nothing.
        return frame.intent in _HARMLESS
    named = _named(interpretation, home)
    return all(
        number in named or interpretation.tokens[number].text in _IDLE
        for number in frame.unexplained_tokens
    )


def _named(interpretation: "Interpretation", home: Home) -> set[int]:
    """Return the numbers of the words that are part of a whole name: it was named, not left out."""
    words = [plain(token.text) for token in interpretation.tokens]
    found: set[int] = set()
    for name in (plain(name).split() for name in home.names()):
        for start in range(len(words) - len(name) + 1):
            if words[start : start + len(name)] == name:
                found.update(range(start, start + len(name)))
    return found


def _found(frame: "FrameCandidate", matcher: "GazetteerMatcher", home: Home) -> Found:
    words = {slot: matcher.display_name(slot, value) for slot, value in frame.slots.items()}
    slots = dict(frame.slots)
    names = [name for entity in home.entities.values() for name in entity.names]
    for slot in ("name", "area", "floor"):
        if slot in slots and (slot != "name" or names.count(words[slot]) == 1):
            slots[slot] = words[slot]
    return Found(frame.intent, slots, words, frame.response_key or "")


def _specs(home: Home, classes: Mapping[str, str]) -> "Specs":
    return {
        "areas": {
            area.id: {
                "name": area.name,
                "aliases": list(area.aliases),
                "floor": area.floor if area.floor in home.floors else None,
            }
            for area in home.areas.values()
        },
        "floors": {
            floor.id: {"name": floor.name, "aliases": list(floor.aliases)}
            for floor in home.floors.values()
        },
        "entities": {
            entity.id: _spec(entity.names, entity.domain, entity.area, classes.get(entity.id))
            for entity in home.entities.values()
        },
    }


def _spec(names: Sequence[str], domain: str, area: str, kind: str | None) -> "EntitySpec":
    spec: EntitySpec = {
        "name": names[0],
        "aliases": list(names[1:]),
        "domain": domain,
        "area": area or None,
    }
    if kind:
        spec["device_class"] = kind
    return spec
