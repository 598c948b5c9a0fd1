"""Kokoro engine: Kokoro-82M (Apache-2.0) on ONNX Runtime.

https://huggingface.co/hexgrad/Kokoro-82M
"""

import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from wyoming_common.audio.pcm import Limiter
from wyoming_common.errors import ConfigError, ModelError, UnknownVoice
from wyoming_common.models import ModelStore
from wyoming_common.process.cpu import cpu_flags, int8_products_saturate
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase, Voice
from wyoming_tts.engines.kokoro.phonemes import LANGUAGES, VOCABULARY, phonemes, supported
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

_LOGGER = logging.getLogger(__name__)

RATE = 24_000
"""Hz"""
DEFAULT_MODEL = "kokoro-82m-ja-int8"
_PREFERRED = "af_heart"
_MAX_TOKENS = 300
"""The model takes 510; towards them it rushes and swallows words."""
_CLAUSE_END = re.compile(r"(?<=[,;:.!?—…])\s+")
PEAK = 0.8
"""Loudest sample of ordinary speech, of 1."""
_TAIL = 0.25
"""Seconds of silence kept after the last sound; the model adds up to a second of it."""
_QUIET = 0.004
_PROBE = "həlˈO, wˈɜɹld."  # noqa: RUF001

Style = NDArray[np.float32]


class KokoroEngine:
    """All voices of a Kokoro model folder whose language can be read here.

    The folder, `--model`, holds one or more .onnx files, of which the fastest on this machine is
    taken, and voices: an .npz (or .bin, as kokoro-onnx has it) of all, or voices/NAME.bin.
    """

    def __init__(self, settings: TtsSettings) -> None:
        self._settings = settings
        self._name = settings.model or DEFAULT_MODEL
        self._store = ModelStore(settings.data_dir)
        self._session: Any = None
        self._styles: Mapping[str, Style] = {}
        self._listed: tuple[Path, tuple[str, ...]] | None = None
        self._espeak = EspeakPhonemizer()

    def load(self) -> None:
        self._load()

    @property
    def default(self) -> str:
        return self._settings.voice or preferred(self._names()) or _PREFERRED

    def voices(self) -> Sequence[Voice]:
        if self._folder() is None:
            return [Voice(self.default, (), installed=False)]
        return [kokoro_voice(name) for name in self._names()]

    def identity(self, voice: str) -> str:  # noqa: ARG002 - they share one model
        return f"{self._name} {self._folder()}"

    def fetch(self, voice: str) -> None:  # noqa: ARG002
        """Fetch the model, with which all voices come."""
        self._check(self._store.ensure(self._name))

    def sample_rate(self, voice: str) -> int:
        self._load()
        if voice not in self._styles:
            raise UnknownVoice(f"No voice '{voice:.80}' in {self._name}")
        return RATE

    def can_open(self, voice: str) -> bool:  # noqa: ARG002
        return False

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        self.sample_rate(phrase.voice)
        limiter = Limiter(PEAK, phrase.volume)
        said = phonemes(phrase.text, phrase.voice[0], self._espeak)
        for part in parts(said):
            tokens = [VOCABULARY[sign] for sign in part if sign in VOCABULARY]
            if tokens:
                yield limiter(trimmed(self._run(tokens, phrase.voice, 1 / phrase.length)))

    def close(self) -> None:
        self._session, self._styles = None, {}
        self._espeak.close()

    def _run(self, tokens: list[int], voice: str, speed: float) -> NDArray[np.float32]:
        return infer(self._session, tokens, self._styles[voice], speed)

    def _folder(self) -> Path | None:
        path = Path(self._name).expanduser()
        found = path if path.exists() else self._store.find(self._name)
        return found.parent if found is not None and found.is_file() else found

    def _names(self) -> tuple[str, ...]:
        folder = self._folder()
        if folder is None:
            return ()
        if self._listed is None or self._listed[0] != folder:
            names = sorted(name for name in read_styles(folder, load=False) if supported(name[0]))
            self._listed = (folder, tuple(names))
        return self._listed[1]

    def _load(self) -> None:
        if self._session is not None:
            return
        folder = self._folder() or self._store.ensure(self._name)
        self._styles = read_styles(folder)
        models = sorted(folder.glob("*.onnx"))
        if not models or not self._styles:
            raise ModelError(f"{folder}: expected a Kokoro .onnx file and voices")
        self._check(folder)
        self._session = self._fastest(models)

    def _check(self, folder: Path) -> None:
        if not self._names():
            names = ", ".join(sorted(read_styles(folder, load=False))[:5])
            raise ConfigError(
                f"{folder}: none of its voices ({names}) speaks a language that can be read "
                f"here; Japanese and Chinese need misaki[ja] or misaki[zh]"
            )

    def _fastest(self, models: Sequence[Path]) -> Any:
        """Return the model that speaks fastest here: int8 or float32, that depends on the CPU."""
        if len(models) == 1:
            return self._open(models[0])
        tokens = [VOCABULARY[sign] for sign in _PROBE if sign in VOCABULARY]
        style = next(iter(self._styles.values()))
        best, best_seconds = None, float("inf")
        for model in models:
            session = self._open(model)
            infer(session, tokens, style, 1.0)
            begun = time.perf_counter()
            infer(session, tokens, style, 1.0)
            seconds = time.perf_counter() - begun
            _LOGGER.info("%s: %.0f ms for the probe", model.name, 1000 * seconds)
            if seconds < best_seconds:
                best, best_seconds = session, seconds
        return best

    def _open(self, model: Path) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._settings.threads
        # See piper/voice.py: threads that spin take the processor from the other stages.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if int8_products_saturate(cpu_flags()):
            options.add_session_config_entry("session.x64quantprecision", "1")
        gpu = ["CUDAExecutionProvider"] if self._settings.device == "cuda" else []
        try:
            return onnxruntime.InferenceSession(
                str(model), options, providers=[*gpu, "CPUExecutionProvider"]
            )
        except Exception as err:
            # onnxruntime passes on all that its parser raises.
            raise ModelError(f"{model}: not a Kokoro model, or cut short: {err}") from err


def kokoro_voice(name: str) -> Voice:
    """Return the voice called `name`: "af_heart" is American, female, Heart."""
    return Voice(
        name,
        (LANGUAGES[name[0]][0],),
        description=name.partition("_")[2].capitalize(),
        attribution="hexgrad",
        url="https://huggingface.co/hexgrad/Kokoro-82M",
    )


def preferred(names: Sequence[str]) -> str:
    """Return the voice for requests that name none, "" for an empty list."""
    return _PREFERRED if _PREFERRED in names else next(iter(names), "")


def infer(session: Any, tokens: list[int], style: Style, speed: float) -> NDArray[np.float32]:
    """Return audio at RATE, shape [samples], -1 to 1. `style` has a row for each length."""
    row = style.reshape(len(style), -1)[min(len(tokens), len(style)) - 1]
    first, second, third = session.get_inputs()
    whole = "int" in third.type
    audio: NDArray[np.float32] = session.run(
        None,
        {
            first.name: np.array([[0, *tokens, 0]], np.int64),
            second.name: row.reshape(1, -1).astype(np.float32),
            third.name: np.array(
                [round(speed) if whole else speed], np.int32 if whole else np.float32
            ),
        },
    )[0]
    return audio.reshape(-1)


def parts(said: str) -> Iterator[str]:
    """Cut phonemes at clause ends into parts well below what the model takes."""
    part = ""
    for clause in _CLAUSE_END.split(said):
        for start in range(0, len(clause), _MAX_TOKENS):
            piece = clause[start : start + _MAX_TOKENS]
            if part and len(part) + len(piece) >= _MAX_TOKENS:
                yield part
                part = ""
            part = f"{part} {piece}" if part else piece
    if part:
        yield part


def trimmed(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return audio without the silence that the model puts around it."""
    loud = np.flatnonzero(np.abs(audio) > _QUIET)
    if not len(loud):
        return audio[:0]
    start = max(0, int(loud[0]) - RATE // 50)
    return audio[start : int(loud[-1]) + int(_TAIL * RATE)].copy()


def read_styles(folder: Path, *, load: bool = True) -> dict[str, Style]:
    """Return voices by name; without `load` only the names are right."""
    styles: dict[str, Style] = {}
    try:
        for path in sorted(folder.glob("voices*")):
            if path.is_dir():
                for file in sorted(path.glob("*.bin")):
                    data = np.fromfile(file, np.float32) if load else np.zeros(0, np.float32)
                    styles[file.stem] = data.reshape(-1, 1, 256)
            elif path.suffix in (".npz", ".bin"):
                with np.load(path) as voices:
                    styles |= {
                        name: voices[name] if load else np.zeros(0, np.float32)
                        for name in voices.files
                    }
    except (OSError, ValueError) as err:
        raise ModelError(f"{folder}: its voices cannot be read: {err}") from err
    return {name: style for name, style in styles.items() if name[1:3] in ("f_", "m_")}
