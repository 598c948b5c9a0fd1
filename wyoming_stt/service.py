"""The models of one service, and what its connections share."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from wyoming.asr import Transcribe
from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.endpoint import Endpoint, EndpointSettings, Sensitivity
from wyoming_common.errors import BadRequest, UnknownModel
from wyoming_common.smart_turn import TurnModel
from wyoming_common.tentative import TENTATIVE
from wyoming_common.worker import ModelThread
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Request, SttEngine, Task
from wyoming_stt.engines import ENGINES
from wyoming_stt.info import Program, make_info, programs
from wyoming_stt.languages import chosen, match
from wyoming_stt.listener import Listener
from wyoming_stt.models import check_known, languages_of
from wyoming_stt.resilient import Unloading, WithStandIn
from wyoming_stt.session import Session, Spent, Tools
from wyoming_stt.turn_model import turn_model
from wyoming_stt.vad import SileroModel, SpeechModel
from wyoming_stt.vocabulary import LONGEST_WORD, MOST_WORDS, read_vocabulary

_LOGGER = logging.getLogger(__name__)


class SttService:
    """One thread a model and one for voice detection; makes a session for every utterance."""

    def __init__(
        self,
        served: Sequence[Program],
        models: Sequence[ModelThread[SttEngine]],
        ears: ModelThread[SpeechModel],
        turn: ModelThread[TurnModel] | None = None,
        *,
        engine: str = "",
        language: str = "",
        task: Task = "transcribe",
        endpoint: EndpointSettings | None = None,
        ends_turns: bool = True,
        words: Callable[[], Sequence[str]] = tuple,
        partials: bool = False,
        unload_after: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert len(served) == len(models)
        assert served
        self._served = served
        self._models = models
        self._ears = ears
        self._turn = turn
        self._engine = engine
        self._language = language
        self._task = task
        self._endpoint = endpoint or EndpointSettings()
        self._ends_turns = ends_turns
        self._words = words
        self.partials = partials
        self._unload_after = unload_after
        self._clock = clock
        self._sessions = 0
        self.spent = Spent()

    @property
    def step_seconds(self) -> float:
        """How long the longest piece of work under way has taken."""
        turn = self._turn.step_seconds if self._turn is not None else 0.0
        return max(turn, self._ears.step_seconds, *(model.step_seconds for model in self._models))

    async def engine(self) -> SttEngine:
        """Load everything; returns the first engine once all stand ready."""
        await self._ears.engine()
        if self._turn is not None:
            await self._turn.engine()
        engine, *_ = await asyncio.gather(*(model.engine() for model in self._models))
        return engine

    async def aclose(self) -> None:
        """Wait for running calls, and end the threads."""
        for model in self._models:
            await model.aclose()
        if self._turn is not None:
            await self._turn.aclose()
        await self._ears.aclose()

    @asynccontextmanager
    async def tended(self) -> AsyncIterator[None]:
        """While the block runs, take models that nobody has used for a while out of memory.

        `unload_after` seconds are the least they stay, twice as many the most.
        """
        if not self._unload_after:
            yield
            return
        tending = asyncio.create_task(self._tend())
        try:
            yield
        finally:
            tending.cancel()
            await asyncio.wait([tending])

    async def _tend(self) -> None:
        seen: object = None
        while True:
            await asyncio.sleep(self._unload_after)
            use = (self._sessions, self.spent.total_seconds)
            if use == seen and not self.waiting:
                for model in self._models:
                    await model.call(_rest)
            seen = use

    @property
    def waiting(self) -> int:
        """Decodes that wait or run."""
        return sum(model.waiting for model in self._models)

    def info(self) -> Info:
        """Describe the service; true before anything has loaded."""
        return make_info(
            self._served, self._engine, ends_turns=self._ends_turns, streams=self.partials
        )

    def select(self, name: str | None) -> int:
        """Return the number of the program or model `name`; None means the first.

        Raises UnknownModel.
        """
        if name is None:
            return 0
        for number, program in enumerate(self._served):
            if name in (program.name, program.model):
                return number
        there = ", ".join(program.model for program in self._served)
        raise UnknownModel(f"No model '{name:.60}' is loaded; there are {there}")

    def session(
        self,
        wanted: Transcribe,
        program: int,
        on_partial: Callable[[str], Awaitable[None]] | None = None,
        on_tentative: Callable[[str], Awaitable[None]] | None = None,
    ) -> Session:
        """Return a session for one utterance. Raises UnknownLanguage, BadRequest and Busy.

        `on_partial` is told the text so far, now and then, if the service is set to;
        `on_tentative` at pauses, if the client asks for it.
        """
        self._sessions += 1
        served = self._served[program]
        # Who would be refused at the end of the audio had better know before it is sent.
        self._models[program].check_room()
        context = wanted.context or {}
        request = Request(
            language=match(wanted.language or self._language, served.languages, served.model),
            task="translate" if context.get("task", self._task) == "translate" else "transcribe",
            words=_words(wanted, self._words()),
        )
        endpoint = Endpoint(self._endpoint, _sensitivity(wanted.vad_sensitivity))
        return Session(
            request,
            lambda speech: Listener(speech.stream(), endpoint, may_end=self._ends_turns),
            Tools(
                self._models[program],
                self._ears,
                self._turn,
                self.spent,
                self._clock,
                _wake if self._unload_after else None,
            ),
            on_partial if self.partials else None,
            on_tentative if context.get(TENTATIVE) is True else None,
        )


def build(settings: SttSettings, home_words: Callable[[], Sequence[str]] = tuple) -> SttService:
    """Assemble the service that `settings` describe; nothing is loaded yet.

    `home_words` returns the names of the home as they are now. Raises UnknownEngine,
    UnknownLanguage, UnknownModel and ConfigError.
    """
    if settings.engine != "openai":
        for model in (*settings.model, *filter(None, [settings.fallback_model])):
            check_known(model, settings.data_dir)
    served = programs(
        list(settings.model),
        [
            chosen(settings.languages, languages_of(model, settings.data_dir), model)
            for model in settings.model
        ],
    )
    match(settings.language, served[0].languages, served[0].model)
    words = read_vocabulary(settings.vocabulary) if settings.vocabulary is not None else ()
    models = [
        ModelThread[SttEngine](
            f"stt-{program.model}", make_engine(settings, name), settings.max_waiting
        )
        for program, name in zip(served, settings.model, strict=True)
    ]
    return SttService(
        served,
        models,
        ModelThread[SpeechModel]("stt-vad", SileroModel, max_waiting=1024),
        turn_model(settings),
        engine=settings.engine,
        language=settings.language,
        task=settings.task,
        endpoint=EndpointSettings(
            no_speech_seconds=settings.no_speech_seconds, turn_seconds=settings.turn_seconds
        ),
        ends_turns=settings.endpointing != "off",
        words=lambda: (*words, *home_words()),
        partials=settings.partials,
        unload_after=settings.unload_after,
    )


def make_engine(settings: SttSettings, model: str) -> Callable[[], SttEngine]:
    """Return what loads `model` as `settings` ask. Raises UnknownEngine, MissingDependency."""
    load: Callable[[], SttEngine] = partial(
        registry.load(ENGINES, settings.engine), settings, model
    )
    if settings.unload_after:
        load = partial(Unloading, load)
    if settings.fallback_model:
        whisper = registry.load(ENGINES, "faster-whisper")
        stand_in = partial(whisper, settings, settings.fallback_model)
        main = load
        return lambda: WithStandIn(main(), stand_in)
    return load


def _wake(engine: SttEngine) -> None:
    if isinstance(engine, Unloading | WithStandIn):
        engine.wake()


def _rest(engine: SttEngine) -> None:
    if isinstance(engine, Unloading | WithStandIn):
        engine.rest()


def _sensitivity(wanted: object) -> Sensitivity:
    if wanted is None:
        return Sensitivity.DEFAULT
    try:
        return Sensitivity(str(getattr(wanted, "value", wanted)))
    except ValueError as err:
        raise BadRequest(
            f"vad_sensitivity: expected {', '.join(Sensitivity)}, got '{wanted!s:.40}'"
        ) from err


def _words(wanted: Transcribe, ours: Sequence[str]) -> tuple[str, ...]:
    given = [*(wanted.transcript_names or ()), *ours, *(wanted.transcript_terms or ())]
    words = (word.strip() for word in given if len(word) <= LONGEST_WORD)
    return tuple(dict.fromkeys(word for word in words if word))[:MOST_WORDS]
