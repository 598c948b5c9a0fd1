"""Record of a model's files: revisions and checksums beyond the catalogue, kept beside the models.

The hub's revision and checksums are written here at the first download, and hold from then on:
a file that later differs is refused.

Defends against T11 of docs/threat-model.md.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ValidationError

from wyoming_common.models.catalogue import ModelFile


class Seal(BaseModel):
    """Size and checksum of a file when it was last found to be right."""

    size: int
    sha256: str
    mtime_ns: int = 0
    """Zero before the file has been seen."""


class Record(BaseModel):
    revisions: dict[str, str] = {}
    """Commit by hub repository."""
    files: dict[str, Seal] = {}
    """By the name of the file."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a record; a missing or broken one is empty."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return cls()

    def write(self, path: Path) -> None:
        """Put the record in place in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps(self.model_dump(), indent=1), encoding="utf-8")
        scratch.replace(path)

    def expected(self, file: ModelFile) -> tuple[int | None, str | None]:
        """Return size and SHA-256 that `file` must have; the catalogue's word comes first."""
        seal = self.files.get(file.name)
        size, sha256 = (seal.size, seal.sha256) if seal is not None else (None, None)
        return file.size or size, file.sha256 or sha256

    def seal(self, files: Sequence[ModelFile], folder: Path, hashes: dict[str, str]) -> None:
        """Note that `files` in `folder` have been found right."""
        for file in files:
            stat = (folder / file.name).stat()
            self.files[file.name] = Seal(
                size=stat.st_size, sha256=hashes[file.name], mtime_ns=stat.st_mtime_ns
            )
