"""Bounds on what one client may ask for, and the reader that enforces them.

The wyoming library reads whatever length a header announces and takes malformed JSON for a
hang-up. `GuardedReader` stands underneath it: a line or a length past its limit, or a header
that is not one, raises before anything is read.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wyoming_common.errors import BadRequest, TimedOut, TooLarge


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    header_bytes: int = 64 * 1024
    """One JSON header line."""
    data_bytes: int = 1024 * 1024
    """The JSON data of one event."""
    payload_bytes: int = 4 * 1024 * 1024
    """The binary payload of one event: two minutes of 16 kHz audio."""
    connections: int = 128
    """Open connections to one service."""
    connections_per_client: int = 64
    """Open connections from one address; loopback, where Home Assistant may be, is not counted."""
    idle_seconds: float = 900.0
    """Between two events of a connection that has no job running."""
    event_seconds: float = 30.0
    """From the first byte of an event to its last."""
    write_seconds: float = 60.0
    """A client that reads nothing for so long is dropped."""


class GuardedReader(asyncio.StreamReader):
    """What `wyoming.event.async_read_event` needs of a StreamReader, within limits.

    Raises BadRequest for a header that is not a JSON object with a string `type`, TooLarge
    for a length past its limit, TimedOut for an event that does not arrive whole and for a
    connection that is idle too long while `busy` is false.
    """

    def __init__(
        self, reader: asyncio.StreamReader, limits: Limits, *, busy: Callable[[], bool]
    ) -> None:
        # A StreamReader by type only: wyoming's handler asks for one.
        super().__init__()
        self._source = reader
        self._limits = limits
        self._busy = busy
        self._data_follows = False

    async def readline(self) -> bytes:
        try:
            line = await self._next_line()
        except asyncio.IncompleteReadError as err:
            if not err.partial:
                return b""
            raise BadRequest("The connection ended in the middle of a header line") from err
        except asyncio.LimitOverrunError as err:
            raise TooLarge(
                f"A header line may hold {self._limits.header_bytes} bytes; this one holds more"
            ) from err
        self._data_follows = _check_header(line, self._limits)
        return line

    async def _next_line(self) -> bytes:
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    return await self._source.readuntil(b"\n")
            except TimeoutError as err:
                if not self._busy():
                    raise TimedOut(f"No event for {self._limits.idle_seconds:g} s") from err

    async def readexactly(self, n: int) -> bytes:
        try:
            async with asyncio.timeout(self._limits.event_seconds):
                data = await self._source.readexactly(n)
        except TimeoutError as err:
            raise TimedOut(
                f"The {n} bytes that the header announced did not arrive "
                f"within {self._limits.event_seconds:g} s"
            ) from err
        if self._data_follows:
            self._data_follows = False
            _json_object(data, "the event's data")
        return data

    def feed_eof(self) -> None:
        self._source.feed_eof()

    def at_eof(self) -> bool:
        return self._source.at_eof()


def _check_header(line: bytes, limits: Limits) -> bool:
    """Return whether the header announces a JSON data section."""
    header = _json_object(line, "the header line")
    if not isinstance(header.get("type"), str):
        raise BadRequest("type: expected a string in the header line")
    for key, most in (("data_length", limits.data_bytes), ("payload_length", limits.payload_bytes)):
        length = header.get(key)
        if length is None:
            continue
        if not isinstance(length, int) or isinstance(length, bool) or length < 0:
            raise BadRequest(f"{key}: expected a whole number of bytes, got {length!r:.40}")
        if length > most:
            raise TooLarge(f"{key}: at most {most} bytes, got {length}")
    if not isinstance(header.get("data", {}), dict):
        raise BadRequest(f"data: expected an object, got {type(header['data']).__name__}")
    return bool(header.get("data_length"))


def _json_object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise BadRequest(f"{what}: expected a JSON object, got something else") from err
    if not isinstance(value, dict):
        raise BadRequest(f"{what}: expected a JSON object, got {type(value).__name__}")
    return value
