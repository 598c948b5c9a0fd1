"""Commands in known words: Home Assistant's own sentences over the names of this home."""

import math
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from wyoming_common.home import Home
from wyoming_llm.home import gazetteer
from wyoming_llm.home.gazetteer import Found, Gazetteer
from wyoming_llm.home.names import corrections, plain
from wyoming_llm.home.sentence_files import CUSTOM, custom_files, read_sentences
from wyoming_llm.home.speech import render
from wyoming_llm.home.targets import QUESTIONS, REFUSABLE
from wyoming_llm.languages import language as words_of
from wyoming_llm.languages.borrowed import spelling_of

_PLACES: Final = {"name": "entity", "area": "area", "floor": "floor"}
"""Slots that name something of the home, and what the package's error texts call that"""
_LEAST_NAME: Final = 4
"""Letters of a name worth a refusal; shorter ones are mostly articles"""
_LEAST_WORDS: Final = 3
"""Letters of a sentence that are not names, from which it says what to do"""
_LEAST_OWN: Final = dict.fromkeys(REFUSABLE, _LEAST_WORDS) | dict.fromkeys(QUESTIONS, 12)
"""The same of a sentence that is refused for a name: what may be asked after is more than a home"""
_UNKNOWN: Final = _PLACES.keys() | {"domain"}
_OWN_LETTERS: Final = dict.fromkeys(REFUSABLE, 6) | dict.fromkeys(QUESTIONS, 12)
"""Letters of a sentence that are not names, from which it is about a home, whoever's it is"""
_MOST_LETTERS: Final = 300
"""Of a command; longer texts are none"""
_CODE: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}")
"""A language, as RFC 5646 has them: clients name it, and folders have its name"""
_MOST_LANGUAGES: Final = 8
"""Kept at a time: 6 MB each"""


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
        self._loaded: OrderedDict[tuple[object, ...], _Language | None] = OrderedDict()
        self._gazetteer = Gazetteer()
        self._nobody = _slot_lists(Home(), {})
        self._lists_of: tuple[Home, Mapping[str, Any], dict[str, Any]] | None = None

    @property
    def languages(self) -> int:
        """How many are kept."""
        return len(self._loaded)

    def load(self, language: str) -> bool:
        """Load the sentences of `language`; False when there are none."""
        return self._language(language) is not None

    def recognize(
        self, text: str, language: str, home: Home, classes: Mapping[str, str], area: str = ""
    ) -> Understood | None:
        """Return what `text` asks for, None when no sentence fits.

        `classes` holds the device class of entities, `area` the name of the speaker's room.
        """
        return next(iter(self.understand(text, language, home, classes, area)), None)

    def understand(
        self, text: str, language: str, home: Home, classes: Mapping[str, str], area: str = ""
    ) -> Sequence[Understood]:
        """Return everything that `text` asks for; only in English that may be several things.

        As in Home Assistant: the sentences first, then other words. Then names that were misheard.
        """
        known = self._language(language)
        words = text.strip().rstrip(".!?。！？,;").strip()  # noqa: RUF001 - other scripts
        if known is None or not words:
            return ()
        lists = self._lists(home, classes)
        if (found := known.recognize(words, lists, area)) is not None:
            return (found,)
        if frames := self._in_other_words(known, words, home, classes, area):
            return frames
        for attempt in corrections(words, home.names()):
            if (found := known.recognize(attempt, lists, area)) is not None:
                return (found,)
        return ()

    def _in_other_words(
        self, known: "_Language", text: str, home: Home, classes: Mapping[str, str], area: str
    ) -> Sequence[Understood]:
        if known.base != gazetteer.CODE or len(text) > _MOST_LETTERS:
            return ()
        return [known.worded(found) for found in self._gazetteer.find(text, home, classes, area)]

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
        if not _CODE.fullmatch(code):
            return None
        base, files = spelling_of(code), custom_files(code, self._custom)
        # By what there is, not by its name: every region that a client names would be another.
        key = (base, *files)
        if key not in self._loaded:
            content = read_sentences(code, base, files)
            self._loaded[key] = _Language(base or code, content) if content else None
        self._loaded.move_to_end(key)
        while len(self._loaded) > _MOST_LANGUAGES:
            self._loaded.popitem(last=False)
        return self._loaded[key]

    def _lists(self, home: Home, classes: Mapping[str, str]) -> dict[str, Any]:
        if self._lists_of is None or self._lists_of[0] is not home or self._lists_of[1] != classes:
            self._lists_of = (home, dict(classes), _slot_lists(home, classes))
        return self._lists_of[2]


class _Language:
    def __init__(self, code: str, content: dict[str, Any]) -> None:
        from hassil import Intents

        self.base = code
        self._code = code
        self._intents = Intents.from_dict(content)
        wanted = {name: it for name, it in self._intents.intents.items() if name in _LEAST_OWN}
        # With unknown names every template is tried in every way: only those that matter.
        self._of_things = replace(self._intents, intents=wanted)
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
            best_metadata_key=CUSTOM,
            best_slot_name="name",
        )
        if result is None:
            return None
        slots = {name: _whole(entity.value) for name, entity in result.entities.items()}
        response = self._response(result.intent.name, result.response or "default")
        words = {
            name: entity.text_clean or _whole(entity.value)
            for name, entity in result.entities.items()
        }
        return Understood(result.intent.name, slots, response, self._code, words=words)

    def worded(self, found: Found) -> Understood:
        """Return what was found in other words, with what is said to it."""
        response = self._response(found.intent, found.response)
        return Understood(found.intent, found.slots, response, self._code, words=found.words)

    def _response(self, intent: str, key: str) -> str:
        # A response key that no table has is the answer itself, as in custom sentences.
        texts = self._responses.get(intent, {})
        return texts.get(key, "" if key == "default" or " " not in key else key)

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
            self._of_things,
            slot_lists=lists,
            language=self._code,
            allow_unmatched_entities=True,
        )

    def refuse(self, text: str, lists: dict[str, Any]) -> Understood | None:
        refusals = []
        for result in self._with_unknown_names(text, lists):
            missing = _unknown(result)
            if result.intent.name not in _LEAST_OWN or not missing.keys() <= _PLACES.keys():
                continue
            name, said = next(iter(missing.items()), ("", ""))
            own = result.text_chunks_matched
            if len(said) >= _LEAST_NAME and own >= max(
                _LEAST_OWN[result.intent.name], len(said) // 2
            ):
                refusals.append((own, -len(missing), name, said, result))
        if not refusals:
            return None
        _, _, name, said, result = max(refusals, key=lambda one: one[:2])
        kind = _PLACES[name]
        refusal = render(self._errors.get(f"no_{kind}", ""), **{kind: said})
        return Understood(
            result.intent.name,
            language=self._code,
            refusal=refusal or words_of(self._code).say("not_known", name=said),
        )

    def refuse_unable(self, text: str, home: Home, nobody: dict[str, Any]) -> Understood | None:
        """Return a refusal when `text` wants of a thing what things of its kind cannot do."""
        said_text = plain(text)
        names = {
            name.casefold(): name
            for entity in home.entities.values()
            for name in entity.names
            if plain(name) in said_text
        }
        if not names:
            return None
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
