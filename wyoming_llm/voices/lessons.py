"""Voice lessons of all conversations; speech-to-text carries out their steps. Time is injected.

Which voice a profile holds is up to speech-to-text: see T13 of docs/threat-model.md.
"""

import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from wyoming_common.discovery.apps import AppsBeside
from wyoming_common.protocol.learn_voice import LearnVoice, LessonState, LessonStep, VoiceLearning
from wyoming_llm.dialogue.speech_to_text import FAILURES, SPEECH_TO_TEXT, ask
from wyoming_llm.home.confirmation import reply_of
from wyoming_llm.voices.lesson import Ask, Line, Said, VoiceLesson
from wyoming_llm.voices.words import LessonWords, lesson_words

_LOGGER = logging.getLogger(__name__)

WAITING_SECONDS: Final = 60.0
"""Time between a line and the answer to it, after which a lesson is over"""
_MAX_LESSONS: Final = 16
_STEP_SECONDS: Final = 10.0
_BEGIN_SECONDS: Final = 30.0
"""The model may have to load"""

Teach = Callable[[LearnVoice], Awaitable[VoiceLearning]]
"""Has speech-to-text carry out a step; a failure is UNAVAILABLE."""


@dataclass(slots=True)
class _Open:
    """A lesson in progress."""

    lesson: VoiceLesson
    words: LessonWords
    touched: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class LessonDialogues:
    """Lessons by conversation, for turns that ask for one or belong to one."""

    def __init__(
        self,
        teach: Teach | None,
        reserved: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`teach` is None where no speech-to-text service is known.

        Voices of `reserved` names are not learned here, unless they are known already.
        """
        self._teach = teach
        self._reserved = frozenset(name.casefold() for name in reserved)
        self._clock = clock
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def waits(self, conversation: str) -> bool:
        """Whether a lesson waits for the next words of a conversation."""
        known = self._open.get(conversation)
        return known is not None and self._clock() - known.touched <= WAITING_SECONDS

    def takes(self, text: str, language: str, conversation: str) -> bool:
        """Whether a text belongs to a lesson or asks for one."""
        words = lesson_words(language)
        asks = words is not None and (words.asks_to_learn(text) or words.asks_to_forget(text))
        return asks or self.waits(conversation)

    async def answer(
        self, text: str, language: str, conversation: str, speaker: str, *, is_command: bool = False
    ) -> str:
        """Return the reply to a text that belongs to a lesson; `text` is "" for silence.

        `is_command`: the text commands something, which ends a lesson and is not done.
        """
        known = self._open.pop(conversation, None)
        if known is not None and self._clock() - known.touched <= WAITING_SECONDS:
            said = _said(text, language, known.words, speaker, is_command=is_command)
            return await self._follow(conversation, known, known.lesson.heard(said))
        words = lesson_words(language)
        assert words is not None
        if self._teach is None:
            return words.say("unavailable")
        begun = _Open(VoiceLesson(self._reserved), words, self._clock())
        if words.asks_to_forget(text):
            return await self._follow(conversation, begun, begun.lesson.forget(speaker))
        name = words.introduced(text) or speaker
        return await self._follow(conversation, begun, begun.lesson.learn(name))

    async def _follow(self, conversation: str, known: _Open, move: Ask | Line) -> str:
        """Carry out steps until there is something to say."""
        while isinstance(move, Ask):
            result = await self._step(LearnVoice(move.step, known.id, move.name, move.text))
            move = known.lesson.told(result)
        known.touched = self._clock()
        if not move.over:
            self._open[conversation] = known
            while len(self._open) > _MAX_LESSONS:
                self._open.popitem(last=False)
        elif move.key not in ("learned", "forgotten"):
            await self._step(LearnVoice(LessonStep.END, known.id))
        return known.words.say(move.key, move.name, move.question)

    async def _step(self, asked: LearnVoice) -> VoiceLearning:
        if self._teach is None:
            return VoiceLearning(LessonState.UNAVAILABLE, asked.name)
        return await self._teach(asked)


def _said(text: str, language: str, words: LessonWords, speaker: str, *, is_command: bool) -> Said:
    other = lesson_words(language)
    return Said(
        text=text,
        name=words.named(text),
        reply=reply_of(text),
        leaves=not text.strip() or is_command or words.cancels(text) or other is not words,
        speaker=speaker,
    )


def teacher(uri: str, apps: AppsBeside | None = None) -> Teach | None:
    """Return how speech-to-text is asked, at `uri` or else as an app beside this one.

    None where neither is known.
    """
    if not uri and (apps is None or not apps.may_have(SPEECH_TO_TEXT)):
        return None

    async def teach(asked: LearnVoice) -> VoiceLearning:
        seconds = _BEGIN_SECONDS if asked.step is LessonStep.BEGIN else _STEP_SECONDS
        at = uri if uri or apps is None else await apps.uri(SPEECH_TO_TEXT)
        if not at:
            _LOGGER.warning("A voice cannot be learned: the speech-to-text app does not run")
            return VoiceLearning(LessonState.UNAVAILABLE, asked.name)
        try:
            answered = await ask(at, asked.event(), VoiceLearning.is_type, seconds)
            with suppress(KeyError, ValueError, TypeError):
                return VoiceLearning.from_event(answered)
            _LOGGER.warning("Speech-to-text at %s gave no state of a voice lesson", at)
        except FAILURES as err:
            _LOGGER.warning(
                "Speech-to-text at %s cannot learn a voice: %s", at, str(err) or "no answer"
            )
        return VoiceLearning(LessonState.UNAVAILABLE, asked.name)

    return teach
