"""Bounds on what one client may ask for, and the reader that enforces them.

The wyoming library reads whatever length a header announces and takes malformed JSON for a
hang-up. `GuardedReader` stands underneath it: a line or a length past its limit, or a header
that is not one, raises before anything is read.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from wyoming_common.errors import BadRequest, TimedOut, TooLarge
from wyoming_common.listening import on_the_line
from wyoming_common.memory import Hold, Memory
from wyoming_common.turns import Pace, Rounds

_DEEPEST: Final = 32
"""Objects and lists inside each other; what clients send has four."""
_MOST_VALUES: Final = 20_000
"""Values in the JSON of one event: reading them takes the event loop's time."""
_SMALL: Final = 64 * 1024
"""Payloads up to this size always have room: 2 s of 16 kHz audio."""
_SHORT: Final = 4096
"""Data up to this size is not counted."""
_DATA_PER_SECOND: Final = 256 * 1024
_DATA_AT_ONCE: Final = 2 * 1024 * 1024
"""JSON of one connection that is read without a wait: four texts of 100,000 characters."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""Never fails once it has begun, so that no text is gone over twice."""
_BRACKET = re.compile(r"[][{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    header_bytes: int = 64 * 1024
    """One JSON header line."""
    data_bytes: int = 1024 * 1024
    """The JSON data of one event."""
    payload_bytes: int = 4 * 1024 * 1024
    """The binary payload of one event: two minutes of 16 kHz audio."""
    memory_bytes: int = 32 * 1024 * 1024
    """Large events of all connections together that are not handled yet."""
    audio_seconds: float = 7200.0
    """Of one utterance."""
    events_per_second: float = 2000.0
    """Of one connection; past it and `events_burst` the connection is read no faster."""
    events_burst: int = 20_000
    """Events that may come at once: 200 s of audio in pieces of 10 ms."""
    connections: int = 128
    """Open connections to one service. The last quarter is not for clients of loopback."""
    connections_per_client: int = 64
    """Open connections from one address that is not loopback, where proxies may be."""
    idle_seconds: float = 900.0
    """Between two events of a connection that has no job running."""
    stall_seconds: float = 120.0
    """Between two events of a request that the client has begun and not ended."""
    event_seconds: float = 30.0
    """From the first byte of an event to its last."""
    write_seconds: float = 60.0
    """A client that reads nothing for so long is dropped."""


class GuardedReader(asyncio.StreamReader):
    """What `wyoming.event.async_read_event` needs of a StreamReader, within limits.

    Raises BadRequest for a header that is not a JSON object with a string `type`, TooLarge
    for a length past its limit, TimedOut for an event that does not arrive whole, and for a
    connection that is silent too long while `busy` is false or `stalled` is true: the first
    says that a job runs, the second that it waits for what the client has not sent yet.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        limits: Limits,
        *,
        busy: Callable[[], bool],
        stalled: Callable[[], bool] = lambda: False,
    ) -> None:
        # A StreamReader by type only: wyoming's handler asks for one.
        super().__init__()
        self.limits = limits
        self.memory = Memory(limits.memory_bytes)
        """Shared by the connections of a service."""
        self.rounds = Rounds()
        """Shared by them too: before an event is looked at, others have their turn."""
        self.drop: Callable[[], None] = lambda: None
        """Hangs up, where others need the memory that is held for what does not come."""
        self.unread: Callable[[], bool] = lambda: False
        """Whether the client has yet to read what it is sent."""
        self._source = reader
        self._busy = busy
        self._stalled = stalled
        self._first = b""  # kept here, so that a reading that is cancelled can be resumed
        self._deadline = 0.0
        self._data_follows = False
        self._data = Pace(_DATA_PER_SECOND, _DATA_AT_ONCE)
        self._hold: Hold | None = None
        self._arriving = False

    def release(self) -> None:
        """Give back the memory of the last event: it is handled."""
        self.memory.give_back(self._hold)
        self._hold = None

    async def readline(self) -> bytes:
        self.release()
        self._first = self._first or await self._first_byte()
        if not self._first:
            return b""
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + self.limits.event_seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                line = self._first
                if line != b"\n":
                    with on_the_line():
                        line += await self._source.readuntil(b"\n")
        except asyncio.IncompleteReadError as err:
            raise BadRequest("The connection ended in the middle of a header line") from err
        except asyncio.LimitOverrunError as err:
            raise TooLarge(
                f"A header line may hold {self.limits.header_bytes} bytes; this one holds more"
            ) from err
        except TimeoutError as err:
            raise TimedOut(
                f"A header line did not arrive whole within {self.limits.event_seconds:g} s"
            ) from err
        self._first = b""
        await self.rounds.step()
        self._data_follows = _check_header(line, self.limits)
        return line

    async def _first_byte(self) -> bytes:
        began = time.monotonic()
        while True:
            allowed = self.limits.stall_seconds if self._stalled() else self.limits.idle_seconds
            left = began + allowed - time.monotonic()
            if left <= 0 and (self._stalled() or not self._busy()):
                raise TimedOut(f"No event for {allowed:g} s")
            try:
                async with asyncio.timeout(left if left > 0 else allowed):
                    with on_the_line():
                        return await self._source.read(1)
            except TimeoutError:
                continue

    async def readexactly(self, n: int) -> bytes:
        try:
            async with asyncio.timeout_at(self._deadline):
                data = await self._wait_for(n)
        except TimeoutError as err:
            raise TimedOut(
                f"The {n} bytes that the header announced did not arrive "
                f"within {self.limits.event_seconds:g} s"
            ) from err
        if self._data_follows:
            self._data_follows = False
            _json_object(data, "the event's data")
        return data

    async def _wait_for(self, n: int) -> bytes:
        self._arriving = True
        if n > _SMALL:
            held = 0 if self._hold is None else self._hold.size
            self.release()
            self._hold = await self.memory.take(held + n, self.drop, self._kept_waiting)
        if self._data_follows and n > _SHORT:
            await asyncio.sleep(self._data.note(time.monotonic(), n))
        with on_the_line():
            content = await self._source.readexactly(n)
        self._arriving = False
        return content

    def _kept_waiting(self) -> bool:
        return self._arriving or self.unread()

    async def discard(self) -> None:
        """Read until the client hangs up, and keep nothing."""
        while await self._source.read(_SMALL):
            pass

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
            raise TooLarge(f"{key}: at most {most} bytes, got {length!s:.20}")
    if not isinstance(header.get("data", {}), dict):
        raise BadRequest(f"data: expected an object, got {type(header['data']).__name__}")
    return bool(header.get("data_length"))


def _json_object(content: bytes, what: str) -> dict[str, Any]:
    try:
        # Decoded here: json.loads would guess at an encoding, and let surrogates pass.
        text = content.decode()
        check_shape(text, what)
        value = json.loads(text, parse_constant=_not_a_number)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as err:
        raise BadRequest(f"{what}: expected a JSON object, got something else") from err
    if not isinstance(value, dict):
        raise BadRequest(f"{what}: expected a JSON object, got {type(value).__name__}")
    return value


def check_shape(text: str, what: str) -> None:
    """Refuse JSON that costs far more to read than it has bytes. Raises BadRequest, TooLarge."""
    if text.count("{") + text.count("[") <= _DEEPEST and text.count(",") <= _MOST_VALUES:
        return
    bare = _STRING.sub("", text)
    depth = 0
    for number, bracket in enumerate(_BRACKET.finditer(bare)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > _DEEPEST:
            raise BadRequest(f"{what}: at most {_DEEPEST} objects and lists inside each other")
        if number > _MOST_VALUES:
            break
    else:
        if bare.count(",") <= _MOST_VALUES:
            return
    raise TooLarge(f"{what}: at most {_MOST_VALUES} values")


def _not_a_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
