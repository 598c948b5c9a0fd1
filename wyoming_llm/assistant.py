"""One turn: what was said, to what is answered."""

import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from wyoming_common.errors import Busy, ServiceError, TooLarge
from wyoming_common.trace import current_span
from wyoming_llm.answers import Answers
from wyoming_llm.claims import Watched
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import Delta, Message, Prompt, Sampling
from wyoming_llm.history import Conversation, Exchange, History, estimate_tokens
from wyoming_llm.home.control import HomeControl
from wyoming_llm.home.detached import NoHome
from wyoming_llm.instructions import Instructions, Surroundings
from wyoming_llm.languages import Language, language
from wyoming_llm.outcome import Fail, Intent, Outcome, Say
from wyoming_llm.rehearsal import Rehearsal
from wyoming_llm.replies import PATIENCE_SECONDS, Replies
from wyoming_llm.spoken import Measured, Spoken, garbled

_LOGGER = logging.getLogger(__name__)

_LESS_REPETITION: Final = 1.1
"""Small models run in circles without it"""
_MOST_CHARACTERS: Final = 4000
"""Of one question: some minutes of speech"""
_MOST_SECONDS: Final = 180.0
"""Nobody waits longer for an answer; a slow machine needs a part of it to read a long prompt."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a client sends."""

    text: str
    language: str = ""
    conversation: str = ""
    heard: str | None = None
    """What was heard of the reply before, when it was interrupted"""
    device: str = ""
    """Home Assistant's id of the satellite's device"""


class Assistant:
    """Answers turns. Every turn ends in something that can be spoken."""

    def __init__(
        self,
        settings: LlmSettings,
        replies: Replies,
        control: HomeControl | NoHome | None = None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._settings = settings
        self._replies = replies
        self._control = control
        self._now = now
        self._answers = Answers(settings.answer_seconds)
        self._instructions = Instructions(settings.system_prompt)
        self._history = History(settings.history_tokens, settings.history_seconds)
        self._sampling = Sampling(max_tokens=settings.max_tokens, repeat_penalty=_LESS_REPETITION)

    def warm_up(self) -> None:
        """Have the beginning of every prompt read, and the words of the usual language."""
        self._words(Turn(""))
        beginning = self._instructions.beginning(self._around(Turn("")))
        if beginning:
            self._replies.read_ahead(Prompt((Message("system", beginning),)))

    def rehearse(self, turn: Turn) -> Rehearsal:
        """Begin in secret to answer what need not be all that will be said.

        Nothing is done to the home, and no answer is prepared to what it might be about.
        """
        return Rehearsal(partial(self._rehearse, turn))

    async def _rehearse(self, turn: Turn, rehearsal: Rehearsal) -> None:
        text = turn.text.strip()
        if not text or len(text) > _MOST_CHARACTERS or not self._settings.rehearses:
            return
        if self._control is not None and not await self._control.is_talk(
            text, turn.language, turn.conversation, turn.device
        ):
            return
        conversation = self._open(turn)
        if self._known_answer(conversation, text, turn.language) is None:
            prompt = self._prompt(conversation, turn, text)
            await self._replies.rehearse(prompt, self._sampling, rehearsal)

    async def answer(
        self, turn: Turn, rehearsal: Rehearsal | None = None
    ) -> AsyncIterator[Outcome]:
        """Yield the answer piece by piece; a failure is an outcome, never an error."""
        text = turn.text.strip()
        words = self._words(turn)
        if not text:
            yield Fail(words.say("unheard"))
        elif len(text) > _MOST_CHARACTERS:
            yield Fail(words.say("too_long"))
        else:
            try:
                async for outcome in self._answer(turn, text, rehearsal):
                    yield outcome
            except ServiceError as err:
                _LOGGER.warning("%s: %s", err.code, err)
                current_span().note(failed=err.code)
                yield Fail(_apology(err, words))

    async def _answer(
        self, turn: Turn, text: str, rehearsal: Rehearsal | None
    ) -> AsyncIterator[Outcome]:
        conversation = self._open(turn)
        if self._control is not None:
            done = await self._control.handle(text, turn.language, turn.conversation, turn.device)
            if done is not None:
                async for outcome in self._noted(conversation, text, done):
                    yield outcome
                return
        if (known := self._known_answer(conversation, text, turn.language)) is not None:
            current_span().add(cache_hits=1)
            self._remember(conversation, text, known, turn)
            yield Say(known)
            return
        async for outcome in self._talk(conversation, turn, text, rehearsal):
            yield outcome

    def _open(self, turn: Turn) -> Conversation:
        conversation = self._history.open(turn.conversation)
        if turn.heard is not None:
            conversation.heard(turn.heard)
        return conversation

    def _known_answer(self, conversation: Conversation, text: str, language: str) -> str | None:
        # What was said before may change the answer: only a first question can be a repetition.
        return None if conversation.exchanges else self._answers.find(text, language)

    async def _noted(
        self, conversation: Conversation, text: str, done: AsyncIterator[Outcome]
    ) -> AsyncIterator[Outcome]:
        """Pass on what control did, and remember what was said of it."""
        said: list[str] = []
        async for outcome in done:
            if not isinstance(outcome, Intent):
                said.append(outcome.text)
            yield outcome
        answer = " ".join(filter(None, said))
        if answer:
            tokens = estimate_tokens(text) + estimate_tokens(answer)
            self._history.add(conversation, Exchange(text, answer, tokens))

    def _prompt(self, conversation: Conversation, turn: Turn, text: str) -> Prompt:
        if not conversation.instructions:
            conversation.instructions = self._instructions.render(self._around(turn))
        return Prompt(
            (*conversation.messages(), Message("user", text)),
            conversation=turn.conversation,
            thinking=self._settings.thinking,
        )

    async def _talk(
        self, conversation: Conversation, turn: Turn, text: str, rehearsal: Rehearsal | None
    ) -> AsyncIterator[Outcome]:
        """Let the model answer, and remember the exchange."""
        words = self._words(turn)
        reply = SpokenReply(self._settings.max_tokens, self._watched(words, text))
        async for said in self._speak(self._prompt(conversation, turn, text), reply, rehearsal):
            yield Say(said)
        if reply.claimed or reply.garbled:
            yield Fail(words.say("not_understood" if reply.claimed else "failed"))
            return
        if not reply.text.strip():
            yield Fail(words.say("no_answer"))
            return
        if not conversation.exchanges:
            self._answers.add(text, turn.language, reply.text.strip())
        self._remember(conversation, text, reply.text.strip(), turn)

    async def _speak(
        self, prompt: Prompt, reply: "SpokenReply", rehearsal: Rehearsal | None
    ) -> AsyncIterator[str]:
        """Yield what `reply` makes of the model's answer, until enough was said."""
        late = time.monotonic() + _MOST_SECONDS
        async with self._replies.stream(
            prompt, self._sampling, rehearsal, PATIENCE_SECONDS
        ) as deltas:
            async for delta in deltas:
                if said := reply.feed(delta):
                    yield said
                if reply.done or time.monotonic() > late:
                    break
        if rest := reply.finish():
            yield rest

    def _words(self, turn: Turn) -> Language:
        return language(turn.language, self._control.language if self._control is not None else "")

    def _watched(self, words: Language, text: str) -> Watched | None:
        """Return what keeps a reply to `text` honest, None where it can claim nothing."""
        if not words.may_be_claimed(text):
            return None
        names = self._control.names if self._control is not None else ()
        return Watched(words.vocabulary.with_names(names))

    def _remember(self, conversation: Conversation, text: str, answer: str, turn: Turn) -> None:
        tokens = estimate_tokens(text) + estimate_tokens(answer)
        self._history.add(conversation, Exchange(text, answer, tokens))
        if turn.conversation:
            self._replies.read_ahead(
                Prompt(
                    conversation.messages(),
                    conversation=turn.conversation,
                    thinking=self._settings.thinking,
                )
            )

    def _around(self, turn: Turn) -> Surroundings:
        area = self._control.area_of(turn.device) if self._control is not None else ""
        return Surroundings(self._now(), self._settings.place, area, turn.language)


class SpokenReply:
    """The deltas of one reply, made text for ears."""

    def __init__(self, most_tokens: int, watched: Watched | None = None) -> None:
        self._watched = watched
        self._spoken = Spoken()
        self._measured = Measured(most_tokens)
        self._finish = ""
        self.garbled = False
        """Whether the model wrote what cannot be said; that and what follows is left out"""
        self.text = ""
        self.usage_tokens = 0

    @property
    def claimed(self) -> bool:
        """Whether the model says that it did what it cannot do; that is left out"""
        return self._watched is not None and self._watched.claimed

    @property
    def done(self) -> bool:
        """Whether enough was said."""
        return self._measured.enough or self.garbled or self.claimed

    def feed(self, delta: Delta) -> str:
        """Return what can be said by now."""
        if delta.finish:
            self._finish = delta.finish
            current_span().add(
                tokens=delta.usage.completion,
                prompt_tokens=delta.usage.prompt,
                cached_tokens=delta.usage.cached,
            )
        if not delta.text:
            return ""
        return self._take(self._measured.feed(self._spoken.feed(delta.text)))

    def finish(self) -> str:
        """Return the rest."""
        cut = self._finish == "length"
        said = self._take(self._measured.finish(self._spoken.finish(), cut=cut))
        if self._watched is None or self.garbled:
            return said
        rest = self._watched.finish()
        self.text += rest
        return said + rest

    def _take(self, text: str) -> str:
        if self._watched is not None:
            text = self._watched.feed(text)
        self.garbled = self.garbled or garbled(self.text + text)
        if self.garbled:
            return ""
        self.text += text
        return text


def _apology(error: ServiceError, words: Language) -> str:
    if isinstance(error, Busy):
        return words.say("busy")
    return words.say("too_long" if isinstance(error, TooLarge) else "failed")
