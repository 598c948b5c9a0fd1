"""The models of one service, and what its connections share."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from wyoming.asr import Transcribe
from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.endpoint import Endpoint, Sensitivity
from wyoming_common.errors import BadRequest, UnknownModel
from wyoming_common.worker import ModelThread
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Request, SttEngine
from wyoming_stt.engines import ENGINES
from wyoming_stt.info import Program, make_info, programs
from wyoming_stt.languages import match
from wyoming_stt.listener import Listener
from wyoming_stt.models import languages_of
from wyoming_stt.session import Session, Spent
from wyoming_stt.vad import SileroModel, SpeechModel

_LOGGER = logging.getLogger(__name__)


class SttService:
    """One thread a model and one for voice detection; makes a session for every utterance."""

    def __init__(
        self,
        served: Sequence[Program],
        models: Sequence[ModelThread[SttEngine]],
        ears: ModelThread[SpeechModel],
        *,
        language: str = "",
        ends_turns: bool = True,
    ) -> None:
        assert len(served) == len(models)
        assert served
        self._served = served
        self._models = models
        self._ears = ears
        self._language = language
        self._ends_turns = ends_turns
        self.spent = Spent()

    async def engine(self) -> SttEngine:
        """Load everything; returns the first engine once all stand ready."""
        await self._ears.engine()
        engine, *_ = await asyncio.gather(*(model.engine() for model in self._models))
        return engine

    async def aclose(self) -> None:
        """Wait for running calls, and end the threads."""
        for model in self._models:
            await model.aclose()
        await self._ears.aclose()

    def info(self) -> Info:
        """Describe the service; true before anything has loaded."""
        return make_info(self._served, ends_turns=self._ends_turns, streams=False)

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

    def session(self, wanted: Transcribe, program: int) -> Session:
        """Return a session for one utterance. Raises UnknownLanguage and BadRequest."""
        served = self._served[program]
        language = match(wanted.language or self._language, served.languages, served.model)
        endpoint = Endpoint(sensitivity=_sensitivity(wanted.vad_sensitivity))
        return Session(
            Request(language=language, words=_words(wanted)),
            lambda speech: Listener(speech.stream(), endpoint, may_end=self._ends_turns),
            self._models[program],
            self._ears,
            self.spent,
        )


def build(settings: SttSettings) -> SttService:
    """Assemble the service that `settings` describe; nothing is loaded yet.

    Raises UnknownEngine, UnknownLanguage.
    """
    make = registry.load(ENGINES, settings.engine)
    served = programs(
        [str(model) for model in settings.model],
        [languages_of(model, settings.data_dir) for model in settings.model],
    )
    match(settings.language, served[0].languages, served[0].model)
    models = [
        ModelThread[SttEngine](
            f"stt-{program.model}", partial(make, settings, name), settings.max_waiting
        )
        for program, name in zip(served, settings.model, strict=True)
    ]
    ears = ModelThread[SpeechModel]("stt-vad", SileroModel, max_waiting=1024)
    return SttService(
        served,
        models,
        ears,
        language=settings.language,
        ends_turns=settings.endpointing != "off",
    )


def _sensitivity(wanted: object) -> Sensitivity:
    if wanted is None:
        return Sensitivity.DEFAULT
    try:
        return Sensitivity(str(getattr(wanted, "value", wanted)))
    except ValueError as err:
        raise BadRequest(
            f"vad_sensitivity: expected {', '.join(Sensitivity)}, got '{wanted!s:.40}'"
        ) from err


def _words(wanted: Transcribe) -> tuple[str, ...]:
    given = [*(wanted.transcript_names or ()), *(wanted.transcript_terms or ())]
    return tuple(dict.fromkeys(word.strip() for word in given if word.strip()))
