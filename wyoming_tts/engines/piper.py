"""Piper voices (VITS) on ONNX Runtime. piper-tts, which makes the phonemes, is GPL-3.0."""

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from wyoming_common.allocator import return_large_blocks
from wyoming_common.errors import ModelError, UnknownVoice
from wyoming_common.store import ModelStore
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase, Voice
from wyoming_tts.engines.piper_voice import PiperVoice
from wyoming_tts.voices import VoiceFile, VoiceFolders, voice_file

_LOGGER = logging.getLogger(__name__)

DEFAULT_VOICE = "en_US-joe-medium"
_MB = 1024 * 1024


class PiperEngine:
    """Every Piper voice in the data folders and the catalogue, loaded when first spoken with."""

    def __init__(self, settings: TtsSettings) -> None:
        return_large_blocks()
        self._settings = settings
        self._store = ModelStore(settings.data_dir)
        own = Path(settings.voice).expanduser()
        self._own = voice_file(own) if settings.voice and own.exists() else None
        self._folders = VoiceFolders(settings.data_dir)
        self._loaded: OrderedDict[str, PiperVoice] = OrderedDict()

    @property
    def default(self) -> str:
        if self._own is not None:
            return self._own.voice.name
        return self._settings.voice or DEFAULT_VOICE

    def voices(self) -> Sequence[Voice]:
        voices = {
            entry.name: Voice(
                entry.name,
                tuple(entry.languages),
                installed=False,
                description=entry.description,
                attribution="piper",
            )
            for entry in self._store.catalogue.values()
            if entry.kind == "tts" and any(f.name.endswith(".onnx.json") for f in entry.files)
        }
        voices |= {name: file.voice for name, file in self._files().items()}
        return list(voices.values())

    def identity(self, voice: str) -> str:
        file = self._files().get(voice)
        if file is None:
            return ""
        stat = file.model.stat()
        return f"{stat.st_size}-{stat.st_mtime_ns}"

    def fetch(self, voice: str) -> None:
        self._store.ensure(voice)

    def sample_rate(self, voice: str) -> int:
        return self._voice(voice).sample_rate

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        return self._voice(phrase.voice).synthesize(phrase)

    def _files(self) -> dict[str, VoiceFile]:
        files = self._folders()
        if self._own is not None:
            files[self._own.voice.name] = self._own
        return files

    def _voice(self, name: str) -> PiperVoice:
        file = self._files().get(name)
        if file is None:
            raise UnknownVoice(f"Voice '{name:.80}' is not installed")
        voice = self._loaded.get(name)
        if voice is None or voice.stale(file):
            voice = self._load(file, voice)
        self._loaded[name] = voice
        self._loaded.move_to_end(name)
        self._keep_within_memory(name)
        return voice

    def _load(self, file: VoiceFile, before: PiperVoice | None) -> PiperVoice:
        try:
            return PiperVoice(file, self._settings)
        except ModelError as err:
            if before is None:
                raise
            # Half copied, perhaps: what speaks goes on speaking until the file changes again.
            _LOGGER.warning("%s; the voice as it was before is kept", err)
            before.accept(file)
            return before

    def _keep_within_memory(self, current: str) -> None:
        """Let go of the voices not used for longest, but of neither `current` nor the default."""
        for name in list(self._loaded):
            if (
                sum(voice.size for voice in self._loaded.values())
                <= self._settings.voice_memory * _MB
            ):
                return
            if name not in (current, self.default):
                _LOGGER.info("Unloading %s", name)
                del self._loaded[name]
