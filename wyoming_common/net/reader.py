"""Stream reader that holds a Wyoming client to its limits.

The wyoming library reads any length that a header announces, and takes malformed JSON for a
hang-up. `GuardedReader` stands between it and the socket: a line or a length past its limit, or a
header that is not an event's, raises before anything more is read.

Defends against T2, T3 and T10 of docs/threat-model.md.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Protocol

from wyoming_common.errors import BadRequest, TimedOut, TooLarge
from wyoming_common.net.fairness import FairScheduler, TokenBucket
from wyoming_common.net.input_budget import InputBudget, Reservation
from wyoming_common.net.limits import Limits, check_json_shape

MIN_BUDGETED_BYTES: Final = 64 * 1024
"""Smaller payloads need no reservation: 2 s of 16 kHz audio."""
_JSON_BYTES_PER_EVENT: Final = 100
"""JSON data counts as one event for each block of this size, as a small event does..."""
_MIN_CHARGED_BYTES: Final = 4096
"""...unless it is shorter than this."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class ConnectionState(Protocol):
    """State of the connection that a reader reads for."""

    @property
    def busy(self) -> bool:
        """Whether a job runs, so that the client may be silent."""
        ...

    @property
    def unfinished(self) -> bool:
        """Whether the job waits for more of the request, so that it may not."""
        ...

    @property
    def writing(self) -> bool:
        """Whether something is being sent that the client has not read yet."""
        ...

    def drop(self) -> None:
        """Hang up at once."""
        ...


@dataclass(frozen=True, slots=True)
class FixedState:
    """The state of a connection that nothing changes; as it stands, that of a client."""

    busy: bool = True
    unfinished: bool = False
    writing: bool = False

    def drop(self) -> None:
        """Do nothing."""


class GuardedReader(asyncio.StreamReader):
    """The methods that `wyoming.event.async_read_event` calls, within limits.

    Raises BadRequest for a header that is not a JSON object with a string `type`, TooLarge for a
    length past its limit, ConnectionError when the connection breaks, and TimedOut for an event
    that does not arrive whole, or for a client that is silent for too long while it may not be.
    """

    def __init__(
        self,
        source: asyncio.StreamReader,
        limits: Limits,
        budget: InputBudget | None = None,
        scheduler: FairScheduler | None = None,
        state: ConnectionState | None = None,
    ) -> None:
        """The connections of a service share `budget` and `scheduler`; a client needs neither."""
        # A StreamReader by type only, which wyoming's handler asks for.
        super().__init__()
        self._source = source
        self._limits = limits
        self._budget = budget or InputBudget(limits.memory_bytes)
        self._scheduler = scheduler or FairScheduler()
        self._state: ConnectionState = state or FixedState()
        self._first = b""  # kept here, so that a read that is cancelled can be resumed
        self._deadline: float | None = None
        self._data_follows = False
        self._reservation: Reservation | None = None
        self._arriving = False
        self._rate = TokenBucket(limits.events_per_second, limits.events_burst)

    @property
    def awaited(self) -> bool:
        """Whether the client has yet to send what it announced, or to read what it is sent."""
        return self._arriving or self._state.writing

    def drop(self) -> None:
        """Hang up on a client whose memory others need."""
        self._state.drop()

    def charge(self, events: float) -> None:
        """Count something as several events, against the rate of the connection."""
        self._rate.take(time.monotonic(), events)

    def release(self) -> None:
        """Give back the memory of the last event, which is handled."""
        self._budget.release(self._reservation)
        self._reservation = None

    async def readline(self) -> bytes:
        """Return the header line of the next event, b"" when the client has hung up."""
        self.release()
        if wait := self._rate.wait_seconds(time.monotonic()):
            await asyncio.sleep(wait)
        self._first = self._first or await self._first_byte()
        if not self._first:
            return b""
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + self._limits.event_seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                line = self._first
                if line != b"\n":
                    with connection_errors():
                        line += await self._source.readuntil(b"\n")
        except asyncio.IncompleteReadError as err:
            raise BadRequest("The connection ended in the middle of a header line") from err
        except asyncio.LimitOverrunError as err:
            raise TooLarge(
                f"A header line may hold {self._limits.header_bytes} bytes; this one holds more"
            ) from err
        except TimeoutError as err:
            raise TimedOut(
                f"A header line did not arrive whole within {self._limits.event_seconds:g} s"
            ) from err
        self._first = b""
        self.charge(1)
        await self._scheduler.step()
        self._data_follows = _check_header(line, self._limits)
        return line

    async def readexactly(self, n: int) -> bytes:
        """Return the data or the payload that the header announced."""
        try:
            async with asyncio.timeout_at(self._deadline):
                data = await self._read(n)
        except TimeoutError as err:
            raise TimedOut(
                f"The {n} bytes that the header announced did not arrive "
                f"within {self._limits.event_seconds:g} s"
            ) from err
        if self._data_follows:
            self._data_follows = False
            _json_object(data, "the event's data")
        return data

    async def discard(self) -> None:
        """Read until the client hangs up, and keep nothing."""
        while await self._source.read(MIN_BUDGETED_BYTES):
            pass

    def feed_eof(self) -> None:
        self._source.feed_eof()

    def at_eof(self) -> bool:
        return self._source.at_eof()

    async def _first_byte(self) -> bytes:
        began = time.monotonic()
        while True:
            unfinished = self._state.unfinished
            allowed = self._limits.stall_seconds if unfinished else self._limits.idle_seconds
            left = began + allowed - time.monotonic()
            if left <= 0 and (unfinished or not self._state.busy):
                raise TimedOut(f"No event for {allowed:g} s")
            try:
                async with asyncio.timeout(left if left > 0 else allowed):
                    with connection_errors():
                        return await self._source.read(1)
            except TimeoutError:
                continue

    async def _read(self, n: int) -> bytes:
        self._arriving = True
        if n > MIN_BUDGETED_BYTES:
            reserved = 0 if self._reservation is None else self._reservation.size
            self.release()
            self._reservation = await self._budget.reserve(reserved + n, self)
        if self._data_follows and n > _MIN_CHARGED_BYTES:
            self.charge(n / _JSON_BYTES_PER_EVENT)
        with connection_errors():
            content = await self._source.readexactly(n)
        self._arriving = False
        return content


@contextmanager
def connection_errors() -> Iterator[None]:
    """Raise ConnectionError for any error that ends a connection in the block.

    The kernel gives up a dead connection with ETIMEDOUT, whose Python class is TimeoutError,
    like that of a time limit of our own.
    """
    try:
        yield
    except ConnectionError:
        raise
    except OSError as err:
        raise ConnectionAbortedError(f"The connection is dead: {err}") from err


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
        # json.loads would guess at an encoding, and let lone surrogates pass.
        text = content.decode()
        check_json_shape(text, what)
        value = json.loads(text, parse_constant=_refuse_constant)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as err:
        raise BadRequest(f"{what}: expected a JSON object, got something else") from err
    if not isinstance(value, dict):
        raise BadRequest(f"{what}: expected a JSON object, got {type(value).__name__}")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
