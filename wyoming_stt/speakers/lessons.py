"""Voice lessons: profiles learned from utterances, step by step, as a conversation asks for them.

Speech is kept while a lesson is open, and of the last utterances only. Defends against T13 of
docs/threat-model.md: a profile is replaced by samples of the same voice alone.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import BadAudio, ConfigError, ServiceError
from wyoming_common.protocol.learn_voice import LearnVoice, LessonState, LessonStep, VoiceLearning
from wyoming_stt.engine import Audio
from wyoming_stt.speakers.engine import Embedding, SpeakerModel, unit
from wyoming_stt.speakers.enrolment import (
    MIN_SAMPLES,
    AlikeVoices,
    SeveralVoices,
    check_speech,
    enrolled,
)
from wyoming_stt.speakers.profiles import VoiceProfile, VoiceProfiles, check_name

LESSON_SECONDS: Final = 120.0
"""Time without a step after which a lesson is over"""
_MAX_LESSONS: Final = 4
_MAX_SAMPLES: Final = 10
_MAX_TEXTS: Final = 8
_MAX_SPEECH_SAMPLES: Final = 12 * MODEL_RATE
_MIN_SAMPLES_TO_TELL: Final = 2
"""Samples after which a voice is compared with the profile that it would replace"""
_SAME_VOICE: Final = 0.7
"""Similarity to that profile which the centre of two to four samples must have"""
_SURELY_SAME_VOICE: Final = 0.75
"""...and that of all five. More than where one sentence is recognised: a centre is more alike to
every other one."""


class LessonSpeech:
    """The speech of the last utterances by their transcripts, while a lesson is open."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._texts: OrderedDict[str, Audio | None] = OrderedDict()

    @property
    def wanted(self) -> bool:
        """Whether speech is kept at present."""
        if self._clock() <= self._until:
            return True
        self._texts.clear()
        return False

    def open(self) -> None:
        """Keep speech from now on, as long as a lesson may last."""
        self._until = self._clock() + LESSON_SECONDS

    def close(self) -> None:
        """Drop it, and keep none."""
        self._until = float("-inf")
        self._texts.clear()

    def add(self, text: str, speech: Audio) -> None:
        """Keep the speech of a transcript; of one that was said twice, none."""
        if not self.wanted:
            return
        key = text.strip()
        self._texts[key] = None if key in self._texts else speech[:_MAX_SPEECH_SAMPLES]
        while len(self._texts) > _MAX_TEXTS:
            self._texts.popitem(last=False)

    def take(self, text: str) -> Audio | None:
        """Return the speech of a text, and forget it; None where it is not known whose it is."""
        return self._texts.pop(text.strip(), None) if self.wanted else None


@dataclass(slots=True)
class _Lesson:
    name: str
    touched: float
    samples: list[Embedding] = field(default_factory=list)


class VoiceLessons:
    """The lessons that are open. Blocking; time is injected."""

    def __init__(
        self,
        profiles: VoiceProfiles,
        load: Callable[[], SpeakerModel],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`load` returns the model; it raises ServiceError."""
        self._profiles = profiles
        self._load = load
        self._clock = clock
        self._lessons: OrderedDict[str, _Lesson] = OrderedDict()

    @property
    def are_open(self) -> bool:
        """Whether a sample may come."""
        self._drop_old()
        return bool(self._lessons)

    def take(self, asked: LearnVoice, speech: Audio | None = None) -> VoiceLearning:
        """Carry out a step; `speech` is that of a sample, None where it is not known."""
        self._drop_old()
        if asked.step is LessonStep.BEGIN:
            return self._begin(asked)
        if asked.step is LessonStep.FORGET:
            return self._forget(asked.name)
        lesson = self._lessons.get(asked.lesson)
        if lesson is None:
            return VoiceLearning(LessonState.ENDED, asked.name)
        lesson.touched = self._clock()
        match asked.step:
            case LessonStep.SAMPLE:
                return VoiceLearning(self._sample(lesson, speech), lesson.name)
            case LessonStep.SAVE:
                del self._lessons[asked.lesson]
                return self._save(lesson)
            case _:
                del self._lessons[asked.lesson]
                return VoiceLearning(LessonState.ENDED, lesson.name)

    def _begin(self, asked: LearnVoice) -> VoiceLearning:
        try:
            name = check_name(asked.name)
            known = self._known(name)
            self._load()
        except ConfigError:
            return VoiceLearning(LessonState.BAD_NAME, asked.name)
        except ServiceError:
            return VoiceLearning(LessonState.UNAVAILABLE, asked.name)
        self._lessons[asked.lesson] = _Lesson(name if known is None else known.name, self._clock())
        while len(self._lessons) > _MAX_LESSONS:
            self._lessons.popitem(last=False)
        state = LessonState.READY if known is None else LessonState.KNOWN
        return VoiceLearning(state, self._lessons[asked.lesson].name)

    def _sample(self, lesson: _Lesson, speech: Audio | None) -> LessonState:
        if speech is None or len(lesson.samples) >= _MAX_SAMPLES:
            return LessonState.UNCLEAR
        try:
            check_speech(speech, lesson.name)
            lesson.samples.append(self._load().embed(speech))
        except BadAudio:
            return LessonState.UNCLEAR
        except ServiceError:
            return LessonState.UNAVAILABLE
        # One sentence is too little to refuse a person, and five are much to ask for in vain.
        return self._ownership(lesson) or LessonState.TAKEN

    def _ownership(self, lesson: _Lesson) -> LessonState | None:
        """Return NOT_THEIRS where the profile to be replaced is of another voice."""
        known = self._known(lesson.name)
        if known is None or len(lesson.samples) < _MIN_SAMPLES_TO_TELL:
            return None
        alike = float(unit(np.sum(lesson.samples, axis=0)) @ known.centre)
        needed = _SAME_VOICE if len(lesson.samples) < MIN_SAMPLES else _SURELY_SAME_VOICE
        return LessonState.NOT_THEIRS if alike < needed else None

    def _save(self, lesson: _Lesson) -> VoiceLearning:
        if len(lesson.samples) < MIN_SAMPLES:
            return VoiceLearning(LessonState.UNCLEAR, lesson.name)
        if (refused := self._ownership(lesson)) is not None:
            return VoiceLearning(refused, lesson.name)
        try:
            self._profiles.save(enrolled(lesson.name, lesson.samples, self._profiles.all()))
        except SeveralVoices:
            return VoiceLearning(LessonState.SEVERAL, lesson.name)
        except AlikeVoices as err:
            return VoiceLearning(LessonState.LIKE_ANOTHER, err.person)
        except ServiceError:
            return VoiceLearning(LessonState.UNAVAILABLE, lesson.name)
        return VoiceLearning(LessonState.SAVED, lesson.name)

    def _forget(self, name: str) -> VoiceLearning:
        try:
            known = self._known(name)
            if known is None:
                return VoiceLearning(LessonState.UNKNOWN, name)
            self._profiles.delete(known.name)
        except ServiceError:
            return VoiceLearning(LessonState.UNAVAILABLE, name)
        return VoiceLearning(LessonState.FORGOTTEN, known.name)

    def _known(self, name: str) -> VoiceProfile | None:
        """Return the profile of a name, however it is written."""
        wanted = check_name(name).casefold()
        return next((p for p in self._profiles.all() if p.name.casefold() == wanted), None)

    def _drop_old(self) -> None:
        oldest = self._clock() - LESSON_SECONDS
        for name in [name for name, it in self._lessons.items() if it.touched < oldest]:
            del self._lessons[name]
