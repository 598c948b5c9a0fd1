"""Speakers: the installed voices, as something that speaks phonemes in many ways."""

import logging
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
import piper
import soxr
from numpy.typing import NDArray
from piper.config import PiperConfig

from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import ModelError
from wyoming_tts.engines.kokoro.engine import RATE as KOKORO_RATE
from wyoming_tts.engines.kokoro.engine import infer, read_styles
from wyoming_tts.engines.kokoro.phonemes import LANGUAGES, VOCABULARY, from_espeak
from wyoming_tts.synthesis.voices import VoiceFile, VoiceFolders

_LOGGER = logging.getLogger(__name__)

Floats = NDArray[np.float32]
_QUIET = 0.01
"""Part of the loudest sample below which the ends of a recording are silence."""
_MIN_SECONDS = 0.08
LETTERS = "aefhip"
"""Kokoro's languages, by the first letter of a voice's name, in whose alphabet phonemes go in."""


class TrainingVoice(Protocol):
    """A voice, or a family of voices that share a model. Safe to use from several threads."""

    name: str
    cost: float
    """Seconds of processor time for one of speech, roughly."""
    variety: int
    """Number of voices."""

    def say(self, text: str, rng: random.Random) -> Floats:
        """Return phonemes of espeak-ng as speech at 16 kHz, -1 to 1, in a manner at random."""
        ...


class PiperTrainingVoice:
    """A Piper voice; one with several speakers takes another each time."""

    cost = 0.15

    def __init__(self, file: VoiceFile) -> None:
        self.name = file.voice.name
        self._config = PiperConfig.from_dict(file.settings)
        self._piper = piper.PiperVoice(session=None, config=self._config)
        self.variety = max(1, self._config.num_speakers)
        self._session = _session(file.model)

    def say(self, text: str, rng: random.Random) -> Floats:
        config = self._config
        ids = self._piper.phonemes_to_ids(list(text))
        inputs = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(
                [rng.uniform(0.3, 1.0), config.length_scale * rng.uniform(0.8, 1.4),
                 rng.uniform(0.3, 1.1)], np.float32,
            ),
        }  # fmt: skip
        if config.num_speakers > 1:
            inputs["sid"] = np.array([rng.randrange(config.num_speakers)], np.int64)
        audio = self._session.run(None, inputs)[0].reshape(-1)
        return trimmed(audio, config.sample_rate)


class KokoroTrainingVoices:
    """All voices of a Kokoro folder, and mixtures of two of them.

    Voices of other languages speak too, with an accent; `language` decides how often.
    """

    cost = 0.8

    def __init__(self, folder: Path, language: str, left_out: Sequence[str] = ()) -> None:
        self.name = folder.name
        styles = read_styles(folder)
        names = sorted(name for name in styles if name not in left_out)
        self._letter = next((one for one in LETTERS if LANGUAGES[one][0][:2] == language), "e")
        self._styles = [styles[name] for name in names]
        self._native = [styles[n] for n in names if LANGUAGES[n[0]][0][:2] == language]
        self.variety = len(names)
        self._session = _session(min(folder.glob("*.onnx")))

    def say(self, text: str, rng: random.Random) -> Floats:
        said = from_espeak(text, self._letter)
        tokens = [VOCABULARY[sign] for sign in said if sign in VOCABULARY]
        style = self._style(rng)
        if rng.random() < 0.5:
            share = rng.uniform(0.3, 0.7)
            style = style * np.float32(share) + self._style(rng) * np.float32(1 - share)
        audio = infer(self._session, tokens, style, rng.uniform(0.75, 1.3))
        return trimmed(audio, KOKORO_RATE)

    def _style(self, rng: random.Random) -> Floats:
        native = bool(self._native) and rng.random() < 0.5
        return rng.choice(self._native if native else self._styles)


def installed_voices(
    data_dirs: Sequence[Path], language: str, left_out: Sequence[str] = ()
) -> list[TrainingVoice]:
    """Return every installed voice that can speak `language`, but for those of `left_out`.

    Raises ModelError where no voice can.
    """
    folders = [path.expanduser() for path in data_dirs]
    files = [one for name, one in VoiceFolders(folders)().items() if name not in left_out]
    own = [one for one in files if one.voice.languages[0][:2] == language]
    speakers: list[TrainingVoice] = []
    for file in own:
        try:
            speakers.append(PiperTrainingVoice(file))
        except Exception as err:  # noqa: BLE001
            # onnxruntime and piper pass on all that their parsers raise.
            _LOGGER.warning("%s is left out: %s", file.model, err)
    for folder in kokoro_folders(folders):
        speaker = KokoroTrainingVoices(folder, language, left_out)
        if speaker.variety:
            speakers.append(speaker)
    if not speakers:
        raise ModelError(
            f"No installed voice speaks '{language}': fetch one with `parley models pull`, e.g. "
            f"kokoro-82m-ja-int8, whose voices speak every language"
        )
    return speakers


def kokoro_folders(data_dirs: Sequence[Path]) -> Iterator[Path]:
    """Yield the folders with a Kokoro model: voices and an .onnx file that is not Piper's."""
    for data_dir in data_dirs:
        for model in sorted((data_dir / "models").glob("*/*.onnx")):
            voices = any(model.parent.glob("voices*"))
            if voices and not model.with_name(f"{model.name}.json").exists():
                yield model.parent


def trimmed(audio: Floats, rate: int) -> Floats:
    """Return audio at 16 kHz without the silence around it, its loudest sample 1."""
    audio = soxr.resample(audio, rate, MODEL_RATE).astype(np.float32)
    peak = float(np.abs(audio).max(initial=0.0))
    loud = np.flatnonzero(np.abs(audio) > _QUIET * peak)
    if peak < 1e-4 or len(loud) < _MIN_SECONDS * MODEL_RATE:
        return np.zeros(0, np.float32)
    return audio[loud[0] : loud[-1] + 1] / np.float32(peak)


def _session(model: Path) -> Any:
    options = onnxruntime.SessionOptions()
    # Clips are made on several threads, which is faster than several threads for a clip.
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
