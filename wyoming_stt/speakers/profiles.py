"""Voice profiles: a file for each person of the household, in the folder `voices` of a data folder.

A profile holds embeddings, no recordings. It is biometric data: only its owner may read the file.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from wyoming_common.errors import ConfigError, ModelError
from wyoming_common.protocol.spoken_by import GUEST
from wyoming_stt.speakers.campplus import CAMPPLUS, SIZE
from wyoming_stt.speakers.engine import Embedding, unit

FOLDER: Final = "voices"
"""Folder of the profiles in a data folder"""
SUFFIX: Final = ".voice"
MAX_LEARNED: Final = 20
"""Embeddings of later turns that a profile keeps"""

_FORMAT: Final = 1
_MAX_FILE_BYTES: Final = 1_000_000
_MAX_SAMPLES: Final = 100
_MAX_PROFILES: Final = 64
_NAME: Final = re.compile(r"[^\W_](?:[\w' .-]{0,38}[\w.])?")


@dataclass(frozen=True)
class VoiceProfile:
    """The voice of one person."""

    name: str
    samples: tuple[Embedding, ...]
    """Of the sentences of the enrolment"""
    learned: tuple[Embedding, ...] = ()
    """Of later turns, the newest last"""
    made: str = ""
    """Time of the enrolment, ISO 8601"""

    @property
    def centre(self) -> Embedding:
        """The embedding that speech is compared with; what was enrolled counts for half at least.

        So what was learned can follow a voice, and not replace it.
        """
        enrolled = np.mean(self.samples, axis=0)
        if not self.learned:
            return unit(enrolled)
        share = len(self.learned) / (2 * MAX_LEARNED)
        return unit((1 - share) * unit(enrolled) + share * unit(np.mean(self.learned, axis=0)))

    def with_learned(self, embedding: Embedding) -> "VoiceProfile":
        """Return the profile with the embedding of a turn, the oldest dropped beyond the bound."""
        return replace(self, learned=(*self.learned, embedding)[-MAX_LEARNED:])


class VoiceProfiles:
    """The profiles of some data folders; new ones go to the first writable one. Blocking.

    Of two files of one name in two folders the newer one counts.
    """

    def __init__(self, data_dirs: Sequence[Path]) -> None:
        self._folders = [path.expanduser() / FOLDER for path in data_dirs]

    def state(self) -> tuple[tuple[str, int], ...]:
        """Return what changes when a profile does: files and their times of change."""
        return tuple((str(path), _changed(path)) for path in self._files())

    def all(self) -> list[VoiceProfile]:
        """Return the profiles that can be read, sorted by name."""
        known: dict[str, VoiceProfile] = {}
        for path in self._files():
            try:
                profile = read_profile(path)
            except ModelError:
                continue
            known.setdefault(profile.name.casefold(), profile)
        return [known[name] for name in sorted(known)]

    def find(self, name: str) -> VoiceProfile:
        """Return the profile of a person. Raises ConfigError without one."""
        return read_profile(self.path(name))

    def path(self, name: str) -> Path:
        """Return the file of a person's profile. Raises ConfigError without one."""
        wanted = file_name(name)
        found = next((path for path in self._files() if path.name == wanted), None)
        if found is None:
            raise ConfigError(f"No voice profile of '{name:.40}'; see parley voices list")
        return found

    def save(self, profile: VoiceProfile) -> Path:
        """Write a profile, whole or not at all. Raises ConfigError where no folder is writable."""
        wanted = file_name(profile.name)
        known = next((path for path in self._files() if path.name == wanted), None)
        folders = [known.parent] if known is not None else self._folders
        failed: OSError | None = None
        for folder in folders:
            try:
                return _write(profile, folder / wanted)
            except OSError as err:
                failed = failed or err
        raise ConfigError(f"voices: cannot write to {folders[0]}: {failed}")

    def delete(self, name: str) -> None:
        """Delete a person's profile from every data folder.

        Raises ConfigError without one, or where it may not be deleted.
        """
        path = self.path(name)
        try:
            for path in (folder / file_name(name) for folder in self._folders):
                path.unlink(missing_ok=True)
        except OSError as err:
            raise ConfigError(f"voices: cannot delete {path}: {err.strerror or err}") from err

    def _files(self) -> list[Path]:
        files: dict[str, Path] = {}
        for folder in self._folders:
            for path in sorted(folder.glob(f"[!.]*{SUFFIX}")):
                known = files.get(path.name)
                if known is None or _changed(path) > _changed(known):
                    files[path.name] = path
        return list(files.values())[:_MAX_PROFILES]


def check_name(name: str) -> str:
    """Return the name of a person as it is written. Raises ConfigError for another text."""
    tidy = " ".join(name.split())
    if not _NAME.fullmatch(tidy) or tidy.casefold() == GUEST:
        raise ConfigError(
            f"name: expected letters, digits, spaces and hyphens, at most 40 and not "
            f"'{GUEST}', got '{name:.40}'"
        )
    return tidy


def file_name(name: str) -> str:
    """Return the name of a person's file."""
    return re.sub(r"\W+", "_", check_name(name).casefold()).strip("_") + SUFFIX


def made_now(
    name: str, samples: Sequence[Embedding], learned: Sequence[Embedding] = ()
) -> VoiceProfile:
    """Return a new profile of the embeddings of an enrolment."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return VoiceProfile(check_name(name), tuple(samples), tuple(learned), now)


def read_profile(path: Path) -> VoiceProfile:
    """Read a profile. Raises ModelError for a file that is not one."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ValueError("too large")
        return _parse(json.loads(path.read_bytes()), path)
    except OSError as err:
        raise ModelError(f"voices: cannot read {path}: {err.strerror or err}") from err
    except (ValueError, KeyError, TypeError, RecursionError, ConfigError) as err:
        raise ModelError(f"voices: {path} is not a voice profile: {err}") from err


def _parse(content: Any, path: Path) -> VoiceProfile:
    if content["format"] != _FORMAT or content["model"] != CAMPPLUS:
        raise ValueError(f"expected format {_FORMAT} of the model {CAMPPLUS}")
    name = check_name(str(content["name"]))
    if file_name(name) != path.name:
        raise ValueError(f"the profile of '{name}' is in a file called {file_name(name)}")
    samples, learned = (embeddings_of(content[key]) for key in ("samples", "learned"))
    if not samples:
        raise ValueError("no samples")
    return VoiceProfile(name, samples, learned[-MAX_LEARNED:], str(content["made"]))


def embeddings_of(rows: Any) -> tuple[Embedding, ...]:
    """Return embeddings that came as lists of numbers. Raises ValueError or TypeError."""
    if not isinstance(rows, list) or len(rows) > _MAX_SAMPLES:
        raise ValueError("expected a list of samples")
    try:
        embeddings = tuple(np.asarray(row, np.float32) for row in rows)
    except OverflowError as err:
        raise ValueError("a number is too large") from err
    for embedding in embeddings:
        if embedding.shape != (SIZE,) or not np.isfinite(embedding).all() or not embedding.any():
            raise ValueError(f"expected samples of {SIZE} numbers")
    return tuple(unit(embedding) for embedding in embeddings)


def _write(profile: VoiceProfile, path: Path) -> Path:
    content = {
        "format": _FORMAT,
        "model": CAMPPLUS,
        "name": profile.name,
        "made": profile.made,
        "samples": [_rounded(one) for one in profile.samples],
        "learned": [_rounded(one) for one in profile.learned],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return path


def _rounded(embedding: Embedding) -> list[float]:
    return [round(float(value), 5) for value in embedding]


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
