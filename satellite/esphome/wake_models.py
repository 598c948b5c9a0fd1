"""Models of Home Assistant's folder `custom_wake_words`, fetched, checked and kept by hash."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from satellite.esphome.media import place_of
from wyoming_common.errors import ModelError, Unavailable

_MAX_MODEL_BYTES = 5_000_000
"""A microWakeWord model has 60 kB, an openWakeWord model up to 1 MB."""
_MAX_CONFIG_BYTES = 65_536
_FETCH_SECONDS = 30.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_SUFFIXES = {"micro": ".json", "openWakeWord": ".tflite"}
"""Suffix of the file that the engine is given, by the type of the model."""


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that Home Assistant offers; the file beside `url` with the suffix .tflite."""

    type: str
    """micro or openWakeWord."""
    url: str
    """Address of its configuration, in JSON."""
    size: int
    """Bytes of the model."""
    sha256: str


class ModelFolder:
    """Fetched models, each in a file that is named by its hash."""

    def __init__(self, folder: Path, probe: Callable[[str], None] | None = None) -> None:
        """`probe` tries a fetched model by its path; blocks, raises ModelError for a bad one."""
        self._folder = folder
        self._probe = probe

    def find(self, kind: str, sha256: str) -> str:
        """Return the path for the engine of a model that has been fetched; "" where it is not."""
        suffix = _FILE_SUFFIXES.get(kind)
        if suffix is None or not _SHA256.fullmatch(sha256):
            return ""
        files = [self._folder / f"{sha256}{end}" for end in {suffix, ".tflite"}]
        return str(files[0].with_suffix(suffix)) if all(file.is_file() for file in files) else ""

    async def fetch(self, session: aiohttp.ClientSession, offered: OfferedModel) -> str:
        """Fetch a model unless it is there; return the path for the engine.

        Raises ModelError for a model that is not what was announced, Unavailable when the server
        does not give it.
        """
        _check(offered)
        if path := await asyncio.to_thread(self.find, offered.type, offered.sha256):
            return path
        place = urlsplit(offered.url)
        model_path = str(PurePosixPath(place.path).with_suffix(".tflite"))
        config = await _get(session, offered.url, _MAX_CONFIG_BYTES)
        model = await _get(session, urlunsplit(place._replace(path=model_path)), offered.size)
        if len(model) != offered.size or hashlib.sha256(model).hexdigest() != offered.sha256:
            raise ModelError(
                f"wake: the model at {place_of(offered.url)} is not the one that was announced"
            )
        return await asyncio.to_thread(self._keep, offered, config, model)

    def _keep(self, offered: OfferedModel, config: bytes, model: bytes) -> str:
        try:
            values: Any = json.loads(config)
            if not isinstance(values, dict):
                raise ModelError("wake: the configuration of the model is no JSON object")
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(f"{offered.sha256}.tflite", model)
            text = json.dumps({**values, "model": f"{offered.sha256}.tflite"})
            self._write(f"{offered.sha256}.json", text.encode())
        except OSError as err:
            raise ModelError(f"wake: cannot write to {self._folder}: {err.strerror}") from err
        except (ValueError, RecursionError) as err:
            raise ModelError(f"wake: the configuration of the model is no JSON: {err}") from err
        path = self.find(offered.type, offered.sha256)
        if self._probe is not None:
            try:
                self._probe(path)
            except ModelError:
                Path(path).unlink(missing_ok=True)
                raise
        return path

    def _write(self, name: str, data: bytes) -> None:
        part = self._folder / f"{name}.part"
        part.write_bytes(data)
        part.replace(self._folder / name)


def _check(offered: OfferedModel) -> None:
    if offered.type not in _FILE_SUFFIXES or not _SHA256.fullmatch(offered.sha256):
        raise ModelError(f"wake: no model of type '{offered.type[:40]}' can be fetched")
    if not 0 < offered.size <= _MAX_MODEL_BYTES:
        raise ModelError(
            f"wake: a model of {offered.size} bytes; at most {_MAX_MODEL_BYTES} are taken"
        )
    target = urlsplit(offered.url)
    if target.scheme not in ("http", "https") or not PurePosixPath(target.path).name:
        raise ModelError("wake: expected the address of a model, http:// or https://")


async def _get(session: aiohttp.ClientSession, url: str, most: int) -> bytes:
    """Return the content at a URL. Raises Unavailable, ModelError for more than `most` bytes."""
    timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
    try:
        async with session.get(url, timeout=timeout, allow_redirects=False) as response:
            if response.status != 200:
                raise Unavailable(f"wake: {place_of(url)} answered with status {response.status}")
            data = bytearray()
            async for part in response.content.iter_any():
                data += part
                if len(data) > most:
                    raise ModelError(f"wake: {place_of(url)} sends more than {most} bytes")
            return bytes(data)
    except (aiohttp.ClientError, TimeoutError) as err:
        raise Unavailable(f"wake: {place_of(url)}: {str(err) or 'sent nothing in time'}") from err
