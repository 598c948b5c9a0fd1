"""Prefixes on disk: KV cache states that survive a restart."""

import hashlib
import logging
import os
import struct
import time
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wyoming_llm.kv_cache.state import SHARED, State, common_prefix

_LOGGER = logging.getLogger(__name__)

_MAGIC: Final = b"PARLEYKV4\n"
_DIGEST: Final = 32
_HEAD: Final = struct.Struct("<IH")
"""Tokens, and bytes of the client's name"""
_SUFFIX: Final = ".kv"
_SCRATCH: Final = ".part"
_MAX_WRITING_SECONDS: Final = 3600.0
"""An older unfinished file belongs to a process that was killed"""
_MAX_FILES_OF_CLIENT: Final = 4


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix on disk: its file, its tokens, and the client that sent them."""

    path: Path
    tokens: Sequence[int]
    client: str


class PrefixStore:
    """States of one model with one kind of context, in one folder, within `max_bytes`.

    A damaged file, or one of another version, is removed. A client has a few files; shared ones go
    last. Never raises for the disk: without it everything still works, from cold.
    """

    def __init__(self, folder: Path, key: str, max_bytes: int) -> None:
        self._folder = folder
        self._key = hashlib.sha256(key.encode()).hexdigest()[:16]
        self._max_bytes = max_bytes
        self._known = self._scan()

    def newest(self, count: int) -> list[Prefix]:
        """Return the `count` prefixes that were used last, the latest first."""
        ordered = sorted(self._known, key=lambda prefix: _used(prefix.path), reverse=True)
        return ordered[:count]

    def best(self, tokens: Sequence[int], client: str) -> Prefix | None:
        """Return the prefix that `client` may get with most of `tokens`, None without any."""
        best = max(
            (prefix for prefix in self._known if prefix.client in (client, SHARED)),
            key=lambda prefix: common_prefix(prefix.tokens, tokens),
            default=None,
        )
        return best if best is not None and common_prefix(best.tokens, tokens) else None

    def holds(self, tokens: Sequence[int], client: str) -> bool:
        """Return whether all of `tokens` is on disk for `client`."""
        return any(
            known.client == client and common_prefix(known.tokens, tokens) == len(tokens)
            for known in self._known
        )

    def load(self, prefix: Prefix) -> State | None:
        """Return the state of `prefix`, or None when the file is damaged or gone."""
        head = _head(prefix.tokens, prefix.client)
        try:
            # States are large: what is read is not copied once more.
            with prefix.path.open("rb") as file:
                said = file.read(len(_MAGIC) + _DIGEST)[len(_MAGIC) :]
                same = file.read(len(head)) == head
                state = bytearray(max(0, os.fstat(file.fileno()).st_size - file.tell()))
                del state[file.readinto(state) :]
            os.utime(prefix.path)
        except OSError:
            self._forget(prefix)
            return None
        if not same or _digest(head, state) != said:
            _LOGGER.warning("%s is damaged; reading the prompt again", prefix.path)
            self._forget(prefix)
            return None
        return state

    def save(self, tokens: Sequence[int], state: State, client: str) -> None:
        """Save `state`, whole or not at all; older files make room for it."""
        head = _head(tokens, client)
        digest = _digest(head, state)
        size = len(_MAGIC) + len(digest) + len(head) + len(state)
        if not state or size > self._max_bytes:
            return
        name = hashlib.sha256(head).hexdigest()[:24]
        path = self._folder / f"{self._key}-{name}{_SUFFIX}"
        scratch = path.with_suffix(f".{os.getpid()}{_SCRATCH}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(size, client)
            with scratch.open("wb") as file:
                file.write(_MAGIC + digest + head)
                file.write(state)
            scratch.replace(path)
        except OSError as err:
            with suppress(OSError):
                scratch.unlink(missing_ok=True)
            _LOGGER.warning("The prompt cannot be kept in %s: %s", self._folder, err.strerror)
            return
        self._known = [known for known in self._known if known.path != path]
        self._known.append(Prefix(path, tuple(tokens), client))

    def _make_room(self, size: int, client: str) -> None:
        """Drop the files used longest ago, those of other models too, until `size` fits."""
        if client != SHARED:
            own = sorted(
                (p for p in self._known if p.client == client), key=lambda p: _used(p.path)
            )
            for prefix in own[: len(own) + 1 - _MAX_FILES_OF_CLIENT]:
                self._forget(prefix)
        last = {known.path for known in self._known if known.client == SHARED}
        files = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda p: (p in last, _used(p)))
        total = sum(_size(path) for path in files) + size
        for path in files:
            if total <= self._max_bytes:
                break
            total -= _size(path)
            path.unlink(missing_ok=True)
            self._known = [known for known in self._known if known.path != path]

    def _forget(self, prefix: Prefix) -> None:
        self._known = [known for known in self._known if known.path != prefix.path]
        _remove(prefix.path)

    def _scan(self) -> list[Prefix]:
        for path in self._folder.glob(f"*{_SCRATCH}"):
            if time.time() - _used(path) > _MAX_WRITING_SECONDS:
                _remove(path)
        found = []
        for path in self._folder.glob(f"{self._key}-*{_SUFFIX}"):
            prefix = _read_prefix(path)
            if prefix is not None:
                found.append(prefix)
            else:
                _remove(path)
        return found


def _head(tokens: Sequence[int], client: str) -> bytes:
    name = client.encode()[:0xFFFF]
    return _HEAD.pack(len(tokens), len(name)) + name + array("i", tokens).tobytes()


def _digest(head: bytes, state: State) -> bytes:
    digest = hashlib.sha256(head)
    digest.update(state)
    return digest.digest()


def _read_prefix(path: Path) -> Prefix | None:
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return None
            file.seek(_DIGEST, os.SEEK_CUR)
            count, named = _HEAD.unpack(file.read(_HEAD.size))
            client = file.read(named).decode()
            tokens = array("i")
            tokens.frombytes(file.read(4 * min(count, 1 << 20)))
    except (OSError, struct.error, ValueError):
        return None
    return Prefix(path, tuple(tokens), client) if len(tokens) == count else None


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        _LOGGER.debug("%s cannot be removed", path)


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
