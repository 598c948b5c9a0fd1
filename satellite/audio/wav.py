"""Parser of a WAV file that arrives as a stream, its length perhaps unknown. No I/O."""

from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.errors import BadAudio

_MAX_HEADER_BYTES = 65_536
_PCM, _EXTENSIBLE = 0x0001, 0xFFFE
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""Sizes that a writer gives which does not know the length yet."""


class WavParser:
    """Takes the file in pieces of any size and returns its samples."""

    def __init__(self) -> None:
        self.format: PcmFormat | None = None
        """Format of the samples, once the header has arrived."""
        self._buffer = bytearray()
        self._in_data = False
        self._data_left: int | None = None

    def feed(self, data: bytes) -> bytes:
        """Return the samples that `data` completes, in `format`.

        Raises BadAudio for anything but integer PCM in a WAV file.
        """
        if self._in_data:
            return self._samples(data)
        self._buffer += data
        if not self._parse_header():
            return b""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return self._samples(rest)

    def _samples(self, data: bytes) -> bytes:
        if self._data_left is None:
            return data
        samples = data[: self._data_left]
        self._data_left -= len(samples)
        return samples

    def _parse_header(self) -> bool:
        """Return whether the samples begin in the buffer, which then begins with them."""
        head = bytes(self._buffer[:12])
        if head[:4] != b"RIFF"[: len(head)] or head[8:] != b"WAVE"[: max(0, len(head) - 8)]:
            raise BadAudio(f"expected a WAV file, got data that begins with {head!r}")
        position = 12
        while position + 8 <= len(self._buffer):
            name = bytes(self._buffer[position : position + 4])
            size = int.from_bytes(self._buffer[position + 4 : position + 8], "little")
            if name == b"data":
                return self._begin_data(position + 8, size)
            end = position + 8 + size + size % 2
            if end > _MAX_HEADER_BYTES:
                raise BadAudio(
                    f"the header of the WAV file is larger than {_MAX_HEADER_BYTES} bytes"
                )
            if end > len(self._buffer):
                return False
            if name == b"fmt ":
                self.format = _format(bytes(self._buffer[position + 8 : end]))
            position = end
        return False

    def _begin_data(self, position: int, size: int) -> bool:
        if self.format is None:
            raise BadAudio("the WAV file has samples before their format")
        del self._buffer[:position]
        self._in_data = True
        self._data_left = None if size in _UNKNOWN_SIZES else size
        return True


def _format(chunk: bytes) -> PcmFormat:
    if len(chunk) < 16:
        raise BadAudio("the format chunk of the WAV file is too short")
    codec = int.from_bytes(chunk[:2], "little")
    if codec not in (_PCM, _EXTENSIBLE):
        raise BadAudio(f"the WAV file has codec {codec:#06x}; only integer PCM can be played")
    channels = int.from_bytes(chunk[2:4], "little")
    rate = int.from_bytes(chunk[4:8], "little")
    return PcmFormat(rate, int.from_bytes(chunk[14:16], "little") // 8, channels)
