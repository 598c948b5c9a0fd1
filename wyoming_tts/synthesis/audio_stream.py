"""Audio streams of speech servers, raw PCM or WAV, decoded to mono s16le as they arrive."""

import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wyoming_common.audio.pcm import PcmConverter, PcmFormat
from wyoming_common.errors import BadRequest, Unavailable

_MAX_HEADER_BYTES = 65_536
"""Chunks before the samples of a WAV: names, cue points."""
_MIN_MAGIC_BYTES = 12
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
"""Format tags of WAV: https://learn.microsoft.com/windows/win32/api/mmreg/ns-mmreg-waveformatex"""
_KINDS = frozenset({(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)})
_ENDLESS = 0x7FFFFF00
"""A length from here on is one that the server did not know."""
_MAGIC = {
    b"ID3": "MP3", b"OggS": "Ogg", b"fLaC": "FLAC", b"\x1aE\xdf\xa3": "WebM", b"FORM": "AIFF",
}  # fmt: skip
_TEXT_TYPES = ("application/json", "text/", "application/problem", "application/xml")
_RATE = re.compile(r"(?i)\brate=(\d{4,6})\b")
_CHANNELS = re.compile(r"(?i)\bchannels=(\d)\b")


@dataclass(frozen=True, slots=True)
class _Wav:
    rate: int
    channels: int
    width: int
    """Bytes a sample."""
    is_float: bool
    bytes: int
    """Length of the samples; one from _ENDLESS on is not known."""


def decoded(
    pieces: Iterator[bytes], content_type: str, raw_rate: int, rate: int, url: str
) -> Iterator[bytes]:
    """Yield the audio in `pieces` as mono s16le at `rate`.

    `content_type` is the whole header; `raw_rate` is that of PCM without a header. Raises
    Unavailable, which names `url`, for an answer that is text or sound in another format.
    """
    source = _Reader(pieces)
    head = source.peek(_MIN_MAGIC_BYTES)
    media_type = content_type.partition(";")[0].strip().lower()
    _check(head, media_type, source, url)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        wav = _read_header(source, url)
        samples = source.rest(wav.bytes)
        if wav.is_float:
            samples = _from_float(samples, wav.width)
        form = PcmFormat(wav.rate, 2 if wav.is_float else wav.width, wav.channels)
    else:
        named_rate, named_channels = _RATE.search(content_type), _CHANNELS.search(content_type)
        form = PcmFormat(
            int(named_rate[1]) if named_rate else raw_rate,
            2,
            int(named_channels[1]) if named_channels else 1,
        )
        samples = source.rest()
    converter = PcmConverter(form, rate)
    for piece in samples:
        if pcm := converter.feed(piece):
            yield pcm
    if pcm := converter.flush():
        yield pcm


class _Reader:
    """Reads exact amounts from pieces of any size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes, or all that are left, without taking them."""
        while len(self._held) < count and (piece := next(self._pieces, None)) is not None:
            self._held += piece
        return self._held[:count]

    def take(self, count: int) -> bytes:
        """Return and take the next `count` bytes, or all that are left."""
        taken = self.peek(count)
        self._held = self._held[len(taken) :]
        return taken

    def rest(self, count: int = _ENDLESS) -> Iterator[bytes]:
        """Yield what is left, at most `count` bytes where that is a length."""
        left = count
        held, self._held = self._held, b""
        for piece in itertools.chain([held], self._pieces):
            if left <= 0:
                return
            yield piece[:left]
            left -= len(piece) if count < _ENDLESS else 0


def _check(head: bytes, media_type: str, source: _Reader, url: str) -> None:
    """Raise Unavailable for what is neither PCM nor WAV."""
    if media_type.startswith(_TEXT_TYPES) or (head[:1] in b"{<" and b"\0" not in head and head):
        words = " ".join(source.peek(400).decode("utf-8", "replace").split())[:200]
        raise Unavailable(f"{url}: expected audio, got '{words}'")
    name = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    if not name and media_type in ("audio/mpeg", "audio/mp3") and head[:1] == b"\xff":
        name = "MP3"
    if not name and media_type in ("audio/aac", "audio/opus", "audio/ogg", "audio/flac"):
        name = media_type
    if head[4:8] == b"ftyp":
        name = "MP4"
    if name:
        raise Unavailable(
            f"{url}: expected PCM or WAV, got {name}; let the server obey response_format: pcm"
        )


def _read_header(source: _Reader, url: str) -> _Wav:
    source.take(_MIN_MAGIC_BYTES)
    form: tuple[int, int, int, int] | None = None
    seen = 0
    while len(header := source.take(8)) == 8:
        name, length = struct.unpack("<4sI", header)
        if name == b"data":
            if form is None:
                break
            tag, channels, rate, bits = form
            return _wav(tag, channels, rate, bits, length, url)
        seen += length
        if seen > _MAX_HEADER_BYTES:
            break
        body = source.take(length + length % 2)
        if name == b"fmt " and len(body) >= 16:
            tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if tag == _EXTENSIBLE and len(body) >= 26:
                (tag,) = struct.unpack("<H", body[24:26])
            form = tag, channels, rate, bits
    raise Unavailable(f"{url}: sent a WAV without samples")


def _wav(tag: int, channels: int, rate: int, bits: int, length: int, url: str) -> _Wav:
    if (tag, bits) not in _KINDS:
        raise Unavailable(f"{url}: sent a WAV of format {tag} with {bits} bits; expected PCM")
    try:
        PcmFormat(rate, 2, channels)
    except BadRequest as err:
        raise Unavailable(f"{url}: sent a WAV that cannot be played: {err}") from err
    known = length if 0 < length < _ENDLESS else _ENDLESS
    return _Wav(rate, channels, bits // 8, tag == _FLOAT, known)


def _from_float(pieces: Iterator[bytes], width: int) -> Iterator[bytes]:
    """Yield float samples of `width` bytes as s16le."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % width
        rest = data[whole:]
        samples = np.nan_to_num(np.frombuffer(data[:whole], f"<f{width}").astype(np.float64))
        yield (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()
