"""Phrase cache: audio of what was spoken before, in memory and on disk.

The key holds everything that changes the sound, such as the files of the voice, volume and sample
rate; and the client, since a reply that comes at once tells that it was spoken before.
"""

import hashlib
import logging
import os
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path

_LOGGER = logging.getLogger(__name__)

_MAX_PHRASE_SHARE = 8
"""One phrase may take an eighth of the memory: a read-aloud chapter must not push out the rest."""


class PhraseCache:
    """Evicts the least recently used phrase. Safe to use from several threads.

    `memory` and `disk` are bytes; `folder` None keeps nothing on disk. A folder that cannot be
    written is reported once and not tried again.
    """

    def __init__(self, memory: int, folder: Path | None = None, disk: int = 0) -> None:
        self._most = memory
        self._held = 0
        self._phrases: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._disk = _Disk(folder, disk) if folder is not None else None

    def get(self, key: str) -> bytes | None:
        """Return a phrase from memory; never waits for a disk."""
        with self._lock:
            pcm = self._phrases.get(key)
            if pcm is not None:
                self._phrases.move_to_end(key)
            return pcm

    def load(self, key: str) -> bytes | None:
        """Return a phrase from memory, or from disk into memory."""
        pcm = self.get(key)
        if pcm is None and self._disk is not None:
            pcm = self._disk.get(key)
            if pcm is not None:
                self._remember(key, pcm)
        return pcm

    def put(self, key: str, pcm: bytes) -> None:
        """Keep a phrase, unless it is too large."""
        self._remember(key, pcm)
        if self._disk is not None:
            self._disk.put(key, pcm)

    def _remember(self, key: str, pcm: bytes) -> None:
        if not 0 < len(pcm) <= self._most // _MAX_PHRASE_SHARE:
            return
        with self._lock:
            self._held += len(pcm) - len(self._phrases.pop(key, b""))
            self._phrases[key] = pcm
            while self._held > self._most:
                _, dropped = self._phrases.popitem(last=False)
                self._held -= len(dropped)


class _Disk:
    """Files named by the hash of their phrase; their time of change is that of the last use."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most
        self._failed = False
        self._held = sum(size for _, size, _ in self._files())

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            pcm = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return pcm if len(pcm) % 2 == 0 else None

    def put(self, key: str, pcm: bytes) -> None:
        if not 0 < len(pcm) <= self._most // _MAX_PHRASE_SHARE or self._failed:
            return
        path = self._path(key)
        scratch: Path | None = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
                scratch = Path(file.name)
                file.write(pcm)
            scratch.replace(path)
        except OSError as err:
            self._failed = True
            if scratch is not None:
                scratch.unlink(missing_ok=True)
            _LOGGER.warning("cache-dir: nothing more is kept in %s: %s", self._folder, err)
            return
        self._held += len(pcm)
        if self._held > self._most:
            self._make_room()

    def _make_room(self) -> None:
        files = sorted(self._files())
        self._held = sum(size for _, size, _ in files)
        for _, size, path in files:
            if self._held <= self._most * 3 // 4:
                break
            path.unlink(missing_ok=True)
            self._held -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self._folder.glob("*.pcm"):
            try:
                stat = path.stat()
            except OSError:
                continue  # another process made room
            found.append((stat.st_mtime, stat.st_size, path))
        return found

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.pcm"
