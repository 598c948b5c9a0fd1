"""Control of the home by voice: words first, then the model, and nothing risky by mistake."""

import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from wyoming_common.home import Entity
from wyoming_common.home_assistant import HomeAssistant
from wyoming_common.worker import ModelThread
from wyoming_llm.config import OFF, LlmSettings
from wyoming_llm.engine import Sampling
from wyoming_llm.home.acting import Acting
from wyoming_llm.home.choice import (
    MOST_CHARACTERS,
    choice_prompt,
    question_of,
    read_choice,
    state_of,
)
from wyoming_llm.home.consent import Consents, answer_of, denies
from wyoming_llm.home.names import best_entities, fully_named, places_named, surely_named
from wyoming_llm.home.sentences import Sentences
from wyoming_llm.home.targets import ACTIONS, QUESTIONS, find_targets, risky
from wyoming_llm.home.understood import Understood
from wyoming_llm.languages import Language
from wyoming_llm.languages import language as words_of
from wyoming_llm.outcome import Fail, Outcome, Say
from wyoming_llm.replies import Replies

_LOGGER = logging.getLogger(__name__)

_CHOICE_TOKENS: Final = 80
_CHOICE_SECONDS: Final = 60.0
_MOST_MODEL_TEXT: Final = 300
"""Characters; a longer text is no command."""


class HomeControl:
    """Handles the turns that are about the home."""

    def __init__(
        self,
        settings: LlmSettings,
        home: HomeAssistant,
        sentences: ModelThread[Sentences],
        replies: Replies,
    ) -> None:
        self._settings = settings
        self._home = home
        self._sentences = sentences
        self._replies = replies
        self._acting = Acting(home, through_api=settings.control == "api")
        self._consents = Consents()
        self._allowed = {name.casefold() for name in settings.risky}

    @property
    def language(self) -> str:
        """The home's own, "" while that is not known."""
        return self._home.home.language

    @property
    def names(self) -> Sequence[str]:
        """What a reply could claim to have changed."""
        return [name for e in self._home.home.entities.values() for name in e.names]

    def area_of(self, device: str) -> str:
        """Return the name of the room in which `device` is, "" when that is not known."""
        area = self._home.home.areas.get(self._home.home.devices.get(device, ""))
        return area.name if area is not None else ""

    async def handle(
        self, text: str, language: str, conversation: str, device: str
    ) -> AsyncIterator[Outcome] | None:
        """Return what happens, None when the turn is not about the home."""
        if waiting := self._consents.take(conversation):
            decision = answer_of(text)
            if decision is True:
                return self._act(waiting, device)
            if decision is False:
                return _once(Say(self._words(language).say("will_not")))
        understood = await self._understand(text, language, device)
        if not understood:
            return self._refuse(text, language)
        if (question := self._question(understood, conversation)) is not None:
            return _once(question)
        return self._act(understood, device)

    async def is_talk(self, text: str, language: str, conversation: str, device: str) -> bool:
        """Whether `text` is nothing to do with the home, found out without asking the model.

        Nothing is done, asked or remembered by it.
        """
        if self._consents.waiting(conversation) or self._refuse(text, language) is not None:
            return False
        understood = await self._by_words(text, language, device)
        return not understood and not self._candidates(text)

    def _words(self, language: str) -> Language:
        return words_of(language, self._home.home.language)

    def _refuse(self, text: str, language: str) -> AsyncIterator[Outcome] | None:
        """Return a refusal of what nothing understood and no talk can answer, None for talk.

        A model that is asked for the impossible says that it is done.
        """
        words = self._words(language)
        if words.wants_home(text) or self._is_named(text, words):
            return _once(Fail(words.say("not_understood")))
        return _once(Fail(words.say("cannot"))) if words.wants_impossible(text) else None

    def _is_named(self, text: str, words: Language) -> bool:
        """Whether `text` can only be about this home, by what it names."""
        home = self._home.home
        named = fully_named(text, home)
        if (named and places_named(text, home)) or self._is_hidden(text):
            return True
        if words.is_talk(text) and not words.asks_state(text):
            return False
        deeds = named and not words.is_question(text) and words.vocabulary.speaks_of_deeds(text)
        return bool(deeds) or surely_named(text, self.names)

    def _is_hidden(self, text: str) -> bool:
        """Whether `text` names something that may not be controlled."""
        home = self._home.home
        return surely_named(
            text,
            [
                str(state.attributes.get("friendly_name") or "")
                for name, state in self._home.states.items()
                if name not in home.entities
            ],
        )

    async def _understand(self, text: str, language: str, device: str) -> Sequence[Understood]:
        understood = await self._by_words(text, language, device)
        if understood or self._is_hidden(text) or not (candidates := self._candidates(text)):
            return understood
        choice = await self._choose(text, candidates, self._language(language))
        return () if choice is None else (choice,)

    def _language(self, language: str) -> str:
        return language or self._home.home.language or "en"

    async def _by_words(self, text: str, language: str, device: str) -> Sequence[Understood]:
        home, states = self._home.home, self._home.states
        classes = {
            name: str(state.attributes["device_class"])
            for name in home.entities
            if (state := states.get(name)) is not None and state.attributes.get("device_class")
        }
        area = self.area_of(device)
        code = self._language(language)
        found = await self._sentences.call(
            lambda known: known.understand(text, code, home, classes, area)
        )
        if found or not home.entities or len(text) > _MOST_MODEL_TEXT:
            return found
        refused = await self._sentences.call(lambda known: known.refuse(text, code, home, classes))
        answer = refused if refused is not None else self._asked(text, code)
        return () if answer is None else (answer,)

    def _candidates(self, text: str) -> list[Entity]:
        """Return what the model may choose from to act on; nothing where it may not act."""
        if self._settings.model_acts == OFF or len(text) > _MOST_MODEL_TEXT or denies(text):
            return []
        return best_entities(text, self._home.home, self._settings.candidates)

    def _asked(self, text: str, language: str) -> Understood | None:
        """Return the question after the one thing that `text` names in full, None for all else.

        A model answers such questions from its head.
        """
        named = fully_named(text, self._home.home)
        words = words_of(language)
        if len(named) != 1 or not words.asks_state(text) or words.is_talk(text):
            return None
        answer = state_of(named[0], language)
        return None if self._elsewhere(answer, text) else answer

    async def _choose(
        self, text: str, candidates: Sequence[Entity], language: str
    ) -> Understood | None:
        prompt = choice_prompt(text, candidates, self._acting.known)
        answer, late = "", time.monotonic() + _CHOICE_SECONDS
        async with self._replies.stream(
            prompt, Sampling(max_tokens=_CHOICE_TOKENS, temperature=0)
        ) as deltas:
            async for delta in deltas:
                answer += delta.text
                if len(answer) > MOST_CHARACTERS or time.monotonic() > late:
                    break
        choice = read_choice(answer, candidates, language)
        if choice is None or not _fits(choice, text) or self._elsewhere(choice, text):
            return None
        return choice

    def _elsewhere(self, understood: Understood, text: str) -> bool:
        """Whether `text` speaks of another place than where that is which was understood."""
        home, known = self._home.home, self._acting.known
        named = places_named(text, home)
        return any(
            named - {entity.area, area.floor if (area := home.areas.get(entity.area)) else ""}
            for entity in find_targets(understood.intent, understood.slots, known)
        )

    def _question(self, all_understood: Sequence[Understood], conversation: str) -> Outcome | None:
        """Return what must be asked first, and remember what for; None when nothing must."""
        deeds = [one for one in all_understood if one.intent in ACTIONS and not one.refusal]
        if not deeds:
            return None
        targets, doubtful = self._meant(deeds)
        words = words_of(deeds[0].language)
        if doubtful:
            question = words.say("really", names=words.listed(list(doubtful.values())))
        elif len(targets) > self._settings.confirm_above:
            question = words.say("many", count=len(targets))
        elif deeds[0].guessed and self._settings.model_acts == "ask":
            question = question_of(deeds[0])
        else:
            return None
        if not conversation:
            return Fail(words.say("cannot_ask"))
        self._consents.ask(conversation, all_understood)
        return Say(question)

    def _meant(self, deeds: Sequence[Understood]) -> tuple[set[str], dict[str, str]]:
        """Return the ids of what `deeds` act on, and id and name of what that is risky for."""
        known = self._acting.known
        targets: set[str] = set()
        doubtful: dict[str, str] = {}
        for deed in deeds:
            meant = find_targets(deed.intent, deed.slots, known)
            targets |= {entity.id for entity in meant}
            for entity in risky(deed.intent, deed.slots, meant, known):
                if not self._is_allowed(entity):
                    doubtful[entity.id] = entity.name
        return targets, doubtful

    def _is_allowed(self, entity: Entity) -> bool:
        return bool(self._allowed & {entity.id, *(name.casefold() for name in entity.names)})

    async def _act(
        self, all_understood: Sequence[Understood], device: str
    ) -> AsyncIterator[Outcome]:
        said = False
        for understood in all_understood:
            area = self._home.home.devices.get(device, "")
            async for outcome in self._acting.act(understood, satellite=bool(device), area=area):
                # Each is a sentence of its own.
                yield Say(f". {outcome.text}") if said and isinstance(outcome, Say) else outcome
                said = isinstance(outcome, Say)


def _fits(choice: Understood, text: str) -> bool:
    """Whether a choice answers a question, or does what was commanded; small models mix them up."""
    words = words_of(choice.language)
    if not choice.language.startswith(words.code):
        return True
    return (choice.intent in QUESTIONS) == words.is_question(text)


async def _once(outcome: Outcome) -> AsyncIterator[Outcome]:
    yield outcome
