"""Fetch files over HTTP: resumed where they were cut off, from a URL or a model hub."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx2

from wyoming_common.errors import DownloadError

BLOCK = 1 << 20
"""Bytes read or written at a time."""
_ATTEMPTS = 5
"""In a row without a single byte gained."""
_CONNECTS = 2
"""In a row without a connection: a machine that is offline is told so soon."""
_OK, _PARTIAL, _RANGE_REFUSED = 200, 206, 416


@dataclass(frozen=True, slots=True)
class HubFile:
    """What a hub says about one file of a repository."""

    url: str
    size: int | None
    etag: str
    """SHA-256 of the content (files in LFS) or Git's blob SHA-1 (others); hexadecimal"""


class Http:
    """One connection pool for all files of a download."""

    def __init__(self, pause_seconds: float = 0.5) -> None:
        timeout = httpx2.Timeout(30.0, connect=10.0)
        self._client = httpx2.Client(follow_redirects=True, timeout=timeout)
        self._pause = pause_seconds

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
        failures = 0
        while True:
            before = _size(target)
            try:
                self._continue(url, target, progress, most)
            except httpx2.TransportError as err:
                failures = 0 if _size(target) > before else failures + 1
                self._wait(url, failures, err)
            else:
                return

    def hub_revision(self, repository: str, revision: str) -> str:
        """Return the commit that a branch or tag of a hub repository stands for."""
        response = self._ask("GET", f"{_hub()}/api/models/{repository}/revision/{revision}")
        try:
            return str(response.json()["sha"])
        except (ValueError, KeyError, TypeError) as err:
            raise DownloadError(f"{repository}: the hub's answer names no revision") from err

    def hub_file(self, repository: str, commit: str, path: str) -> HubFile:
        """Ask the hub for a file's size and checksum."""
        url = f"{_hub()}/{repository}/resolve/{commit}/{quote(path)}"
        # The redirect to the storage server would drop the hub's own headers.
        response = self._ask("HEAD", url, follow_redirects=False)
        headers = response.headers
        size = headers.get("x-linked-size") or headers.get("content-length")
        etag = headers.get("x-linked-etag") or headers.get("etag") or ""
        etag = etag.removeprefix("W/").strip('"')
        moved = response.is_redirect and "x-linked-etag" not in headers
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
        with self._client.stream("GET", url, headers=headers) as response:
            if response.status_code == _RANGE_REFUSED:
                # All of it is there, or it is not this file: the checksum will tell.
                return
            _check(response, url)
            fresh = response.status_code != _PARTIAL
            done = 0 if fresh else there
            with target.open("wb" if fresh else "ab") as file:
                for block in response.iter_bytes(BLOCK):
                    done += len(block)
                    if most is not None and done > most:
                        target.unlink()
                        raise DownloadError(f"{url}: expected {most} bytes, got more")
                    file.write(block)
                    progress(done)

    def _ask(self, method: str, url: str, *, follow_redirects: bool = True) -> httpx2.Response:
        failures = 0
        while True:
            try:
                response = self._client.request(
                    method, url, headers=_authorisation(url), follow_redirects=follow_redirects
                )
                if not response.is_redirect:
                    _check(response, url)
            except httpx2.TransportError as err:
                failures += 1
                self._wait(url, failures, err)
            else:
                return response

    def _wait(self, url: str, failures: int, err: httpx2.TransportError) -> None:
        """Wait before the next attempt; raises DownloadError when there is to be none."""
        if failures >= (_CONNECTS if isinstance(err, httpx2.ConnectError) else _ATTEMPTS):
            host = httpx2.URL(url).host
            reason = str(err) or type(err).__name__
            raise DownloadError(f"{host} does not deliver ({reason}): check the network") from err
        time.sleep(min(self._pause * 2**failures, 30.0))


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


def _check(response: httpx2.Response, url: str) -> None:
    status = response.status_code
    if status in (_OK, _PARTIAL):
        return
    host = httpx2.URL(url).host
    if status in (401, 403):
        raise DownloadError(
            f"{url}: {host} wants a login ({status}); set HF_TOKEN to a token that may read it"
        )
    if status >= 500 or status == 429:
        raise httpx2.RemoteProtocolError(f"status {status}")
    raise DownloadError(f"{url}: {host} answers with status {status}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
