"""Plaintext framing of the ESPHome native API, and the interface of all framings. No I/O.

A frame is a zero byte, the length of the payload and the type of the message as varints, and the
payload. https://developers.esphome.io/architecture/api/protocol_details/
"""

from dataclasses import dataclass
from typing import Protocol

PLAINTEXT_PREAMBLE = 0x00
NOISE_PREAMBLE = 0x01
MAX_PAYLOAD_BYTES = 65_535
"""Largest payload of a frame, as in the firmware."""
_MAX_VARINT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One message on the wire."""

    type: int
    """Number of the message in api.proto, 0 to 65535."""
    payload: bytes
    """The message, serialised."""


class FramingError(Exception):
    """Bytes that are no frame; the connection has to be closed."""

    def __init__(self, problem: str, farewell: bytes = b"") -> None:
        super().__init__(problem)
        self.farewell = farewell
        """Bytes that tell the other side why, to be sent before closing."""


class Framing(Protocol):
    """Frames of one connection in both directions."""

    @property
    def encrypted(self) -> bool:
        """Whether only a holder of the key can read the frames."""
        ...

    def receive(self, data: bytes) -> list[Packet]:
        """Return the packets that `data` completes. Raises FramingError."""
        ...

    def take_handshake(self) -> bytes:
        """Return the handshake bytes to send after `receive`; empty most of the time."""
        ...

    def encode(self, packet: Packet) -> bytes:
        """Return a packet as bytes to send."""
        ...


class PlaintextFraming:
    """Frames without encryption."""

    encrypted = False

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[Packet]:
        """Return the packets that `data` completes. Raises FramingError."""
        self._buffer += data
        packets = []
        while (packet := self._next()) is not None:
            packets.append(packet)
        return packets

    def take_handshake(self) -> bytes:
        """Return nothing: there is no handshake."""
        return b""

    def encode(self, packet: Packet) -> bytes:
        """Return a packet as bytes to send."""
        header = _varint(len(packet.payload)) + _varint(packet.type)
        return bytes((PLAINTEXT_PREAMBLE,)) + header + packet.payload

    def _next(self) -> Packet | None:
        if not self._buffer:
            return None
        if self._buffer[0] != PLAINTEXT_PREAMBLE:
            raise FramingError(f"expected a plaintext frame, got a frame of type {self._buffer[0]}")
        position = 1
        length, position = _read_varint(self._buffer, position)
        number, position = _read_varint(self._buffer, position)
        if length is None or number is None:
            return None
        if length > MAX_PAYLOAD_BYTES or number > MAX_PAYLOAD_BYTES:
            raise FramingError(f"frame of type {number} with {length} bytes is too large")
        if len(self._buffer) < position + length:
            return None
        payload = bytes(self._buffer[position : position + length])
        del self._buffer[: position + length]
        return Packet(number, payload)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_varint(data: bytearray, position: int) -> tuple[int | None, int]:
    """Return a varint and the position behind it; None while it is incomplete."""
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if position + index >= len(data):
            return None, position
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, position + index + 1
    raise FramingError(f"varint of more than {_MAX_VARINT_BYTES} bytes")
