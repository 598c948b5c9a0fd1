"""One loaded Piper voice: text to phonemes to sound."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
import piper
from numpy.typing import NDArray

from wyoming_common.errors import BadRequest, ModelError
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase
from wyoming_tts.voices import VoiceFile

_LOGGER = logging.getLogger(__name__)

Floats = NDArray[np.float32]


class PiperVoice:
    """A voice that is ready to speak. Raises ModelError for files that are not one."""

    def __init__(self, file: VoiceFile, settings: TtsSettings) -> None:
        self._file = file
        self._settings = settings
        self.size = file.model.stat().st_size
        """Bytes that the voice takes, nearly."""
        try:
            config = piper.config.PiperConfig.from_dict(file.settings)
            session = onnxruntime.InferenceSession(
                str(file.model), session_options(settings), providers=providers(settings)
            )
        except Exception as err:
            # onnxruntime and piper raise whatever their parsers do.
            raise ModelError(f"{file.model}: not a Piper voice, or cut short: {err}") from err
        self._piper = piper.PiperVoice(session=session, config=config)
        self._stamp = file.model.stat().st_mtime_ns

    @property
    def sample_rate(self) -> int:
        return int(self._piper.config.sample_rate)

    def stale(self, file: VoiceFile) -> bool:
        """Whether the voice has changed on disk since it was loaded."""
        return file is not self._file or file.model.stat().st_mtime_ns != self._stamp

    def speaker(self, name: str | None) -> int | None:
        """Return the index of a speaker, by name or number; None for a voice with one.

        Raises BadRequest for a speaker the voice does not have.
        """
        config = self._piper.config
        if config.num_speakers <= 1:
            return None
        if name is None:
            return config.default_speaker_id or 0
        number = config.speaker_id_map.get(name)
        if number is None and name.isdecimal():
            number = int(name)
        if number is None or number >= config.num_speakers:
            known = ", ".join(self._file.voice.speakers[:20]) or f"0 to {config.num_speakers - 1}"
            raise BadRequest(f"speaker: '{name:.40}' is none of {self._file.voice.name}: {known}")
        return int(number)

    def synthesize(self, phrase: Phrase, speaker: int | None) -> Iterator[bytes]:
        """Yield mono s16le PCM."""
        how = piper.SynthesisConfig(
            speaker_id=speaker,
            length_scale=self._piper.config.length_scale * phrase.length,
            noise_scale=self._settings.noise,
            noise_w_scale=self._settings.noise_w,
            volume=phrase.volume,
        )
        for chunk in self._piper.synthesize(phrase.text, how):
            yield chunk.audio_int16_bytes


def session_options(settings: TtsSettings) -> Any:
    """Return options of ONNX Runtime for `--threads`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    return options


def providers(settings: TtsSettings) -> list[str]:
    """Return ONNX Runtime's providers for `--device`, best first."""
    if settings.device == "cuda":
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
