"""One loaded Piper voice: text to phonemes to sound."""

import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import onnxruntime
import piper
from piper.config import PiperConfig

from wyoming_common.cores import usable_cores
from wyoming_common.errors import ModelError
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase
from wyoming_tts.engines.loudness import Limiter
from wyoming_tts.engines.piper_parts import CutVoice, Inputs, load_cut, run
from wyoming_tts.engines.piper_vocoder import Floats, WindowedVocoder
from wyoming_tts.voices import VoiceFile

_LOGGER = logging.getLogger(__name__)

_PROBE = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10."
"""Read by every espeak language; what a voice is measured with."""
_LONG = 150
"""Phonemes of a passage longer than most"""
_MOST_PHONEMES = 450
"""Spoken in one go. A sentence has one for a letter, nearly; a row of amounts, of signs or of
letters that the language does not have has up to twenty, and time and memory grow by their square.
"""


class PiperVoice:
    """A voice that is ready to speak. Raises ModelError for files that are not one."""

    def __init__(self, file: VoiceFile, settings: TtsSettings) -> None:
        self._file = file
        self._settings = settings
        self._seen = (file, file.model.stat().st_mtime_ns)
        self.size = file.model.stat().st_size
        """Bytes that the voice takes, nearly."""
        try:
            self._config = PiperConfig.from_dict(file.settings)
            self._piper = piper.PiperVoice(session=None, config=self._config)
            self._speak = self._load()
        except ModelError:
            raise
        except Exception as err:
            # onnxruntime and piper raise whatever their parsers do.
            raise ModelError(f"{file.model}: not a Piper voice, or cut short: {err}") from err

    def _load(self) -> "_Windowed | _Whole":
        probe = self._inputs(self._ids(_PROBE)[0], self._file.speaker(None), (0.0, 1.0, 0.0))
        lanes = self._cores > 1 and self._settings.device != "cuda"
        voice = load_cut(self._file.model, probe, self._open, self._open_lane if lanes else None)
        if voice is not None:
            return _Windowed(voice, int(self._config.hop_length), self.sample_rate)
        return _Whole(self._open(str(self._file.model)), probe)

    @property
    def _cores(self) -> int:
        return self._settings.threads or usable_cores()

    def _open(self, model: str | bytes) -> Any:
        return self._session(model, self._settings.threads)

    def _open_lane(self, model: str | bytes) -> Any:
        return self._session(model, self._cores // 2)

    def _session(self, model: str | bytes, threads: int) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait take the processor from the other sessions and from
        # the other stages; none that spin are slow to begin. With one core busy a sentence took
        # 546 ms with the library's own spinning, 444 so; idle 293 without any, 271 so.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.add_session_config_entry("session.intra_op.spin_duration_us", "50")
        gpu = ["CUDAExecutionProvider"] if self._settings.device == "cuda" else []
        return onnxruntime.InferenceSession(
            model, options, providers=[*gpu, "CPUExecutionProvider"]
        )

    @property
    def sample_rate(self) -> int:
        return int(self._config.sample_rate)

    def stale(self, file: VoiceFile) -> bool:
        """Whether the voice has changed on disk since it was loaded."""
        seen, stamp = self._seen
        return file is not seen or file.model.stat().st_mtime_ns != stamp

    def accept(self, file: VoiceFile) -> None:
        """Stand for `file` as it is on disk, whose model could not be loaded."""
        self._seen = (file, file.model.stat().st_mtime_ns)

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        """Yield mono s16le PCM, window by window.

        Raises BadRequest for an unknown speaker, and ModelError where the model fails.
        """
        speaker = self._file.speaker(phrase.speaker)
        config, settings = self._config, self._settings
        scales = (
            config.noise_scale if settings.noise is None else settings.noise,
            config.length_scale * phrase.length,
            config.noise_w_scale if settings.noise_w is None else settings.noise_w,
        )
        limiter = Limiter(self._speak.peak, phrase.volume)
        for ids in self._ids(phrase.text):
            for audio in self._spoken(self._inputs(ids, speaker, scales), phrase.ahead):
                yield limiter(audio)

    def _spoken(self, inputs: Inputs, ahead: float) -> Iterator[Floats]:
        try:
            yield from self._speak(inputs, ahead)
        except Exception as err:
            # A weight that is wrong may be noticed by what it leads to alone.
            raise ModelError(f"{self._file.model}: the model fails: {err}") from err

    def _ids(self, text: str) -> list[list[int]]:
        return [
            self._piper.phonemes_to_ids(phonemes)
            for sentence in self._piper.phonemize(text)
            for phonemes in in_reach(sentence)
        ]

    def _inputs(
        self, ids: list[int], speaker: int | None, scales: tuple[float, float, float]
    ) -> Inputs:
        inputs: Inputs = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": np.array(scales, dtype=np.float32),
        }
        if speaker is not None:
            inputs["sid"] = np.array([speaker], dtype=np.int64)
        return inputs


def in_reach(phonemes: list[str], most: int = _MOST_PHONEMES) -> Iterator[list[str]]:
    """Yield `phonemes` in parts of at most `most`, cut between words where there are any."""
    start = 0
    while len(phonemes) - start > most:
        last = start + most
        spaces = (at for at in range(last, start + most // 3, -1) if phonemes[at].isspace())
        end = next(spaces, last)
        yield phonemes[start:end]
        start = end
    if phonemes[start:]:
        yield phonemes[start:]


class _Windowed:
    """A voice in three parts, whose sound comes in windows."""

    def __init__(self, voice: CutVoice, hop: int, rate: int) -> None:
        self.peak = voice.facts.peak
        self._voice = voice
        self._vocoder = WindowedVocoder(
            partial(run, voice.flow),
            partial(run, voice.decoder),
            voice.facts.latent,
            hop,
            rate,
            voice.facts.halo,
            partial(run, voice.lane) if voice.lane else None,
        )

    def __call__(self, inputs: Inputs, ahead: float = 0.0) -> Iterator[Floats]:
        between = list(self._voice.facts.between)
        found = self._voice.encoder.run(between, inputs, _run_options(inputs))
        encoded = dict(zip(between, found, strict=True))
        return self._vocoder(encoded, inputs, ahead)


class _Whole:
    """A voice in one piece, whose sound comes a sentence at a time."""

    def __init__(self, session: Any, probe: Inputs) -> None:
        self._session = session
        self.peak = float(np.abs(run(session, probe)).max())

    def __call__(self, inputs: Inputs, ahead: float = 0.0) -> Iterator[Floats]:  # noqa: ARG002
        yield run(self._session, inputs, _run_options(inputs)).reshape(-1)


def _run_options(inputs: Inputs) -> onnxruntime.RunOptions:
    """Return options by which a long passage leaves nothing behind.

    onnxruntime keeps what a run needed for the next one, however rarely that needs as much. (To
    keep nothing at all makes every sentence slower by a tenth.)
    """
    options = onnxruntime.RunOptions()
    if inputs["input"].shape[-1] > _LONG:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options
