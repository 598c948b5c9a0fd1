"""Engines around engines: one that leaves memory while nobody speaks, one that has a stand-in."""

import logging
import time
from collections.abc import Callable, Sequence

from wyoming_common.errors import BadRequest
from wyoming_stt.engine import Audio, Request, SttEngine, Task, Transcription

_LOGGER = logging.getLogger(__name__)


class Unloading:
    """An engine that `rest` takes out of memory; the next `wake` or request brings it back."""

    def __init__(self, load: Callable[[], SttEngine]) -> None:
        self._load = load
        self._engine: SttEngine | None = load()
        self._languages = tuple(self._engine.languages)
        self._tasks = tuple(self._engine.tasks)

    @property
    def languages(self) -> Sequence[str]:
        return self._languages

    @property
    def tasks(self) -> Sequence[Task]:
        return self._tasks

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._engine is not None

    def transcribe(self, audio: Audio, request: Request) -> Transcription:
        return self.wake().transcribe(audio, request)

    def wake(self) -> SttEngine:
        """Load the model unless it is there, and return it."""
        if self._engine is None:
            began = time.monotonic()
            self._engine = self._load()
            _LOGGER.info("Model loaded again in %.2f s", time.monotonic() - began)
        return self._engine

    def rest(self) -> None:
        """Take the model out of memory."""
        engine, self._engine = self._engine, None
        _close(engine)

    def close(self) -> None:
        _close(self._engine)


class WithStandIn:
    """Answers with another engine what the first one fails at.

    The stand-in is loaded at the first failure. A language it does not understand it has to
    find out by itself, or take for its own.
    """

    def __init__(self, engine: SttEngine, load_stand_in: Callable[[], SttEngine]) -> None:
        self._engine = engine
        self._load = load_stand_in
        self._stand_in: SttEngine | None = None

    @property
    def languages(self) -> Sequence[str]:
        return self._engine.languages

    @property
    def tasks(self) -> Sequence[Task]:
        return self._engine.tasks

    def transcribe(self, audio: Audio, request: Request) -> Transcription:
        try:
            return self._engine.transcribe(audio, request)
        except BadRequest:
            raise
        except Exception as err:  # noqa: BLE001 - whatever it is, somebody waits for an answer
            _LOGGER.warning("The model failed, its stand-in answers: %s", err)
        if self._stand_in is None:
            self._stand_in = self._load()
        known = request.language in self._stand_in.languages
        plain = Request(language=request.language if known else None, words=request.words)
        return self._stand_in.transcribe(audio, plain)

    def wake(self) -> None:
        """Load the first engine's model unless it is there."""
        if isinstance(self._engine, Unloading):
            self._engine.wake()

    def rest(self) -> None:
        """Take what can be out of memory."""
        if isinstance(self._engine, Unloading):
            self._engine.rest()
        stand_in, self._stand_in = self._stand_in, None
        _close(stand_in)

    def close(self) -> None:
        for engine in (self._engine, self._stand_in):
            _close(engine)


def _close(engine: SttEngine | None) -> None:
    close = getattr(engine, "close", None)
    if close is not None:
        close()
