"""Answer cache: repeated questions without side effects get the same answer for a while."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from wyoming_common.net.fairness import current_client
from wyoming_llm import languages

_MAX_ANSWERS: Final = 256


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    given: float


class AnswerCache:
    """Remembers answers for `seconds`, each for the client that got it.

    A client must not learn by an instant reply what another client has asked. 0 remembers nothing.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[tuple[str, str, str, str], _Answer] = OrderedDict()

    def find(self, question: str, language: str, speaker: str = "") -> str | None:
        """Return the answer that the current client, and who speaks there, got lately, if any."""
        answer = self._known.get(_key(question, language, speaker))
        if answer is None or self._clock() - answer.given > self._seconds:
            return None
        return answer.text

    def add(self, question: str, language: str, text: str, speaker: str = "") -> None:
        """Remember the answer to a first question, if it does not depend on time or place."""
        if not self._seconds or not _is_lasting(question, language):
            return
        self._known[_key(question, language, speaker)] = _Answer(text, self._clock())
        while len(self._known) > _MAX_ANSWERS:
            self._known.popitem(last=False)


def _is_lasting(question: str, language: str) -> bool:
    # In a language without a list of such words, any question may hold one.
    return languages.is_known(language) and languages.language(language).is_lasting(question)


def _key(question: str, language: str, speaker: str) -> tuple[str, str, str, str]:
    return current_client(), " ".join(re.findall(r"\w+", question.casefold())), language, speaker
