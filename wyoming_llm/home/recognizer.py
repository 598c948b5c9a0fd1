"""What the sentences of one language ask for, and what of it there is not."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from wyoming_common.home import Home
from wyoming_llm.home.gazetteer import Found
from wyoming_llm.home.names import plain
from wyoming_llm.home.sentence_files import CUSTOM
from wyoming_llm.home.speech import render
from wyoming_llm.home.targets import QUESTIONS, REFUSABLE
from wyoming_llm.home.understood import Understood
from wyoming_llm.languages import language as words_of

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


class Recognizer:
    """The sentences of one language. Blocking; not thread-safe."""

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
