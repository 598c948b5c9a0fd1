"""Vocabulary of home control, in every language of home-assistant-intents.

Words that commands and questions share name things; words that only commands have name actions;
the package's responses hold the words for actions that are done.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from wyoming_llm.languages.intents_fallback import content_of

_MIN_WORD_LETTERS: Final = 3
"""Shorter words are mostly articles."""
_MIN_STEM_LETTERS: Final = 4
_MAX_STEM_LETTERS: Final = 5
"""Letters that words must share when one of them is longer."""
_COMMANDS: Final = frozenset(
    {"HassTurnOn", "HassTurnOff", "HassToggle", "HassLightSet", "HassSetPosition",
     "HassFanSetSpeed", "HassClimateSetTemperature"}
)  # fmt: skip
_QUESTIONS: Final = frozenset({"HassGetState"})
_ELSEWHERE: Final = frozenset(
    {"HassNevermind", "HassRespond", "HassGetCurrentTime", "HassGetCurrentDate", "HassListAddItem",
     "HassShoppingListAddItem", "HassStartTimer", "HassCancelTimer", "HassTimerStatus",
     "HassIncreaseTimer", "HassGetWeather", "HassBroadcast"}
)  # fmt: skip
"""Intents whose sentences are not about things of a home."""
_SMALL: Final = ("the", "in", "is", "are", "all", "any", "every", "here", "home", "area", "floor")
"""Expansion rules of places and quantities, without things and actions."""
_KINDS: Final = frozenset(
    {"light", "lock", "switch", "fan", "cover", "awning", "blind", "curtain", "door", "garage",
     "gate", "shade", "shutter", "window", "tv", "speaker", "receiver", "outlet", "valve"}
)  # fmt: skip
"""Domains and device classes for which the lists of the package have a word."""
_CODE: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_QUOTED: Final = re.compile(r"[\"']([^\"']+)[\"']\s*[,}]")
_NOTHING: Final = re.compile(r"(?!)")
_UNPARTED: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)
"""Scripts that write no spaces between words."""


@dataclass(frozen=True, slots=True)
class HomeVocabulary:
    """Stems of the words for things of a home and for actions on them."""

    deeds: frozenset[str]
    things: frozenset[str]
    thing: re.Pattern[str] = _NOTHING
    """More names of things, in lower case"""

    def with_names(self, names: Iterable[str]) -> "HomeVocabulary":
        """Return this vocabulary with the names of a home's entities as things."""
        named = {stem for name in names for stem in _stems(name)}
        return replace(self, deeds=self.deeds - named, things=self.things | named)

    def tells(self, text: str) -> bool:
        """Whether `text` names a thing and an action on it."""
        signs = [set(self._signs(word)) for word in _words(text)]
        told = [known for known in signs if known]
        if not self.things:
            return len(told) > 1
        deeds = [known for known in told if not known.isdisjoint(self.deeds)]
        things = [known for known in told if not known.isdisjoint(self.things)]
        return bool(deeds and things) and (len(told) > 1 or len(told[0]) > 1)

    def speaks_of_deeds(self, text: str) -> bool:
        """Whether a word of `text` is an action."""
        return any(sign in self.deeds for word in _words(text) for sign in self._signs(word))

    def speaks(self, text: str) -> bool:
        """Whether a word of `text` is a thing or an action."""
        return any(True for word in _words(text) for _ in self._signs(word))

    def names_thing(self, text: str) -> bool:
        """Whether a word of `text` is a thing."""
        return self.thing.search(text) is not None or any(
            sign in self.things for word in _words(text) for sign in self._signs(word)
        )

    def _signs(self, word: str) -> Iterator[str]:
        known = self.deeds | self.things
        if _UNPARTED.search(word):
            yield from (sign for sign in known if sign in word)
            return
        least = _MIN_WORD_LETTERS if len(word) <= 2 * _MIN_WORD_LETTERS else _MIN_STEM_LETTERS
        yield from (word[:end] for end in range(least, len(word) + 1) if word[:end] in known)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


@functools.cache
def vocabulary(code: str) -> HomeVocabulary:
    """Return the vocabulary of a language, empty where the package does not have it."""
    content = content_of(code)
    commands = _of_sentences(content, _COMMANDS)
    questions = _of_sentences(content, _QUESTIONS)
    rules: Mapping[str, str] = content.get("expansion_rules", {})
    small = _stems(" ".join(_literal((rules[name] for name in _SMALL if name in rules), rules)))
    others = small | _of_sentences(content, _ELSEWHERE)
    told: set[str] = set()
    named: set[str] = set()
    for intent, texts in content.get("responses", {}).get("intents", {}).items():
        if intent in _COMMANDS:
            for template in texts.values():
                told |= _stems(_CODE.sub(" ", template))
                named |= _stems(" ".join(_QUOTED.findall(" ".join(_CODE.findall(template)))))
    things = (named | _listed(content) | (commands & questions)) - others
    return HomeVocabulary(
        deeds=frozenset((commands - questions - others - things) | (told - others - things)),
        things=frozenset(things),
    )


def _listed(content: Mapping[str, Any]) -> set[str]:
    """Return the words for kinds of devices."""
    found: set[str] = set()
    for known in content.get("lists", {}).values():
        for value in known.get("values", ()):
            if isinstance(value, dict) and str(value.get("out")) in _KINDS:
                found |= _stems(str(value.get("in")))
    return found


def _of_sentences(content: Mapping[str, Any], wanted: Iterable[str]) -> set[str]:
    rules: Mapping[str, str] = content.get("expansion_rules", {})
    found: set[str] = set()
    for intent in wanted:
        for data in content.get("intents", {}).get(intent, {}).get("data", ()):
            known = {**rules, **data.get("expansion_rules", {})}
            found |= _stems(" ".join(_literal(data["sentences"], known)))
    return found


def _literal(sentences: Iterable[str], rules: Mapping[str, str]) -> Iterator[str]:
    """Yield the text of templates and of the rules that they name."""
    waiting, seen = list(sentences), set[str]()
    while waiting:
        text = waiting.pop()
        for rule in re.findall(r"<([^>]+)>", text):
            if rule not in seen and rule in rules:
                seen.add(rule)
                waiting.append(rules[rule])
        yield re.sub(r"\{[^}]*\}|<[^>]*>", " ", text)


def _stems(text: str) -> set[str]:
    """Return the stems of the words of `text`."""
    stems: set[str] = set()
    for word in _words(text):
        if _UNPARTED.search(word):
            stems.add(word)
        elif len(word) >= _MIN_WORD_LETTERS:
            stem = word[: max(_MIN_STEM_LETTERS, len(word) - 2)]
            stems |= {stem, stem[:_MAX_STEM_LETTERS]}
    return stems
