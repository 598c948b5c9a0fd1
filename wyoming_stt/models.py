"""Where a recogniser's files are, and what they understand, before anything is loaded."""

import json
from collections.abc import Sequence
from pathlib import Path

from wyoming_common.errors import ModelError, UnknownModel
from wyoming_common.store import ModelStore
from wyoming_stt.languages import WHISPER

_MULTILINGUAL_WORDS = 51_865
"""Size of the vocabulary from which a Whisper model knows more than English
(`is_multilingual` in https://github.com/openai/whisper/blob/main/whisper/model.py)."""


def locate(name: str, data_dirs: Sequence[Path]) -> Path | None:
    """Return the file or folder of model `name` if it is on this machine.

    A path, a model of the store, or what the user put into a data directory as NAME.
    """
    if (found := ModelStore(data_dirs).find(name)) is not None:
        return found
    return next((path for folder in data_dirs if (path := folder / name).exists()), None)


def check_known(name: str, data_dirs: Sequence[Path]) -> None:
    """Raise UnknownModel unless model `name` is here or in the catalogue."""
    catalogue = ModelStore(data_dirs).catalogue
    if name in catalogue or locate(name, data_dirs) is not None:
        return
    if "/" in name:
        raise UnknownModel(f"model: no such file or folder: {name}")
    names = ", ".join(sorted(entry.name for entry in catalogue.of_kind("stt")))
    raise UnknownModel(f"No model '{name:.80}'; the catalogue has {names}")


def obtain(name: str, data_dirs: Sequence[Path]) -> Path:
    """Return where model `name` is, fetching it first if need be.

    Raises UnknownModel, DownloadError, NoSpace or ModelError.
    """
    return locate(name, data_dirs) or ModelStore(data_dirs).ensure(name)


def languages_of(name: str, data_dirs: Sequence[Path]) -> tuple[str, ...]:
    """Return the codes of the languages that model `name` understands, without loading it."""
    path = locate(name, data_dirs)
    if path is not None and (size := _vocabulary_size(path)) is not None:
        if size < _MULTILINGUAL_WORDS:
            return ("en",)
        return (*WHISPER, "yue") if size > _MULTILINGUAL_WORDS else WHISPER
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


def _vocabulary_size(path: Path) -> int | None:
    try:
        if (path / "vocabulary.json").is_file():
            words = json.loads((path / "vocabulary.json").read_text(encoding="utf-8"))
            return len(words)
        text = (path / "vocabulary.txt").read_bytes()
    except (OSError, ValueError):
        return None
    return text.count(b"\n") + (not text.endswith(b"\n"))
