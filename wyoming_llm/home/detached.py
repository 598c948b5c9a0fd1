"""What is answered without a home to control: the clock truthfully, commands by a refusal.

A model that is asked to switch something it cannot reach says that it did, and guesses the time.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Final

from wyoming_common.home import Home
from wyoming_common.worker import ModelThread
from wyoming_llm.home.sentences import Sentences
from wyoming_llm.home.speech import say
from wyoming_llm.languages import language as words_of
from wyoming_llm.outcome import Fail, Outcome, Say

_CLOCK: Final = frozenset({"HassGetCurrentTime", "HassGetCurrentDate"})


class NoHome:
    """Stands where HomeControl would, when there is no Home Assistant to ask."""

    language = ""
    names: Sequence[str] = ()

    def __init__(
        self,
        sentences: ModelThread[Sentences],
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._sentences = sentences
        self._now = now
        self._home = Home()

    def area_of(self, device: str) -> str:  # noqa: ARG002 - HomeControl's
        """Return "": rooms are not known."""
        return ""

    async def handle(
        self,
        text: str,
        language: str,
        conversation: str,  # noqa: ARG002 - HomeControl's
        device: str,  # noqa: ARG002
    ) -> AsyncIterator[Outcome] | None:
        """Return the answer to a question of the clock or a command, None for all else."""
        outcome = await self._sentences.call(lambda known: self._answer(known, text, language))
        return _once(outcome) if outcome is not None else None

    async def is_talk(
        self,
        text: str,
        language: str,
        conversation: str,  # noqa: ARG002 - HomeControl's
        device: str,  # noqa: ARG002
    ) -> bool:
        """Whether `text` is neither the clock's nor about a home."""
        outcome = await self._sentences.call(lambda known: self._answer(known, text, language))
        return outcome is None

    def _answer(self, known: Sentences, text: str, language: str) -> Outcome | None:
        words = words_of(language)
        understood = known.recognize(text, language, self._home, {})
        if understood is not None and understood.intent in _CLOCK:
            answer = say(understood.response, understood.slots, now=self._now())
            return Say(answer) if answer else None
        if understood is not None and understood.intent == "HassNevermind":
            return Say(words.say("ok"))
        about_home = understood is not None or known.concerns_home(text, language)
        if about_home or words.wants_home(text):
            return Fail(words.say("no_home"))
        return Fail(words.say("cannot")) if words.wants_impossible(text) else None


async def _once(outcome: Outcome) -> AsyncIterator[Outcome]:
    yield outcome
