"""Phrases and patterns of each language: replies, and the words of commands and questions.

Where we have no phrases of our own, the error responses of home-assistant-intents are said.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final

import yaml

from wyoming_llm.languages.intents_fallback import borrowed
from wyoming_llm.languages.vocabulary import HomeVocabulary, vocabulary

DEFAULT: Final = "en"
_MAX_LISTED_NAMES: Final = 4


@dataclass(frozen=True, slots=True)
class _Wishes:
    """Patterns of commands and questions about a home, or for an agent that can act."""

    thing: re.Pattern[str]
    act: re.Pattern[str]
    state: re.Pattern[str]
    asks: re.Pattern[str]
    leads: re.Pattern[str]
    """Imperatives that a command begins with"""
    questions: re.Pattern[str]
    always: re.Pattern[str]
    impossible: re.Pattern[str]
    polite: re.Pattern[str]
    talk: re.Pattern[str]
    general: re.Pattern[str]
    """Questions about things in general: any triangle, the sun"""
    ours: re.Pattern[str]
    """Words that make a question one about this home or this moment"""
    advice: re.Pattern[str]
    """Requests for words, for which no fact has to be known"""
    live: re.Pattern[str]
    """News, prices, departures: only a source that is kept up to date knows them"""
    moment: re.Pattern[str]
    personal: re.Pattern[str]
    """Questions about the person who speaks, and the people around"""
    now: re.Pattern[str]
    """Words of questions whose answer depends on when, where and by whom they are asked"""

    @classmethod
    def of(cls, patterns: Mapping[str, str]) -> "_Wishes":
        def words(key: str, form: str = r"\b(?:{})\b") -> re.Pattern[str]:
            return re.compile(form.format(patterns[key]), re.IGNORECASE)

        return cls(
            thing=words("things"),
            act=words("acts"),
            state=words("states"),
            asks=words("asks", r"^(?:{})\b"),
            leads=words("leads", r"^(?:{})\b(?= \S)"),
            questions=words("questions", r"^(?:{})\b"),
            always=words("always", "{}"),
            impossible=words("impossible", "{}"),
            polite=words("polite", r"^(?:{}\b[\s,]*)+"),
            talk=words("talk", r"^(?:{})\b"),
            general=words("general", r"^(?:{})"),
            ours=words("ours"),
            advice=words("advice", r"^(?:{})(?:\b|(?<= ))"),
            live=words("live", "{}"),
            moment=words("moment"),
            personal=words("personal", r"^(?:{})"),
            now=words("now"),
        )


@dataclass(frozen=True, slots=True)
class Language:
    """Phrases and patterns of one language."""

    code: str
    phrases: Mapping[str, str]
    wishes: _Wishes | None
    """None where we have no patterns of our own."""
    vocabulary: HomeVocabulary

    def say(self, phrase: str, **values: Any) -> str:
        """Return a phrase. Raises KeyError for an unknown one."""
        return self.phrases[phrase].format(**values).strip()

    def listed(self, names: Sequence[str]) -> str:
        """Return names as they are said: a, b and c; many are counted."""
        if len(names) < 2:
            return "".join(names)
        if len(names) > _MAX_LISTED_NAMES:
            shown = _MAX_LISTED_NAMES - 1
            return self.say("more", names=", ".join(names[:shown]), count=len(names) - shown)
        return self.say("and", names=", ".join(names[:-1]), last=names[-1])

    def wants_home(self, text: str) -> bool:
        """Whether `text` commands or asks after something of a home, in any words."""
        wishes = self.wishes
        if wishes is None:
            return self.vocabulary.tells(text)
        words = self._plain(text)
        if not words or self.is_talk(text):
            return False
        if wishes.leads.search(words) or wishes.always.search(words):
            return True
        if not wishes.thing.search(words):
            return False
        if wishes.act.search(words):
            return True
        return bool(wishes.state.search(words) and (wishes.asks.search(words) or _short(words)))

    def is_talk(self, text: str) -> bool:
        """Whether `text` is talk about the world and not about this home."""
        return self._says("talk", text) or self.is_general(text)

    def is_general(self, text: str) -> bool:
        """Whether `text` asks about things in general, by any "a" or "the sun" in a question."""
        return self._says("general", text) and not self._says("ours", text)

    def asks_the_unknown(self, text: str, told: Iterable[str] = ()) -> bool:
        """Whether `text` asks what no model can know: the world now, or a person's day.

        `told` is what the person said before; who tells of themselves may ask about that.
        """
        if self.wishes is None or self._says("advice", text):
            return False
        if self._says("live", text) or (self.is_question(text) and self._says("moment", text)):
            return True
        return self._says("personal", text) and not any(
            self._says("ours", one) and not self.is_question(one) for one in told
        )

    def asks_state(self, text: str) -> bool:
        """Whether `text`, which names a thing of the home, asks what state that is in."""
        return self._says("asks", text)

    def is_question(self, text: str) -> bool:
        """Whether `text` asks for an answer; "could you ..." asks for a deed."""
        return self._says("questions", text)

    def is_lasting(self, text: str) -> bool:
        """Whether the answer to `text` is the same at another time, in another room."""
        return self.wishes is not None and not self.wishes.now.search(text)

    def wants_impossible(self, text: str) -> bool:
        """Whether `text` asks for something to be done that needs more than words."""
        return self._says("impossible", text)

    def may_be_claimed(self, text: str) -> bool:
        """Whether a reply to `text` may claim to have done it."""
        return not self.is_question(text) and not self.is_talk(text)

    def _says(self, what: str, text: str) -> bool:
        if self.wishes is None:
            return False
        pattern: re.Pattern[str] = getattr(self.wishes, what)
        return bool(pattern.search(self._plain(text)))

    def _plain(self, text: str) -> str:
        words = " ".join(text.replace("\u2019", "'").split()).strip(" .,!?¿¡…")
        return self.wishes.polite.sub("", words).strip(" ,") if self.wishes is not None else words


def _short(words: str) -> bool:
    """Whether `words` are few enough for a command without a verb."""
    return len(words.split()) <= 5


def codes() -> list[str]:
    """Return the languages in which we have words of our own."""
    names = (path.name for path in files(__name__).iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def is_known(code: str) -> bool:
    """Whether we have words of our own in a language; "" is the default."""
    return _plain(code or DEFAULT) in codes()


def language(*wanted: str) -> Language:
    """Return the language of the first of `wanted` ("de-CH", "") that is one, or the default.

    What was asked for and is not there is no reason to answer in the next best one.
    """
    code = next(filter(None, wanted), DEFAULT)
    return _load(code.replace("_", "-"))


@functools.cache
def _load(code: str) -> Language:
    plain = _plain(code)
    words = vocabulary(code)
    if plain in codes():
        text = files(__name__).joinpath(f"{plain}.yaml").read_text(encoding="utf-8")
        content = yaml.safe_load(text)
        wishes = _Wishes.of(content["wishes"])
        return Language(plain, content["phrases"], wishes, replace(words, thing=wishes.thing))
    phrases = borrowed(code)
    if phrases is None:
        return _load(DEFAULT)
    return Language(plain, phrases, None, words)


def _plain(code: str) -> str:
    return re.split(r"[-_]", code.lower())[0]
