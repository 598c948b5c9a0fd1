"""Trained wake words: a file with a small network on openWakeWord's speech embeddings.

`parley wake-word train` writes one; a satellite loads it by its path, or by its name when it is in
the folder `wake-words` of a data folder.
"""

import io
import json
import os
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wyoming_common.errors import ConfigError, ModelError

Floats = NDArray[np.float32]
SUFFIX = ".wake"
FOLDER = "wake-words"
"""Folder of trained words in a data folder."""
EMBEDDING_SIZE = 96
THRESHOLD = 0.5
"""Score from which every trained word counts; its own threshold is in its logits."""
SMOOTHED = 2
"""Windows, 80 ms apart, whose logits are averaged."""
_FORMAT = 1
_MAX_FILE_BYTES = 20_000_000
_MAX_LENGTH = 64


@dataclass(frozen=True)
class TrainedWord:
    """A trained wake word: perceptrons on a window of embeddings, and how it was made."""

    phrase: str
    language: str
    length: int
    """Embeddings, 80 ms apart, in a window."""
    mean: Floats
    """[96], subtracted from an embedding"""
    scale: Floats
    """[96], multiplied with it after that"""
    networks: tuple[tuple[tuple[Floats, Floats], ...], ...]
    """Networks, alike in their shapes, whose logits are averaged: layers of weights
    [inputs, outputs] and biases."""
    threshold: float
    """Logit from which the phrase counts."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Facts of its training, and its measured recall and false accepts."""

    def logits(self, windows: Floats) -> Floats:
        """Return the logits, [n], of windows of embeddings, [n, length, 96]."""
        flat = ((windows - self.mean) * self.scale).reshape(len(windows), -1)
        values = flat[None]
        for weights, biases in self._layers[:-1]:
            values = np.maximum(values @ weights + biases, 0)
        weights, biases = self._layers[-1]
        return np.asarray((values @ weights + biases)[:, :, 0].mean(axis=0), np.float32)

    @cached_property
    def _layers(self) -> list[tuple[Floats, Floats]]:
        """Layers of all networks together: weights [networks, inputs, outputs] and biases."""
        return [
            (
                np.stack([weight for weight, _ in layer]),
                np.stack([bias for _, bias in layer])[:, None],
            )
            for layer in zip(*self.networks, strict=True)
        ]

    def scores(self, embeddings: Floats) -> Floats:
        """Return the score at each embedding from the first full window on, 0 to 1."""
        if len(embeddings) < self.length:
            return np.zeros(0, np.float32)
        shape = np.lib.stride_tricks.sliding_window_view(embeddings, self.length, axis=0)
        logits = self.logits(np.ascontiguousarray(shape.transpose(0, 2, 1)))
        padded = np.concatenate([np.repeat(logits[:1], SMOOTHED - 1), logits])
        smooth = np.convolve(padded, np.ones(SMOOTHED) / SMOOTHED, "valid")
        return np.asarray(self.score(smooth), np.float32)

    def score(self, logits: Any) -> Any:
        """Return logits as a score whose threshold is THRESHOLD."""
        return 1 / (1 + np.exp(-np.clip(logits - self.threshold, -30, 30)))


class StreamedWord:
    """Score of one trained word, embedding by embedding."""

    def __init__(self, word: TrainedWord) -> None:
        self._word = word
        self._window: deque[Floats] = deque(maxlen=word.length)
        self._logits: deque[float] = deque(maxlen=SMOOTHED)

    def score(self, features: Floats) -> float:
        """Return the score after embeddings of shape [..., 96]."""
        best = 0.0
        for embedding in features.reshape(-1, EMBEDDING_SIZE):
            self._window.append(embedding)
            if len(self._window) == self._word.length:
                window = np.stack(self._window)[None]
                self._logits.append(float(self._word.logits(window)[0]))
                best = max(best, float(self._word.score(np.mean(self._logits))))
        return best

    def reset(self) -> None:
        """Forget the stream so far."""
        self._window.clear()
        self._logits.clear()


def write_word(word: TrainedWord, path: Path) -> None:
    """Write the file of a trained word, whole or not at all. Raises OSError."""
    about = {
        "format": _FORMAT, "phrase": word.phrase, "language": word.language,
        "length": word.length, "threshold": word.threshold, "facts": word.facts,
        "layers": [len(layers) for layers in word.networks],
    }  # fmt: skip
    arrays = {"mean": word.mean, "scale": word.scale}
    for n, layers in enumerate(word.networks):
        for m, (weight, bias) in enumerate(layers):
            arrays |= {f"weight-{n}-{m}": weight, f"bias-{n}-{m}": bias}
    buffer = io.BytesIO()
    arrays = {name: value.astype(np.float32) for name, value in arrays.items()}
    text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
    np.savez_compressed(buffer, about=text, allow_pickle=False, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(buffer.getvalue())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def read_word(path: Path) -> TrainedWord:
    """Read a trained word. Raises ModelError for a file that is not one."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ValueError("too large")
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return _parse(arrays)
    except OSError as err:
        raise ModelError(f"wake: cannot read {path}: {err.strerror or err}") from err
    except (ValueError, KeyError, TypeError, EOFError, zlib.error, zipfile.BadZipFile) as err:
        raise ModelError(f"wake: {path} is not a trained wake word: {err}") from err


def _parse(arrays: Any) -> TrainedWord:
    about = json.loads(bytes(arrays["about"]))
    if about["format"] != _FORMAT:
        raise ValueError(f"expected format {_FORMAT}, got {about['format']!r:.20}")
    length = int(about["length"])
    if not 1 <= length <= _MAX_LENGTH:
        raise ValueError(f"expected a length of 1 to {_MAX_LENGTH}, got {length}")
    networks = []
    for n, count in enumerate(about["layers"]):
        layers = tuple((arrays[f"weight-{n}-{m}"], arrays[f"bias-{n}-{m}"]) for m in range(count))
        _check(layers, length * EMBEDDING_SIZE)
        networks.append(layers)
    if len({tuple(weight.shape for weight, _ in layers) for layers in networks}) > 1:
        raise ValueError("its networks are not alike")
    mean, scale = arrays["mean"], arrays["scale"]
    if not networks or mean.shape != (EMBEDDING_SIZE,) or scale.shape != (EMBEDDING_SIZE,):
        raise ValueError("no network")
    return TrainedWord(
        str(about["phrase"]), str(about["language"]), length, mean, scale, tuple(networks),
        float(about["threshold"]), dict(about["facts"]),
    )  # fmt: skip


def _check(layers: Sequence[tuple[Floats, Floats]], inputs: int) -> None:
    """Refuse layers that do not follow on each other, or hold no numbers."""
    for weight, bias in layers:
        if weight.ndim != 2 or weight.shape[0] != inputs or bias.shape != weight.shape[1:]:
            raise ValueError("its layers do not fit together")
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ValueError("its weights are not numbers")
        inputs = weight.shape[1]
    if inputs != 1:
        raise ValueError("its last layer has more than one output")


def file_name(phrase: str) -> str:
    """Return the name of the file of a phrase, from which its phrase can be read: hey_you.wake."""
    kept = "".join(sign if sign.isalnum() else " " for sign in phrase.lower())
    return "_".join(kept.split()) + SUFFIX


def find_word(word: str, data_dirs: Iterable[Path]) -> Path | None:
    """Return the file of a trained word that is named or whose path is given, None without one.

    Raises ConfigError for a path with the suffix of a trained word where no file is.
    """
    if word.endswith(SUFFIX):
        path = Path(word).expanduser()
        if not path.is_file():
            raise ConfigError(f"wake: {path}: no such file")
        return path
    for folder in data_dirs:
        path = folder.expanduser() / FOLDER / f"{word}{SUFFIX}"
        if Path(word).name == word and path.is_file():
            return path
    return None


def trained_words(data_dirs: Iterable[Path]) -> Iterator[Path]:
    """Yield the files of the trained words of some data folders; the first of a name wins."""
    seen = set()
    for folder in data_dirs:
        for path in sorted((folder.expanduser() / FOLDER).glob(f"[!.]*{SUFFIX}")):
            if path.name not in seen:
                seen.add(path.name)
                yield path
