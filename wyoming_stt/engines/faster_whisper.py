"""Whisper on CTranslate2, with the models of faster-whisper."""

import os
from functools import cached_property
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from wyoming_common.errors import ConfigError, ModelError
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Audio, Request, Task, Transcription
from wyoming_stt.engines.whisper_text import cut_repeats, is_nothing, most_tokens, prompt_of
from wyoming_stt.languages import chosen
from wyoming_stt.models import check_folder, languages_of, obtain
from wyoming_stt.vocabulary import vocabulary

_FRAME_SECONDS = 0.01
_WINDOW_FRAMES = 3000
"""Mel frames of 30 s, what Whisper was trained on."""
_MARGIN_SECONDS = 1.0
"""Silence the encoder hears behind the speech; with 0.5 s it starts to say things twice."""
_MOST_PROMPT = 223
"""Tokens Whisper reads before those of the speech, the one that announces them included."""
_TOLD_NAMES = 20
_PRIMITIVES: Final = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
"""oneDNN keeps code for each length of audio it was given, 120 kB a time, for 1024 lengths; few of
those come again. https://oneapi-src.github.io/oneDNN/dev_guide_primitive_cache.html"""
_BEAM_SIZE = 2
"""Measured: a point of WER better than greedy search on long sentences, half a point worse than 5
beams, which take a quarter longer on commands and half as long again on long sentences."""


class FasterWhisper:
    """One loaded model. Encodes only what was said.

    Whisper's encoder works on 30 s whatever is said. Here it works on the speech alone, and
    the decoder is given, behind the states of the speech, those of silence at their positions,
    which were computed once: it stops where it would have, at a fraction of the time.
    """

    def __init__(self, settings: SttSettings, model: str) -> None:
        os.environ.setdefault(*_PRIMITIVES)
        path = obtain(model, settings.data_dir)
        check_folder(path)
        known = languages_of(model, settings.data_dir)
        self._languages = chosen(settings.languages, known, model)
        device, _, index = settings.device.partition(":")
        try:
            self._whisper = WhisperModel(
                str(path),
                device=device,
                device_index=int(index or 0),
                compute_type=_compute_type(settings),
                cpu_threads=settings.threads,
                local_files_only=True,
            )
            self._beam_size = settings.beam_size or _BEAM_SIZE
            # A vocabulary that is cut is noticed at the first decode, and not before.
            self.transcribe(np.zeros(16_000, np.float32), Request(language=self._languages[0]))
        except Exception as err:  # its libraries raise RuntimeError, ValueError and bare Exception
            raise ModelError(f"model: cannot load {path}: {_first_line(err)}") from err

    @property
    def languages(self) -> tuple[str, ...]:
        return self._languages

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ("transcribe", "translate") if self._multilingual else ("transcribe",)

    def transcribe(self, audio: Audio, request: Request) -> Transcription:
        encoded = self._encode(audio)
        language = request.language or self._detect(encoded)
        tokenizer = Tokenizer(
            self._whisper.hf_tokenizer, self._multilingual, request.task, language
        )
        seconds = len(audio) / 16_000
        text = self._decode(encoded, tokenizer, seconds)
        names = vocabulary(request.words)
        # Told names, small models hear them five times as often, and other words worse by 3
        # points: so they read once without, and again with them for the names alone.
        if text and request.words and not names.mentions(text):
            likely = names.likely(text, _TOLD_NAMES)
            told = self._decode(encoded, tokenizer, seconds, prompt_of(likely))
            text = names.adopt(text, told)
        return Transcription(text=text, language=language)

    def _decode(
        self, encoded: Any, tokenizer: Tokenizer, seconds: float, told: str | None = None
    ) -> str:
        before = [tokenizer.sot_prev, *tokenizer.encode(" " + told)] if told else []
        prompt = [*before[:_MOST_PROMPT], *tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._whisper.model.generate(
            encoded,
            [prompt],
            beam_size=self._beam_size,
            max_length=len(prompt) + most_tokens(seconds),
            suppress_blank=True,
            suppress_tokens=[-1],
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        if is_nothing(len(tokens), seconds, result.scores[0], result.no_speech_prob):
            return ""
        return str(tokenizer.decode(cut_repeats(tokens))).strip()

    @property
    def _multilingual(self) -> bool:
        return bool(self._whisper.model.is_multilingual)

    def _encode(self, audio: Audio) -> Any:
        features = self._whisper.feature_extractor(audio, padding=160)
        frames = round(len(audio) / 16_000 / _FRAME_SECONDS + _MARGIN_SECONDS / _FRAME_SECONDS)
        frames = min(frames + frames % 2, _WINDOW_FRAMES)
        states = self._states(fit(features, frames))
        # All 30 s: with 8 s of silence the decoder is a fifth faster and makes 2 to 3 points more
        # errors, with 2 s it does not stop.
        whole = np.concatenate([states, self._silence[:, states.shape[1] :]], axis=1)
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(whole))

    @cached_property
    def _silence(self) -> NDArray[np.float32]:
        """The encoder's states for 30 s of silence, shape [1, 1500, width]."""
        features = self._whisper.feature_extractor(np.zeros(480_000, np.float32), padding=0)
        return self._states(fit(features, _WINDOW_FRAMES))

    def _states(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the encoder's states, shape [1, frames / 2, width].

        As float32 whatever the model computes in: numpy has no bfloat16, and the decoder
        converts what it is given.
        """
        batch = np.ascontiguousarray(features[np.newaxis], np.float32)
        states = self._whisper.model.encode(ctranslate2.StorageView.from_array(batch), to_cpu=True)
        return np.array(states.to(ctranslate2.DataType.float32))

    def _detect(self, encoded: Any) -> str:
        if len(self._languages) == 1:
            return self._languages[0]
        [ranked] = self._whisper.model.detect_language(encoded)
        codes = (str(token).strip("<|>") for token, _ in ranked)
        return next(code for code in codes if code in self._languages)


def fit(features: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Cut or fill to `frames` with what silence is beside this speech, shape [mels, frames]."""
    missing = frames - features.shape[1]
    if missing <= 0:
        return features[:, :frames]
    # Whisper's log-mel spans 8 decades below its loudest point, scaled by 4.
    floor = float(max(features.max() - 2.0, -1.5))
    return np.pad(features, ((0, 0), (0, missing)), constant_values=floor)


def _compute_type(settings: SttSettings) -> str:
    if settings.compute_type == "auto":
        return "int8" if settings.device == "cpu" or not _has_cuda() else "int8_float16"
    known = ("default", "int8", "int8_float16", "int8_float32", "int8_bfloat16")
    if settings.compute_type not in (*known, "int16", "float16", "bfloat16", "float32"):
        raise ConfigError(f"compute_type: expected auto, int8..., got '{settings.compute_type}'")
    return settings.compute_type


def _has_cuda() -> bool:
    return bool(ctranslate2.get_cuda_device_count())


def _first_line(err: Exception) -> str:
    return (str(err) or type(err).__name__).splitlines()[0]
