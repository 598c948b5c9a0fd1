"""Messages between the satellites of a group: one datagram each, of a fixed form. No I/O.

    magic 4 | kind 1 | group 8 | sender 8 | recipient 8 | number 8 | word 8 | merit 4 |
    relative 4 | reference 8 | envelopes, of a bid alone, at most 1128 | tag 16

Numbers are in network byte order. The tag is an HMAC-SHA256, cut to 16 bytes, where the group has
a secret; else it is missing. Anything else is no message.

Defends against T12 of docs/threat-model.md.
"""

import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePath
from typing import Final

MAX_ENVELOPE_BYTES: Final = 1128
"""Datagrams stay below the 1280 bytes that every IPv6 link passes on"""
ANYONE: Final = bytes(8)
"""Recipient of a message to the whole link."""
NO_WORD: Final = bytes(8)
MAX_MERIT: Final = 1_000_000
MAX_NUMBER: Final = 2**63

_MAGIC: Final = b"PRM2"
_FORM: Final = struct.Struct("!4sB8s8s8sQ8sii8s")
_TAG_BYTES: Final = 16
MAX_MESSAGE_BYTES: Final = _FORM.size + MAX_ENVELOPE_BYTES + _TAG_BYTES


class MessageKind(IntEnum):
    """Meaning of a message."""

    HELLO = 1
    """To the whole link: a satellite is here."""
    WELCOME = 2
    """Answer to a hello: it was received."""
    GOODBYE = 3
    """The sender stops."""
    BID = 4
    """The sender has detected the wake word."""
    OFFER = 5
    """The sender has not detected the wake word yet, and may still."""
    PASS = 6
    """The sender takes no part in this round, or no longer."""
    CLAIM = 7
    """The sender answers the wake word."""


ROUND_KINDS: Final = frozenset(
    {MessageKind.BID, MessageKind.OFFER, MessageKind.PASS, MessageKind.CLAIM}
)


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """One message. `sender` and `recipient` are 8 bytes drawn at the start of a program."""

    kind: MessageKind
    sender: bytes
    recipient: bytes = ANYONE
    number: int = 0
    """Number of the sender's round; it only grows."""
    word: bytes = NO_WORD
    """`word_key` of the wake word of the round."""
    merit: int = 0
    """Thousandths of a logit; with `relative`, the highest merit answers."""
    relative: int = 0
    """Thousandths of a logit, by the envelopes of the sender beside those of `reference`."""
    reference: bytes = ANYONE
    """Sender of the bid with whose envelopes the sender has compared its own; it may be itself."""
    envelope: bytes = b""
    """`envelopes` of the wake word."""


class GroupCodec:
    """Writes and reads the messages of one group, signed where it has a secret."""

    def __init__(self, group: str, secret: str = "") -> None:
        self._group = hashlib.sha256(f"parley {group}".encode()).digest()[:8]
        self._key = hashlib.sha256(f"parley {group} {secret}".encode()).digest() if secret else None

    def encode(self, message: GroupMessage) -> bytes:
        """Return the datagram of a message."""
        body = _FORM.pack(
            _MAGIC,
            message.kind,
            self._group,
            message.sender,
            message.recipient,
            message.number,
            message.word,
            message.merit,
            message.relative,
            message.reference,
        )
        body += message.envelope
        return body + self._tag(body)

    def decode(self, datagram: bytes) -> GroupMessage | None:
        """Return the message in a datagram; None for anything that is not one of this group."""
        end = len(datagram) - (_TAG_BYTES if self._key else 0)
        if not _FORM.size <= end <= _FORM.size + MAX_ENVELOPE_BYTES:
            return None
        body, tag = datagram[:end], datagram[end:]
        if not hmac.compare_digest(self._tag(body), tag):
            return None
        magic, kind, group, *fields = _FORM.unpack_from(body)
        if magic != _MAGIC or group != self._group or kind not in MessageKind.__members__.values():
            return None
        sender, recipient, number, word, merit, relative, reference = fields
        message = GroupMessage(
            MessageKind(kind),
            sender,
            recipient,
            number,
            word,
            merit,
            relative,
            reference,
            body[_FORM.size :],
        )
        return message if _is_valid(message) else None

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_TAG_BYTES] if self._key else b""


def _is_valid(message: GroupMessage) -> bool:
    return (
        message.sender != ANYONE
        and max(abs(message.merit), abs(message.relative)) <= MAX_MERIT
        and message.number <= MAX_NUMBER
        and (not message.envelope or message.kind is MessageKind.BID)
    )


def word_key(name: str) -> bytes:
    """Return the same 8 bytes for the names that models of one wake word have.

    "okay_nabu", "ok_nabu_v0.1" and "/models/Okay Nabu.tflite" are one word.
    """
    path = PurePath(name)
    stem = path.stem if path.suffix in (".json", ".tflite", ".wake") else path.name
    stem = re.sub(r"[_ -]?v\d+(\.\d+)*$", "", stem.lower())
    words = ["okay" if part == "ok" else part for part in re.split(r"[\W_]+", stem) if part]
    return hashlib.sha256(" ".join(words).encode()).digest()[:8]
