"""Model files of recognisers: where they are and their languages, before anything is loaded."""

import json
import re
import struct
from collections.abc import Sequence
from pathlib import Path

from wyoming_common.errors import ModelError, UnknownModel
from wyoming_common.models import ModelStore
from wyoming_stt.text.languages import WHISPER

MULTILINGUAL_VOCABULARY = 51_865
"""Vocabulary size from which a Whisper model is multilingual
(`is_multilingual` in https://github.com/openai/whisper/blob/main/whisper/model.py)."""

GGML_MAGIC = 0x67676D6C


def locate(name: str, data_dirs: Sequence[Path]) -> Path | None:
    """Return the file or folder of model `name` if it is on this machine.

    `name` is a path, a model of the store, or a file or folder of a data directory.
    """
    if (found := ModelStore(data_dirs).find(name)) is not None:
        return found
    return next((path for folder in data_dirs if (path := folder / name).exists()), None)


def check_known(name: str, data_dirs: Sequence[Path]) -> None:
    """Raise UnknownModel unless model `name` is on this machine or in the catalogue."""
    catalogue = ModelStore(data_dirs).catalogue
    if name in catalogue or locate(name, data_dirs) is not None:
        return
    if "/" in name:
        raise UnknownModel(f"model: no such file or folder: {name}")
    names = ", ".join(sorted(entry.name for entry in catalogue.of_kind("stt")))
    raise UnknownModel(f"No model '{name:.80}'; the catalogue has {names}")


def obtain(name: str, data_dirs: Sequence[Path]) -> Path:
    """Return the path of model `name`, downloading it first if necessary.

    Raises UnknownModel, DownloadError, NoSpace or ModelError.
    """
    return locate(name, data_dirs) or ModelStore(data_dirs).ensure(name)


def languages_of(name: str, data_dirs: Sequence[Path]) -> tuple[str, ...]:
    """Return the codes of the languages that model `name` understands, without loading it."""
    path = locate(name, data_dirs)
    if path is not None and _is_sherpa(path):
        return _released_languages((path if path.is_dir() else path.parent).name)
    if path is not None and (size := _vocabulary_size(path)) is not None:
        if size < MULTILINGUAL_VOCABULARY:
            return ("en",)
        return (*WHISPER, "yue") if size > MULTILINGUAL_VOCABULARY else WHISPER
    if (entry := ModelStore(data_dirs).catalogue.get(name)) is not None:
        return entry.languages
    return ("en",) if name.endswith(".en") else WHISPER


def check_folder(path: Path) -> None:
    """Raise ModelError unless `path` looks like a Whisper model for CTranslate2."""
    if not path.exists():
        raise UnknownModel(f"model: no such file or folder: {path}")
    missing = [file for file in ("model.bin", "config.json") if not (path / file).is_file()]
    if missing:
        raise ModelError(f"model: expected {' and '.join(missing)} in {path}")


def _is_sherpa(path: Path) -> bool:
    return ((path if path.is_dir() else path.parent) / "tokens.txt").is_file()


def _released_languages(folder: str) -> tuple[str, ...]:
    """Return the languages in the name of a release of sherpa-onnx, English without any.

    Examples are `sherpa-onnx-zipformer-en-2023-06-26` and
    `sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17`.
    """
    name = folder.lower()
    parts = [part for part in re.split(r"[-_.]", name) if part in (*WHISPER, "yue")]
    if "whisper" in name and not parts:
        return WHISPER
    return tuple(dict.fromkeys(parts)) or ("en",)


def _vocabulary_size(path: Path) -> int | None:
    try:
        ggml = path if path.is_file() else next(iter(sorted(path.glob("ggml*.bin"))), None)
        if ggml is not None:
            with ggml.open("rb") as file:
                magic, size = struct.unpack("<Ii", file.read(8))
            return int(size) if magic == GGML_MAGIC else None
        if (path / "vocabulary.json").is_file():
            words = json.loads((path / "vocabulary.json").read_text(encoding="utf-8"))
            return len(words)
        text = (path / "vocabulary.txt").read_bytes()
    except (OSError, ValueError, struct.error):
        return None
    return text.count(b"\n") + (not text.endswith(b"\n"))
