"""Limits on what one client may ask of a service, and on the JSON that it may send.

Defends against T2 of docs/threat-model.md.
"""

import re
from dataclasses import dataclass
from typing import Final

from wyoming_common.errors import BadRequest, TooLarge

MAX_JSON_DEPTH: Final = 32
"""Objects and lists inside each other; what clients send has four."""
MAX_JSON_VALUES: Final = 20_000
"""Values in one JSON document: parsing them takes the event loop's time."""

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""Matches to the end of the text or its last quotation mark, so that none is scanned twice."""
_BRACKET = re.compile(r"[][{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes, rates and times that a service holds its clients to."""

    header_bytes: int = 64 * 1024
    """The JSON header line of an event."""
    data_bytes: int = 1024 * 1024
    """The JSON data of an event."""
    payload_bytes: int = 4 * 1024 * 1024
    """The binary payload of an event: two minutes of 16 kHz audio."""
    memory_bytes: int = 32 * 1024 * 1024
    """Large events of all connections together that are not handled yet."""
    audio_seconds: float = 7200.0
    """Audio of one utterance."""
    events_per_second: float = 2000.0
    """Of one connection, once it is past `events_burst`; it is read no faster."""
    events_burst: float = 20_000
    """Events of one connection that may come at once: 200 s of audio in pieces of 10 ms."""
    connections: int = 128
    """Open connections to one service. The last quarter is not for clients of loopback."""
    connections_per_client: int = 64
    """Open connections from one address other than loopback, where proxies may be."""
    silent_seconds: float = 0.25
    """A connection that has sent no event for this time makes room where none is left..."""
    waiting_seconds: float = 1.0
    """...and so does one whose client the service waits for."""
    idle_seconds: float = 900.0
    """Between two events of a connection that has no job running."""
    stall_seconds: float = 120.0
    """Between two events of a request that the client has begun and not ended."""
    event_seconds: float = 30.0
    """From the first byte of an event to its last."""
    write_seconds: float = 60.0
    """A client that reads nothing for this time is dropped."""
    abandoned_seconds: float = 1.0
    """Time that a handler may work on after its client has hung up; then it is ended."""


def check_json_shape(text: str, what: str) -> None:
    """Refuse JSON that takes far longer to parse than its length suggests.

    `what` names the text in the error. Raises BadRequest for one that is nested too deeply and
    TooLarge for one of too many values.
    """
    if text.count("{") + text.count("[") <= MAX_JSON_DEPTH and text.count(",") <= MAX_JSON_VALUES:
        return
    bare = _STRING.sub("", text)
    depth = 0
    for number, bracket in enumerate(_BRACKET.finditer(bare)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_JSON_DEPTH:
            raise BadRequest(
                f"{what}: at most {MAX_JSON_DEPTH} objects and lists inside each other"
            )
        if number > MAX_JSON_VALUES:
            break
    else:
        if bare.count(",") <= MAX_JSON_VALUES:
            return
    raise TooLarge(f"{what}: more than {MAX_JSON_VALUES} values")
