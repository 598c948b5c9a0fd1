"""Prompts that the model has read, kept on disk: a restart need not read them again."""

import hashlib
import logging
import os
import struct
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_llm.engines.kept import common

_LOGGER = logging.getLogger(__name__)

_MAGIC: Final = b"PARLEYKV3\n"
_DIGEST: Final = 32
_SUFFIX: Final = ".kv"


@dataclass(frozen=True, slots=True)
class Prefix:
    """One prompt on disk, by its tokens."""

    path: Path
    tokens: Sequence[int]


class PrefixStore:
    """States of one model with one kind of context, in one folder, within `most_bytes`.

    A file that is damaged, or that another version wrote, is dropped. Never raises for the disk:
    without it everything still works, from cold.
    """

    def __init__(self, folder: Path, key: str, most_bytes: int) -> None:
        self._folder = folder
        self._key = hashlib.sha256(key.encode()).hexdigest()[:16]
        self._most_bytes = most_bytes
        self._known = self._scan()

    def newest(self, count: int) -> list[Prefix]:
        """Return the `count` prefixes that were used last, the latest first."""
        ordered = sorted(self._known, key=lambda prefix: _used(prefix.path), reverse=True)
        return ordered[:count]

    def best(self, tokens: Sequence[int]) -> Prefix | None:
        """Return the prefix that shares the longest beginning with `tokens`."""
        best = max(self._known, key=lambda prefix: common(prefix.tokens, tokens), default=None)
        return best if best is not None and common(best.tokens, tokens) else None

    def holds(self, tokens: Sequence[int]) -> bool:
        """Whether all of `tokens` is on disk."""
        return any(common(known.tokens, tokens) == len(tokens) for known in self._known)

    def load(self, prefix: Prefix) -> bytes | None:
        """Return the state of `prefix`, or None when the file is damaged or gone."""
        try:
            data = prefix.path.read_bytes()
            os.utime(prefix.path)
        except OSError:
            self._forget(prefix)
            return None
        start = len(_MAGIC) + _DIGEST
        if hashlib.sha256(data[start:]).digest() != data[len(_MAGIC) : start]:
            _LOGGER.warning("%s is damaged; reading the prompt again", prefix.path)
            self._forget(prefix)
            return None
        return data[start + 4 + 4 * len(prefix.tokens) :]

    def save(self, tokens: Sequence[int], state: bytes) -> None:
        """Keep `state`, whole or not at all; what it makes superfluous goes."""
        if not 0 < len(state) <= self._most_bytes:
            return
        head = struct.pack("<I", len(tokens)) + array("i", tokens).tobytes()
        digest = hashlib.sha256(head)
        digest.update(state)
        name = hashlib.sha256(array("i", tokens).tobytes()).hexdigest()[:24]
        path = self._folder / f"{self._key}-{name}{_SUFFIX}"
        scratch = path.with_suffix(f".{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(len(head) + len(state))
            # States are large: joining them with their header would hold each of them twice.
            with scratch.open("wb") as file:
                file.write(_MAGIC + digest.digest() + head)
                file.write(state)
            scratch.replace(path)
        except OSError as err:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)
            _LOGGER.warning("The prompt cannot be kept in %s: %s", self._folder, err.strerror)
            return
        self._known = [known for known in self._known if known.path != path]
        self._known.append(Prefix(path, tuple(tokens)))

    def _make_room(self, size: int) -> None:
        """Drop the files used longest ago, those of other models too, until `size` fits."""
        files = sorted(self._folder.glob(f"*{_SUFFIX}"), key=_used)
        total = sum(_size(path) for path in files) + size
        for path in files:
            if total <= self._most_bytes:
                break
            total -= _size(path)
            path.unlink(missing_ok=True)
            self._known = [known for known in self._known if known.path != path]

    def _forget(self, prefix: Prefix) -> None:
        self._known = [known for known in self._known if known.path != prefix.path]
        try:
            prefix.path.unlink(missing_ok=True)
        except OSError:
            _LOGGER.debug("%s cannot be removed", prefix.path)

    def _scan(self) -> list[Prefix]:
        found = []
        for path in self._folder.glob(f"{self._key}-*{_SUFFIX}"):
            tokens = _read_tokens(path)
            if tokens is not None:
                found.append(Prefix(path, tokens))
        return found


def _read_tokens(path: Path) -> tuple[int, ...] | None:
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return None
            file.seek(_DIGEST, os.SEEK_CUR)
            (count,) = struct.unpack("<I", file.read(4))
            tokens = array("i")
            tokens.frombytes(file.read(4 * min(count, 1 << 20)))
    except (OSError, struct.error, ValueError):
        return None
    return tuple(tokens) if len(tokens) == count else None


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
