"""Model stores for tests, with catalogues of their own."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

from wyoming_common.models import ModelStore

BIG = bytes(range(256)) * 20_000
"""5 MB: several blocks"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left_over(folder: Path) -> list[str]:
    """Return every file below `folder` that is not a lock."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


def store_of(folder: Path, **entries: dict[str, Any]) -> ModelStore:
    """Return a store in `folder` whose catalogue has `entries` beside the shipped ones."""
    common = {"kind": "stt", "licence": "MIT", "description": "test"}
    folder.mkdir(exist_ok=True)
    (folder / "catalogue.yaml").write_text(
        yaml.safe_dump({name: common | entry for name, entry in entries.items()})
    )
    return ModelStore([folder])


def hub_entry(*files: str) -> dict[str, Any]:
    return {"source": "hf:someone/model@main", "files": [{"name": name} for name in files]}
