"""Commands in known words: Home Assistant's own sentences over the names of this home."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from wyoming_common.errors import ConfigError
from wyoming_common.home import Home
from wyoming_llm.home.names import corrections
from wyoming_llm.home.speech import say
from wyoming_llm.home.targets import QUESTIONS, REFUSABLE
from wyoming_llm.languages import language as words_of

_LOGGER = logging.getLogger(__name__)

_PLACES: Final = {"name": "entity", "area": "area", "floor": "floor"}
"""Slots that name something of the home, and what the package's error texts call that"""
_LEAST_NAME: Final = 4
"""Letters of a name worth a refusal; shorter ones are mostly articles"""
_LEAST_WORDS: Final = 3
"""Letters of a sentence that are not names, from which it says what to do"""
_UNKNOWN: Final = _PLACES.keys() | {"domain"}
_OWN_LETTERS: Final = dict.fromkeys(REFUSABLE, 6) | dict.fromkeys(QUESTIONS, 12)
"""Letters of a sentence that are not names, from which it is about a home, whoever's it is"""
_CUSTOM: Final = "parley_custom_sentence"


@dataclass(frozen=True, slots=True)
class Understood:
    """An intent, its slots, and how its success is said."""

    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    response: str = ""
    """Template of Home Assistant's"""
    language: str = "en"
    refusal: str = ""
    """What is said instead, when it names something that does not exist"""
    words: Mapping[str, Any] = field(default_factory=dict)
    """The slots as they were said, for the response"""
    guessed: bool = False
    """Whether a model chose it"""


class Sentences:
    """Recognises sentences. Blocking: 2 to 20 ms a sentence. Not thread-safe."""

    def __init__(self, custom: Sequence[Path] = ()) -> None:
        self._custom = custom
        self._loaded: dict[str, _Language | None] = {}
        self._nobody = _slot_lists(Home(), {})
        self._lists_of: tuple[Home, Mapping[str, Any], dict[str, Any]] | None = None

    def load(self, language: str) -> bool:
        """Load the sentences of `language`; False when there are none."""
        return self._language(language) is not None

    def recognize(
        self, text: str, language: str, home: Home, classes: Mapping[str, str], area: str = ""
    ) -> Understood | None:
        """Return what `text` asks for, None when no sentence fits.

        `classes` holds the device class of entities, `area` the name of the speaker's room.
        """
        known = self._language(language)
        if known is None:
            return None
        lists = self._lists(home, classes)
        words = text.strip().rstrip(".!?。！？,;").strip()  # noqa: RUF001 - other scripts
        if not words:
            return None
        for attempt in (words, *corrections(words, home.names())):
            if (found := known.recognize(attempt, lists, area)) is not None:
                return found
        return None

    def refuse(
        self, text: str, language: str, home: Home, classes: Mapping[str, str]
    ) -> Understood | None:
        """Return a refusal when `text` wants something done with a thing that does not exist.

        Slower than `recognize`: for texts that no sentence fits.
        """
        known = self._language(language)
        if known is None:
            return None
        unable = known.refuse_unable(text, home, self._nobody)
        return unable or known.refuse(text, self._lists(home, classes))

    def concerns_home(self, text: str, language: str) -> bool:
        """Whether `text` would command or ask after something of a home, whatever its names."""
        known = self._language(language)
        return known is not None and known.concerns_home(text, self._nobody)

    def _language(self, language: str) -> "_Language | None":
        code = language or "en"
        if code not in self._loaded:
            self._loaded[code] = _load(code, self._custom)
        return self._loaded[code]

    def _lists(self, home: Home, classes: Mapping[str, str]) -> dict[str, Any]:
        if self._lists_of is None or self._lists_of[0] is not home or self._lists_of[1] != classes:
            self._lists_of = (home, dict(classes), _slot_lists(home, classes))
        return self._lists_of[2]


class _Language:
    def __init__(self, code: str, content: dict[str, Any]) -> None:
        from hassil import Intents

        self._code = code
        self._intents = Intents.from_dict(content)
        responses = content.get("responses", {}).get("intents", {})
        self._errors: dict[str, str] = content.get("responses", {}).get("errors", {})
        self._responses: dict[str, dict[str, str]] = responses

    def recognize(self, text: str, lists: dict[str, Any], area: str) -> Understood | None:
        from hassil.recognize import recognize_best

        context = {"area": {"value": area, "text": area}} if area else {}
        result = recognize_best(
            text,
            self._intents,
            slot_lists=lists,
            intent_context=context,
            language=self._code,
            best_metadata_key=_CUSTOM,
            best_slot_name="name",
        )
        if result is None:
            return None
        slots = {name: _whole(entity.value) for name, entity in result.entities.items()}
        texts = self._responses.get(result.intent.name, {})
        key = result.response or "default"
        # A response key that no table has is the answer itself, as in custom sentences.
        response = texts.get(key, "" if key == "default" or " " not in key else key)
        words = {
            name: entity.text_clean or _whole(entity.value)
            for name, entity in result.entities.items()
        }
        return Understood(result.intent.name, slots, response, self._code, words=words)

    def concerns_home(self, text: str, lists: dict[str, Any]) -> bool:
        # A name fits any words: it is the sentence's own letters that tell a command from talk.
        return any(
            result.unmatched_entities.keys() <= _UNKNOWN
            and result.text_chunks_matched >= _OWN_LETTERS.get(result.intent.name, math.inf)
            for result in self._with_unknown_names(text, lists)
        )

    def _with_unknown_names(self, text: str, lists: dict[str, Any]) -> Iterable[Any]:
        from hassil.recognize import recognize_all

        return recognize_all(
            text.strip().rstrip(".!?"),
            self._intents,
            slot_lists=lists,
            language=self._code,
            allow_unmatched_entities=True,
        )

    def refuse(self, text: str, lists: dict[str, Any]) -> Understood | None:
        refusals = []
        for result in self._with_unknown_names(text, lists):
            missing = _unknown(result)
            if result.intent.name not in REFUSABLE or not missing.keys() <= _PLACES.keys():
                continue
            name, said = next(iter(missing.items()), ("", ""))
            own = result.text_chunks_matched
            if len(said) >= _LEAST_NAME and own >= max(_LEAST_WORDS, len(said) // 2):
                refusals.append((result.text_chunks_matched, -len(missing), name, said, result))
        if not refusals:
            return None
        _, _, name, said, result = max(refusals, key=lambda one: one[:2])
        template = self._errors.get(f"no_{_PLACES[name]}", "")
        # The templates speak of an entity where the slot is called a name.
        refusal = say(template.replace("{{ entity }}", "{{ slots.name }}")
                      .replace("{{ area }}", "{{ slots.area }}")
                      .replace("{{ floor }}", "{{ slots.floor }}"), {name: said})  # fmt: skip
        return Understood(
            result.intent.name,
            language=self._code,
            refusal=refusal or words_of(self._code).say("not_known", name=said),
        )

    def refuse_unable(self, text: str, home: Home, nobody: dict[str, Any]) -> Understood | None:
        """Return a refusal when `text` wants of a thing what things of its kind cannot do."""
        names = {name.casefold(): name for e in home.entities.values() for name in e.names}
        for result in self._with_unknown_names(text, nobody):
            missing = _unknown(result)
            if result.intent.name in REFUSABLE and missing.keys() == {"name"}:
                said = missing["name"].casefold()
                if said in names and result.text_chunks_matched >= _LEAST_WORDS:
                    refusal = words_of(self._code).say("not_able", name=names[said])
                    return Understood(result.intent.name, language=self._code, refusal=refusal)
        return None


def _whole(value: Any) -> Any:
    """Return a number as it is said: nobody says 5.0 minutes."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unknown(result: Any) -> dict[str, str]:
    """Return the words of a result that stand where a name should; what was not said is not there.

    The kind of a thing is missing whenever its name is unknown.
    """
    from hassil.recognize import MISSING_ENTITY

    texts = {
        name: str(getattr(entity, "text", "")).strip()
        for name, entity in result.unmatched_entities.items()
    }
    return {name: text for name, text in texts.items() if text != MISSING_ENTITY}


def _load(code: str, custom: Sequence[Path]) -> _Language | None:
    from hassil.util import merge_dict
    from home_assistant_intents import get_intents, get_languages

    languages = get_languages()
    base = next((name for name in _spellings(code) if name in languages), None)
    content: dict[str, Any] = dict(get_intents(base) or {}) if base else {}
    for path in _custom_files(code, custom):
        try:
            merge_dict(content, _read(path))
        except ConfigError as err:
            _LOGGER.warning("%s; going on without this file", err)
    if not content.get("intents"):
        _LOGGER.warning("There are no sentences for the language '%s'", code)
        return None
    content.setdefault("language", code)
    return _Language(base or code, content)


def _spellings(code: str) -> list[str]:
    plain = code.replace("_", "-")
    return [plain, plain.partition("-")[0]]


def _custom_files(code: str, folders: Sequence[Path]) -> list[Path]:
    """Custom sentences of a language: FOLDER/LANGUAGE/*.yaml, as Home Assistant has them."""
    found = []
    for folder in folders:
        for name in _spellings(code):
            if (folder / name).is_dir():
                found += sorted((folder / name).glob("*.yaml"))
                break
    return found


def _read(path: Path) -> dict[str, Any]:
    from hassil import Intents

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise ConfigError(f"sentences_dir: {path}: {' '.join(str(err).split())}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"sentences_dir: {path}: expected intents by name")
    try:
        for intent in (content.get("intents") or {}).values():
            for data in (intent or {}).get("data") or []:
                data.setdefault("metadata", {})[_CUSTOM] = True
        # Sentences are parsed when they are first compared: what is wrong with one shows here.
        for intent in Intents.from_dict({"language": "en", **content}).intents.values():
            for data in intent.data:
                _ = [sentence.expression for sentence in data.sentences]
    except Exception as err:
        raise ConfigError(f"sentences_dir: {path}: {' '.join(str(err).split()):.200}") from err
    return content


def _slot_lists(home: Home, classes: Mapping[str, str]) -> dict[str, Any]:
    from hassil.intents import TextSlotList

    names = []
    for entity in home.entities.values():
        context = {"domain": entity.domain}
        if entity.id in classes:
            context["device_class"] = classes[entity.id]
        names += [(name, name, context) for name in entity.names]
    areas = [(name, area.name) for area in home.areas.values() for name in area.names]
    floors = [(name, floor.name) for floor in home.floors.values() for name in floor.names]
    return {
        "name": TextSlotList.from_tuples(names, allow_template=False),
        "area": TextSlotList.from_tuples(areas, allow_template=False),
        "floor": TextSlotList.from_tuples(floors, allow_template=False),
    }
