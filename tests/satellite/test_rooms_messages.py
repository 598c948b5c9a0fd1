"""Messages of a group: read back as written, and nothing else is taken for one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satellite.rooms.messages import (
    MAX_ENVELOPE_BYTES,
    MAX_MERIT,
    MAX_MESSAGE_BYTES,
    GroupCodec,
    GroupMessage,
    MessageKind,
)
from satellite.rooms.messages import word_key as key

IDS = st.binary(min_size=8, max_size=8)
MESSAGES = st.builds(
    GroupMessage,
    st.sampled_from(MessageKind),
    IDS.filter(any),
    IDS,
    st.integers(0, 2**63),
    IDS,
    st.integers(-MAX_MERIT, MAX_MERIT),
    st.integers(-MAX_MERIT, MAX_MERIT),
    IDS,
) | st.builds(
    GroupMessage,
    st.just(MessageKind.BID),
    IDS.filter(any),
    reference=IDS,
    envelope=st.binary(max_size=MAX_ENVELOPE_BYTES),
)
CODECS = [GroupCodec("home"), GroupCodec("home", "secret")]


@pytest.mark.parametrize("codec", CODECS)
@given(message=MESSAGES)
def test_a_message_is_read_as_it_was_written(codec: GroupCodec, message: GroupMessage) -> None:
    datagram = codec.encode(message)

    assert len(datagram) <= MAX_MESSAGE_BYTES
    assert codec.decode(datagram) == message


@pytest.mark.parametrize("codec", CODECS)
@given(datagram=st.binary(max_size=200))
def test_other_bytes_are_no_message(codec: GroupCodec, datagram: bytes) -> None:
    assert codec.decode(datagram) is None


@pytest.mark.parametrize("codec", CODECS)
@given(message=MESSAGES, data=st.data())
def test_damage_never_raises(codec: GroupCodec, message: GroupMessage, data: st.DataObject) -> None:
    datagram = bytearray(codec.encode(message))
    datagram[data.draw(st.integers(0, len(datagram) - 1))] ^= data.draw(st.integers(1, 255))

    read = codec.decode(bytes(datagram))

    assert read is None or abs(read.merit) <= MAX_MERIT


@given(message=MESSAGES, data=st.data())
def test_a_signed_message_is_not_taken_with_one_bit_changed(
    message: GroupMessage, data: st.DataObject
) -> None:
    codec = GroupCodec("home", "secret")
    datagram = bytearray(codec.encode(message))
    datagram[data.draw(st.integers(0, len(datagram) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    assert codec.decode(bytes(datagram)) is None


@pytest.mark.parametrize(
    "other",
    [GroupCodec("office", "secret"), GroupCodec("home", "other"), GroupCodec("home")],
    ids=["another group", "another secret", "no secret"],
)
def test_a_message_of_another_group_or_secret_is_not_taken(other: GroupCodec) -> None:
    codec = GroupCodec("home", "secret")
    message = GroupMessage(MessageKind.CLAIM, b"sender--", b"receiver", 1, key("alexa"), 5)

    assert other.decode(codec.encode(message)) is None
    assert codec.decode(other.encode(message)) is None


@pytest.mark.parametrize(
    "name", ["ok_nabu", "okay_nabu_v0.1", "/models/okay_nabu.tflite", "Okay Nabu", "ok_nabu-v2"]
)
def test_the_names_of_one_wake_word_are_one(name: str) -> None:
    assert key(name) == key("okay_nabu") == hashlib.sha256(b"okay nabu").digest()[:8]


def test_two_wake_words_are_two() -> None:
    assert len({key(word) for word in ("alexa", "hey_jarvis", "okay_nabu", "hey nabu")}) == 4
