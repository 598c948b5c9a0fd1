"""Requests of voice lessons and the lines of them, one YAML file a language."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

import yaml

from wyoming_llm.home.confirmation import Reply, denies, reply_of

LANGUAGES: Final = ("de", "en", "es", "fr", "it", "nl")
_MAX_REQUEST_WORDS: Final = 16
_NAME: Final = r"[^\W\d_][\w'\u2019.-]*(?:\s+[^\W\d_][\w'\u2019.-]*){0,2}"
"""At most three words"""
_HESITATION: Final = re.compile(r"(?:[ue]+h*m*|h+m+|m+|ä+h*m*|öh*m*|e+h*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LessonWords:
    """Requests, answers and lines of the lessons in one language."""

    code: str
    learn: re.Pattern[str]
    forget: re.Pattern[str]
    name: re.Pattern[str]
    polite: re.Pattern[str]
    cancel: re.Pattern[str]
    lines: Mapping[str, str]
    questions: Sequence[str]

    def asks_to_learn(self, text: str) -> bool:
        """Whether a text asks to learn the voice that says it."""
        return self._asks(self.learn, text)

    def asks_to_forget(self, text: str) -> bool:
        """Whether a text asks to forget the voice that says it."""
        return self._asks(self.forget, text)

    def cancels(self, text: str) -> bool:
        """Whether a text says nothing but to leave it."""
        return bool(self.cancel.fullmatch(self._trimmed(_plain(text))))

    def introduced(self, text: str) -> str:
        """Return the name by which a person introduces themselves, "" where none is."""
        told = self.learn.sub(", ", _plain(text))
        parts = [self._trimmed(part) for part in re.split(r"[,;:.!]\s+|[,;:.!]$", told)]
        for part in parts:
            if (found := self.name.fullmatch(part)) is not None:
                return _written(self._trimmed(found["name"]))
        return ""

    def named(self, text: str) -> str:
        """Return the name in an answer to the question for it, "" where none is."""
        if (name := self.introduced(text)) or reply_of(text) is not Reply.OTHER:
            return name
        bare = self._trimmed(_plain(text))
        if "?" in text or not re.fullmatch(_NAME, bare) or _HESITATION.fullmatch(bare):
            return ""
        return _written(bare)

    def say(self, line: str, name: str = "", question: int = 0) -> str:
        """Return a line, with a name and the question of a number where it holds them."""
        return self.lines[line].format(name=name, question=self.questions[question])

    def _asks(self, what: re.Pattern[str], text: str) -> bool:
        plain = _plain(text)
        return (
            len(plain.split()) <= _MAX_REQUEST_WORDS
            and what.search(plain) is not None
            and "?" not in text.strip().rstrip("?")
            and not denies(text)
        )

    def _trimmed(self, text: str) -> str:
        """Return a text without polite words at its ends."""
        while (rest := self.polite.sub("", text).strip(" ,.!?")) != text:
            text = rest
        return text


def lesson_words(code: str) -> LessonWords | None:
    """Return the words of a language by its code (de-AT is de), None for other languages."""
    base = code.replace("_", "-").partition("-")[0].lower()
    if base not in LANGUAGES:
        return None
    return _load(base)


@functools.cache
def _load(base: str) -> LessonWords:
    file = resources.files("wyoming_llm.voices") / "languages" / f"{base}.yaml"
    table = yaml.safe_load(file.read_text(encoding="utf-8"))
    requests = table["requests"]

    def pattern(form: str, key: str) -> re.Pattern[str]:
        return re.compile(form.format(requests[key]), re.IGNORECASE)

    return LessonWords(
        code=base,
        learn=pattern(r"\b(?:{})\b", "learn"),
        forget=pattern(r"\b(?:{})\b", "forget"),
        name=re.compile(rf"(?:{requests['name']})\s+(?P<name>{_NAME})", re.IGNORECASE),
        polite=pattern(r"^(?:(?:{0})\b[\s,]*)+|[\s,]*\b(?:{0})$", "polite"),
        cancel=pattern("{}", "cancel"),
        lines=table["lines"],
        questions=table["questions"],
    )


def _plain(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").split()).strip(" .,!?¿¡…")


def _written(name: str) -> str:
    name = name.strip(" .,!?'-")
    return name.title() if name.islower() else name
