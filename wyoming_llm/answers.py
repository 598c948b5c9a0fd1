"""Answers that may be given again: to the same question, without side effects, for a while."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wyoming_common.turns import current_client
from wyoming_llm import languages

_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    given: float


class Answers:
    """Remembers answers for `seconds`, for the client that was given them.

    Time is injected, in seconds; 0 remembers nothing. Whoever asks next must not learn, by a reply
    that comes at once, what another client has asked.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[tuple[str, str, str], _Answer] = OrderedDict()

    def find(self, question: str, language: str) -> str | None:
        """Return the answer that was given lately."""
        answer = self._known.get(_key(question, language))
        if answer is None or self._clock() - answer.given > self._seconds:
            return None
        return answer.text

    def add(self, question: str, language: str, text: str) -> None:
        """Remember an answer to a question that stands alone, if it will still be one later."""
        if not self._seconds or not _is_lasting(question, language):
            return
        self._known[_key(question, language)] = _Answer(text, self._clock())
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def _is_lasting(question: str, language: str) -> bool:
    # In a language whose words for now and here we do not know, any question may hold one.
    return languages.is_known(language) and languages.language(language).is_lasting(question)


def _key(question: str, language: str) -> tuple[str, str, str]:
    return current_client(), " ".join(re.findall(r"\w+", question.casefold())), language
