"""Assistant: answers a turn by home control, the answer cache, or the model."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from wyoming_common.errors import Busy, ConfigError, ServiceError, TooLarge
from wyoming_common.telemetry.trace import current_span
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.answer_cache import AnswerCache
from wyoming_llm.dialogue.generation_queue import MAX_WAITING_SECONDS, GenerationQueue
from wyoming_llm.dialogue.history import Conversation, Exchange, History, estimate_tokens
from wyoming_llm.dialogue.outcome import Fail, Foresight, Intent, Outcome, Say
from wyoming_llm.dialogue.speculative_reply import SpeculativeReply
from wyoming_llm.dialogue.system_prompt import Surroundings, SystemPrompt
from wyoming_llm.engine import Delta, Message, Prompt, Sampling
from wyoming_llm.home.control import CHOICE_SAMPLING, HomeControl
from wyoming_llm.home.offline import NoHome
from wyoming_llm.instant import InstantAnswers
from wyoming_llm.languages import Language, language
from wyoming_llm.output.filters import (
    ClaimFilter,
    FilterChain,
    LengthLimit,
    Unspeakable,
    WholeWords,
    kind_of_request,
)
from wyoming_llm.voices.lessons import LessonDialogues

_LOGGER = logging.getLogger(__name__)

_ANNOTATION: Final = re.compile(
    r"\[[^\W\d][^\[\]\d]*\]|\([^\W\d][^()\d]*\)|\*(?=\S)[^*\d]+(?<=\S)\*"
    "|[\u2669-\u266c][^\n]*[\u2669-\u266c]|[\u2669-\u266c]"
)
_MAX_HOME_SECONDS: Final = 10.0
_WARM_UP_QUESTION: Final = "Good morning, how are you today?"
_QUESTION_TOKENS: Final = 64
"""Room for a question of some sentences, and for the marks of a chat template"""
_REPEAT_PENALTY: Final = 1.1
"""Small models run in circles without it"""
_MAX_QUESTION_CHARACTERS: Final = 4000
"""Some minutes of speech"""
_MAX_TOLD_CHARACTERS: Final = 200
"""Of a speculative reply: its first clause is of use, before it is certain."""
_MAX_REPLY_SECONDS: Final = 180.0
"""A slow machine needs a part of it to read a long prompt"""


Tell = Callable[[str, bool], Awaitable[None]]
"""Receives the beginning of a speculative reply, and whether that is all of it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question or command of a client."""

    text: str
    language: str = ""
    conversation: str = ""
    heard: str | None = None
    """Part of the last reply that was spoken before the user interrupted it; None without that"""
    device: str = ""
    """Home Assistant's id of the satellite's device"""
    speaker: str = ""
    """The person who speaks, by the voice; "" for a guest, or where that is not known"""
    unanswered: bool = False
    """Whether nothing was said to a question of ours; without text"""


class Assistant:
    """Answers turns. Every turn ends in something that can be spoken."""

    def __init__(
        self,
        settings: LlmSettings,
        replies: GenerationQueue,
        control: HomeControl | NoHome | None = None,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        max_reply_seconds: float = _MAX_REPLY_SECONDS,
        talks: Callable[[str], bool] = lambda _: True,
        lessons: LessonDialogues | None = None,
    ) -> None:
        """Make an assistant; `talks` says whether the model can talk in the language of a code.

        `lessons` have voices learned.
        """
        self._settings = settings
        self._talks = talks
        self._lessons = lessons or LessonDialogues(None)
        self._replies = replies
        self._control = control
        self._now = now
        self._max_reply_seconds = max_reply_seconds
        self._answers = AnswerCache(settings.answer_seconds)
        self._instant = InstantAnswers()
        self._system_prompt = SystemPrompt(settings.system_prompt)
        self._history = History(settings.history_tokens, settings.history_seconds)
        self._sampling = Sampling(max_tokens=settings.max_tokens, repeat_penalty=_REPEAT_PENALTY)

    async def warm_up(self) -> None:
        """Take a turn like a user's through everything that a first turn touches.

        Raises ConfigError where the system prompt does not fit into the model's context.
        """
        turn = Turn(_WARM_UP_QUESTION)
        words = self._words(turn)
        self._instant.warm_up(words.code)
        self._instant.answer(turn.text, words.code, self._now())
        self._spoken_reply(words, turn.text).push(Delta(turn.text))
        if self._control is not None:
            # A home that does not answer yet must not keep the service from talking.
            with suppress(TimeoutError):
                async with asyncio.timeout(_MAX_HOME_SECONDS):
                    await self._control.warm_up()
            await self._control.foresee(turn.text, "", "", "")
        await self._limit_history(self._system_prompt.render(self._around(turn)))
        if self._settings.is_local:
            prefix = self._system_prompt.shared_prefix(self._around(turn))
            shared = Prompt((Message("system", prefix),) if prefix else ())
            prompt = self._prompt(Conversation(""), turn, turn.text)
            await self._replies.warm_up(shared, prompt, self._sampling)

    async def _limit_history(self, instructions: str) -> None:
        """Keep the history to what fits beside the system prompt and an answer."""
        most = self._settings.max_tokens
        room = await self._replies.room_beside(instructions, most) - _QUESTION_TOKENS
        if room < 0:
            raise ConfigError(
                f"system_prompt: with an answer of {most} tokens it takes {-room} tokens more than "
                f"the model's context holds; shorten it, or choose a larger --context (now "
                f"{self._settings.context})"
            )
        self._history.limit(min(self._settings.history_tokens, room))

    def in_lesson(self, conversation: str) -> bool:
        """Whether a voice lesson waits for the next words of a conversation."""
        return self._lessons.waits(conversation)

    def speculate(self, turn: Turn, tell: Tell | None = None) -> SpeculativeReply:
        """Begin to answer what may not be all that will be said.

        Nothing is done to the home. `tell` receives what the answer begins with so far, as it
        grows, and whether that is all of it.
        """
        return SpeculativeReply(partial(self._speculate, turn, tell or _tell_nobody))

    async def _speculate(self, turn: Turn, tell: Tell, speculation: SpeculativeReply) -> None:
        text = strip_annotations(turn.text)
        words = self._words(turn)
        if not self._settings.speculates or not self._may_speculate(turn, text, words):
            return
        if answer := self._instant.answer(text, words.code, self._now()):
            await tell(answer, True)
            return
        foresight = await self._foresee(turn, text)
        if foresight.says:
            await tell(foresight.says, True)
        if foresight.choice is not None:
            await self._replies.speculate(foresight.choice, CHOICE_SAMPLING, speculation)
        if not foresight.talk:
            return
        conversation = self._open(turn)
        if (known := self._cached_answer(conversation, text, turn)) is not None:
            await tell(known, True)
            return
        if self._is_unknown(text, words, conversation):
            await tell(words.say("dont_know"), True)
            return
        prompt = self._prompt(conversation, turn, text)
        told = _Telling(self._spoken_reply(words, text), tell)
        await self._replies.speculate(prompt, self._sampling, speculation, told.push)

    def _may_speculate(self, turn: Turn, text: str, words: Language) -> bool:
        fits = 0 < len(text) <= _MAX_QUESTION_CHARACTERS
        return fits and not self._lessons.takes(text, words.code, turn.conversation)

    async def _foresee(self, turn: Turn, text: str) -> Foresight:
        if self._control is None:
            return Foresight(talk=True)
        return await self._control.foresee(
            text, turn.language, turn.conversation, turn.device, speaker=turn.speaker
        )

    async def answer(
        self, turn: Turn, speculation: SpeculativeReply | None = None
    ) -> AsyncIterator[Outcome]:
        """Yield the answer piece by piece; a failure is an outcome, never an error."""
        text = strip_annotations(turn.text)
        words = self._words(turn)
        if not text and self._lessons.waits(turn.conversation):
            yield Say(await self._lesson(turn, text, words))
            return
        if not text:
            if not turn.unanswered:
                yield Fail(words.say("unheard"))
            return
        if len(text) > _MAX_QUESTION_CHARACTERS:
            yield Fail(words.say("too_long"))
            return
        try:
            async for outcome in self._answer(turn, text, words, speculation):
                yield outcome
        except ServiceError as err:
            _LOGGER.warning("%s: %s", err.code, err)
            current_span().note(failed=err.code)
            yield Fail(_apology(err, words))

    async def _answer(
        self, turn: Turn, text: str, words: Language, speculation: SpeculativeReply | None
    ) -> AsyncIterator[Outcome]:
        if self._lessons.takes(text, words.code, turn.conversation):
            yield Say(await self._lesson(turn, text, words))
            return
        conversation = self._open(turn)
        if answer := self._instant.answer(text, words.code, self._now()):
            self._remember(conversation, text, answer, turn)
            yield Say(answer)
            return
        if (done := await self._handled_by_home(turn, text, speculation)) is not None:
            said: list[str] = []
            async for outcome in done:
                said += [outcome.text] if not isinstance(outcome, Intent) else []
                yield outcome
            self._note(conversation, text, " ".join(filter(None, said)))
            return
        if self._is_unknown(text, words, conversation):
            self._remember(conversation, text, words.say("dont_know"), turn)
            yield Say(words.say("dont_know"))
            return
        if (known := self._cached_answer(conversation, text, turn)) is not None:
            current_span().add(cache_hits=1)
            self._remember(conversation, text, known, turn)
            yield Say(known)
            return
        async for outcome in self._model_reply(conversation, turn, text, words, speculation):
            yield outcome

    async def _model_reply(
        self,
        conversation: Conversation,
        turn: Turn,
        text: str,
        words: Language,
        speculation: SpeculativeReply | None,
    ) -> AsyncIterator[Outcome]:
        reply = self._spoken_reply(words, text)
        late = time.monotonic() + self._max_reply_seconds
        async with self._replies.stream(
            self._prompt(conversation, turn, text),
            self._sampling,
            speculation,
            MAX_WAITING_SECONDS,
        ) as generation:
            async for delta in generation:
                for piece in reply.push(delta):
                    yield Say(piece)
                if reply.ended or time.monotonic() > late:
                    break
        for piece in reply.finish():
            yield Say(piece)
        if failure := self._conclude(conversation, turn, text, reply):
            yield Fail(words.say(failure))

    async def _handled_by_home(
        self, turn: Turn, text: str, speculation: SpeculativeReply | None
    ) -> AsyncIterator[Outcome] | None:
        if self._control is None:
            return None
        return await self._control.handle(
            text,
            turn.language,
            turn.conversation,
            turn.device,
            speculation,
            speaker=turn.speaker,
        )

    async def _lesson(self, turn: Turn, text: str, words: Language) -> str:
        """Return the next line of a voice lesson."""
        if not turn.conversation:
            return words.say("cannot_ask")
        is_command = False
        if text and self._control is not None and self._lessons.waits(turn.conversation):
            is_command = await self._control.is_command(
                text, turn.language, turn.conversation, turn.device
            )
        # Speech-to-text knows a sample by its transcript as it was.
        return await self._lessons.answer(
            turn.text if text else "",
            words.code,
            turn.conversation,
            turn.speaker,
            is_command=is_command,
        )

    def _open(self, turn: Turn) -> Conversation:
        conversation = self._history.open(turn.conversation)
        if turn.heard is not None:
            conversation.heard(turn.heard)
        return conversation

    def _is_unknown(self, text: str, words: Language, conversation: Conversation) -> bool:
        """Whether the model could only invent an answer to `text`."""
        return words.asks_the_unknown(text, conversation.questions) or not self._talks(words.code)

    def _cached_answer(self, conversation: Conversation, text: str, turn: Turn) -> str | None:
        # The history may change the answer, so only a first question can be a repetition.
        if conversation.exchanges:
            return None
        return self._answers.find(text, turn.language, turn.speaker)

    def _note(self, conversation: Conversation, text: str, answer: str) -> None:
        """Remember what home control said."""
        if answer:
            tokens = estimate_tokens(text) + estimate_tokens(answer)
            self._history.add(conversation, Exchange(text, answer, tokens))

    def _prompt(self, conversation: Conversation, turn: Turn, text: str) -> Prompt:
        if not conversation.instructions or conversation.speaker != turn.speaker:
            conversation.instructions = self._system_prompt.render(self._around(turn))
            conversation.speaker = turn.speaker
        return Prompt(
            (*conversation.messages(), Message("user", text)),
            conversation=turn.conversation,
            thinking=self._settings.thinking,
        )

    def _conclude(
        self, conversation: Conversation, turn: Turn, text: str, reply: "SpokenReply"
    ) -> str:
        """Remember the exchange; returns the phrase of an apology where `reply` failed, or ""."""
        if reply.failure or not reply.text.strip():
            return reply.failure or "no_answer"
        if not conversation.exchanges:
            self._answers.add(text, turn.language, reply.text.strip(), turn.speaker)
        self._remember(conversation, text, reply.text.strip(), turn)
        return ""

    def _words(self, turn: Turn) -> Language:
        return language(turn.language, self._control.language if self._control is not None else "")

    def _spoken_reply(self, words: Language, text: str) -> "SpokenReply":
        """Return the filters of a reply to `text`, which keep the model from claiming deeds."""
        names = self._control.names if self._control is not None else ()
        question, talk = words.is_question(text), words.is_talk(text)
        request = kind_of_request(text, words.code, question=question, talk=talk)
        claims = ClaimFilter(words.vocabulary.with_names(names), words.code, request)
        return SpokenReply(self._settings.max_tokens, claims)

    def _remember(self, conversation: Conversation, text: str, answer: str, turn: Turn) -> None:
        tokens = estimate_tokens(text) + estimate_tokens(answer)
        self._history.add(conversation, Exchange(text, answer, tokens))
        if turn.conversation:
            self._replies.prefill(
                Prompt(
                    conversation.messages(),
                    conversation=turn.conversation,
                    thinking=self._settings.thinking,
                )
            )

    def _around(self, turn: Turn) -> Surroundings:
        area = self._control.area_of(turn.device) if self._control is not None else ""
        return Surroundings(self._now(), self._settings.place, area, turn.language, turn.speaker)


class SpokenReply:
    """The deltas of one reply, filtered for speech."""

    def __init__(self, max_tokens: int, claims: ClaimFilter) -> None:
        self._limit = LengthLimit(max_tokens)
        self._unspeakable = Unspeakable()
        self._claims = claims
        self._chain = FilterChain([self._limit, WholeWords(), claims, self._unspeakable])
        self.text = ""
        """Text that was passed on so far"""

    @property
    def failure(self) -> str:
        """Phrase of the apology for a reply that may not be said to its end, or ""."""
        if self._claims.ended:
            return "not_understood"
        return "failed" if self._unspeakable.ended else ""

    @property
    def ended(self) -> bool:
        """Whether no more deltas are wanted."""
        return self._chain.ended

    def push(self, delta: Delta) -> list[str]:
        """Return the pieces that may be said by now."""
        if delta.finish:
            if delta.finish == "length":
                self._limit.cut_off()
            current_span().add(
                tokens=delta.usage.completion,
                prompt_tokens=delta.usage.prompt,
                cached_tokens=delta.usage.cached,
            )
        return self._said(self._chain.push(delta.text)) if delta.text else []

    def finish(self) -> list[str]:
        """Return the rest."""
        return self._said(self._chain.finish())

    def _said(self, pieces: list[str]) -> list[str]:
        self.text += "".join(pieces)
        return pieces


class _Telling:
    """Tells what a speculative reply begins with, up to a bound."""

    def __init__(self, reply: SpokenReply, tell: Tell) -> None:
        self._reply = reply
        self._tell = tell

    async def push(self, delta: Delta) -> None:
        """Take the next delta."""
        reply = self._reply
        if reply.ended or reply.failure or len(reply.text) > _MAX_TOLD_CHARACTERS:
            return
        pieces = reply.push(delta)
        if delta.finish:
            pieces += reply.finish()
        # An apology follows a reply that a claim has ended.
        whole = (bool(delta.finish) or reply.ended) and not reply.failure
        if reply.text.strip() and (pieces or whole):
            await self._tell(reply.text.strip() if whole else reply.text.lstrip(), whole)


async def _tell_nobody(text: str, whole: bool) -> None:
    """Do nothing."""


def strip_annotations(text: str) -> str:
    """Return `text` without the sounds that a recogniser describes; "" where no word is left.

    Sounds stand in brackets or asterisks ("[Beep]", "(coughs)", "*music*"), singing between notes.
    Parentheses that hold more than words stay: text may also be typed.
    """
    spoken = _ANNOTATION.sub(" ", text)
    if not any(char.isalnum() for char in spoken):
        return ""
    return text.strip() if spoken == text else " ".join(spoken.split())


def _apology(error: ServiceError, words: Language) -> str:
    if isinstance(error, Busy):
        return words.say("busy")
    return words.say("too_long" if isinstance(error, TooLarge) else "failed")
