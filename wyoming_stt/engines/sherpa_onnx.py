"""sherpa-onnx engine: transducers, streaming or not, CTC, SenseVoice, Moonshine, Whisper.

A model is an unpacked release: a folder with `tokens.txt` and ONNX files named after their part. https://k2-fsa.github.io/sherpa/onnx/pretrained_models/
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import sherpa_onnx

from wyoming_common.errors import ConfigError, ModelError
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.model_files import languages_of, obtain
from wyoming_stt.engine import Audio, Task, Transcription, TranscriptionRequest
from wyoming_stt.text.languages import choose_languages

_MAX_OFFLINE_INPUTS = 2
"""Features and lengths; a streaming model has inputs for its state as well."""
_TRAILING_SILENCE = np.zeros(round(0.66 * 16_000), np.float32)
"""Silence that a streaming model needs for its last word (0.66 s, as in sherpa's examples)."""


class SherpaOnnx:
    """One model; its kind follows from its files."""

    def __init__(self, settings: SttSettings) -> None:
        self._settings = settings
        self._folder = Path()
        self._options: dict[str, Any] = {
            "num_threads": settings.threads or 2,
            "provider": "cuda" if settings.device.startswith("cuda") else "cpu",
        }
        self._recognizer: Any = None
        self._streaming = False
        self._languages: tuple[str, ...] = ()

    def load(self) -> None:
        settings, name = self._settings, self._settings.model[0]
        folder = obtain(name, settings.data_dir)
        self._folder = folder if folder.is_dir() else folder.parent
        tokens = self._folder / "tokens.txt"
        if not tokens.is_file():
            raise ModelError(f"model: expected tokens.txt and .onnx files in {self._folder}")
        self._options["tokens"] = str(tokens)
        self._recognizer = self._make_recognizer()
        self._streaming = isinstance(self._recognizer, sherpa_onnx.OnlineRecognizer)
        known = languages_of(str(self._folder), settings.data_dir)
        self._languages = choose_languages(settings.languages, known, name)

    def close(self) -> None:
        self._recognizer = None

    @property
    def languages(self) -> tuple[str, ...]:
        return self._languages

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ("transcribe",)

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        stream = self._recognizer.create_stream()
        stream.accept_waveform(16_000, audio)
        if self._streaming:
            stream.accept_waveform(16_000, _TRAILING_SILENCE)
            stream.input_finished()
            while self._recognizer.is_ready(stream):
                self._recognizer.decode_stream(stream)
            text = self._recognizer.get_result(stream)
        else:
            self._recognizer.decode_stream(stream)
            text = stream.result.text
        return Transcription(text=_sentence_case(text), language=self._language(request, stream))

    def score(self, *_: object) -> None:
        return None

    def _language(self, request: TranscriptionRequest, stream: Any) -> str | None:
        code = getattr(getattr(stream, "result", None), "lang", "") if not self._streaming else ""
        return (
            str(code).strip("<|>")
            or request.language
            or (self._languages[0] if len(self._languages) == 1 else None)
        )

    def _make_recognizer(self) -> Any:
        for parts, make in (
            (("preprocess", "encode", "uncached_decode", "cached_decode"), self._moonshine),
            (("encoder", "decoder", "joiner"), self._transducer),
            (("encoder", "decoder"), self._whisper),
            (("model",), self._ctc),
        ):
            files = {part: self._find(part) for part in parts}
            if all(files.values()):
                try:
                    return make({part: str(path) for part, path in files.items()})
                except ConfigError:
                    raise
                except Exception as err:  # the binding raises RuntimeError and others
                    reason = (str(err) or type(err).__name__).splitlines()[0]
                    raise ModelError(f"model: cannot load {self._folder}: {reason}") from err
        raise ModelError(f"model: expected the ONNX files of a sherpa-onnx model in {self._folder}")

    def _find(self, part: str) -> Path | None:
        """Return the file of one part, preferring int8, which is smaller and faster."""
        pattern = re.compile(rf"(.*[-_.])?{part}([-_.].*)?\.onnx")
        found = [
            path for path in sorted(self._folder.glob("*.onnx")) if pattern.fullmatch(path.name)
        ]
        return min(found, key=lambda path: ("int8" not in path.name, path.name), default=None)

    def _moonshine(self, files: Mapping[str, str]) -> Any:
        for path in files.values():
            _inspect(path)
        return sherpa_onnx.OfflineRecognizer.from_moonshine(
            preprocessor=files["preprocess"],
            encoder=files["encode"],
            uncached_decoder=files["uncached_decode"],
            cached_decoder=files["cached_decode"],
            **self._options,
        )

    def _transducer(self, files: Mapping[str, str]) -> Any:
        inputs, metadata = _inspect(files["encoder"])
        for part in ("decoder", "joiner"):
            _inspect(files[part])
        if inputs > _MAX_OFFLINE_INPUTS:
            return sherpa_onnx.OnlineRecognizer.from_transducer(**files, **self._options)
        nemo = "nemo" in metadata.get("model_type", "").lower() or "EncDec" in str(metadata)
        kind = "nemo_transducer" if nemo else "transducer"
        return sherpa_onnx.OfflineRecognizer.from_transducer(
            **files, **self._options, model_type=kind
        )

    def _whisper(self, files: Mapping[str, str]) -> Any:
        for path in files.values():
            _inspect(path)
        return sherpa_onnx.OfflineRecognizer.from_whisper(**files, **self._options, language="")

    def _ctc(self, files: Mapping[str, str]) -> Any:
        model = files["model"]
        inputs, metadata = _inspect(model)
        kind = metadata.get("model_type", "")
        if kind == "sense_voice_ctc":
            return sherpa_onnx.OfflineRecognizer.from_sense_voice(
                model=model, use_itn=True, **self._options
            )
        if inputs > _MAX_OFFLINE_INPUTS:
            return sherpa_onnx.OnlineRecognizer.from_zipformer2_ctc(model=model, **self._options)
        makers: dict[str, Callable[..., Any]] = {
            "zipformer2_ctc": sherpa_onnx.OfflineRecognizer.from_zipformer_ctc,
            "EncDecCTCModelBPE": sherpa_onnx.OfflineRecognizer.from_nemo_ctc,
            "EncDecCTCModel": sherpa_onnx.OfflineRecognizer.from_nemo_ctc,
            "EncDecHybridRNNTCTCBPEModel": sherpa_onnx.OfflineRecognizer.from_nemo_ctc,
            "wenet_ctc": sherpa_onnx.OfflineRecognizer.from_wenet_ctc,
        }
        if kind not in makers:
            raise ConfigError(f"model: {model} is of type '{kind}', which is not supported")
        return makers[kind](model=model, **self._options)


def _inspect(path: str) -> tuple[int, Mapping[str, str]]:
    """Return the number of inputs and the metadata of an ONNX file.

    sherpa-onnx ends the process on a file that it cannot read, so ONNX Runtime reads it first.
    Raises the errors of ONNX Runtime.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return len(session.get_inputs()), session.get_modelmeta().custom_metadata_map


def _sentence_case(text: str) -> str:
    # Models trained on upper-case text write upper case only.
    text = text.strip()
    return text.capitalize() if text.isupper() and len(text) > 1 else text
