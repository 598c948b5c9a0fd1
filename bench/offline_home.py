"""Homes without Home Assistant: what recognition makes of a sentence, and what it would change.

    python -m bench.offline_home HOME.yaml [--language de] [--area kitchen] [SENTENCE...]

HOME.yaml describes areas and entities as `bench/homes/*.yaml` do. A sentence "A | B" is B said
after A. Without a sentence, those of HOME.yaml are tried, and what is not as expected is printed.
Nothing but words and states is simulated, so a sentence takes milliseconds.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

from bench.home_sets import LANGUAGES
from wyoming_common.home_assistant.home import Area, Entity, Home, State
from wyoming_llm.home.confirmation import Reply, Waiting, reply_of
from wyoming_llm.home.intent import Action, Answer, Command, Lookup, Question, Refusal, Result
from wyoming_llm.home.lexicon import lexicon
from wyoming_llm.home.operations import is_risky
from wyoming_llm.home.recognition import Recognition
from wyoming_llm.home.targets import HomeSnapshot
from wyoming_llm.languages import language as words_of

_FEATURES: Final[Mapping[str, Mapping[str, int]]] = {
    "cover": {"OPEN": 1, "CLOSE": 2, "SET_POSITION": 4, "STOP": 8},
    "fan": {"SET_SPEED": 1, "OSCILLATE": 2, "PRESET_MODE": 8},
    "valve": {"OPEN": 1, "CLOSE": 2, "SET_POSITION": 4, "STOP": 8},
    "vacuum": {"PAUSE": 4, "STOP": 8, "RETURN_HOME": 16, "START": 8192, "FAN_SPEED": 32,
               "CLEAN_AREA": 16384, "BATTERY": 64},
    "media_player": {"PAUSE": 1, "VOLUME_SET": 4, "VOLUME_MUTE": 8, "PREVIOUS_TRACK": 16,
                     "NEXT_TRACK": 32, "PLAY": 16384, "STOP": 4096, "SEARCH_MEDIA": 1 << 22},
}  # fmt: skip
_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cover": {"supported_features": 15},
    "media_player": {"supported_features": 152509, "volume_level": 0.4},
    "climate": {"temperature": 20.0, "min_temp": 5, "max_temp": 95,
                "hvac_modes": ["off", "heat", "cool", "auto"]},
    "light": {"supported_color_modes": ["brightness"]},
}  # fmt: skip
_AFTER: Final[Mapping[str, Mapping[str, str]]] = {
    "HassTurnOn": {"cover": "open", "valve": "open", "lock": "locked", "climate": "heat"},
    "HassTurnOff": {"cover": "closed", "valve": "closed", "lock": "unlocked"},
    "HassVacuumStart": {"vacuum": "cleaning"},
    "HassVacuumReturnToBase": {"vacuum": "docked"},
    "HassMediaPause": {"media_player": "paused"},
    "HassMediaUnpause": {"media_player": "playing"},
}


class OfflineHome:
    """A described home, in which sentences are recognised one after the other."""

    def __init__(
        self, described: Mapping[str, Any], recognition: Recognition | None = None
    ) -> None:
        self._recognition = recognition or Recognition()
        floors: dict[str, Area] = {}
        areas: dict[str, Area] = {}
        for one in described["areas"]:
            floor = str(one.get("floor") or "")
            if floor:
                floors[floor] = Area(floor, floor)
            areas[one["id"]] = Area(one["id"], one["name"], tuple(one.get("aliases") or ()), floor)
        devices = {one["id"]: one for one in described.get("devices") or ()}
        entities: dict[str, Entity] = {}
        self.states: dict[str, State] = {}
        for one in described["entities"]:
            area = one.get("area") or devices.get(one.get("device"), {}).get("area") or ""
            called = (str(one["name"]), *one.get("aliases", ()))
            self.states[one["id"]] = _state(one)
            if one.get("exposed") is not False:
                entities[one["id"]] = Entity(one["id"], str(one["name"]), called, area)
        self.home = Home(entities, areas, floors, {}, str(described.get("language") or ""))
        self._recent: tuple[str, ...] = ()
        self._waiting: Waiting | None = None
        self._hidden = [str(one["name"]) for one in described["entities"] if "exposed" in one]

    def say(self, text: str, language: str = "en", area: str = "") -> str:
        """Return what a sentence comes to, in one line; a command changes the states."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and (answered := self._answered(waiting, text, language)):
            return answered
        snapshot = HomeSnapshot(self.home, self.states, area, self._recent)
        result = self._recognition.recognise(text, language, snapshot)
        return self._unrecognised(text, language) if result is None else self._told(result)

    def _unrecognised(self, text: str, language: str) -> str:
        """Return what happens where no model is asked."""
        words = words_of(language)
        if words.wants_home(text) or any(name in text for name in self._hidden):
            return "- not understood"
        return "- cannot" if words.wants_impossible(text) else "- talk"

    def _answered(self, waiting: Waiting, text: str, language: str) -> str:
        """Return what an answer comes to, "" for no answer."""
        known = lexicon(language)
        if waiting.question is not None:
            chosen = waiting.chosen(text, known)
            if chosen is None and reply_of(text) is Reply.YES and waiting.question.is_yes_or_no:
                chosen = waiting.question.every
            return "" if chosen is None else self._told(chosen, confirmed=True)
        assert waiting.command is not None
        reply = reply_of(text, [action.deed for action in waiting.command.actions], known)
        if reply is Reply.NO:
            return "will not"
        return self._told(waiting.command, confirmed=True) if reply is Reply.YES else ""

    def _told(self, result: Result, *, confirmed: bool = False) -> str:
        match result:
            case Command():
                told = "; ".join(sorted(_shown(action) for action in result.actions))
                if result.delayed:
                    told += " THEN " + "; ".join(sorted(_shown(one) for one in result.delayed))
                risky = any(self._asks(action) for action in (*result.actions, *result.delayed))
                if risky and not confirmed:
                    self._waiting = Waiting(result, None, 0.0)
                    return f"{told}  [asks first]"
                self._perform(result)
                return told
            case Question():
                self._waiting = Waiting(None, result, 0.0)
                return f"? {result.text}"
            case Answer():
                self._recent = result.about or self._recent
                return f"= {result.text}"
            case Lookup():
                names = ", ".join(entity.id for entity in result.targets)
                return f"lookup {result.service} {names} day={result.day} {result.about}"
            case Refusal():
                return f"! {result.text}"

    def _asks(self, action: Action) -> bool:
        target = action.target
        return target is not None and is_risky(action, self.states[target.id])

    def _perform(self, command: Command) -> None:
        targets = tuple(a.target.id for a in command.actions if a.target is not None)
        self._recent = targets or self._recent
        for action in command.actions:
            if action.target is None:
                continue
            now = self.states[action.target.id]
            simple = {"HassTurnOn": "on", "HassTurnOff": "off"}.get(action.intent, now.value)
            value = _AFTER.get(action.intent, {}).get(action.target.domain, simple)
            attributes = dict(now.attributes)
            if action.target.domain == "light" and value == "on":
                attributes.setdefault("brightness", 255)
            if "brightness" in action.slots:
                value = "on"
                attributes["brightness"] = round(int(action.slots["brightness"]) * 2.55)
            if "temperature" in action.slots:
                attributes["temperature"] = action.slots["temperature"]
            self.states[action.target.id] = replace(now, value=value, attributes=attributes)


def _state(one: Mapping[str, Any]) -> State:
    domain = str(one["id"]).partition(".")[0]
    value = one.get("state")
    if isinstance(value, Mapping):  # a fixture's name and its value
        value = value.get("out")
    said = {True: "on", False: "off", None: "off"}.get(value, str(value))
    attributes = {**_DEFAULTS.get(domain, {}), **(one.get("attributes") or {})}
    known = attributes.get("supported_features")
    if isinstance(known, list):
        flags = _FEATURES.get(domain, {})
        attributes["supported_features"] = sum(
            flags.get(str(name).rpartition(".")[2], 0) for name in known
        )
    kind = attributes.get("device_class")
    if kind is not None:
        attributes["device_class"] = str(kind).rpartition(".")[2].lower()
    if domain == "light" and said == "on" and attributes["supported_color_modes"] != ["onoff"]:
        attributes.setdefault("brightness", 255)
    changed = datetime.now().astimezone().replace(microsecond=0).isoformat()
    return State(said, attributes, changed)


def _shown(action: Action) -> str:
    values = " ".join(str(value) for value in action.slots.values())
    target = action.target.id if action.target is not None else action.intent
    return " ".join(filter(None, (action.deed, target, values)))


def read_home(path: Path, language: str = "en") -> Mapping[str, Any]:
    """Return a description, with everything that has a value per language in one of them."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    sentences = content.pop("sentences", {})
    return {**_in_language(content, language), "language": language, "sentences": sentences}


def _in_language(value: Any, language: str) -> Any:
    """Return `value` with everything that has a value per language in one of them."""
    if isinstance(value, Mapping):
        if value and value.keys() <= set(LANGUAGES):
            return value[language]
        return {key: _in_language(one, language) for key, one in value.items()}
    if isinstance(value, list):
        return [_in_language(one, language) for one in value]
    return value


def check(path: Path, language: str, recognition: Recognition | None = None) -> list[str]:
    """Return the sentences of a home that do not come to what they should."""
    described = read_home(path, language)
    wrong = []
    for area, text, expected in described["sentences"].get(language, ()):
        home = OfflineHome(described, recognition)
        told = [home.say(part.strip(), language, area) for part in text.split("|")]
        if not re.search(expected, told[-1]):
            wrong.append(f"{area or '.'}: {text} -> {told[-1]}, not /{expected}/")
    return wrong


def run(home: OfflineHome, texts: Sequence[str], language: str, area: str) -> None:
    """Print what each text comes to."""
    for text in texts:
        for part in text.split("|"):
            print(f"{part.strip()}\n    {home.say(part.strip(), language, area)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("home", type=Path)
    parser.add_argument("sentences", nargs="*")
    parser.add_argument("--language", default="en")
    parser.add_argument("--area", default="", help="id of the speaker's room")
    options = parser.parse_args()
    described = read_home(options.home, options.language)
    if not options.sentences:
        print("\n".join(check(options.home, options.language)) or "all as expected")
        return
    run(OfflineHome(described), options.sentences, options.language, options.area)


if __name__ == "__main__":
    main()
