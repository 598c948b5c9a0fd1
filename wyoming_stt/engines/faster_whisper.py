"""faster-whisper engine: Whisper on CTranslate2."""

import math
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from wyoming_common.errors import ConfigError, ModelError
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.model_files import check_folder, languages_of, obtain
from wyoming_stt.decoding.thread_choice import fastest_threads
from wyoming_stt.decoding.tokenizers import repaired
from wyoming_stt.engine import Audio, Task, Transcription, TranscriptionRequest
from wyoming_stt.text.cleanup import cut_repeats, is_invented, max_tokens, prompt_of
from wyoming_stt.text.languages import choose_languages
from wyoming_stt.text.names import name_corrector

_FRAME_SECONDS = 0.01
_WINDOW_FRAMES = 3000
"""Mel frames of 30 s, what Whisper was trained on."""
_MARGIN_SECONDS = 1.0
"""Silence that the encoder is given behind the speech; with 0.5 s Whisper repeats itself."""
_MAX_PROMPT_TOKENS = 223
"""Prompt tokens that Whisper reads, the one that announces them included."""
_MAX_PROMPTED_NAMES = 20
_PRIMITIVE_CACHE: Final = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32")
"""oneDNN caches 120 kB of code for each length of audio, by default 1024 lengths, most of which do
not occur again. https://oneapi-src.github.io/oneDNN/dev_guide_primitive_cache.html"""
_BEAM_SIZE = 2
"""Measured: a point of WER better than greedy search on long sentences, half a point worse than 5
beams, which take a quarter longer on commands and half as long again on long sentences."""


class FasterWhisper:
    """One Whisper model that encodes the speech only.

    Whisper's encoder always works on 30 s. Here it works on the speech alone, and the decoder
    is given, behind the states of the speech, the states of silence at their positions, which
    were computed once: it stops where it would have, in a fraction of the time.
    """

    def __init__(self, settings: SttSettings) -> None:
        self._settings = settings
        self._languages: tuple[str, ...] = ()
        self._multilingual = False
        self._beam_size = settings.beam_size or _BEAM_SIZE
        self._model: WhisperModel | None = None
        self._encoded: tuple[Audio, NDArray[np.float32]] | None = None

    def load(self) -> None:
        os.environ.setdefault(*_PRIMITIVE_CACHE)
        settings, name = self._settings, self._settings.model[0]
        path = obtain(name, settings.data_dir)
        check_folder(path)
        known = languages_of(name, settings.data_dir)
        self._languages = choose_languages(settings.languages, known, name)
        device, _, index = settings.device.partition(":")
        try:
            self._model = WhisperModel(
                str(path),
                device=device,
                device_index=int(index or 0),
                compute_type=_compute_type(settings),
                cpu_threads=settings.threads or _fastest_threads(path, settings, self._beam_size),
                local_files_only=True,
            )
            self._model.hf_tokenizer = repaired(self._model.hf_tokenizer)
            self._multilingual = bool(self._model.model.is_multilingual)
            # A truncated vocabulary is noticed only at the first decode.
            self.transcribe(
                np.zeros(16_000, np.float32), TranscriptionRequest(language=self._languages[0])
            )
        except Exception as err:  # its libraries raise RuntimeError, ValueError and bare Exception
            self._model = None
            raise ModelError(f"model: cannot load {path}: {_first_line(err)}") from err

    def close(self) -> None:
        self._model = self._encoded = None
        self.__dict__.pop("_silence", None)

    @property
    def _whisper(self) -> WhisperModel:
        assert self._model is not None, "the engine is not loaded"
        return self._model

    @property
    def languages(self) -> tuple[str, ...]:
        return self._languages

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ("transcribe", "translate") if self._multilingual else ("transcribe",)

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        states = self._encoding_of(audio)
        encoded = ctranslate2.StorageView.from_array(states)
        language = request.language or self._detect(encoded)
        tokenizer = Tokenizer(
            self._whisper.hf_tokenizer, self._multilingual, request.task, language
        )
        seconds = len(audio) / 16_000
        (text, *others), likelihood = self._decode(encoded, tokenizer, seconds)
        names = name_corrector(request.words)
        # Prompted with names, small models recognise them five times as often, and other words
        # worse by 3 points: so they decode without the prompt, and again with it for the names.
        if text and request.words and not names.mentions(text):
            likely = names.likely(text, _MAX_PROMPTED_NAMES)
            (prompted, *_), _ = self._decode(encoded, tokenizer, seconds, prompt_of(likely))
            text = names.adopt(text, prompted)
        return Transcription(
            text=text, language=language, alternatives=tuple(others), likelihood=likelihood
        )

    def score(
        self, audio: Audio, texts: Sequence[str], request: TranscriptionRequest
    ) -> Sequence[float]:
        """Return the sum of the log probabilities of each text's tokens, by teacher forcing."""
        encoded = self._encoding_of(audio)
        language = request.language or self._detect(ctranslate2.StorageView.from_array(encoded))
        tokenizer = Tokenizer(
            self._whisper.hf_tokenizer, self._multilingual, request.task, language
        )
        # The states of the silence behind the speech matter only to a decoder that has to stop.
        states = math.ceil((len(audio) / 16_000 + _MARGIN_SECONDS) / (2 * _FRAME_SECONDS))
        batch = np.repeat(encoded[:, :states], len(texts), axis=0)
        aligned = self._whisper.model.align(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(batch)),
            list(tokenizer.sot_sequence),
            [tokenizer.encode(" " + text) for text in texts],
            1,  # frames to align with: only the probabilities are of use
            median_filter_width=1,
        )
        return [float(np.log(np.maximum(one.text_token_probs, 1e-9)).sum()) for one in aligned]

    def _decode(
        self, encoded: Any, tokenizer: Tokenizer, seconds: float, names: str | None = None
    ) -> tuple[list[str], float]:
        """Return the hypotheses of the beam and the mean log probability of the first one's tokens.

        They stand behind "" if the first one was most likely invented.
        """
        before = [tokenizer.sot_prev, *tokenizer.encode(" " + names)] if names else []
        prompt = [*before[:_MAX_PROMPT_TOKENS], *tokenizer.sot_sequence, tokenizer.no_timestamps]
        result = self._whisper.model.generate(
            encoded,
            [prompt],
            beam_size=self._beam_size,
            num_hypotheses=self._beam_size,
            max_length=len(prompt) + max_tokens(seconds),
            suppress_blank=True,
            suppress_tokens=[-1],
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        hypotheses = result.sequences_ids
        texts = [str(tokenizer.decode(cut_repeats(tokens))).strip() for tokens in hypotheses]
        first = len(hypotheses[0])
        if is_invented(first, seconds, result.scores[0], result.no_speech_prob):
            texts = ["", *texts]
        return texts, float(result.scores[0])

    def _encoding_of(self, audio: Audio) -> NDArray[np.float32]:
        """Return the encoder's states of `audio`, computed once for `transcribe` and `score`."""
        if self._encoded is None or self._encoded[0] is not audio:
            self._encoded = (audio, self._encode(audio))
        return self._encoded[1]

    def _encode(self, audio: Audio) -> NDArray[np.float32]:
        features = self._whisper.feature_extractor(audio, padding=160)
        frames = round(len(audio) / 16_000 / _FRAME_SECONDS + _MARGIN_SECONDS / _FRAME_SECONDS)
        frames = min(frames + frames % 2, _WINDOW_FRAMES)
        states = self._states(fit(features, frames))
        # All 30 s: with 8 s of silence the decoder is a fifth faster at 2 to 3 points more WER,
        # with 2 s it does not stop.
        whole = np.concatenate([states, self._silence[:, states.shape[1] :]], axis=1)
        return np.ascontiguousarray(whole)

    @cached_property
    def _silence(self) -> NDArray[np.float32]:
        """The encoder's states for 30 s of silence, shape [1, 1500, width]."""
        features = self._whisper.feature_extractor(np.zeros(480_000, np.float32), padding=0)
        return self._states(fit(features, _WINDOW_FRAMES))

    def _states(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the encoder's states, shape [1, frames / 2, width].

        They are float32 because numpy has no bfloat16; the decoder converts its input.
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
    """Return `features` cut or filled up with silence to `frames`, shape [mels, frames]."""
    missing = frames - features.shape[1]
    if missing <= 0:
        return features[:, :frames]
    # Whisper's log-mel spans 8 decades below its loudest point, scaled by 4.
    floor = float(max(features.max() - 2.0, -1.5))
    return np.pad(features, ((0, 0), (0, missing)), constant_values=floor)


def _fastest_threads(path: Path, settings: SttSettings, beams: int) -> int:
    return fastest_threads(path, _compute_type(settings), beams) if _on_cpu(settings) else 0


def _compute_type(settings: SttSettings) -> str:
    if settings.compute_type == "auto":
        return "int8" if _on_cpu(settings) else "int8_float16"
    known = ("default", "int8", "int8_float16", "int8_float32", "int8_bfloat16")
    if settings.compute_type not in (*known, "int16", "float16", "bfloat16", "float32"):
        raise ConfigError(f"compute_type: expected auto, int8..., got '{settings.compute_type}'")
    return settings.compute_type


def _on_cpu(settings: SttSettings) -> bool:
    return settings.device == "cpu" or not ctranslate2.get_cuda_device_count()


def _first_line(err: Exception) -> str:
    return (str(err) or type(err).__name__).splitlines()[0]
