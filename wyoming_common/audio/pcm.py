"""PCM formats, streaming conversion to what the models take, fixed-size frames, sound files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from wyoming_common.errors import BadAudio

MODEL_RATE = 16_000
"""Hz; what every recogniser, voice detector and wake word model here takes, mono s16le."""

Samples = NDArray[np.int16]
_TARGET = 0.9
"""Level of the loudest sample of ordinary speech, of 1."""
_KNEE = 0.85
"""Above it samples are bent towards 1 instead of being cut."""


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """Interleaved little-endian integer PCM; 8-bit samples are unsigned, as in WAV."""

    rate: int = MODEL_RATE
    """Hertz"""
    width: int = 2
    """Bytes a sample"""
    channels: int = 1

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("rate", self.rate, 4_000, 384_000),
            ("width", self.width, 1, 4),
            ("channels", self.channels, 1, 32),
        ):
            if not isinstance(value, int) or not low <= value <= high:
                raise BadAudio(f"{name}: expected {low} to {high}, got {value!r:.40}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.width * self.channels

    def seconds(self, size: int) -> float:
        """Length of `size` bytes, in seconds."""
        return size / (self.frame_bytes * self.rate)


class PcmConverter:
    """Turns a stream of PCM of any format into mono s16le at `rate`, as it arrives.

    Bytes may be cut anywhere, also inside a sample. Resampling is soxr's, as one stream.
    """

    def __init__(self, source: PcmFormat, rate: int = MODEL_RATE) -> None:
        self._source = source
        self._rest = b""
        self._resample = (
            soxr.ResampleStream(source.rate, rate, 1, dtype="int16", quality="HQ")
            if source.rate != rate
            else None
        )
        self._direct = source == PcmFormat(rate)

    def feed(self, pcm: bytes) -> bytes:
        """Return what can be converted by now."""
        if self._rest:
            pcm = self._rest + pcm
        whole = len(pcm) - len(pcm) % self._source.frame_bytes
        self._rest = pcm[whole:]
        if self._direct:
            return pcm[:whole] if self._rest else pcm
        return self._convert(to_mono(pcm[:whole], self._source), last=False)

    def flush(self) -> bytes:
        """Return what the resampler still holds; the converter is then done."""
        return self._convert(np.zeros(0, np.int16), last=True)

    def _convert(self, mono: Samples, *, last: bool) -> bytes:
        if self._resample is not None:
            mono = self._resample.resample_chunk(mono, last=last)
        return mono.tobytes()


class Reframer:
    """Cuts a byte stream into frames of exactly `frame_bytes`."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._rest = bytearray()

    def feed(self, pcm: bytes) -> Iterator[bytes]:
        """Yield the whole frames there are by now; the rest waits for the next call."""
        self._rest += pcm
        while len(self._rest) >= self._frame_bytes:
            yield bytes(self._rest[: self._frame_bytes])
            del self._rest[: self._frame_bytes]

    def reset(self) -> None:
        """Drop what waits."""
        self._rest.clear()


def to_mono(pcm: bytes, source: PcmFormat) -> Samples:
    """Return whole frames of `source` as mono int16, channels averaged."""
    match source.width:
        case 1:
            wide = (np.frombuffer(pcm, np.uint8).astype(np.int16) - 128) << 8
        case 2:
            wide = np.frombuffer(pcm, "<i2")
        case 3:
            triples = np.frombuffer(pcm, np.uint8).reshape(-1, 3)
            wide = np.ascontiguousarray(triples[:, 1:]).view("<i2").reshape(-1)
        case _:
            wide = (np.frombuffer(pcm, "<i4") >> 16).astype(np.int16)
    if source.channels > 1:
        wide = wide.reshape(-1, source.channels).mean(axis=1).astype(np.int16)
    return wide.astype(np.int16, copy=False)


def to_float(pcm: bytes) -> NDArray[np.float32]:
    """Return mono s16le PCM as float32 in -1 to 1, shape [samples]."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0


class Limiter:
    """Float audio to s16le at the target level, from a voice whose speech peaks at `peak`.

    One gain for a voice: a sentence cannot be measured before it is sent.
    """

    def __init__(self, peak: float, volume: float = 1.0) -> None:
        self._gain = _TARGET / max(peak, 1e-3) * volume

    def __call__(self, audio: NDArray[np.float32]) -> bytes:
        """Return audio in -1 to 1, shape [samples], as s16le."""
        loud = audio * self._gain
        level = np.abs(loud)
        over = level > _KNEE
        if over.any():
            bent = _KNEE + (1 - _KNEE) * np.tanh((level[over] - _KNEE) / (1 - _KNEE))
            loud[over] = np.sign(loud[over]) * bent
        return (loud * 32767).astype("<i2").tobytes()


def read_audio(path: Path, rate: int = MODEL_RATE) -> tuple[bytes, str]:
    """Read a sound file of any format libsndfile knows as mono s16le PCM at `rate`.

    Returns the PCM and a remark for the user, empty when there is nothing to remark on.
    Raises BadAudio for a file that is missing, is not sound, or holds none.
    """
    try:
        with soundfile.SoundFile(path) as file:
            # As int16 libsndfile would round the samples of a float file to 0 and 1.
            wave = file.read(dtype="float32", always_2d=True)
            source, log = PcmFormat(file.samplerate, 2, file.channels), file.extra_info
    except (soundfile.LibsndfileError, OSError) as err:
        reason = "no such file" if not path.exists() else "not a sound file that libsndfile knows"
        raise BadAudio(f"{path}: {reason}") from err
    if not len(wave):
        raise BadAudio(f"{path}: holds no audio")
    samples = np.clip(np.rint(np.nan_to_num(wave) * 32768.0), -32768, 32767).astype("<i2")
    converter = PcmConverter(source, rate)
    pcm = converter.feed(samples.tobytes()) + converter.flush()
    cut = "(should be" in log or "truncated" in log.lower()
    remark = (
        f"{path}: cut short; using the {len(pcm) / 2 / rate:.1f} s that are there" if cut else ""
    )
    return pcm, remark
