"""Engines that are unloaded while idle, and engines with a fallback."""

import numpy as np
import pytest

from tests.stt.fakes import FakeEngine
from wyoming_common.errors import BadRequest, ServiceError
from wyoming_stt.decoding.engine_wrappers import FallbackEngine, IdleUnload
from wyoming_stt.engine import Audio, Transcription, TranscriptionRequest

AUDIO = np.zeros(1600, np.float32)


class Failing(FakeEngine):
    def __init__(self, error: Exception) -> None:
        super().__init__(("en", "de"))
        self._error = error

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        raise self._error


def test_a_closed_engine_is_loaded_again_for_the_next_request() -> None:
    model = FakeEngine()
    engine = IdleUnload(model)
    engine.load()

    engine.close()
    loaded_while_idle = engine.loaded
    text = engine.transcribe(AUDIO, TranscriptionRequest()).text

    assert not loaded_while_idle
    assert text == "loud 0.0"
    assert (model.loads, model.closes) == (2, 1)


def test_a_loaded_engine_is_not_loaded_twice() -> None:
    model = FakeEngine()
    engine = IdleUnload(model)

    engine.load()
    engine.load()

    assert model.loads == 1


@pytest.mark.parametrize("error", [RuntimeError("out of memory"), ServiceError("gone")])
def test_the_fallback_answers_a_failed_request(error: Exception) -> None:
    fallback = FakeEngine(("en",))
    engine = FallbackEngine(Failing(error), fallback)
    engine.load()

    loads_before = fallback.loads
    said = engine.transcribe(AUDIO, TranscriptionRequest(language="de", words=("Bob",)))

    assert said.text == "loud 0.0"
    assert fallback.requests == [TranscriptionRequest(language=None, words=("Bob",))]
    assert (loads_before, fallback.loads) == (0, 1)


def test_a_bad_request_does_not_reach_the_fallback() -> None:
    fallback = FakeEngine()
    engine = FallbackEngine(Failing(BadRequest("no")), fallback)

    with pytest.raises(BadRequest):
        engine.transcribe(AUDIO, TranscriptionRequest())

    assert fallback.loads == 0


def test_a_model_that_cannot_be_loaded_again_is_replaced_by_the_fallback() -> None:
    class Vanishing(FakeEngine):
        def load(self) -> None:
            super().load()
            if self.loads > 1:
                raise ServiceError("the file is gone")

    fallback = FakeEngine()
    engine = FallbackEngine(IdleUnload(Vanishing()), fallback)
    engine.load()
    engine.close()

    said = engine.transcribe(AUDIO, TranscriptionRequest(language="en"))

    assert said.text == "loud 0.0"
    assert fallback.loads == 1
