"""Piper voices on disk, found by looking into folders each time and reading files once."""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wyoming_common.errors import BadRequest, ModelError
from wyoming_tts.engine import Voice

_LOGGER = logging.getLogger(__name__)

_NAMED_LANGUAGE = re.compile(r"^([a-z]{2,3})[_-]([A-Z]{2})\b|^([a-z]{2,3})(?=[_-])")
_SUFFIX = ".onnx.json"
_PHONEME_TYPES = {
    "espeak": "", "text": "", "hebrew": "", "japanese": "pyopenjtalk", "thai": "tltk",
    "pinyin": "sentence_stream",
}  # fmt: skip
"""Kinds of phonemes that piper-tts makes, and the package that it needs for them."""


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """One installed Piper voice: the model, and its settings beside it."""

    voice: Voice
    model: Path
    settings: dict[str, Any]
    """The voice's JSON file."""

    def speaker(self, name: str | None) -> int | None:
        """Return the index of a speaker, by name or number; None for a voice with one.

        Raises BadRequest for a speaker the voice does not have.
        """
        count = int(self.settings.get("num_speakers") or 1)
        if count <= 1:
            return None
        if name is None:
            return int(self.settings.get("default_speaker_id") or 0)
        number = (self.settings.get("speaker_id_map") or {}).get(name)
        if number is None and name.isdecimal():
            number = int(name)
        if number is None or number >= count:
            known = ", ".join(self.voice.speakers[:20]) or f"0 to {count - 1}"
            raise BadRequest(
                f"speaker: '{name:.40}' is no speaker of {self.voice.name}; it has {known}"
            )
        return int(number)


class VoiceFolders:
    """The Piper voices in some folders, in DIR/*.onnx, DIR/*/*.onnx and DIR/models/*/*.onnx.

    A voice is NAME.onnx with NAME.onnx.json; one of the two alone is not seen, so a voice that
    is still being copied is not either. The first folder wins where two hold the same name.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._read: dict[Path, tuple[tuple[int, int], VoiceFile | None]] = {}

    def __call__(self) -> dict[str, VoiceFile]:
        """Return the voices by name."""
        found: dict[str, VoiceFile] = {}
        for path in self._paths():
            try:
                file = self._known(path)
            except OSError:
                continue  # gone since it was listed
            if file is not None:
                found.setdefault(file.voice.name, file)
        return found

    def _paths(self) -> Iterator[Path]:
        for folder in self._folders:
            if folder.suffix == ".onnx":
                yield folder.with_name(folder.name + ".json")
                continue
            for pattern in ("*", "*/*", "models/*/*"):
                yield from sorted(folder.glob(f"{pattern}{_SUFFIX}"))

    def _known(self, path: Path) -> VoiceFile | None:
        stat = path.stat()
        model = path.with_suffix("")
        if not _is_onnx(model):
            return None
        key = (stat.st_mtime_ns, stat.st_size)
        if path not in self._read or self._read[path][0] != key:
            self._read[path] = (key, _read(path, model))
        return self._read[path][1]


def voice_file(path: Path) -> VoiceFile:
    """Read the voice at `path`, an .onnx file or a folder that holds one.

    Raises ModelError when it is not a Piper voice.
    """
    models = sorted(path.glob("*.onnx")) if path.is_dir() else [path]
    if len(models) != 1 or not models[0].is_file():
        raise ModelError(f"{path}: expected one .onnx file, got {len(models) or 'none'}")
    settings = models[0].with_name(models[0].name + ".json")
    if not settings.is_file():
        raise ModelError(f"{models[0]}: its {settings.name} is missing beside it")
    file = _read(settings, models[0])
    if file is None:
        raise ModelError(f"{settings}: not the settings of a Piper voice")
    return file


def language_of(name: str, settings: dict[str, Any]) -> str:
    """Return a voice's language as Home Assistant writes it, e.g. "en_US"; "" if unknown."""
    language = settings.get("language")
    if isinstance(language, dict) and isinstance(language.get("code"), str):
        return str(language["code"])
    if match := _NAMED_LANGUAGE.match(name):
        return f"{match[1]}_{match[2]}" if match[1] else match[3]
    espeak = settings.get("espeak")
    code = espeak.get("voice", "") if isinstance(espeak, dict) else ""
    first, _, second = str(code).partition("-")
    return f"{first}_{second.upper()}" if len(second) == 2 else first


def _is_onnx(path: Path) -> bool:
    """Return whether the file begins as a model does: neither empty, nor text, nor a page.

    The first field of a ModelProto is its version, number 1, a variable integer.
    """
    try:
        with path.open("rb") as file:
            return file.read(1) == b"\x08"
    except OSError:
        return False


def _read(path: Path, model: Path) -> VoiceFile | None:
    name = path.name.removesuffix(_SUFFIX)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        speakers = settings.get("speaker_id_map") or {}
        if (
            not isinstance(settings["audio"]["sample_rate"], int)
            or "phoneme_id_map" not in settings
        ):
            raise ValueError("no sample rate or no phonemes")
        kind = settings.get("phoneme_type") or "espeak"
        needed = _PHONEME_TYPES[kind]
        if needed and find_spec(needed) is None:
            raise ValueError(f"its phonemes are {kind}, which need the package {needed}")
        quality = settings["audio"].get("quality", "")
        voice = Voice(
            name,
            (language_of(name, settings),),
            speakers=tuple(sorted(speakers, key=speakers.__getitem__)),
            description=_description(name, str(quality)),
            attribution="piper",
            url="https://github.com/OHF-Voice/piper1-gpl",
        )
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        _LOGGER.warning("%s is not the settings of a Piper voice: %s", path, err)
        return None
    return VoiceFile(voice, model, settings)


def _description(name: str, quality: str) -> str:
    parts = name.split("-")
    title = parts[1] if len(parts) > 2 else name
    return f"{title.replace('_', ' ')} ({quality})" if quality else title.replace("_", " ")
