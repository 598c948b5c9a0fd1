"""Noise framing of the ESPHome native API: the responder of Noise_NNpsk0. No I/O.

A frame is a one byte, the length of the body in two bytes, and the body. The client's first frame
is its hello, the second its handshake; each is answered with one. All further bodies are encrypted
messages with a header of type and length in two bytes each.

Defends against T9 of docs/threat-model.md.
"""

import hmac
from enum import Enum

from cryptography.exceptions import InvalidTag
from noise.connection import NoiseConnection
from noise.exceptions import NoiseHandshakeError, NoiseInvalidMessage, NoiseValueError

from satellite.esphome.encryption_key import NO_KEY
from satellite.esphome.framing import NOISE_PREAMBLE, FramingError, Packet

PROTOCOL_NAME = "Noise_NNpsk0_25519_ChaChaPoly_SHA256"
_CHOSEN_PROTOCOL = b"\x01"
_SUCCESS, _FAILURE = b"\x00", b"\x01"
_MAX_BODY_BYTES = 65_535
_HEADER_BYTES = 4
_HANDSHAKE_ERRORS = (
    InvalidTag,
    NoiseHandshakeError,
    NoiseInvalidMessage,
    NoiseValueError,
    ValueError,
)


class _State(Enum):
    HELLO = "hello"
    HANDSHAKE = "handshake"
    READY = "ready"


class WrongKey(FramingError):
    """A handshake with another key than the device's."""


class NoiseFraming:
    """Encrypted frames with a client that knows `key`, 32 bytes; it is sent `name` and `mac`."""

    def __init__(self, key: bytes, name: str, mac: str) -> None:
        self._key = key
        self._name = name
        self._mac = mac
        self._state = _State.HELLO
        self._buffer = bytearray()
        self._handshake = bytearray()
        self._noise: NoiseConnection

    @property
    def encrypted(self) -> bool:
        """Whether only a holder of the key can read the frames; every client knows NO_KEY."""
        return not hmac.compare_digest(self._key, NO_KEY)

    def receive(self, data: bytes) -> list[Packet]:
        """Return the packets that `data` completes. Raises FramingError, WrongKey among them."""
        self._buffer += data
        packets = []
        while (body := self._next()) is not None:
            match self._state:
                case _State.HELLO:
                    self._hello(body)
                case _State.HANDSHAKE:
                    self._shake_hands(body)
                case _State.READY:
                    packets.append(self._decrypt(body))
        return packets

    def take_handshake(self) -> bytes:
        """Return the handshake bytes to send after `receive`; empty once it is over."""
        data = bytes(self._handshake)
        self._handshake.clear()
        return data

    def encode(self, packet: Packet) -> bytes:
        """Return a packet as bytes to send; only after the handshake."""
        size = len(packet.payload)
        header = packet.type.to_bytes(2, "big") + (size & 0xFFFF).to_bytes(2, "big")
        return _frame(self._noise.encrypt(header + packet.payload))

    def _next(self) -> bytes | None:
        if self._buffer and self._buffer[0] != NOISE_PREAMBLE:
            raise FramingError(f"expected an encrypted frame, got one of type {self._buffer[0]}")
        if len(self._buffer) < 3:
            return None
        end = 3 + int.from_bytes(self._buffer[1:3], "big")
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[3:end])
        del self._buffer[:end]
        return body

    def _hello(self, body: bytes) -> None:
        noise = NoiseConnection.from_name(PROTOCOL_NAME.encode())
        noise.set_as_responder()
        noise.set_psks(self._key)
        noise.set_prologue(b"NoiseAPIInit" + len(body).to_bytes(2, "big") + body)
        noise.start_handshake()
        self._noise = noise
        names = f"{self._name}\0{self._mac}\0".encode()
        self._handshake += _frame(_CHOSEN_PROTOCOL + names)
        self._state = _State.HANDSHAKE

    def _shake_hands(self, body: bytes) -> None:
        if body[:1] != _SUCCESS:
            raise FramingError(
                "malformed handshake", _frame(_FAILURE + b"Bad handshake error byte")
            )
        try:
            self._noise.read_message(body[1:])
            answer = self._noise.write_message()
        except _HANDSHAKE_ERRORS as err:
            farewell = bytes(self._handshake) + _frame(_FAILURE + b"Handshake MAC failure")
            raise WrongKey("the encryption key of the client is wrong", farewell) from err
        self._handshake += _frame(_SUCCESS + answer)
        self._state = _State.READY

    def _decrypt(self, body: bytes) -> Packet:
        try:
            message = self._noise.decrypt(body)
        except (InvalidTag, NoiseInvalidMessage) as err:
            raise FramingError("frame that cannot be decrypted") from err
        if len(message) < _HEADER_BYTES:
            raise FramingError(f"encrypted message of {len(message)} bytes is too short")
        # The length in the header is redundant; the decrypted length cannot be forged.
        return Packet(int.from_bytes(message[:2], "big"), bytes(message[_HEADER_BYTES:]))


def _frame(body: bytes) -> bytes:
    if len(body) > _MAX_BODY_BYTES:
        raise ValueError(f"frame of {len(body)} bytes: at most {_MAX_BODY_BYTES} can be sent")
    return bytes((NOISE_PREAMBLE,)) + len(body).to_bytes(2, "big") + body
