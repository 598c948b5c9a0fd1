"""Settings of the satellite that Home Assistant changes, kept in a file across restarts."""

import base64
import binascii
import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from satellite.esphome.encryption_key import KEY_BYTES

_LOGGER = logging.getLogger(__name__)

_MAX_FILE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class CustomWakeWord:
    """A wake word of Home Assistant's folder `custom_wake_words`."""

    phrase: str
    """Phrase that a user says."""
    type: str
    """Kind of its model, as Home Assistant names it: micro or openWakeWord."""
    sha256: str
    """SHA-256 of its model file, 64 hexadecimal digits."""


class DeviceStore:
    """The encryption key, the wake words and the values of the entities, in one JSON file.

    Without a folder that can be written to they last until the satellite ends.
    """

    def __init__(self, folders: Sequence[Path], name: str) -> None:
        file_name = f"{name}.esphome.json"
        self._path = next((one / file_name for one in folders if _is_writable(one)), None)
        self._values: dict[str, Any] = self._read()

    @property
    def folder(self) -> Path | None:
        """Folder of the file; None where no folder can be written to."""
        return None if self._path is None else self._path.parent

    @property
    def key(self) -> bytes | None:
        """Encryption key that Home Assistant has given the device."""
        text = self._values.get("encryption_key")
        if not isinstance(text, str):
            return None
        with suppress(binascii.Error):
            key = base64.b64decode(text, validate=True)
            return key if len(key) == KEY_BYTES else None
        return None

    def set_key(self, key: bytes | None) -> bool:
        """Keep a key, or remove it; return whether the file has been written."""
        return self._set("encryption_key", None if key is None else base64.b64encode(key).decode())

    @property
    def wake_words(self) -> tuple[str, ...] | None:
        """Active wake words as chosen in Home Assistant; None before a choice."""
        words = self._values.get("wake_words")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            return None
        return tuple(words)

    def set_wake_words(self, words: Sequence[str]) -> bool:
        """Keep the active wake words; return whether the file has been written."""
        return self._set("wake_words", list(words))

    @property
    def custom_wake_words(self) -> Mapping[str, CustomWakeWord]:
        """Wake words of Home Assistant's folder that have been fetched, by id."""
        words = self._values.get("custom_wake_words")
        if not isinstance(words, dict):
            return {}
        found = {}
        for word_id, values in words.items():
            with suppress(TypeError, KeyError):
                phrase, kind, digest = values["phrase"], values["type"], values["sha256"]
                if all(isinstance(value, str) for value in (phrase, kind, digest)):
                    found[str(word_id)] = CustomWakeWord(phrase, kind, digest)
        return found

    def set_custom_wake_words(self, words: Mapping[str, CustomWakeWord]) -> bool:
        """Keep the fetched wake words; return whether the file has been written."""
        return self._set(
            "custom_wake_words",
            {
                word_id: {"phrase": word.phrase, "type": word.type, "sha256": word.sha256}
                for word_id, word in words.items()
            },
        )

    def number(self, name: str, highest: float) -> float | None:
        """Return a number from 0 to `highest` as set in Home Assistant; None before."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if 0 <= value <= highest else None

    def flag(self, name: str) -> bool | None:
        """Return a switch as set in Home Assistant; None before."""
        value = self._values.get(name)
        return value if isinstance(value, bool) else None

    def set_value(self, name: str, value: float | bool) -> bool:
        """Keep a number or a switch; return whether the file has been written."""
        return self._set(name, value)

    def _set(self, name: str, value: Any) -> bool:
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value
        return self._write()

    def _read(self) -> dict[str, Any]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            if self._path.stat().st_size > _MAX_FILE_BYTES:
                raise ValueError("too large")
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as err:
            _LOGGER.warning("%s is ignored: %s", self._path, err)
            return {}
        return values if isinstance(values, dict) else {}

    def _write(self) -> bool:
        if self._path is None:
            _LOGGER.warning("No --data-dir can be written to; a restart forgets the settings")
            return False
        part = self._path.with_suffix(".part")
        try:
            # The file holds a key: it is created with a mode that keeps other users out.
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
            ) as file:
                json.dump(self._values, file)
            part.replace(self._path)
        except OSError as err:
            _LOGGER.warning("cannot write %s: %s", self._path, err.strerror)
            return False
        return True


def _is_writable(folder: Path) -> bool:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK)
    return False
