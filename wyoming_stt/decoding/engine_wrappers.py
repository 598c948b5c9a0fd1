"""Engines around an engine: unloading it while idle, and a fallback for its failures."""

import logging
import time
from collections.abc import Sequence

from wyoming_common.errors import BadRequest
from wyoming_stt.engine import (
    Audio,
    SttEngine,
    Task,
    Transcription,
    TranscriptionRequest,
)

_LOGGER = logging.getLogger(__name__)


class IdleUnload:
    """An engine that may be closed between requests: the next one loads it again."""

    def __init__(self, engine: SttEngine) -> None:
        self._engine = engine
        self._loaded = False
        self._loaded_before = False

    @property
    def languages(self) -> Sequence[str]:
        return self._engine.languages

    @property
    def tasks(self) -> Sequence[Task]:
        return self._engine.tasks

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded

    def load(self) -> None:
        """Load the model unless it is in memory."""
        if self._loaded:
            return
        began = time.monotonic()
        self._engine.load()
        if self._loaded_before:
            _LOGGER.info("Model loaded again in %.2f s", time.monotonic() - began)
        self._loaded = self._loaded_before = True

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        self.load()
        return self._engine.transcribe(audio, request)

    def score(
        self, audio: Audio, texts: Sequence[str], request: TranscriptionRequest
    ) -> Sequence[float] | None:
        self.load()
        return self._engine.score(audio, texts, request)

    def close(self) -> None:
        if self._loaded:
            self._loaded = False
            self._engine.close()


class FallbackEngine:
    """An engine whose failed requests are answered by another one.

    The fallback is loaded at the first failure. It detects a language that it does not know.
    """

    def __init__(self, engine: SttEngine, fallback: SttEngine) -> None:
        self._engine = engine
        self._fallback = fallback
        self._fallback_loaded = False

    @property
    def languages(self) -> Sequence[str]:
        return self._engine.languages

    @property
    def tasks(self) -> Sequence[Task]:
        return self._engine.tasks

    def load(self) -> None:
        self._engine.load()

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        try:
            return self._engine.transcribe(audio, request)
        except BadRequest:
            raise
        except Exception as err:  # noqa: BLE001 - a person waits for an answer, for any failure
            _LOGGER.warning("The model failed, the fallback answers: %s", err)
        if not self._fallback_loaded:
            self._fallback.load()
            self._fallback_loaded = True
        known = request.language in self._fallback.languages
        return self._fallback.transcribe(
            audio,
            TranscriptionRequest(language=request.language if known else None, words=request.words),
        )

    def score(
        self, audio: Audio, texts: Sequence[str], request: TranscriptionRequest
    ) -> Sequence[float] | None:
        try:
            return self._engine.score(audio, texts, request)
        except Exception as err:  # noqa: BLE001 - the transcript is complete without scores
            _LOGGER.warning("The model failed to score sentences: %s", err)
            return None

    def close(self) -> None:
        self._engine.close()
        if self._fallback_loaded:
            self._fallback_loaded = False
            self._fallback.close()
