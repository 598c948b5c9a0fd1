"""Control of the home by voice: recognise, ask back where there is doubt, act, and report."""

import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from wyoming_common.config.settings import OFF
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.home_assistant.home import Entity
from wyoming_common.model_thread import ModelThread
from wyoming_common.telemetry.trace import current_span
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.generation_queue import GenerationQueue
from wyoming_llm.dialogue.outcome import Fail, Foresight, Outcome, Say
from wyoming_llm.dialogue.speculative_reply import SpeculativeReply
from wyoming_llm.engine import Sampling
from wyoming_llm.home.confirmation import PendingConfirmations, Reply, Waiting, denies, reply_of
from wyoming_llm.home.executor import READ_BACK_SECONDS, Executor
from wyoming_llm.home.intent import Action, Answer, Command, Lookup, Question, Refusal, Result
from wyoming_llm.home.lexicon import lexicon
from wyoming_llm.home.llm_intent import (
    MAX_CHARACTERS,
    best_entities,
    choice_prompt,
    read_choice,
    says_other_number,
)
from wyoming_llm.home.lookups import answer
from wyoming_llm.home.operations import is_risky, level_of
from wyoming_llm.home.people import People
from wyoming_llm.home.recognition import MAX_TEXT, Recognition
from wyoming_llm.home.responses import asked
from wyoming_llm.home.targets import HomeSnapshot, stems
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
        self._allowed = {name.casefold() for name in settings.risky}
        self._people = People(settings.belongings, settings.risky_people)

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
        text = self._people.spelled_out(text, speaker, self._home.home)
        if (waiting := self._pending.take(conversation)) is not None:
            answered = self._answered(waiting, text, language)
            if answered is Reply.NO:
                return _once(Say(words.say("will_not")))
            if isinstance(answered, Command):
                confirmed = waiting.question is None
                return self._perform(
                    answered, conversation, device, speaker=speaker, confirmed=confirmed
                )
        result = await self._recognise(text, language, conversation, device)
        if result is None:
            result = await self._chosen(text, language, conversation, device, speculation)
        if result is None:
            refusal = self._refusal(text, words)
            return _once(Fail(refusal)) if refusal else None
        match result:
            case Command():
                return self._perform(result, conversation, device, speaker=speaker, confirmed=False)
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

    async def foresee(
        self, text: str, language: str, conversation: str, device: str, *, speaker: str = ""
    ) -> Foresight:
        """Return what `handle` will probably come to.

        Nothing is done, asked or remembered by it, and the model is not asked.
        """
        if self._pending.is_waiting(conversation):
            return Foresight()
        words = self._words(language)
        text = self._people.spelled_out(text, speaker, self._home.home)
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
            case Command() if not self._may(speaker, result):
                return words.say("not_you")
            case Command():
                doubt = self._doubt(result, words_of(result.language, self._home.home.language))
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

    def _answered(self, waiting: Waiting, text: str, language: str) -> Command | Reply | None:
        """Return the command that an answer chooses or confirms, or that it declines."""
        known = lexicon(language or self._home.home.language or "en")
        if waiting.question is not None:
            if (chosen := waiting.chosen(text, known)) is not None:
                return chosen
            reply = reply_of(text)
            if reply is Reply.YES and waiting.question.is_yes_or_no:
                return waiting.question.every
            return Reply.NO if reply is Reply.NO else None
        assert waiting.command is not None
        deeds = [action.deed for action in waiting.command.actions]
        reply = reply_of(text, deeds, known)
        if reply is Reply.YES:
            return waiting.command
        return Reply.NO if reply is Reply.NO else None

    def _asked(self, question: Question, conversation: str, words: Language) -> Outcome:
        """Return a question back, and remember it."""
        if not conversation:
            return Fail(words.say("cannot_ask"))
        self._pending.ask(conversation, question=question)
        return Say(question.text)

    def _perform(
        self, command: Command, conversation: str, device: str, *, speaker: str, confirmed: bool
    ) -> AsyncIterator[Outcome]:
        """Return what comes of a command; what is in doubt is asked first."""
        words = words_of(command.language, self._home.home.language)
        if not self._may(speaker, command):
            if confirmed:
                # The one who was asked may still answer.
                self._pending.ask(conversation, command)
            return _once(Fail(words.say("not_you")))
        if not confirmed and (question := self._doubt(command, words)):
            if not conversation:
                return _once(Fail(words.say("cannot_ask")))
            plain = [replace(a, deed="set") if a.deed == "against" else a for a in command.actions]
            self._pending.ask(conversation, replace(command, actions=tuple(plain)))
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

    def _doubt(self, command: Command, words: Language) -> str:
        """Return the question that a command needs first, "" for none."""
        every = (*command.actions, *command.delayed)
        risky = [action for action in every if self._is_risky(action)]
        if risky:
            return asked(words, risky)
        against = [action for action in command.actions if action.deed == "against"]
        if against and against[0].target is not None:
            state = self._home.states.get(against[0].target.id)
            level = level_of(against[0].target, state) if state is not None else None
            now = "?" if level is None else f"{level:.0f} {against[0].value.split()[-1]}"
            return words.say(
                "already", name=against[0].target.name, now=now, value=against[0].value
            )
        if len(command.actions) > self._settings.confirm_above:
            return words.say("many", count=len(command.actions))
        if command.guessed and self._settings.model_acts == "ask":
            return asked(words, command.actions)
        return ""

    def _may(self, speaker: str, command: Command) -> bool:
        """Whether the speaker may do what is risky in a command."""
        return all(
            action.target is None
            or self._people.may(speaker, action.target)
            or not is_risky(action, self._snapshot("", "").state(action.target))
            for action in (*command.actions, *command.delayed)
        )

    def _is_risky(self, action: Action) -> bool:
        target = action.target
        if target is None or self._is_allowed(target):
            return False
        state = self._snapshot("", "").state(target)
        return is_risky(action, state)

    def _is_allowed(self, entity: Entity) -> bool:
        return bool(self._allowed & {entity.id, *(name.casefold() for name in entity.names)})

    def _candidates(self, text: str, snapshot: HomeSnapshot) -> list[Entity]:
        """Return what the model may choose from to act on; nothing where it may not act."""
        if self._settings.model_acts == OFF or len(text) > MAX_TEXT or denies(text):
            return []
        if self._is_hidden(text):
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
        """Return the refusal of what nothing understood and talk cannot answer, "" for talk.

        A model that is asked for the impossible says that it is done.
        """
        if words.wants_home(text) or self._is_named(text, words):
            return words.say("not_understood")
        return words.say("cannot") if words.wants_impossible(text) else ""

    def _is_named(self, text: str, words: Language) -> bool:
        """Whether `text` can only be about this home, by what it names."""
        if self._is_hidden(text):
            return True
        if words.is_talk(text) and not words.asks_state(text):
            return False
        return _names_any(text, self.names)

    def _is_hidden(self, text: str) -> bool:
        """Whether `text` names something that may not be controlled."""
        home = self._home.home
        hidden = [
            str(state.attributes.get("friendly_name") or "")
            for name, state in self._home.states.items()
            if name not in home.entities
        ]
        return _names_any(text, hidden)


def _names_any(text: str, names: Sequence[str]) -> bool:
    """Whether `text` holds one of `names` that has several words: it is about this home."""
    said = f" {' '.join(stems(text))} "
    return any(len(words := stems(name)) > 1 and f" {' '.join(words)} " in said for name in names)


async def _once(outcome: Outcome) -> AsyncIterator[Outcome]:
    yield outcome
