"""Commands in known words: Home Assistant's own sentences over the names of this home."""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wyoming_common.home import Home
from wyoming_llm.home import gazetteer
from wyoming_llm.home.gazetteer import Gazetteer
from wyoming_llm.home.names import corrections
from wyoming_llm.home.recognizer import Recognizer
from wyoming_llm.home.sentence_files import custom_files, read_sentences
from wyoming_llm.home.understood import Understood
from wyoming_llm.languages.borrowed import spelling_of

_MOST_KEPT: Final = 64
"""Texts of which is known what they ask for, as long as the home stays as it is"""
_MOST_LETTERS: Final = 300
"""Of a command; longer texts are none"""
_CODE: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}")
"""A language, as RFC 5646 has them: clients name it, and folders have its name"""
_MOST_LANGUAGES: Final = 8
"""Kept at a time: 6 MB each"""


class Sentences:
    """Recognises sentences. Blocking: 2 to 20 ms a sentence. Not thread-safe."""

    def __init__(self, custom: Sequence[Path] = ()) -> None:
        self._custom = custom
        self._loaded: OrderedDict[tuple[object, ...], Recognizer | None] = OrderedDict()
        self._gazetteer = Gazetteer()
        self._understood: OrderedDict[tuple[Recognizer, str, str], Sequence[Understood]]
        self._understood = OrderedDict()
        self._nobody = _slot_lists(Home(), {})
        self._lists_of: tuple[Home, Mapping[str, Any], dict[str, Any]] | None = None

    @property
    def languages(self) -> int:
        """How many are kept."""
        return len(self._loaded)

    def forget(self) -> None:
        """Forget what texts asked for."""
        self._understood.clear()

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
        # What is supposed to be said is most often what is said then.
        key = (known, words, area)
        if key not in self._understood:
            self._understood[key] = self._anew(known, words, home, classes, area, lists)
            while len(self._understood) > _MOST_KEPT:
                self._understood.popitem(last=False)
        return self._understood[key]

    def _anew(
        self,
        known: Recognizer,
        words: str,
        home: Home,
        classes: Mapping[str, str],
        area: str,
        lists: dict[str, Any],
    ) -> Sequence[Understood]:
        if (found := known.recognize(words, lists, area)) is not None:
            return (found,)
        if frames := self._in_other_words(known, words, home, classes, area):
            return frames
        for attempt in corrections(words, home.names()):
            if (found := known.recognize(attempt, lists, area)) is not None:
                return (found,)
        return ()

    def _in_other_words(
        self, known: Recognizer, text: str, home: Home, classes: Mapping[str, str], area: str
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

    def _language(self, language: str) -> Recognizer | None:
        code = language or "en"
        if not _CODE.fullmatch(code):
            return None
        base, files = spelling_of(code), custom_files(code, self._custom)
        # By what there is, not by its name: every region that a client names would be another.
        key = (base, *files)
        if key not in self._loaded:
            content = read_sentences(code, base, files)
            self._loaded[key] = Recognizer(base or code, content) if content else None
        self._loaded.move_to_end(key)
        while len(self._loaded) > _MOST_LANGUAGES:
            self._loaded.popitem(last=False)
            self.forget()
        return self._loaded[key]

    def _lists(self, home: Home, classes: Mapping[str, str]) -> dict[str, Any]:
        if self._lists_of is None or self._lists_of[0] is not home or self._lists_of[1] != classes:
            self._lists_of = (home, dict(classes), _slot_lists(home, classes))
            self.forget()
        return self._lists_of[2]


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
