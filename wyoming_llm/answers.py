"""Answers that may be given again: to the same question, without side effects, for a while."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MOST: Final = 256

_OF_NOW: Final = re.compile(
    r"\b(now|today|tonight|tomorrow|yesterday|time|date|day|week|month|year|weather|temperature"
    r"|open|closed|on|off|still|currently|status|state|timer|here|again|random|another|joke|story"
    r"|jetzt|heute|morgen|uhr|datum|wetter|maintenant|aujourd|heure|ahora|hoy|hora)\b",
    re.IGNORECASE,
)
"""Words of questions whose answer changes, or should."""


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    given: float


class Answers:
    """Remembers answers for `seconds`. Time is injected, in seconds; 0 remembers nothing."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], _Answer] = OrderedDict()

    def find(self, question: str, language: str) -> str | None:
        """Return the answer that was given lately."""
        answer = self._known.get(_key(question, language))
        if answer is None or self._clock() - answer.given > self._seconds:
            return None
        return answer.text

    def add(self, question: str, language: str, text: str) -> None:
        """Remember an answer to a question that stands alone."""
        if not self._seconds or _OF_NOW.search(question):
            return
        self._known[_key(question, language)] = _Answer(text, self._clock())
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def _key(question: str, language: str) -> tuple[str, str]:
    return " ".join(re.findall(r"\w+", question.casefold())), language
