"""Kokoro engine on PyTorch, by Kokoro's own package, for NVIDIA GPUs. https://github.com/hexgrad/kokoro."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kokoro import KModel
from numpy.typing import NDArray

from wyoming_common.audio.pcm import Limiter
from wyoming_common.errors import ConfigError, ModelError, UnknownVoice
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase, Voice
from wyoming_tts.engines.kokoro.engine import PEAK, RATE, kokoro_voice, parts, preferred, trimmed
from wyoming_tts.engines.kokoro.phonemes import phonemes, supported
from wyoming_tts.phonemes.espeak import EspeakPhonemizer


class KokoroTorchEngine:
    """`--model` is a folder with config.json, one .pth file and voices/NAME.pt."""

    def __init__(self, settings: TtsSettings) -> None:
        if not settings.model:
            raise ConfigError("model: the kokoro-torch engine needs the folder of the model")
        self._settings = settings
        self._folder = Path(settings.model).expanduser()
        self._model: Any = None
        self._styles: dict[str, Any] = {}
        self._espeak = EspeakPhonemizer()

    def load(self) -> None:
        self._load()

    @property
    def default(self) -> str:
        return self._settings.voice or preferred(self._names())

    def voices(self) -> Sequence[Voice]:
        return [kokoro_voice(name) for name in self._names()]

    def identity(self, voice: str) -> str:
        return f"{self._folder} {voice}"

    def fetch(self, voice: str) -> None:
        """Do nothing: all voices come with the model."""

    def sample_rate(self, voice: str) -> int:
        self._load()
        if voice not in self._styles:
            if voice not in self._names():
                raise UnknownVoice(f"No voice '{voice:.80}' in {self._folder}")
            path = self._folder / "voices" / f"{voice}.pt"
            self._styles[voice] = torch.load(path, weights_only=True).to(self._settings.device)
        return RATE

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        self.sample_rate(phrase.voice)
        limiter = Limiter(PEAK, phrase.volume)
        for part in parts(phonemes(phrase.text, phrase.voice[0], self._espeak)):
            audio = self._infer(part, phrase)
            if len(audio):
                yield limiter(trimmed(audio))

    def close(self) -> None:
        self._model, self._styles = None, {}
        self._espeak.close()

    def _infer(self, part: str, phrase: Phrase) -> NDArray[np.float32]:
        style = self._styles[phrase.voice]
        row = style[min(len(part), len(style)) - 1]
        with torch.inference_mode():
            audio = self._model(part, row, 1 / phrase.length)
        result: NDArray[np.float32] = audio.float().cpu().numpy().reshape(-1)
        return result

    def _names(self) -> list[str]:
        voices = sorted(path.stem for path in self._folder.glob("voices/*.pt"))
        return [name for name in voices if supported(name[0])]

    def _load(self) -> None:
        if self._model is not None:
            return
        weights = sorted(self._folder.glob("*.pth"))
        config = self._folder / "config.json"
        if len(weights) != 1 or not config.is_file():
            raise ModelError(f"{self._folder}: expected config.json and one .pth file")
        try:
            model = KModel(repo_id="hexgrad/Kokoro-82M", config=str(config), model=str(weights[0]))
        except Exception as err:
            # torch passes on all that its unpickler raises.
            raise ModelError(f"{weights[0]}: not Kokoro, or cut short: {err}") from err
        if self._settings.device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("device: cuda was asked for and torch finds none")
        self._model = model.to(self._settings.device).eval()
