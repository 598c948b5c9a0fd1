"""Framing of the ESPHome API: plaintext and Noise, whole, cut and mutated."""

import base64
import random
import secrets

import pytest
from aioesphomeapi.noise import NoiseHandshake
from hypothesis import given
from hypothesis import strategies as st

from satellite.esphome.encryption_key import NO_KEY, parse_key
from satellite.esphome.framing import FramingError, Packet, PlaintextFraming
from satellite.esphome.noise import NoiseFraming, WrongKey
from wyoming_common.errors import ConfigError

KEY = bytes(range(32))
NAME, MAC = "kitchen", "02:00:00:00:00:01"
HELLO = b"\x01\x00\x00"

packets = st.lists(st.builds(Packet, st.integers(0, 65_535), st.binary(max_size=300)), max_size=5)


def body(frame: bytes) -> tuple[bytes, bytes]:
    """Return the body of the first Noise frame, and the rest."""
    end = 3 + int.from_bytes(frame[1:3], "big")
    return frame[3:end], frame[end:]


def framed(data: bytes) -> bytes:
    return b"\x01" + len(data).to_bytes(2, "big") + data


class NoiseClient:
    """The initiator of aioesphomeapi, connected to a responder."""

    def __init__(self, framing: NoiseFraming, key: bytes = KEY) -> None:
        handshake = NoiseHandshake(base64.b64encode(key).decode(), b"NoiseAPIInit\x00\x00")
        framing.receive(HELLO + framed(b"\x00" + handshake.write_message()))
        self.hello, rest = body(framing.take_handshake())
        answer, _ = body(rest)
        handshake.read_message(answer[1:])
        self._encrypt, self._decrypt = handshake.get_ciphers()

    def encode(self, packet: Packet) -> bytes:
        header = packet.type.to_bytes(2, "big") + len(packet.payload).to_bytes(2, "big")
        return framed(self._encrypt.encrypt(header + packet.payload))

    def decode(self, frame: bytes) -> Packet:
        message = self._decrypt.decrypt(body(frame)[0])
        return Packet(int.from_bytes(message[:2], "big"), message[4:])


def in_pieces(data: bytes, cuts: random.Random) -> list[bytes]:
    pieces = []
    while data:
        size = cuts.randint(1, 20)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@given(packets, st.randoms(use_true_random=False))
def test_plaintext_packets_arrive_whole_however_they_are_cut(
    sent: list[Packet], cuts: random.Random
) -> None:
    framing = PlaintextFraming()
    data = b"".join(PlaintextFraming().encode(packet) for packet in sent)

    received = [packet for piece in in_pieces(data, cuts) for packet in framing.receive(piece)]

    assert received == sent


@given(packets, st.randoms(use_true_random=False))
def test_encrypted_packets_arrive_whole_however_they_are_cut(
    sent: list[Packet], cuts: random.Random
) -> None:
    framing = NoiseFraming(KEY, NAME, MAC)
    client = NoiseClient(framing)
    data = b"".join(client.encode(packet) for packet in sent)

    received = [packet for piece in in_pieces(data, cuts) for packet in framing.receive(piece)]

    assert received == sent
    assert [client.decode(framing.encode(packet)) for packet in sent] == sent


def test_the_hello_names_the_device() -> None:
    assert NoiseClient(NoiseFraming(KEY, NAME, MAC)).hello == f"\x01{NAME}\0{MAC}\0".encode()


def test_a_wrong_key_is_refused_with_the_words_that_clients_know() -> None:
    framing = NoiseFraming(KEY, NAME, MAC)
    handshake = NoiseHandshake(
        base64.b64encode(secrets.token_bytes(32)).decode(), b"NoiseAPIInit\x00\x00"
    )

    with pytest.raises(WrongKey) as refusal:
        framing.receive(HELLO + framed(b"\x00" + handshake.write_message()))

    _, rest = body(refusal.value.farewell)
    assert body(rest)[0] == b"\x01Handshake MAC failure"


def test_a_device_without_a_key_shakes_hands_but_does_not_count_as_encrypted() -> None:
    framing = NoiseFraming(NO_KEY, NAME, MAC)

    NoiseClient(framing, NO_KEY)

    assert not framing.encrypted
    assert NoiseFraming(KEY, NAME, MAC).encrypted


@given(st.binary(max_size=400))
def test_any_bytes_are_packets_or_a_framing_error(data: bytes) -> None:
    for framing in (PlaintextFraming(), NoiseFraming(KEY, NAME, MAC)):
        try:
            received = framing.receive(data)
        except FramingError:
            continue
        assert sum(len(packet.payload) for packet in received) <= len(data)


@given(st.integers(0, 10_000), st.integers(0, 255), packets.filter(bool))
def test_a_mutated_encrypted_frame_never_becomes_another_packet(
    position: int, value: int, sent: list[Packet]
) -> None:
    framing = NoiseFraming(KEY, NAME, MAC)
    client = NoiseClient(framing)
    data = bytearray(b"".join(client.encode(packet) for packet in sent))
    data[position % len(data)] = value

    try:
        received = framing.receive(bytes(data))
    except FramingError:
        return

    assert received == sent[: len(received)]


def test_a_frame_that_is_too_large_is_refused_before_it_is_collected() -> None:
    with pytest.raises(FramingError, match="too large"):
        PlaintextFraming().receive(b"\x00\xff\xff\x7f\x01")


@pytest.mark.parametrize(
    "text", ["", "short", "AAAA", "schlüssel", base64.b64encode(NO_KEY).decode()]
)
def test_a_malformed_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigError, match="expected 32 bytes in base64") as refusal:
        parse_key(text)

    assert not text or text not in str(refusal.value)


def test_a_key_is_read_as_home_assistant_shows_it() -> None:
    assert parse_key(base64.b64encode(KEY).decode() + "\n") == KEY


def test_a_frame_that_was_replayed_is_refused() -> None:
    framing = NoiseFraming(KEY, NAME, MAC)
    frame = NoiseClient(framing).encode(Packet(7, b""))
    framing.receive(frame)

    with pytest.raises(FramingError, match="cannot be decrypted"):
        framing.receive(frame)
