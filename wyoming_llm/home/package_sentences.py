"""Recogniser of Home Assistant's own sentences, and of those a user adds to them, with hassil."""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hassil import Intents
from hassil.intents import TextSlotList
from hassil.recognize import recognize_best

from wyoming_common.home_assistant.home import Home
from wyoming_llm.home.sentence_files import CUSTOM, custom_files, read_sentences
from wyoming_llm.languages.intents_fallback import spelling_of

_MAX_CACHED: Final = 64
"""Texts of which is known what they ask for, as long as the home stays as it is"""
_CODE: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}")
"""A language, as RFC 5646 has them: clients name it, and folders have its name"""
_MAX_HOMES: Final = 4
"""Of which the names are kept: one and its device classes, as it is known at either port"""
_MAX_LANGUAGES: Final = 8
"""Cached at a time: 6 MB each"""


@dataclass(frozen=True, slots=True)
class Matched:
    """An intent of a sentence, its slots, and the template in which its success is said."""

    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    response: str = ""
    language: str = "en"
    words: Mapping[str, Any] = field(default_factory=dict)
    """The slots as they were said, for the response"""
    custom: bool = False
    """Whether a user wrote the sentence"""


class PackageSentences:
    """Matches sentences, language by language. Blocking: 2 to 20 ms a text. Not thread-safe."""

    def __init__(self, custom: Sequence[Path] = ()) -> None:
        self._custom = custom
        self._loaded: OrderedDict[tuple[object, ...], _Language | None] = OrderedDict()
        self._matched: OrderedDict[tuple[_Language, int, str, str], Matched | None] = OrderedDict()
        self._lists_of: list[tuple[Home, Mapping[str, str], dict[str, Any]]] = []

    @property
    def languages(self) -> int:
        """The number of languages that are cached."""
        return len(self._loaded)

    def load(self, language: str) -> bool:
        """Load the sentences of `language`; False for a language without sentences."""
        known = self._language(language)
        if known is not None:
            known.warm_up()
        return known is not None

    def match(
        self, text: str, language: str, home: Home, classes: Mapping[str, str], area: str = ""
    ) -> Matched | None:
        """Return what `text` asks for, None when no sentence fits.

        `classes` holds the device class of entities, `area` the name of the speaker's room.
        """
        known = self._language(language)
        words = text.strip().rstrip(".!?。！？,;").strip()  # noqa: RUF001 - other scripts
        if known is None or not words:
            return None
        lists = self._lists(home, classes)
        # The transcript that was foreseen is most often the final one.
        key = (known, id(lists), words, area)
        if key not in self._matched:
            self._matched[key] = known.match(words, lists, area)
            while len(self._matched) > _MAX_CACHED:
                self._matched.popitem(last=False)
        return self._matched[key]

    def _language(self, language: str) -> "_Language | None":
        code = language or "en"
        if not _CODE.fullmatch(code):
            return None
        base, files = spelling_of(code), custom_files(code, self._custom)
        # By its files and not by its name: each region that a client names would be another.
        key = (base, *files)
        if key not in self._loaded:
            content = read_sentences(code, base, files)
            self._loaded[key] = _Language(base or code, content) if content else None
        self._loaded.move_to_end(key)
        while len(self._loaded) > _MAX_LANGUAGES:
            self._loaded.popitem(last=False)
            self._matched.clear()
        return self._loaded[key]

    def _lists(self, home: Home, classes: Mapping[str, str]) -> dict[str, Any]:
        for known, known_classes, lists in self._lists_of:
            if known is home and known_classes == classes:
                return lists
        lists = _slot_lists(home, classes)
        self._lists_of = [(home, dict(classes), lists), *self._lists_of[: _MAX_HOMES - 1]]
        self._matched.clear()
        return lists


class _Language:
    """The sentences of one language."""

    def __init__(self, code: str, content: dict[str, Any]) -> None:
        self._code = code
        self._intents = Intents.from_dict(content)
        self._responses: dict[str, dict[str, str]] = content.get("responses", {}).get("intents", {})

    def match(self, text: str, lists: dict[str, Any], area: str) -> Matched | None:
        """Return the best match of a sentence."""
        context = {"area": {"value": area, "text": area}} if area else {}
        result = recognize_best(
            text,
            self._intents,
            slot_lists=lists,
            intent_context=context,
            language=self._code,
            best_metadata_key=CUSTOM,
            best_slot_name="name",
        )
        if result is None:
            return None
        slots = {name: _whole(entity.value) for name, entity in result.entities.items()}
        words = {
            name: entity.text_clean or _whole(entity.value)
            for name, entity in result.entities.items()
        }
        custom = bool((result.intent_metadata or {}).get(CUSTOM))
        response = self._response(result.intent.name, result.response or "default")
        return Matched(result.intent.name, slots, response, self._code, words, custom)

    def warm_up(self) -> None:
        """Parse every sentence, which hassil does when it is first compared."""
        for intent in self._intents.intents.values():
            for data in intent.data:
                for sentence in data.sentences:
                    _ = sentence.expression
        self.match("0 x", _slot_lists(Home(), {}), "")

    def _response(self, intent: str, key: str) -> str:
        # A response key that no table has is the answer itself, as in custom sentences.
        texts = self._responses.get(intent, {})
        return texts.get(key, "" if key == "default" or " " not in key else key)


def _whole(value: Any) -> Any:
    """Return a number as people say it: 5 minutes, not 5.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _slot_lists(home: Home, classes: Mapping[str, str]) -> dict[str, Any]:
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
