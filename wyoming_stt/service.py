"""Speech-to-text service: its model threads, and one recogniser per utterance."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from wyoming.asr import Transcribe
from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.audio.endpointing import Endpointer, EndpointerSettings, Sensitivity
from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.discovery.apps import AppsBeside, apps_beside
from wyoming_common.errors import BadRequest, ServiceError, UnknownModel
from wyoming_common.home_assistant.home import Home
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.access import Access
from wyoming_common.protocol.interim_transcript import WANTS_INTERIM
from wyoming_common.protocol.learn_voice import LearnVoice, LessonState, VoiceLearning
from wyoming_stt.audio.segmenter import SpeechSegmenter
from wyoming_stt.audio.target_speaker import TargetSpeaker
from wyoming_stt.audio.vad import SileroModel, VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.engine_wrappers import FallbackEngine, IdleUnload
from wyoming_stt.decoding.model_files import check_known, languages_of
from wyoming_stt.decoding.transcribe import DecodeStats
from wyoming_stt.decoding.utterance import UtteranceModels, UtteranceRecognizer
from wyoming_stt.decoding.warm_up import USUAL_SECONDS, speech_like, warm_up
from wyoming_stt.endpointing.smart_turn import TurnModel, turn_model
from wyoming_stt.engine import Audio, SttEngine, TranscriptionRequest
from wyoming_stt.engines import ENGINES
from wyoming_stt.home_sentences.sentences import (
    CompiledSentences,
    HomeSentences,
    NoHomeSentences,
)
from wyoming_stt.info import SttProgram, stt_info, stt_programs
from wyoming_stt.speakers.household import Household
from wyoming_stt.speakers.spoken_texts import SpokenTexts
from wyoming_stt.text.languages import choose_languages, match_language
from wyoming_stt.text.names import MAX_NAME_CHARACTERS, MAX_NAMES, read_vocabulary

_LOGGER = logging.getLogger(__name__)

_WARM_UP_FORMAT = PcmFormat(48_000)
"""Of a microphone whose audio has to be resampled"""
_MAX_SENTENCES_SECONDS = 10.0

ServedModel = tuple[SttProgram, ModelThread[SttEngine]]
"""A model as clients see it, and the thread that runs it."""


class SttService:
    """One thread per recogniser, one for voice detection and one for the turn model."""

    def __init__(
        self,
        settings: SttSettings,
        models: Sequence[ServedModel],
        vad: ModelThread[VadModel],
        turn: ModelThread[TurnModel] | None = None,
        *,
        words: Callable[[], Sequence[str]] = tuple,
        sentences: HomeSentences | None = None,
        household: Household | None = None,
        apps: AppsBeside | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`models` holds at least one; the first is the default. `words` returns the names and
        terms likely to be spoken, as they are now. `sentences` correct commands of this home,
        `household` tells who speaks, `apps` what runs beside this program.
        """
        self._settings = settings
        self._models = models
        self._vad = vad
        self._turn = turn
        self._words = words
        self._sentences = sentences or NoHomeSentences()
        self._household = household
        self._teachers = Access(settings.voice_teachers)
        self._apps = apps or AppsBeside()
        self._clock = clock
        self._endpoint = EndpointerSettings(
            no_speech_seconds=settings.no_speech_seconds, turn_seconds=settings.turn_seconds
        )
        self._utterances = 0
        self._warm = False
        self.stats = DecodeStats()
        self.spoken = SpokenTexts(clock)

    @property
    def partials(self) -> bool:
        """Whether partial transcripts are sent."""
        return self._settings.partials

    @property
    def step_seconds(self) -> float:
        """Time since the oldest running call of a model began."""
        return max(thread.step_seconds for thread in self._threads())

    async def engine(self) -> SttEngine:
        """Load all models, and return the first engine."""
        self.refresh_sentences()
        await self._vad.engine()
        if self._household is not None:
            await self._household.load()
        if self._turn is not None:
            await self._turn.engine()
        engine, *_ = await asyncio.gather(*(thread.engine() for _, thread in self._models))
        if not self._warm:
            self._warm = True
            try:
                await self._warm_up()
            except ServiceError as err:
                _LOGGER.warning("The first turn will be slower than the next: %s", err)
        return engine

    async def _warm_up(self) -> None:
        """Take an utterance through everything that a first turn touches.

        Models of a server are not asked: that may charge for it.
        """
        heard = speech_like(USUAL_SECONDS[-1])
        if self._turn is not None:
            await self._turn.call(lambda model: model.completeness(heard))
        if self._settings.is_local:
            sound = speech_like(USUAL_SECONDS[-1], _WARM_UP_FORMAT.rate)
            recognizer = self.recognizer(Transcribe(), 0)
            run = asyncio.create_task(recognizer.run())
            await recognizer.feed((sound * 32767).astype("<i2").tobytes(), _WARM_UP_FORMAT)
            await recognizer.stop()
            await run
            for program, thread in self._models:
                spoken = self._spoken
                language = spoken if spoken in program.languages else program.languages[0]
                await thread.call(partial(warm_up, language=language))
        # A home that does not answer yet must not keep the service from listening.
        with suppress(TimeoutError):
            async with asyncio.timeout(_MAX_SENTENCES_SECONDS):
                await self._sentences.ready()

    @property
    def _spoken(self) -> str | None:
        """The one language that is spoken here, None where there are several."""
        program, _ = self._models[0]
        return match_language(self._settings.language or "auto", program.languages, program.model)

    def refresh_sentences(self) -> None:
        """Begin to compile the sentences of the home again if it has changed."""
        spoken = self._spoken
        self._sentences.refresh([spoken] if spoken else self._settings.languages)

    async def aclose(self) -> None:
        """Wait for running calls, free the models and end the threads."""
        for thread in self._threads():
            await thread.aclose()
        if self._household is not None:
            await self._household.aclose()
        await self._sentences.aclose()

    @asynccontextmanager
    async def tended(self) -> AsyncIterator[None]:
        """While the block runs, free models that are idle for `unload_after` seconds.

        Idle models are freed after twice that time at the latest.
        """
        if not self._settings.unload_after:
            yield
            return
        unloading = asyncio.create_task(self._unload_idle())
        try:
            yield
        finally:
            unloading.cancel()
            await asyncio.wait([unloading])

    async def _unload_idle(self) -> None:
        last_use: object = None
        while True:
            await asyncio.sleep(self._settings.unload_after)
            use = (self._utterances, self.stats.total_seconds)
            if use == last_use and not self.waiting:
                for _, thread in self._models:
                    await thread.call(lambda engine: engine.close())
            last_use = use

    @property
    def waiting(self) -> int:
        """Decodes that wait or run."""
        return sum(thread.waiting for _, thread in self._models)

    def info(self) -> Info:
        """Describe the service; known before any model has loaded."""
        return stt_info(
            [program for program, _ in self._models],
            self._settings.engine,
            ends_turns=self._ends_turns,
            streams=self.partials,
        )

    def select(self, name: str | None) -> int:
        """Return the number of the program or model `name`, 0 for None. Raises UnknownModel."""
        if name is None:
            return 0
        for number, (program, _) in enumerate(self._models):
            if name in (program.name, program.model):
                return number
        known = ", ".join(program.model for program, _ in self._models)
        raise UnknownModel(f"No model '{name:.60}' is loaded; there are {known}")

    def recognizer(
        self,
        wanted: Transcribe,
        program: int,
        on_partial: Callable[[str], Awaitable[None]] | None = None,
        on_interim: Callable[[str], Awaitable[None]] | None = None,
    ) -> UtteranceRecognizer:
        """Return the recogniser of one utterance. Raises UnknownLanguage, BadRequest and Busy.

        `on_partial` receives the text so far if the service sends partial transcripts,
        `on_interim` the text at pauses if the client asks for it.
        """
        self._utterances += 1
        served, thread = self._models[program]
        # A client that would be refused at the end of its audio is refused before it sends any.
        thread.check_room()
        context = wanted.context or {}
        task = context.get("task", self._settings.task)
        request = TranscriptionRequest(
            language=match_language(
                wanted.language or self._settings.language, served.languages, served.model
            ),
            task="translate" if task == "translate" else "transcribe",
            words=_likely_words(wanted, self._words()),
        )
        # The first command of a language finds its sentences compiled while it is being said.
        self._sentences.refresh([request.language] if request.language else ())
        endpoint = Endpointer(self._endpoint, _sensitivity(wanted.vad_sensitivity))
        return UtteranceRecognizer(
            request,
            lambda vad: SpeechSegmenter(
                vad.stream(), endpoint, may_end=self._ends_turns, target=self._target_speaker()
            ),
            UtteranceModels(
                thread,
                self._vad,
                self._turn,
                self.stats,
                self._sentences,
                self._clock,
                reloads=self._settings.unload_after > 0,
                household=self._household,
            ),
            on_partial if self.partials else None,
            on_interim if context.get(WANTS_INTERIM) is True else None,
        )

    async def may_teach(self, peer: str) -> bool:
        """Whether a client at an address of another machine or user may have voices learned."""
        if not peer:
            return False
        return self._teachers.allows(peer) or await self._apps.is_at("llm", peer)

    async def teach(self, asked: LearnVoice) -> VoiceLearning:
        """Carry out a step of a voice lesson. Raises Busy."""
        if self._household is None:
            return VoiceLearning(LessonState.UNAVAILABLE, asked.name)
        return await self._household.teach(asked)

    async def may_wake(self, audio: Audio) -> bool | None:
        """Return whether the voice of a wake word is of the household; None without profiles.

        Raises Busy.
        """
        return await self._household.may_wake(audio) if self._household is not None else None

    def keep_for_lesson(self, text: str, speech: Audio | None) -> None:
        """Keep the speech of a transcript where a voice lesson may want it."""
        if self._household is not None and speech is not None:
            self._household.lesson_speech.add(text, speech)

    @property
    def _ends_turns(self) -> bool:
        return self._settings.endpointing != "off"

    def _target_speaker(self) -> TargetSpeaker | None:
        ends = self._settings.end_with_speaker and self._ends_turns
        drops = self._settings.drop_others
        return TargetSpeaker(ends=ends, drops=drops) if ends or drops else None

    def _threads(
        self,
    ) -> list[ModelThread[SttEngine] | ModelThread[TurnModel] | ModelThread[VadModel]]:
        recognisers = [thread for _, thread in self._models]
        return [*recognisers, *([self._turn] if self._turn is not None else []), self._vad]


def build(settings: SttSettings, home: Callable[[], Home] | None = None) -> SttService:
    """Assemble the service that `settings` describe, without loading anything.

    `home` returns the home as it is now, None for a service without one. Raises UnknownEngine,
    UnknownLanguage, UnknownModel and ConfigError.
    """
    if settings.is_local:
        for model in (*settings.model, *filter(None, [settings.fallback_model])):
            check_known(model, settings.data_dir)
    programs = stt_programs(
        settings.model,
        [
            choose_languages(settings.languages, languages_of(model, settings.data_dir), model)
            for model in settings.model
        ],
    )
    match_language(settings.language, programs[0].languages, programs[0].model)
    words = read_vocabulary(settings.vocabulary) if settings.vocabulary is not None else ()
    models = [
        (
            program,
            ModelThread(
                f"stt-{program.model}",
                partial(_loaded, make_engine(settings, name)),
                settings.max_waiting,
            ),
        )
        for program, name in zip(programs, settings.model, strict=True)
    ]
    return SttService(
        settings,
        models,
        ModelThread("stt-vad", SileroModel, max_waiting=1024),
        turn_model(settings),
        words=lambda: (*words, *(home().names() if home is not None else ())),
        sentences=_sentences(settings, home, words),
        household=Household(settings.data_dir, learns=settings.learn_voices),
        apps=apps_beside(),
    )


def _sentences(
    settings: SttSettings, home: Callable[[], Home] | None, names: Sequence[str]
) -> HomeSentences:
    if not settings.home_sentences or (home is None and not settings.sentences):
        return NoHomeSentences()
    nothing = Home()
    return CompiledSentences(home or (lambda: nothing), settings.sentences, names)


def make_engine(settings: SttSettings, model: str) -> SttEngine:
    """Return the engine of one model as `settings` ask, not loaded yet.

    Raises UnknownEngine, MissingDependency and ConfigError.
    """
    engine: SttEngine = registry.load(ENGINES, settings.engine)(_settings_of(settings, model))
    if settings.unload_after:
        engine = IdleUnload(engine)
    if settings.fallback_model:
        whisper = registry.load(ENGINES, "faster-whisper")
        engine = FallbackEngine(engine, whisper(_settings_of(settings, settings.fallback_model)))
    return engine


def _settings_of(settings: SttSettings, model: str) -> SttSettings:
    return settings.model_copy(update={"model": (model,)})


def _loaded(engine: SttEngine) -> SttEngine:
    engine.load()
    return engine


def _sensitivity(wanted: object) -> Sensitivity:
    if wanted is None:
        return Sensitivity.DEFAULT
    try:
        return Sensitivity(str(getattr(wanted, "value", wanted)))
    except ValueError as err:
        raise BadRequest(
            f"vad_sensitivity: expected {', '.join(Sensitivity)}, got '{wanted!s:.40}'"
        ) from err


def _likely_words(wanted: Transcribe, home: Sequence[str]) -> tuple[str, ...]:
    given = [*(wanted.transcript_names or ()), *home, *(wanted.transcript_terms or ())]
    words = (word.strip() for word in given if len(word) <= MAX_NAME_CHARACTERS)
    return tuple(dict.fromkeys(word for word in words if word))[:MAX_NAMES]
