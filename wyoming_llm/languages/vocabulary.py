"""Words that speak of a home, in every language of home-assistant-intents.

What commands and questions have in common are things; what only commands have is what is done to
them; and the package's responses say how it is said that it was done.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wyoming_llm.languages.borrowed import content_of

_LEAST_LETTERS: Final = 3
"""Of a word; shorter ones are mostly articles"""
_LEAST_STEM: Final = 4
_MOST_STEM: Final = 5
"""Letters that words must share, where one of them is longer"""
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
"""Sentences that are not about things of a home: their words are everybody's"""
_SMALL: Final = ("the", "in", "is", "are", "all", "any", "every", "here", "home", "area", "floor")
"""Rules that say where and how many, but neither what nor how"""
_KINDS: Final = frozenset(
    {"light", "lock", "switch", "fan", "cover", "awning", "blind", "curtain", "door", "garage",
     "gate", "shade", "shutter", "window", "tv", "speaker", "receiver", "outlet", "valve"}
)  # fmt: skip
"""Domains and device classes: what lists of the package have a word for"""
_CODE: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
_QUOTED: Final = re.compile(r"[\"']([^\"']+)[\"']\s*[,}]")
_UNPARTED: Final = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)
"""Scripts whose words are not parted by spaces"""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Beginnings of words: endings are grammar's."""

    deeds: frozenset[str]
    things: frozenset[str]

    def with_names(self, names: Iterable[str]) -> "Vocabulary":
        """Return this, and the names of what is in a home as things."""
        named = {stem for name in names for stem in _stems(name)}
        return Vocabulary(self.deeds - named, self.things | named)

    def tells(self, text: str) -> bool:
        """Whether `text` speaks of a thing and of something done to it."""
        signs = [set(self._signs(word)) for word in _words(text)]
        told = [known for known in signs if known]
        if not self.things:
            return len(told) > 1
        deeds = [known for known in told if not known.isdisjoint(self.deeds)]
        things = [known for known in told if not known.isdisjoint(self.things)]
        return bool(deeds and things) and (len(told) > 1 or len(told[0]) > 1)

    def speaks_of_deeds(self, text: str) -> bool:
        """Whether a word of `text` is something done."""
        return any(sign in self.deeds for word in _words(text) for sign in self._signs(word))

    def speaks(self, text: str) -> bool:
        """Whether a word of `text` is a thing, or something done."""
        return any(True for word in _words(text) for _ in self._signs(word))

    def _signs(self, word: str) -> Iterator[str]:
        known = self.deeds | self.things
        if _UNPARTED.search(word):
            yield from (sign for sign in known if sign in word)
            return
        least = _LEAST_LETTERS if len(word) <= 2 * _LEAST_LETTERS else _LEAST_STEM
        yield from (word[:end] for end in range(least, len(word) + 1) if word[:end] in known)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


@functools.cache
def vocabulary(code: str) -> Vocabulary:
    """Return the words of a language, none where the package has it not."""
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
    return Vocabulary(
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
    """Return how the words of `text` begin, whatever their endings."""
    stems: set[str] = set()
    for word in _words(text):
        if _UNPARTED.search(word):
            stems.add(word)
        elif len(word) >= _LEAST_LETTERS:
            stem = word[: max(_LEAST_STEM, len(word) - 2)]
            stems |= {stem, stem[:_MOST_STEM]}
    return stems
