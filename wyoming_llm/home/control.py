"""Control of the home by voice: recognise, ask back where there is doubt, act, and report."""

import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from wyoming_common.config.settings import OFF
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.home_assistant.home import Entity, State
from wyoming_common.model_thread import ModelThread
from wyoming_common.telemetry.trace import current_span
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.outcome import Fail, Foresight, Outcome, Say
from wyoming_llm.dialogue.speculative_reply import SpeculativeReply
from wyoming_llm.engine import Sampling
from wyoming_llm.home.confirmation import PendingConfirmations, Reply, denies
from wyoming_llm.home.executor import READ_BACK_SECONDS, Executor
from wyoming_llm.home.intent import Answer, Command, Lookup, Question, Refusal, Result
from wyoming_llm.home.lexicon import lexicon
from wyoming_llm.home.llm_intent import (
    MAX_CHARACTERS,
    best_entities,
    choice_prompt,
    read_choice,
    says_other_number,
)
from wyoming_llm.home.lookups import answer
from wyoming_llm.home.policy import Policy, confirmed
from wyoming_llm.home.recognition import MAX_TEXT, Recognition
from wyoming_llm.home.talk import names_any, refusal
from wyoming_llm.home.targets import HomeSnapshot
from wyoming_llm.languages import Language
from wyoming_llm.languages import language as words_of

_LOGGER = logging.getLogger(__name__)

CHOICE_SAMPLING: Final = Sampling(max_tokens=80, temperature=0)
"""Sampling of the model's choice of an action"""
_MAX_CHOICE_SECONDS: Final = 60.0
_MAX_REMEMBERED: Final = 64
"""Conversations whose last things are known by "it" and "them\""""


class HomeControl:
    """Handles the turns that are about the home."""

    def __init__(
        self,
        settings: LlmSettings,
        home: HomeAssistant,
        recognition: ModelThread[Recognition],
        replies: GenerationQueue,
        read_back_seconds: float = READ_BACK_SECONDS,
    ) -> None:
        self._settings = settings
        self._home = home
        self._recognition = recognition
        self._replies = replies
        self._executor = Executor(
            home, through_api=settings.control == "api", read_back_seconds=read_back_seconds
        )
        self._pending = PendingConfirmations()
        self._recent: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._policy = Policy(settings)

    @property
    def language(self) -> str:
        """The home's own, "" while that is not known."""
        return self._home.home.language

    @property
    def names(self) -> Sequence[str]:
        """The names of what a reply could claim to have changed."""
        return [name for e in self._home.home.entities.values() for name in e.names]

    async def warm_up(self) -> None:
        """Load the words of the home's language, so that the first sentence is not slow."""
        await self._recognition.call(lambda known: known.load("en"))
        await self._home.ready.wait()
        code = self._home.home.language or "en"
        await self._recognition.call(lambda known: known.load(code, self._home.home))

    def area_of(self, device: str) -> str:
        """Return the name of the room in which `device` is, "" when that is not known."""
        area = self._home.home.areas.get(self._home.home.devices.get(device, ""))
        return area.name if area is not None else ""

    async def handle(  # noqa: C901, PLR0911
        self,
        text: str,
        language: str,
        conversation: str,
        device: str,
        speculation: SpeculativeReply | None = None,
        *,
        speaker: str = "",
    ) -> AsyncIterator[Outcome] | None:
        """Return what happens, None when the turn is not about the home.

        `speculation` is taken where it holds the model's choice of an action. `speaker` is the
        person who speaks, "" where that is not known.
        """
        words = self._words(language)
        text = self._policy.people.spelled_out(text, speaker, self._home.home)
        if (waiting := self._pending.take(conversation)) is not None:
            known = lexicon(language or self._home.home.language or "en")
            answered = waiting.answered(text, known)
            if answered is Reply.NO:
                return _once(Say(words.say("will_not")))
            if isinstance(answered, Command):
                return self._perform(
                    answered,
                    conversation,
                    device,
                    speaker=speaker,
                    is_confirmed=waiting.question is None,
                )
        result = await self._recognise(text, language, conversation, device)
        if result is None:
            result = await self._chosen(text, language, conversation, device, speculation)
        if result is None:
            refusal = self._refusal(text, words)
            return _once(Fail(refusal)) if refusal else None
        match result:
            case Command():
                return self._perform(
                    result, conversation, device, speaker=speaker, is_confirmed=False
                )
            case Question():
                return _once(self._asked(result, conversation, words))
            case Refusal():
                return _once(Fail(result.text))
            case Answer():
                self._remember(conversation, result.about)
                return _once(Say(result.text))
            case Lookup():
                return self._looked_up(result)

    async def _looked_up(self, lookup: Lookup) -> AsyncIterator[Outcome]:
        """Yield the answer of a service of Home Assistant's."""
        words = words_of(lookup.language, self._home.home.language)
        found = await answer(lookup, self._home, words, datetime.now().astimezone())
        yield Say(found.text) if isinstance(found, Answer) else Fail(found.text)

    async def is_command(self, text: str, language: str, conversation: str, device: str) -> bool:
        """Whether a text commands something of the home, by its words alone."""
        result = await self._recognise(text, language, conversation, device)
        return isinstance(result, Command)

    async def foresee(
        self, text: str, language: str, conversation: str, device: str, *, speaker: str = ""
    ) -> Foresight:
        """Return what `handle` will probably come to.

        Nothing is done, asked or remembered by it, and the model is not asked.
        """
        if self._pending.is_waiting(conversation):
            return Foresight()
        words = self._words(language)
        text = self._policy.people.spelled_out(text, speaker, self._home.home)
        result = await self._recognise(text, language, conversation, device)
        if result is not None:
            return Foresight(says=self._expected(result, conversation, words, speaker))
        snapshot = self._snapshot(conversation, device)
        if candidates := self._choices(text, words, snapshot):
            return Foresight(choice=choice_prompt(text, candidates, snapshot))
        refusal = self._refusal(text, words)
        return Foresight(talk=not refusal, says=refusal)

    def _expected(self, result: Result, conversation: str, words: Language, speaker: str) -> str:
        """Return what will be said of a result, "" where that depends on Home Assistant."""
        match result:
            case Command() if not self._policy.may(speaker, result, self._state):
                return words.say("not_you")
            case Command():
                own = words_of(result.language, self._home.home.language)
                doubt = self._policy.question(result, own, self._state)
                if not doubt:
                    return self._executor.expected(result)
                return doubt if conversation else words.say("cannot_ask")
            case Question():
                return result.text if conversation else words.say("cannot_ask")
            case Refusal() | Answer():
                return result.text
            case Lookup():
                return ""

    def _words(self, language: str) -> Language:
        return words_of(language, self._home.home.language)

    def _snapshot(self, conversation: str, device: str) -> HomeSnapshot:
        area = self._home.home.devices.get(device, "")
        recent = self._recent.get(conversation, ())
        return HomeSnapshot(self._home.home, self._home.states, area, recent)

    async def _recognise(
        self, text: str, language: str, conversation: str, device: str
    ) -> Result | None:
        snapshot = self._snapshot(conversation, device)
        code = language or self._home.home.language or "en"
        return await self._recognition.call(lambda known: known.recognise(text, code, snapshot))

    def _asked(self, question: Question, conversation: str, words: Language) -> Outcome:
        """Return a question back, and remember it."""
        if not conversation:
            return Fail(words.say("cannot_ask"))
        self._pending.ask(conversation, question=question)
        return Say(question.text)

    def _perform(
        self, command: Command, conversation: str, device: str, *, speaker: str, is_confirmed: bool
    ) -> AsyncIterator[Outcome]:
        """Return what comes of a command; what is in doubt is asked first."""
        words = words_of(command.language, self._home.home.language)
        if not self._policy.may(speaker, command, self._state):
            if is_confirmed:
                # The one who was asked may still answer.
                self._pending.ask(conversation, command)
            return _once(Fail(words.say("not_you")))
        question = self._policy.question(command, words, self._state)
        if question and not is_confirmed:
            if not conversation:
                return _once(Fail(words.say("cannot_ask")))
            self._pending.ask(conversation, confirmed(command))
            return _once(Say(question))
        targets = tuple(a.target.id for a in command.actions if a.target is not None)
        self._remember(conversation, targets)
        area = self._home.home.devices.get(device, "")
        return self._executor.execute(command, satellite=bool(device), area=area)

    def _remember(self, conversation: str, targets: tuple[str, ...]) -> None:
        """Remember what a turn was about, for "it" and "them" in the next one."""
        if conversation and targets:
            self._recent[conversation] = targets
            self._recent.move_to_end(conversation)
            while len(self._recent) > _MAX_REMEMBERED:
                self._recent.popitem(last=False)

    def _candidates(self, text: str, snapshot: HomeSnapshot) -> list[Entity]:
        """Return what the model may choose from to act on; nothing where it may not act."""
        if self._settings.model_acts == OFF or len(text) > MAX_TEXT or denies(text):
            return []
        if names_any(text, self._hidden):
            return []
        return best_entities(text, snapshot, self._settings.candidates)

    def _choices(self, text: str, words: Language, snapshot: HomeSnapshot) -> list[Entity]:
        """Return the entities among which the model chooses, none where it is not asked."""
        if words.is_question(text) or words.is_talk(text):
            return []
        return self._candidates(text, snapshot)

    async def _chosen(
        self,
        text: str,
        language: str,
        conversation: str,
        device: str,
        speculation: SpeculativeReply | None,
    ) -> Command | None:
        """Return what the model chooses among the entities that `text` may be about."""
        words = self._words(language)
        snapshot = self._snapshot(conversation, device)
        candidates = self._choices(text, words, snapshot)
        if not candidates:
            return None
        prompt = choice_prompt(text, candidates, snapshot)
        answer, late = "", time.monotonic() + _MAX_CHOICE_SECONDS
        async with self._replies.stream(prompt, CHOICE_SAMPLING, speculation) as deltas:
            async for delta in deltas:
                answer += delta.text
                if delta.finish:
                    current_span().add(tokens=delta.usage.completion)
                if len(answer) > MAX_CHARACTERS or time.monotonic() > late:
                    break
        command = read_choice(answer, candidates, snapshot, words.code)
        if command is not None and says_other_number(text, command, words.code):
            return None
        return command

    def _refusal(self, text: str, words: Language) -> str:
        """Return the refusal of what talk cannot answer, "" for talk."""
        return refusal(text, words, self.names, self._hidden)

    @property
    def _hidden(self) -> list[str]:
        """The names of what may not be controlled."""
        home = self._home.home
        return [
            str(state.attributes.get("friendly_name") or "")
            for name, state in self._home.states.items()
            if name not in home.entities
        ]

    def _state(self, entity: Entity) -> State:
        return self._home.states.get(entity.id, State("unavailable"))


async def _once(outcome: Outcome) -> AsyncIterator[Outcome]:
    yield outcome
