"""whisper.cpp engine, through pywhispercpp. Model files are GGML (`ggml-tiny.en.bin`)."""

from pathlib import Path
from typing import Any

import numpy as np
from pywhispercpp.model import Model

from wyoming_common.errors import ModelError, UnknownModel
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.model_files import MULTILINGUAL_VOCABULARY, obtain
from wyoming_stt.engine import Audio, Task, Transcription, TranscriptionRequest
from wyoming_stt.engines.whisper_cpp.ggml_file import vocabulary_size
from wyoming_stt.text.cleanup import cut_repeated_words, max_tokens, prompt_of
from wyoming_stt.text.languages import WHISPER

_MIN_CONTEXT_SECONDS = 20.0
"""Shortest context of the encoder; a shorter one costs accuracy here, where states of silence
cannot be appended to it (docs/benchmarks-stt.md)."""
_MARGIN_SECONDS = 1.0
_MIN_SAMPLES = 17_600
"""whisper.cpp ignores audio shorter than a second."""


class WhisperCpp:
    """One Whisper model."""

    def __init__(self, settings: SttSettings) -> None:
        self._settings = settings
        self._multilingual = False
        self._model: Any = None

    def load(self) -> None:
        settings = self._settings
        path = _file(obtain(settings.model[0], settings.data_dir))
        self._multilingual = vocabulary_size(path) >= MULTILINGUAL_VOCABULARY
        beams = settings.beam_size or 1
        options: dict[str, Any] = {"n_threads": settings.threads} if settings.threads else {}
        if beams > 1:
            options["beam_search"] = {"beam_size": beams, "patience": -1.0}
        try:
            self._model = Model(
                str(path),
                params_sampling_strategy=int(beams > 1),
                redirect_whispercpp_logs_to=None,
                print_progress=False,
                no_timestamps=True,
                single_segment=True,
                temperature_inc=0.0,
                suppress_nst=True,
                **options,
            )
        except Exception as err:  # the binding raises RuntimeError, FileNotFoundError and others
            raise ModelError(f"model: cannot load {path}: {err}") from err

    def close(self) -> None:
        self._model = None

    @property
    def languages(self) -> tuple[str, ...]:
        return WHISPER if self._multilingual else ("en",)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ("transcribe", "translate") if self._multilingual else ("transcribe",)

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        language = request.language or self._detect(audio)
        seconds = len(audio) / 16_000
        padded = np.pad(audio, (0, max(0, _MIN_SAMPLES - len(audio))))
        segments = self._model.transcribe(
            padded,
            language=language,
            translate=request.task == "translate",
            audio_ctx=min(1500, round(50 * max(_MIN_CONTEXT_SECONDS, seconds + _MARGIN_SECONDS))),
            max_tokens=max_tokens(seconds),
            initial_prompt=prompt_of(request.words) or "",
        )
        text = cut_repeated_words(" ".join(segment.text.strip() for segment in segments))
        return Transcription(text=text.strip(), language=language)

    def score(self, *_: object) -> None:
        return None

    def _detect(self, audio: Audio) -> str:
        if not self._multilingual:
            return "en"
        (language, _), _ = self._model.auto_detect_language(audio)
        return str(language)


def _file(path: Path) -> Path:
    if path.is_dir():
        found = sorted(path.glob("*.bin"))
        if not found:
            raise ModelError(f"model: expected a GGML .bin file in {path}")
        return found[0]
    if not path.is_file():
        raise UnknownModel(f"model: no such file or folder: {path}")
    return path
