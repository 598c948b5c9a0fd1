"""Model store: finds models on this machine and fetches missing ones."""

import errno
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from wyoming_common.errors import DownloadError, ModelError, NoSpace
from wyoming_common.models.catalogue import Catalogue, Entry, ModelFile
from wyoming_common.models.fetch import Fetch
from wyoming_common.models.http import open_http, sha256_of
from wyoming_common.models.progress import Progress, log_progress
from wyoming_common.models.record import Record

_LOGGER = logging.getLogger(__name__)

_SPARE_BYTES = 32_000_000
"""Left free on the disk after a download."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of an installed model that is not what it should be."""

    file: ModelFile
    problem: str


class ModelStore:
    """Models by name. A model is a folder `DATA_DIR/models/NAME`, there whole or not at all.

    Safe to use from several processes and threads at once. Every method blocks.
    """

    def __init__(self, data_dirs: Sequence[Path], catalogue: Catalogue | None = None) -> None:
        self._roots = [path.expanduser() / "models" for path in data_dirs]
        self.catalogue = catalogue or Catalogue.load(
            [path.expanduser() / "catalogue.yaml" for path in data_dirs]
        )

    def find(self, name: str) -> Path | None:
        """Return the folder of an installed model, or None; never touches the network.

        A `name` that is not in the catalogue may be the path of a file or folder, which is
        returned as it is, or the name of a folder someone put among the models.
        """
        for root in self._roots:
            if self._is_whole(name, root):
                return root / name
        if name in self.catalogue:
            return None
        path = Path(name).expanduser()
        return path if name and path.exists() else None

    def ensure(self, name: str, progress: Progress | None = None) -> Path:
        """Return the folder of a model, which is fetched when it is missing or damaged.

        Raises UnknownModel, DownloadError, NoSpace or ModelError.
        """
        if name not in self.catalogue:
            if (path := self.find(name)) is not None:
                return path
            self.catalogue[name]  # raises UnknownModel
        for root in self._roots:
            if self._is_whole(name, root) and not self._changed(name, root):
                return root / name
        root = self._writable()
        entry = self.catalogue[name]
        with self._locked(root, name):
            self._install(entry, root, progress or log_progress())
        return root / name

    def choose(self, tier: Sequence[str]) -> str:
        """Return the first model of `tier` that is installed, else the first; uses no network."""
        return next((name for name in tier if self.find(name) is not None), tier[0])

    def ensure_first(
        self, tiers: Sequence[Sequence[str]], progress: Progress | None = None
    ) -> Path:
        """Return the folder of a model of the first tier that is installed or can be fetched.

        The models of a tier can stand for each other. A later tier stands in where no model of an
        earlier one can be fetched. Raises as `ensure` does, for the first failure.
        """
        failed: DownloadError | None = None
        for tier in tiers:
            chosen = self.choose(tier)
            for name in (chosen, *(name for name in tier if name != chosen)):
                try:
                    return self.ensure(name, progress)
                except DownloadError as err:
                    _LOGGER.warning("%s; trying the next default model", err)
                    failed = failed or err
        assert failed is not None
        raise failed

    def verify(self, name: str) -> list[Damage]:
        """Read every file of an installed model and return what is wrong with them.

        Raises UnknownModel, or ModelError for a model that is not installed.
        """
        entry = self.catalogue[name]
        for root in self._roots:
            if (root / name).is_dir():
                record = Record.read(_record_path(root, name))
                return _damage(entry.files, root / name, record, thorough=True)
        raise ModelError(f"{name} is not installed; parley models pull {name}")

    def installed(self) -> list[str]:
        """Return the names of the installed models of the catalogue."""
        return [name for name in self.catalogue if self.find(name) is not None]

    def _is_whole(self, name: str, root: Path) -> bool:
        folder = root / name
        if not name or Path(name).name != name or name.startswith(".") or not folder.is_dir():
            return False
        if name not in self.catalogue:
            return True
        record = Record.read(_record_path(root, name))
        return all(
            (folder / file.name).is_file()
            and record.expected(file)[0] in (None, (folder / file.name).stat().st_size)
            for file in self.catalogue[name].files
        )

    def _changed(self, name: str, root: Path) -> bool:
        """Whether a file was written to since it was checked, and is not right any more."""
        path = _record_path(root, name)
        record = Record.read(path)
        folder = root / name
        touched = [
            file
            for file in self.catalogue[name].files
            if file.name not in record.files
            or record.files[file.name].mtime_ns != (folder / file.name).stat().st_mtime_ns
        ]
        if not touched:
            return False
        if _damage(touched, folder, record, thorough=True):
            return True
        record.seal(touched, folder, {file.name: sha256_of(folder / file.name) for file in touched})
        try:
            record.write(path)
        except OSError:
            _LOGGER.debug("%s cannot be written; %s is checked each time", path, name)
        return False

    def _install(self, entry: Entry, root: Path, progress: Progress) -> None:
        """Fetch what is missing or damaged and put it in place; the lock is held."""
        target = root / entry.name
        record = Record.read(_record_path(root, entry.name))
        damaged = _damage(entry.files, target, record, thorough=target.is_dir())
        if not damaged:
            return
        if not target.is_dir():
            _LOGGER.info("Fetching %s (%.0f MB)", entry.name, entry.size / 1e6)
        else:
            what = "; ".join(f"{found.file.name}: {found.problem}" for found in damaged)
            _LOGGER.warning("%s is damaged (%s); fetching it again", entry.name, what)
        files = [found.file for found in damaged]
        scratch = root / ".partial" / entry.name
        try:
            hashes = self._fetch(entry, files, scratch, record, progress)
            _put_in_place(files, scratch, target)
        except DownloadError:
            # Wheels cannot be resumed; files from the hub and from URLs can.
            if not any(place.url or place.repository for f in files for place in f.places):
                shutil.rmtree(scratch, ignore_errors=True)
            _prune(scratch)
            raise
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            _prune(scratch)
            raise
        _prune(scratch)
        record.seal(files, target, hashes)
        record.write(_record_path(root, entry.name))

    def _fetch(
        self,
        entry: Entry,
        files: list[ModelFile],
        scratch: Path,
        record: Record,
        progress: Progress,
    ) -> dict[str, str]:
        scratch.mkdir(parents=True, exist_ok=True)
        with open_http() as http:
            fetch = Fetch(entry, files, scratch, record, http, progress)
            fetch.look_up()
            needed = fetch.space_needed() + _SPARE_BYTES
            free = shutil.disk_usage(scratch).free
            if free < needed:
                raise NoSpace(_no_space(entry, scratch.parent.parent, needed, free))
            try:
                return fetch.run()
            except OSError as err:
                if err.errno in (errno.ENOSPC, errno.EDQUOT):
                    free = shutil.disk_usage(scratch).free
                    raise NoSpace(_no_space(entry, scratch.parent.parent, needed, free)) from err
                raise ModelError(f"{entry.name}: cannot write to {scratch}: {err}") from err

    def _writable(self) -> Path:
        for root in self._roots:
            try:
                root.mkdir(parents=True, exist_ok=True)
            except OSError:
                continue
            if os.access(root, os.W_OK | os.X_OK):
                return root
        raise ModelError(
            f"No folder for models can be written to: {', '.join(map(str, self._roots))}; "
            "name one with --data-dir"
        )

    @contextmanager
    def _locked(self, root: Path, name: str) -> Iterator[None]:
        folder = root / ".locks"
        folder.mkdir(exist_ok=True)
        lock = FileLock(folder / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            _LOGGER.info("Another process fetches %s; waiting for it", name)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _damage(
    files: Sequence[ModelFile], folder: Path, record: Record, *, thorough: bool
) -> list[Damage]:
    found = []
    for file in files:
        path = folder / file.name
        size, sha256 = record.expected(file)
        if not path.is_file():
            found.append(Damage(file, "missing"))
        elif size is not None and path.stat().st_size != size:
            found.append(Damage(file, f"expected {size} bytes, got {path.stat().st_size}"))
        elif thorough and sha256 is not None and (got := sha256_of(path)) != sha256:
            found.append(Damage(file, f"expected SHA-256 {sha256}, got {got}"))
    return found


def _put_in_place(files: Sequence[ModelFile], scratch: Path, target: Path) -> None:
    for file in files:
        with (scratch / file.name).open("rb") as written:
            os.fsync(written.fileno())
    if not target.exists():
        scratch.rename(target)
    else:
        for file in files:
            (target / file.name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / file.name).replace(target / file.name)
        shutil.rmtree(scratch, ignore_errors=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _prune(scratch: Path) -> None:
    """Remove the scratch folder and the one around it where they are empty."""
    for path in (scratch, scratch.parent):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _record_path(root: Path, name: str) -> Path:
    return root / ".records" / f"{name}.json"


def _no_space(entry: Entry, folder: Path, needed: int, free: int) -> str:
    return (
        f"{entry.name} needs {needed / 1e6:.0f} MB free in {folder} and {free / 1e6:.0f} MB are "
        "there: make room, or choose another folder with --data-dir"
    )
