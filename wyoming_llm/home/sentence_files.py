"""Sentences as files: Home Assistant's of a language, and those a user adds to them."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from wyoming_common.errors import ConfigError

_LOGGER = logging.getLogger(__name__)

CUSTOM: Final = "parley_custom_sentence"
"""Marks what a user wrote, in the metadata of sentences"""


def read_sentences(code: str, base: str | None, custom: Sequence[Path]) -> dict[str, Any]:
    """Return the intents, lists and responses of a language, {} for a language without any.

    `base` is the package's name of the language, `custom` are files of a user's.
    """
    from hassil.util import merge_dict
    from home_assistant_intents import get_intents

    content: dict[str, Any] = dict(get_intents(base) or {}) if base else {}
    for path in custom:
        try:
            merge_dict(content, _read(path))
        except ConfigError as err:
            _LOGGER.warning("%s; going on without this file", err)
    if not content.get("intents"):
        _LOGGER.warning("There are no sentences for the language '%s'", code)
        return {}
    content.setdefault("language", code)
    return content


def _spellings(code: str) -> list[str]:
    plain = code.replace("_", "-")
    return [plain, plain.partition("-")[0]]


def custom_files(code: str, folders: Sequence[Path]) -> list[Path]:
    """Custom sentences of a language: FOLDER/LANGUAGE/*.yaml, as Home Assistant has them."""
    found = []
    for folder in folders:
        for name in _spellings(code):
            if (folder / name).is_dir():
                found += sorted((folder / name).glob("*.yaml"))
                break
    return found


def _read(path: Path) -> dict[str, Any]:
    from hassil import Intents

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise ConfigError(f"sentences_dir: {path}: {' '.join(str(err).split())}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"sentences_dir: {path}: expected intents by name")
    try:
        for intent in (content.get("intents") or {}).values():
            for data in (intent or {}).get("data") or []:
                data.setdefault("metadata", {})[CUSTOM] = True
        # Sentences are parsed when they are first compared: what is wrong with one shows here.
        for intent in Intents.from_dict({"language": "en", **content}).intents.values():
            for data in intent.data:
                _ = [sentence.expression for sentence in data.sentences]
    except Exception as err:
        raise ConfigError(f"sentences_dir: {path}: {' '.join(str(err).split()):.200}") from err
    return content
