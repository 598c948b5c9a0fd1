"""Answers without a home: the clock truthfully, commands by a refusal.

A model that is asked to switch something it cannot reach says that it did, and guesses the time.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Final

from wyoming_common.home_assistant.home import Home
from wyoming_common.model_thread import ModelThread
from wyoming_llm.dialogue.outcome import Fail, Foresight, Outcome, Say
from wyoming_llm.dialogue.speculative_reply import SpeculativeReply
from wyoming_llm.home.package_sentences import Matched
from wyoming_llm.home.recognition import Recognition
from wyoming_llm.home.responses import say
from wyoming_llm.languages import Language
from wyoming_llm.languages import language as words_of

_WITHOUT_HOME: Final = frozenset({"HassGetCurrentTime", "HassGetCurrentDate", "HassNevermind"})


def answer_without_home(matched: Matched, words: Language, now: datetime) -> str:
    """Return the answer to a sentence that needs nothing of a home, "" for any other."""
    if matched.intent not in _WITHOUT_HOME:
        return ""
    if matched.intent == "HassNevermind":
        return words.say("ok")
    return say(matched.response, matched.slots, now=now)


class NoHome:
    """Takes the place of HomeControl where no Home Assistant is connected."""

    language = ""
    names: Sequence[str] = ()

    def __init__(
        self,
        recognition: ModelThread[Recognition],
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._recognition = recognition
        self._now = now
        self._home = Home()

    async def warm_up(self) -> None:
        """Load the words of the default language."""
        await self._recognition.call(lambda known: known.load("en"))

    def area_of(self, device: str) -> str:  # noqa: ARG002 - the signature of HomeControl
        """Return "": rooms are not known."""
        return ""

    async def handle(
        self,
        text: str,
        language: str,
        conversation: str,  # noqa: ARG002 - the signature of HomeControl
        device: str,  # noqa: ARG002
        speculation: SpeculativeReply | None = None,  # noqa: ARG002
        *,
        speaker: str = "",  # noqa: ARG002
    ) -> AsyncIterator[Outcome] | None:
        """Return the answer to a question of the clock or a command, None for all else."""
        outcome = await self._recognition.call(lambda known: self._answer(known, text, language))
        return _once(outcome) if outcome is not None else None

    async def is_command(self, text: str, language: str, conversation: str, device: str) -> bool:  # noqa: ARG002
        """Return False: there is nothing to command."""
        return False

    async def foresee(
        self,
        text: str,
        language: str,
        conversation: str,  # noqa: ARG002 - the signature of HomeControl
        device: str,  # noqa: ARG002
        *,
        speaker: str = "",  # noqa: ARG002
    ) -> Foresight:
        """Return what `handle` will say, or that `text` is talk."""
        outcome = await self._recognition.call(lambda known: self._answer(known, text, language))
        return Foresight(talk=outcome is None, says=outcome.text if outcome is not None else "")

    def _answer(self, known: Recognition, text: str, language: str) -> Say | Fail | None:
        words = words_of(language)
        matched = known.match(text, language, self._home)
        if matched is not None and matched.intent in _WITHOUT_HOME:
            answer = answer_without_home(matched, words, self._now())
            return Say(answer) if answer else None
        if known.concerns_home(text, language) or words.wants_home(text):
            return Fail(words.say("no_home"))
        return Fail(words.say("cannot")) if words.wants_impossible(text) else None


async def _once(outcome: Outcome) -> AsyncIterator[Outcome]:
    yield outcome
