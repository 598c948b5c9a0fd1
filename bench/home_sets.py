"""Sets of sentences for `bench.home_control`: homes, states before, and the changes that are right.

Three formats are read: `intents` and `device-actions-v2-fixtures` of
https://github.com/allenporter/home-assistant-datasets (Apache-2.0), whose files stay outside the
repository, and our own `bench/homes/*.yaml`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

OWN: Final = Path(__file__).parent / "homes"
LANGUAGES: Final = ("en", "de", "fr", "es", "nl", "it")
States = Mapping[str, Mapping[str, Any]]
"""By entity id: `state`, and `attributes` by name. A value may be {any: [...]}, {above: X} or
{below: X} where it is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One sentence, and what must be different afterwards."""

    home: str
    kind: str
    text: str
    before: States = field(default_factory=dict)
    expected: States = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    """Entities whose attributes may change"""
    area: str = ""
    """Id of the area in which the speaker is, "" for none that is known"""
    language: str = "en"
    says: str = ""
    """Regular expression that the reply must contain, "" for any"""
    then: str = ""
    """Answer to the question that must come back first, "" where no question is expected"""


@dataclass(frozen=True, slots=True)
class Set:
    """The homes of a set by name, and its sentences."""

    homes: Mapping[str, Mapping[str, Any]]
    cases: Sequence[Case]


def read_set(name: str, data: Path) -> Set:
    """Return a set by name: `intents` or `devices` of the folder `data`, `own`, or `nonsense`.

    Raises FileNotFoundError where the folder does not hold it.
    """
    if name == "intents":
        return _read_intents(data / "intents" / "en")
    if name == "devices":
        return _read_devices(data / "device-actions-v2-fixtures")
    if name == "own":
        return _read_own()
    return _read_nonsense()


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# --- intents ---


def _read_intents(folder: Path) -> Set:
    home = _load(folder / "_fixtures.yaml")
    cases = []
    for path in sorted(folder.glob("[a-z]*.yaml")):
        for test in _load(path)["tests"]:
            cases += [
                Case(
                    home="intents",
                    kind=path.stem,
                    text=text,
                    before=test.get("setup") or {},
                    expected=test["expect_changes"],
                    ignored=frozenset(test.get("ignore_changes") or ()),
                )
                for text in test["sentences"]
            ]
    return Set({"intents": home}, cases)


# --- device actions ---

Rule = tuple[str, Mapping[str, Any], Mapping[str, Any]]
"""Pattern of a sentence, the device before, the device afterwards. `N` is the number that the
sentence holds: a percentage of brightness, of volume, a position or degrees."""

_ON = r"\b(on|start|activate|enable|power on|switch on|light the|heat|run|water the)\b"
_OFF = r"\b(off|stop|deactivate|disable|put out|extinguish)\b"
_SWITCHED: tuple[Rule, ...] = (
    (_OFF, {"state": "on"}, {"state": "off"}),
    (_ON, {"state": "off"}, {"state": "on"}),
)
_LIT = {"state": "on", "attributes": {"brightness": 100}}
_LIGHT: tuple[Rule, ...] = (
    (r"\b\d+ ?% brighter", _LIT, {"state": "on", "attributes": {"brightness": {"above": 100}}}),
    (r"\b0 ?%", _LIT, {"state": "off", "attributes": {"brightness": {"any": [0, 100]}}}),
    (
        r"\d ?(%|percent)|brightness( to)? \d|\bto \d|half|minimum|maximum|full\b",
        _LIT,
        {"state": "on", "attributes": {"brightness": "N"}},
    ),
    (
        r"\bdim|darker|decrease|lower|reduce",
        _LIT,
        {"state": "on", "attributes": {"brightness": {"below": 100}}},
    ),
    (
        r"\bbright(er|en)?\b|increase|raise",
        _LIT,
        {"state": "on", "attributes": {"brightness": {"above": 100}}},
    ),
    *_SWITCHED,
)
_PLAYS = {"state": "playing", "attributes": {"volume_level": 0.4, "track": 5}}
_PAUSED = {"state": "paused", "attributes": {"volume_level": 0.4, "track": 5}}


def _volume(value: Any) -> dict[str, Any]:
    return {"state": "playing", "attributes": {"volume_level": value}}


_PLAYER: tuple[Rule, ...] = (
    (r"volume.* by \d", _PLAYS, _volume("+N")),
    (r"\b(to|volume) maximum", _PLAYS, _volume({"above": 0.99})),
    (r"\b(to|volume) minimum", _PLAYS, _volume({"below": 0.11})),
    (r"\d", _PLAYS, _volume("N")),
    (r"louder|turn it up|volume up|up\b|increase|raise", _PLAYS, _volume({"above": 0.4})),
    (r"quieter|turn it down|down\b|decrease|lower", _PLAYS, _volume({"below": 0.4})),
    (r"next|skip (ahead|forward)|^skip$", _PLAYS, {"attributes": {"track": 6}}),
    (r"previous|\bback(ward)?\b|the last", _PLAYS, {"attributes": {"track": 4}}),
    (r"unpause|resume|play|continue", _PAUSED, {"state": "playing"}),
    (r"\bstop\b", _PLAYS, {"state": {"any": ["paused", "idle", "off"]}}),
    (r"pause|hold on", _PLAYS, {"state": "paused"}),
)
_COOL = {"state": "heat", "attributes": {"temperature": 18}}
_ANY_MODE = {"any": ["heat", "cool", "auto", "heat_cool"]}
_CLIMATE: tuple[Rule, ...] = (
    (r"\d", _COOL, {"attributes": {"temperature": "N"}}),
    (_OFF, _COOL, {"state": "off"}),
    (_ON, {"state": "off"}, {"state": _ANY_MODE}),
)
_OPENED: tuple[Rule, ...] = (
    (r"close|shut", {"state": "open"}, {"state": "closed"}),
    (r"open", {"state": "closed"}, {"state": "open"}),
)
_HALF_CLOSED = {"state": "closed", "attributes": {"current_position": 0}}
_VALVE: tuple[Rule, ...] = (
    (
        r"partially",
        _HALF_CLOSED,
        {"state": "open", "attributes": {"current_position": {"above": 0}}},
    ),
    (r"fully closed|close .*fully", {"state": "open"}, {"state": "closed"}),
    (r"fully", _HALF_CLOSED, {"state": "open"}),
    (r"\d|half", _HALF_CLOSED, {"state": "open", "attributes": {"current_position": "N"}}),
    (r"\b(close|off|stop)\b", {"state": "open"}, {"state": "closed"}),
    (r"\b(open|on|start|water the)\b|^start watering", {"state": "closed"}, {"state": "open"}),
)
_VACUUM: tuple[Rule, ...] = (
    (r"return|back", {"state": "cleaning"}, {"state": {"any": ["returning", "docked"]}}),
    (
        r"stop|done",
        {"state": "cleaning"},
        {"state": {"any": ["idle", "paused", "returning", "docked"]}},
    ),
    (r"start|clean|vacuum|run", {"state": "docked"}, {"state": "cleaning"}),
)
_LOCK: tuple[Rule, ...] = (
    (r"unlock|open", {"state": "locked"}, {"state": "unlocked"}),
    (r"lock", {"state": "unlocked"}, {"state": "locked"}),
)
DEVICE_RULES: Final[Mapping[str, Sequence[Rule]]] = {
    "exhaust-fan": _SWITCHED,
    "fan-oscilating": _SWITCHED,
    "garage-door": _OPENED,
    "heat-pump": _CLIMATE,
    "hvac": _CLIMATE,
    "light": _LIGHT,
    "light-dimmable": _LIGHT,
    "smart-blinds": _OPENED,
    "smart-lock": _LOCK,
    "smart-plug": _SWITCHED,
    "smart-speaker": _PLAYER,
    "smart-sprinkler": _VALVE,
    "smart-tv": _PLAYER,
    "switch": _SWITCHED,
    "vacuum": _VACUUM,
    "water-valve": _VALVE,
}
"""The first pattern of a file's name that a sentence holds says what it asks for."""
_UNREADABLE = re.compile(r"\[|fahrenheit|volume .*\b(low|high)$", re.IGNORECASE)
"""Sentences that hold a placeholder, or leave open what should follow"""


def _read_devices(folder: Path) -> Set:
    homes: dict[str, Mapping[str, Any]] = {}
    cases: list[Case] = []
    for path in sorted(folder.iterdir()):
        homes[path.name], places = _home_with_unique_ids(_load(path / "_fixtures.yaml"))
        for tests in sorted(path.glob("[a-z]*.yaml")):
            for test in _load(tests)["tests"]:
                entity = places.get((test["area"], test["entity_id"]))
                if entity is not None:
                    cases += _device_cases(path.name, tests.stem, test, entity, homes[path.name])
    return Set(homes, cases)


def _home_with_unique_ids(home: dict[str, Any]) -> tuple[dict[str, Any], dict[Any, str]]:
    """Number what several rooms call the same; return the home, and ids by room's name and id."""
    rooms = {area["id"]: area["name"] for area in home["areas"]}
    places: dict[Any, str] = {}
    taken: set[str] = set()
    devices = [{**device, "id": f"{device['area']}-{device['id']}"} for device in home["devices"]]
    entities = []
    for entity in home["entities"]:
        unique, number = entity["id"], 2
        while unique in taken:
            unique, number = f"{entity['id']}_{number}", number + 1
        taken.add(unique)
        places.setdefault((rooms.get(entity["area"], ""), entity["id"]), unique)
        device = f"{entity['area']}-{entity['device']}"
        entities.append({**entity, "id": unique, "device": device})
    return {**home, "devices": devices, "entities": entities}, places


def _device_cases(
    home: str, kind: str, test: Mapping[str, Any], entity: str, described: Mapping[str, Any]
) -> Iterator[Case]:
    area = next(area["id"] for area in described["areas"] if area["name"] == test["area"])
    # Several players of a room that play at the same time would leave open which one is meant.
    silent = {
        other["id"]: {"state": "off"}
        for other in described["entities"]
        if other["id"].startswith("media_player.") and entity.startswith("media_player.")
    }
    for text in test["sentences"]:
        found = device_change(kind, str(text), entity)
        if found is None:
            continue
        before, after = found
        yield Case(
            home=home, kind=kind, text=str(text), area=area,
            before={**silent, entity: before}, expected={entity: after},
        )  # fmt: skip


def device_change(
    kind: str, text: str, entity: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Return the device before and after a sentence of a file, None where none can be read."""
    if _UNREADABLE.search(text):
        return None
    for pattern, before, after in DEVICE_RULES[kind]:
        if re.search(pattern, text, re.IGNORECASE):
            return before, _filled(after, _number(text), entity.partition(".")[0])
    return None


def _number(text: str) -> float | None:
    lowered = text.casefold()
    words = {"half": 50.0, "minimum": 1.0, "maximum": 100.0, "fully": 100.0, "full": 100.0}
    # The last one: names of rooms hold numbers as well.
    if found := re.findall(r"\d+(?:\.\d+)?", lowered):
        return float(found[-1])
    return next((value for word, value in words.items() if word in lowered), None)


def _filled(after: Mapping[str, Any], number: float | None, domain: str) -> dict[str, Any]:
    scale = {"light": 2.55, "media_player": 0.01}.get(domain, 1.0)
    filled = {}
    for key, value in (after.get("attributes") or {}).items():
        if value in ("N", "+N") and number is not None:
            base = 0.4 if value == "+N" else 0.0
            filled[key] = base + number * scale
        else:
            filled[key] = value
    state = {"state": after["state"]} if "state" in after else {}
    return {**state, "attributes": filled}


# --- our own ---


def _read_own() -> Set:
    homes: dict[str, Mapping[str, Any]] = {}
    cases: list[Case] = []
    for path in sorted(OWN.glob("home_*.yaml")):
        every = _load(path)
        for language in LANGUAGES:
            name = f"{path.stem}.{language}"
            described = homes[name] = _in_language(every, language)
            for test in described["tests"]:
                cases += [_own_case(name, test, language, text) for text in test["say"]]
    return Set(homes, cases)


def _own_case(home: str, test: Mapping[str, Any], language: str, text: str) -> Case:
    return Case(
        home=home,
        kind=test["kind"],
        text=text,
        before=test.get("before") or {},
        expected=test.get("expect") or {},
        area=test.get("area") or "",
        language=language,
        says=test.get("says") or "",
        then=test.get("then") or "",
    )


def _in_language(value: Any, language: str) -> Any:
    """Return `value` with everything that has a value per language in one of them."""
    if isinstance(value, Mapping):
        if value.keys() == set(LANGUAGES):
            return value[language]
        return {key: _in_language(one, language) for key, one in value.items()}
    if isinstance(value, list):
        return [_in_language(one, language) for one in value]
    return value


def _read_nonsense() -> Set:
    every = _load(OWN / "home_cottage.yaml")
    homes = {f"home_cottage.{code}": _in_language(every, code) for code in LANGUAGES}
    cases = [
        Case(home=f"home_cottage.{language}", kind="nonsense", text=text, language=language)
        for language, parts in _load(OWN / "nonsense.yaml").items()
        for text in _nonsense(parts)
    ]
    return Set(homes, cases)


def _nonsense(parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for template in parts["templates"]:
        yield from (template.format(thing=thing) for thing in parts["things"])
    yield from parts["others"]
