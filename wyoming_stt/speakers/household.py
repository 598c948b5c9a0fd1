"""The household: the profiles as they are now, and the thread that tells who of them speaks.

Without a profile no model is loaded and nothing is decided.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import ServiceError
from wyoming_common.model_thread import ModelThread
from wyoming_common.models import ModelStore
from wyoming_common.protocol.learn_voice import LearnVoice, LessonStep, VoiceLearning
from wyoming_common.telemetry.trace import current_span
from wyoming_stt.audio.segmenter import SpeechSegment
from wyoming_stt.engine import Audio
from wyoming_stt.speakers.campplus import CAMPPLUS, CamPlusPlus
from wyoming_stt.speakers.engine import MAX_SECONDS, Embedding, SpeakerModel
from wyoming_stt.speakers.identification import WAKE_THRESHOLD, Decision, decide
from wyoming_stt.speakers.lessons import LessonSpeech, VoiceLessons
from wyoming_stt.speakers.profiles import VoiceProfile, VoiceProfiles

_LOGGER = logging.getLogger(__name__)

_FIRST_SECONDS: Final = 1.5
"""Audio after which a speaker is identified for the first time"""
_GROWTH: Final = 1.25
"""Growth of the speech that makes another identification worth its time"""
_SETTLED_SAMPLES: Final = int(1.2 * MODEL_RATE)
"""Speech of an earlier decision that is good enough not to wait for a later one"""
_MAX_WAIT_SECONDS: Final = 0.1
"""Time that a transcript waits for the only decision there will be"""
_MAX_SAMPLES: Final = int(MAX_SECONDS * MODEL_RATE)
_MIN_LEARNED_SAMPLES: Final = 2 * MODEL_RATE
_LEARN_INTERVAL_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Identified:
    """A decision, and what it was made of."""

    decision: Decision
    embedding: Embedding
    samples: int


class Identifier:
    """The profiles and the model, in one thread. Blocking; its errors are logged, not raised."""

    def __init__(
        self,
        profiles: VoiceProfiles,
        make_model: Callable[[], SpeakerModel],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = profiles
        self._make_model = make_model
        self._clock = clock
        self._model: SpeakerModel | None = None
        self._failed = False
        self._state: object = None
        self._profiles: list[VoiceProfile] = []
        self._learned: dict[str, float] = {}
        self._can_write = True
        self.lessons = VoiceLessons(profiles, self.load, clock)

    def refresh(self) -> bool:
        """Read profiles that have changed; returns whether speakers can be identified."""
        state = self._store.state()
        if state != self._state:
            self._state, self._profiles, self._failed = state, self._store.all(), False
        if not self._profiles or self._failed:
            return False
        if self._model is None:
            try:
                self.load()
            except ServiceError as err:
                self._failed = True
                _LOGGER.warning("Nobody is recognised by voice: %s", err)
        return self._model is not None

    def load(self) -> SpeakerModel:
        """Return the model, loaded. Raises ServiceError."""
        if self._model is None:
            self._model = self._make_model()
        return self._model

    def identify(self, audio: Audio) -> Identified | None:
        """Return who speaks, None while that cannot be told."""
        if self._model is None or not self._profiles:
            return None
        embedding = self._model.embed(audio)
        return Identified(decide(embedding, self._profiles), embedding, len(audio))

    def learn(self, known: Identified) -> None:
        """Add a turn whose speaker was sure to the profile, now and then."""
        name, now = known.decision.name, self._clock()
        if not known.decision.sure or known.samples < _MIN_LEARNED_SAMPLES or not self._can_write:
            return
        if now - self._learned.get(name, -_LEARN_INTERVAL_SECONDS) < _LEARN_INTERVAL_SECONDS:
            return
        self._learned[name] = now
        try:
            self._store.save(self._store.find(name).with_learned(known.embedding))
        except ServiceError as err:
            self._can_write = False
            _LOGGER.warning("Profiles do not follow their voices: %s", err)


class Household:
    """Identifies the speakers of a service. One thread; utterances take turns."""

    def __init__(
        self,
        data_dirs: Sequence[Path],
        *,
        learns: bool = True,
        make_model: Callable[[], SpeakerModel] | None = None,
    ) -> None:
        store = ModelStore(data_dirs)
        make = make_model or (lambda: CamPlusPlus(store.ensure(CAMPPLUS)))
        profiles = VoiceProfiles(data_dirs)
        self.learns = learns
        self.thread = ModelThread(
            "stt-speaker", lambda: Identifier(profiles, make), max_waiting=256
        )
        self.lesson_speech = LessonSpeech()

    async def load(self) -> None:
        """Load the model if there is a profile."""
        await self.thread.call(lambda identifier: identifier.refresh())

    def listener(self) -> "SpeakerListener":
        """Return the listener of one utterance, which begins at once."""
        return SpeakerListener(self)

    async def may_wake(self, audio: Audio) -> bool | None:
        """Return whether the voice of a wake word is of the household; None without profiles."""

        def judge(identifier: Identifier) -> bool | None:
            known = identifier.identify(audio) if identifier.refresh() else None
            return None if known is None else known.decision.similarity >= WAKE_THRESHOLD

        return await self.thread.call(judge)

    async def teach(self, asked: LearnVoice) -> VoiceLearning:
        """Carry out a step of a voice lesson. Raises Busy."""
        speech = self.lesson_speech.take(asked.text) if asked.step is LessonStep.SAMPLE else None

        def step(identifier: Identifier) -> tuple[VoiceLearning, bool]:
            return identifier.lessons.take(asked, speech), identifier.lessons.are_open

        answer, are_open = await self.thread.call(step)
        if are_open:
            self.lesson_speech.open()
        else:
            self.lesson_speech.close()
        return answer

    async def aclose(self) -> None:
        """Wait for a running call and end the thread."""
        await self.thread.aclose()


class SpeakerListener:
    """Decides who speaks in one utterance while its audio arrives."""

    def __init__(self, household: Household) -> None:
        self._household = household
        self._active = False
        self._known: Identified | None = None
        self._asked_samples = 0
        self._next_seconds = _FIRST_SECONDS
        self._task: asyncio.Task[None] = asyncio.create_task(self._begin())

    @property
    def speaker(self) -> str | None:
        """The speaker as far as it is known; None without profiles."""
        return self._known.decision.name if self._known is not None else None

    def wants(self, seconds: float) -> bool:
        """Whether the speech so far is worth an identification, `seconds` after the beginning."""
        return self._active and self._task.done() and seconds >= self._next_seconds

    def hear(self, segment: SpeechSegment, seconds: float = 0.0) -> None:
        """Identify the speaker of the speech so far, unless that has been done or is being done."""
        if self._active and self._task.done():
            self._next_seconds = max(self._next_seconds, _GROWTH * seconds)
            self._identify(segment)

    def hear_last(self, segment: SpeechSegment) -> None:
        """Identify the speaker of the whole utterance, after what is being done."""
        self._identify(segment)

    def _identify(self, segment: SpeechSegment) -> None:
        speech = segment.audio[: min(segment.speech_end - segment.start, _MAX_SAMPLES)]
        if len(speech) >= max(1, self._asked_samples * _GROWTH):
            self._asked_samples = len(speech)
            self._task = asyncio.create_task(self._follow(self._task, speech))

    async def decided(self) -> str | None:
        """Return the speaker; waits a moment where no longer speech has been judged yet."""
        known = self._known.samples if self._known is not None else 0
        if not self._task.done() and known < _SETTLED_SAMPLES:
            await asyncio.wait([self._task], timeout=_MAX_WAIT_SECONDS)
        if self._known is None:
            return None
        current_span().note(speaker_similarity=round(self._known.decision.similarity, 2))
        current_span().quote(speaker=self._known.decision.name)
        return self._known.decision.name

    async def learn(self) -> None:
        """Let the profile of the speaker follow the voice, where that is wanted."""
        known = self._known
        if known is not None and known.decision.sure and self._household.learns:
            with suppress(ServiceError):
                await self._household.thread.call(lambda identifier: identifier.learn(known))

    async def aclose(self) -> None:
        """Abandon what is being done."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _begin(self) -> None:
        with suppress(ServiceError):
            self._active = await self._household.thread.call(
                lambda identifier: identifier.refresh()
            )

    async def _follow(self, before: asyncio.Task[None], speech: Audio) -> None:
        try:
            await before
            if not self._active:
                return
            known = await self._household.thread.call(
                lambda identifier: identifier.identify(speech)
            )
        except ServiceError as err:
            _LOGGER.debug("A speaker was not identified: %s", err)
            return
        if known is not None:
            self._known = known
