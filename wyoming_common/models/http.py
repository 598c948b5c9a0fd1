"""Downloads over HTTP from a URL or a model hub, resumed where they were cut off."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

from wyoming_common.backoff import Backoff
from wyoming_common.errors import DownloadError, TimedOut, Unavailable, Unreachable
from wyoming_common.http.client import HttpClient, HttpResponse

BLOCK = 1 << 20
"""Bytes read or written at a time."""
_MAX_FAILED_ATTEMPTS = 5
"""In a row without a single byte gained."""
_MAX_FAILED_CONNECTIONS = 2
"""In a row: a machine that is offline is told so soon."""
_MAX_SILENCE_SECONDS = 30.0
_MAX_CONNECT_SECONDS = 10.0
_MAX_PAUSE_SECONDS = 30.0
_MAX_ANSWER_BYTES = 1 << 20
"""Of what a hub says of a repository."""
_OK, _PARTIAL, _RANGE_REFUSED = 200, 206, 416
_REDIRECTS = (301, 302, 303, 307, 308)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HubFile:
    """Metadata of one file of a hub's repository."""

    url: str
    size: int | None
    etag: str
    """SHA-256 of the content (files in LFS) or Git's blob SHA-1 (others), hexadecimal."""


class Http:
    """One connection pool for all files of a download."""

    def __init__(self, pause_seconds: float = 1.0) -> None:
        """`pause_seconds` lie before the second attempt, and twice as many before the next."""
        self._client = HttpClient(
            silence_seconds=_MAX_SILENCE_SECONDS, connect_seconds=_MAX_CONNECT_SECONDS
        )
        self._pause_seconds = pause_seconds

    def close(self) -> None:
        self._client.close()

    def resume(
        self,
        url: str,
        target: Path,
        progress: Callable[[int], None],
        most: int | None = None,
    ) -> None:
        """Fetch `url` into `target`, from where the bytes already there end.

        `progress` gets the bytes of this file that are there. A connection that breaks is
        taken up again, as long as some attempt in five gains anything. Raises DownloadError;
        what has arrived stays, unless it is of more than `most` bytes.
        """
        attempts = _Attempts(url, self._pause_seconds)
        while True:
            before = _size(target)
            try:
                self._continue(url, target, progress, most)
            except (Unavailable, TimedOut) as err:
                if _size(target) > before:
                    attempts.begin_anew()
                attempts.wait(err)
            else:
                return

    def hub_revision(self, repository: str, revision: str) -> str:
        """Return the commit that a branch or tag of a hub repository stands for."""
        url = f"{_hub()}/api/models/{repository}/revision/{revision}"
        answer = self._ask("GET", url, lambda response: response.read(_MAX_ANSWER_BYTES))
        try:
            return str(json.loads(answer)["sha"])
        except (ValueError, KeyError, TypeError) as err:
            raise DownloadError(f"{repository}: the hub's answer names no revision") from err

    def hub_file(self, repository: str, commit: str, path: str) -> HubFile:
        """Ask the hub for a file's size and checksum."""
        url = f"{_hub()}/{repository}/resolve/{commit}/{quote(path)}"
        # The redirect to the storage server would drop the hub's own headers.
        headers, redirected = self._ask(
            "HEAD",
            url,
            lambda response: (response.headers, response.status in _REDIRECTS),
            allow_redirects=False,
        )
        size = headers.get("x-linked-size") or headers.get("content-length")
        etag = headers.get("x-linked-etag") or headers.get("etag") or ""
        etag = etag.removeprefix("W/").strip('"')
        moved = redirected and "x-linked-etag" not in headers
        if moved and (target := headers.get("location", "")).startswith("/"):
            # A renamed repository answers with the new name first.
            names = target.removeprefix("/").partition("/resolve/")[0]
            if names and names != repository:
                return self.hub_file(names, commit, path)
        return HubFile(url, int(size) if size and size.isdigit() else None, etag)

    def _continue(
        self, url: str, target: Path, progress: Callable[[int], None], most: int | None
    ) -> None:
        there = _size(target)
        headers = {"Range": f"bytes={there}-"} if there else {}
        headers |= _authorisation(url) | {"Accept-Encoding": "identity"}
        with self._client.request("GET", url, headers=headers) as response:
            if response.status == _RANGE_REFUSED:
                # All of it is there, or it is not this file: the checksum will tell.
                return
            _check(response, url)
            fresh = response.status != _PARTIAL
            done = 0 if fresh else there
            with target.open("wb" if fresh else "ab") as file:
                for block in response.pieces():
                    done += len(block)
                    if most is not None and done > most:
                        target.unlink()
                        raise DownloadError(f"{url}: expected {most} bytes, got more")
                    file.write(block)
                    progress(done)

    def _ask(self, method: str, url: str, read: Callable[[HttpResponse], T], **options: bool) -> T:
        attempts = _Attempts(url, self._pause_seconds)
        while True:
            try:
                headers = _authorisation(url)
                with self._client.request(method, url, headers=headers, **options) as response:
                    if response.status not in _REDIRECTS:
                        _check(response, url)
                    return read(response)
            except (Unavailable, TimedOut) as err:
                attempts.wait(err)


class _Attempts:
    """Attempts at one URL that have failed in a row."""

    def __init__(self, url: str, pause_seconds: float) -> None:
        self._host = urlsplit(url).hostname
        self._backoff = Backoff(pause_seconds, _MAX_PAUSE_SECONDS)
        self._failures = 0

    def begin_anew(self) -> None:
        """Note that the last attempt has gained something."""
        self._failures = -1
        self._backoff.reset()

    def wait(self, err: Exception) -> None:
        """Wait before the next attempt; raises DownloadError after the last one."""
        self._failures += 1
        offline = isinstance(err, Unreachable)
        if self._failures >= (_MAX_FAILED_CONNECTIONS if offline else _MAX_FAILED_ATTEMPTS):
            raise DownloadError(
                f"{self._host} does not deliver ({err}): check the network"
            ) from err
        time.sleep(self._backoff.next())


@contextmanager
def open_http() -> Iterator[Http]:
    """Open a connection pool until the block ends."""
    http = Http()
    try:
        yield http
    finally:
        http.close()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def blob_sha1_of(path: Path) -> str:
    """Return the name Git gives a file's content, hexadecimal."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _hub() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _authorisation(url: str) -> dict[str, str]:
    token = os.environ.get("HF_TOKEN", "")
    return {"Authorization": f"Bearer {token}"} if token and url.startswith(f"{_hub()}/") else {}


def _check(response: HttpResponse, url: str) -> None:
    """Raise DownloadError for a refusal, and Unavailable for a failure that may pass."""
    status = response.status
    if status in (_OK, _PARTIAL):
        return
    host = urlsplit(response.url).hostname
    if status in (401, 403):
        raise DownloadError(
            f"{url}: {host} wants a login ({status}); set HF_TOKEN to a token that may read it"
        )
    if status >= 500 or status == 429:
        raise Unavailable(f"status {status}")
    raise DownloadError(f"{url}: {host} answers with status {status}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
