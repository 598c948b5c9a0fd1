"""Google's speech embedding on NumPy, from the weights that come with pyopen-wakeword.

A stream computes only what is new: a step of 80 ms costs a tenth of the whole window that the
TensorFlow Lite model is run on, for the same numbers.
"""

import ctypes
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from pyopen_wakeword import OpenWakeWordFeatures

from satellite.wake.trained_words import EMBEDDING_SIZE
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.errors import ModelError

Floats = NDArray[np.float32]
STEP_SAMPLES = 1280
"""Samples, 80 ms, from one embedding to the next."""
_CHUNK = 1760
"""Samples whose mel bands are computed, and limited to _RANGE_DB, together."""
_FRAME, _HOP, _FRAMES = 512, 160, 8
_BANDS = 32
_RANGE_DB = 80.0
_POOLED = {2: 2, 6: 1, 10: 2, 14: 1, 18: 2}
"""Frames that are joined after a convolution; two bands always are."""
_WEIGHT = re.compile(r"model/conv2d(?:_(\d+))?/Conv2D1?")
_BIAS = re.compile(r"model/batch_normalization.*model/conv2d(?:_(\d+))?/Conv2D")
_SILENCE_SECONDS = 8
"""Silence that openWakeWord puts before a stream."""
_NOTHING = np.zeros(0, np.float32)
MAX_WINDOW = 64
"""Embeddings that the longest window of a wake word may have."""
_MARGIN_STEPS = 16
"""Steps that are kept before a window: ten give one embedding, others a mean of scores."""
_RISE = 0.3
"""Rise of the mean of all bands that is a change: 3 dB. Steady noise moves it by half a decibel."""
_LOWS, _LOW_STEPS = 3, 25
"""Stretches, and steps in each, of which the lowest level is that of the room."""
_OPEN_STEPS = 25


@dataclass(frozen=True)
class _Convolution:
    frames: int
    """1 or 3, as `bands`"""
    bands: int
    matrix: Floats
    """[frames * bands * inputs, outputs]"""
    bias: Floats

    @classmethod
    def of(cls, weights: Floats, bias: Floats) -> "_Convolution":
        """Return a convolution by weights [outputs, frames, bands, inputs]."""
        outputs, frames, bands, _ = weights.shape
        return cls(frames, bands, np.ascontiguousarray(weights.reshape(outputs, -1).T), bias)

    def __call__(self, values: Floats) -> Floats:
        """Return the sums of [frames, bands, inputs]; a band beyond the edge is 0."""
        if self.bands > 1:
            frames, bands, inputs = values.shape
            padded = np.zeros((frames, bands + 2, inputs), np.float32)
            padded[:, 1:-1] = values
            values = _joined([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]])
        if self.frames > 1:
            values = _joined([values[:-2], values[1:-1], values[2:]])
        # Many small products: BLAS puts a large one on several threads, which wait busily.
        values = values @ self.matrix
        values += self.bias
        return values


def _joined(values: list[Floats]) -> Floats:
    return np.concatenate(values, axis=2)


@dataclass(frozen=True)
class _Network:
    window: Floats
    """[512]"""
    bands: Floats
    """[257, 32], from powers to mel bands"""
    convolutions: tuple[_Convolution, ...]

    def mels(self, sound: Floats, chunks: int) -> Floats:
        """Return mel bands in decibels, scaled for the network, [8 * chunks, 32]."""
        frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]
        spectra = np.fft.rfft(frames[: chunks * _FRAMES] * self.window)
        powers = (spectra.real**2 + spectra.imag**2).astype(np.float32) @ self.bands
        decibels = (10 * np.log10(np.maximum(powers, 1e-10))).reshape(chunks, -1)
        lowest = decibels.max(axis=1, keepdims=True) - np.float32(_RANGE_DB)
        return np.asarray(np.maximum(decibels, lowest).reshape(-1, _BANDS) / 10 + 2)


class EmbeddingStream:
    """Embeddings of a stream of sound. Several streams share the weights."""

    def __init__(
        self, sound: Floats | None = None, kept: Mapping[str, Floats] = MappingProxyType({})
    ) -> None:
        self._network = _network()
        self._sound = np.zeros(0, np.float32) if sound is None else sound
        self._kept = dict(kept)
        """Input frames of each layer that wait for the next ones."""

    def feed(self, sound: Floats) -> Floats:
        """Return the embeddings that the sound has completed, [n, 96]; sound in 16-bit values."""
        return self.embed(self.mels(sound))

    def mels(self, sound: Floats) -> Floats:
        """Return the mel bands that the sound has completed, [n, 32], 8 for each step."""
        self._sound = np.concatenate([self._sound, sound])
        chunks = max(0, (len(self._sound) - _CHUNK) // STEP_SAMPLES + 1)
        if not chunks:
            return np.zeros((0, _BANDS), np.float32)
        mels = self._network.mels(self._sound, chunks)
        self._sound = self._sound[chunks * STEP_SAMPLES :]
        return mels

    def embed(self, mels: Floats) -> Floats:
        """Return the embeddings that mel bands, [n, 32], have completed."""
        values = mels[:, :, None]
        last = len(self._network.convolutions) - 1
        for number, convolution in enumerate(self._network.convolutions):
            if convolution.frames > 1:
                values = self._with_kept(f"convolution {number}", values, convolution.frames - 1)
            if len(values) < convolution.frames:
                return np.zeros((0, EMBEDDING_SIZE), np.float32)
            values = convolution(values)
            if number < last:
                np.maximum(values, np.maximum(0.2 * values, np.float32(-0.4)), out=values)
            if number in _POOLED:
                values = self._pooled(number, values)
        return values[:, 0]

    def _pooled(self, number: int, values: Floats) -> Floats:
        values = np.maximum(values[:, 0::2], values[:, 1::2])
        if _POOLED[number] == 1:
            return values
        values = self._after_kept(f"pool {number}", values)
        even = len(values) // 2 * 2
        self._kept[f"pool {number}"] = values[even:]
        return np.maximum(values[0:even:2], values[1:even:2])

    def _with_kept(self, layer: str, values: Floats, count: int) -> Floats:
        values = self._after_kept(layer, values)
        self._kept[layer] = values[max(0, len(values) - count) :]
        return values

    def _after_kept(self, layer: str, values: Floats) -> Floats:
        kept = self._kept.get(layer)
        return values if kept is None or not len(kept) else np.concatenate([kept, values])

    def forget(self) -> None:
        """Begin again with the next mel bands."""
        self._kept = {}

    def copied(self) -> "EmbeddingStream":
        """Return a stream that goes on from here."""
        return EmbeddingStream(self._sound, self._kept)


class StreamingEmbeddings:
    """Features of openWakeWord's models: `satellite.wake.streaming.Features`.

    In a room where nothing changes none are computed. What is heard then follows upon the first
    sound, so that the windows that hold it have the embeddings that they would have anyway.
    `window` is the number of embeddings in the longest one.
    """

    def __init__(self, window: int = MAX_WINDOW) -> None:
        self._silent = EmbeddingStream()
        silence = np.zeros(_SILENCE_SECONDS * MODEL_RATE, np.float32)
        self._silence = self._silent.feed(silence)[-MAX_WINDOW:]
        self._waiting: deque[Floats] = deque(maxlen=window + _MARGIN_STEPS)
        self._stream, self._before, self._room = self._silent.copied(), self._silence, RoomLevel()

    def process_streaming(self, audio: bytes) -> Iterator[Floats]:
        """Yield embeddings, [1, 1, n, 96]; the first ones are of the silence before."""
        if len(self._before):
            yield self._before[None, None]
            self._before = self._before[:0]
        mels = self._stream.mels(np.frombuffer(audio, "<i2").astype(np.float32))
        for step in mels.reshape(-1, _FRAMES, _BANDS):
            self._waiting.append(step)
            if not self._room.changes(step):
                continue
            if len(self._waiting) == self._waiting.maxlen:
                self._stream.forget()
            found = self._stream.embed(np.concatenate(self._waiting))
            self._waiting.clear()
            for embedding in found:
                yield embedding[None, None, None]

    def reset(self) -> None:
        self._stream = self._silent.copied()
        self._before = self._silence
        self._room = RoomLevel()
        self._waiting.clear()


class RoomLevel:
    """Tells steps of 80 ms in which a room's sound changes from steady noise and silence."""

    def __init__(self) -> None:
        self._lows = deque([np.inf], maxlen=_LOWS)
        self._steps = 0
        self._open = _OPEN_STEPS

    def changes(self, mels: Floats) -> bool:
        """Return whether the sound changes in a step or did within two seconds before it.

        `mels` are those of the step, [8, 32].
        """
        level = float(mels.mean())
        lowest = min(self._lows)
        if self._steps % _LOW_STEPS == 0:
            self._lows.append(level)
        self._steps += 1
        self._lows[-1] = min(self._lows[-1], level)
        self._open = _OPEN_STEPS if level > lowest + _RISE else self._open - 1
        return self._open > 0


@cache
def _network() -> _Network:
    """Return the network of pyopen-wakeword's models. Raises ModelError for other models."""
    features = OpenWakeWordFeatures.from_builtin()
    try:
        weights, biases = {}, {}
        for name, values in _tensors(features.lib, features.emb_interpreter):
            if values.ndim == 4 and (found := _WEIGHT.fullmatch(name)):
                weights[int(found[1] or 0)] = values
            elif values.ndim == 1 and (found := _BIAS.fullmatch(name)):
                biases[int(found[1] or 0)] = values
        mel = [values for _, values in _tensors(features.lib, features.mel_interpreter)]
    finally:
        features.close()
    windows = [one[0].ravel() for one in mel if one.shape == (257, 1, _FRAME, 1)]
    bands = [one for one in mel if one.shape == (257, _BANDS)]
    if sorted(weights) != list(range(20)) or len(biases) != 19 or not windows or not bands:
        raise ModelError(
            "wake: this version of pyopen-wakeword has other models; expected one from 1.1 on"
        )
    convolutions = tuple(
        _Convolution.of(weights[n], biases.get(n, np.zeros(1, np.float32))) for n in range(20)
    )
    # Row 0 of the cosines is the window itself, that of the sines is 0.
    return _Network(max(windows, key=lambda one: float(np.abs(one).max())), bands[0], convolutions)


def _tensors(lib: ctypes.CDLL, interpreter: int) -> Iterator[tuple[str, Floats]]:
    """Yield the names and values of the float tensors of a model."""
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    lib.TfLiteInterpreterGetTensor.argtypes = [pointer, number]
    lib.TfLiteInterpreterGetTensor.restype = pointer
    lib.TfLiteTensorData.argtypes = lib.TfLiteTensorName.argtypes = [pointer]
    lib.TfLiteTensorData.restype = pointer
    lib.TfLiteTensorName.restype = ctypes.c_char_p
    at = 0
    while tensor := lib.TfLiteInterpreterGetTensor(interpreter, at):
        at += 1
        data, size = lib.TfLiteTensorData(tensor), lib.TfLiteTensorByteSize(tensor)
        if not data or lib.TfLiteTensorType(tensor) != 1:
            continue
        shape = [lib.TfLiteTensorDim(tensor, n) for n in range(lib.TfLiteTensorNumDims(tensor))]
        values = np.frombuffer(ctypes.string_at(data, size), np.float32)
        yield (lib.TfLiteTensorName(tensor) or b"").decode(), values.reshape(shape)
