"""Clients of the ESPHome native API: framing by the first byte, sessions and their limits."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from satellite.esphome.connection import ApiDevice, ApiMessage, ApiSession, ProtocolError, to_packet
from satellite.esphome.encryption_key import NO_KEY
from satellite.esphome.framing import (
    NOISE_PREAMBLE,
    PLAINTEXT_PREAMBLE,
    Framing,
    FramingError,
    PlaintextFraming,
)
from satellite.esphome.noise import NoiseFraming, WrongKey
from wyoming_common.net.access import Access
from wyoming_common.net.sockets import address_of

_LOGGER = logging.getLogger(__name__)

_READ_BYTES = 65_536
_MAX_CONNECTIONS = 16
_MAX_CONNECTIONS_PER_CLIENT = 8
_MAX_HELLO_SECONDS = 10.0
"""Time from the connection to the HelloRequest."""
_MAX_IDLE_SECONDS = 90.0
"""Home Assistant pings every 20 s and gives up after 90 s."""
_MAX_UNSENT_BYTES = 1_000_000
"""Half a minute of audio on a connection that is stuck; then it is closed."""
_FAREWELL_SECONDS = 1.0
_ENCRYPTION_REQUIRED = bytes((NOISE_PREAMBLE, 0, 0))
"""Answer to a plaintext client of a device with a key."""


class ApiConnection:
    """One client: its session, its framing and its socket."""

    def __init__(self, session: ApiSession, framing: Framing, writer: asyncio.StreamWriter) -> None:
        self.session = session
        self._framing = framing
        self._writer = writer

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent."""
        return not self._writer.is_closing()

    def send(self, *messages: ApiMessage) -> None:
        """Send messages without waiting; a client that does not read them is dropped."""
        if not self.is_open:
            return
        for message in messages:
            self._writer.write(self._framing.encode(to_packet(message)))
        if self._writer.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            _LOGGER.warning("The client at %s does not read; hanging up", self.session.peer)
            self.drop()

    def send_bytes(self, data: bytes) -> None:
        """Send bytes of the handshake, or a farewell."""
        if data:
            self._writer.write(data)

    async def flush(self) -> None:
        """Wait until everything has been sent, and close the connection."""
        await _flush(self._writer)

    def drop(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()


class ApiServer:
    """Sessions of all clients with one device."""

    def __init__(
        self,
        device: ApiDevice,
        mac: str,
        key: Callable[[], bytes | None],
        on_closed: Callable[[ApiSession], None],
        access: Access,
        idle_seconds: float = _MAX_IDLE_SECONDS,
    ) -> None:
        """`key` returns the encryption key at each connection, None for a device without one."""
        self._device = device
        self._mac = mac
        self._key = key
        self._on_closed = on_closed
        self._access = access
        self._idle_seconds = idle_seconds
        self._connections: dict[ApiSession, ApiConnection] = {}
        self._tasks: dict[asyncio.Task[None], str] = {}

    async def aclose(self) -> None:
        """End every connection."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def connection(self, session: ApiSession) -> ApiConnection | None:
        """Return the connection of a session; None once it is closed."""
        return self._connections.get(session)

    def broadcast_states(self, states: Sequence[ApiMessage]) -> None:
        """Send states to every client that has subscribed to them."""
        if states:
            for connection in tuple(self._connections.values()):
                if connection.session.wants_states:
                    connection.send(*states)

    def expire_connections(self) -> None:
        """End the connections of now, once what they are being sent has gone out.

        Their clients have to prove that they know the new key; one that has connected since has.
        """
        loop = asyncio.get_running_loop()
        for connection in self._connections.values():
            loop.call_later(_FAREWELL_SECONDS, connection.drop)

    def on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client until it hangs up."""
        peer = address_of(writer)
        of_peer = sum(one == peer for one in self._tasks.values())
        full = len(self._tasks) >= _MAX_CONNECTIONS or of_peer >= _MAX_CONNECTIONS_PER_CLIENT
        if full or not self._access.allows(peer):
            _LOGGER.warning("Refused a client at %s", peer)
            writer.transport.abort()
            return
        task = asyncio.create_task(self._run(peer, reader, writer))
        self._tasks[task] = peer
        task.add_done_callback(partial(self._tasks.pop))

    async def _run(
        self, peer: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._talk(peer, reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            _LOGGER.debug("The connection of %s has ended", peer)
        except Exception:
            _LOGGER.exception("The connection of %s has failed", peer)
        finally:
            writer.transport.abort()

    async def _talk(
        self, peer: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async with asyncio.timeout(_MAX_HELLO_SECONDS):
            first = await reader.readexactly(1)
        framing = self._framing(first[0])
        if framing is None:
            _LOGGER.warning("The client at %s does not encrypt; give it the encryption key", peer)
            writer.write(_ENCRYPTION_REQUIRED)
            await _flush(writer)
            return
        session = ApiSession(self._device, encrypted=framing.encrypted, peer=peer)
        connection = self._connections[session] = ApiConnection(session, framing, writer)
        try:
            await self._exchange(connection, framing, reader, first)
        except FramingError as err:
            hint = "; is it the key of this device?" if isinstance(err, WrongKey) else ""
            _LOGGER.warning("The client at %s: %s%s", peer, err, hint)
            connection.send_bytes(err.farewell)
            await _flush(writer)
        except ProtocolError as err:
            _LOGGER.warning("The client at %s: %s", peer, err)
        finally:
            del self._connections[session]
            self._on_closed(session)

    async def _exchange(
        self,
        connection: ApiConnection,
        framing: Framing,
        reader: asyncio.StreamReader,
        first: bytes,
    ) -> None:
        session, data = connection.session, first
        while data:
            packets = framing.receive(data)
            connection.send_bytes(framing.take_handshake())
            for packet in packets:
                connection.send(*session.receive(packet))
            if session.closed:
                await connection.flush()
                return
            seconds = self._idle_seconds if session.connected else _MAX_HELLO_SECONDS
            async with asyncio.timeout(seconds):
                data = await reader.read(_READ_BYTES)

    def _framing(self, first: int) -> Framing | None:
        """Return the framing of a client; None for a plaintext client of a device with a key."""
        key = self._key()
        if first == NOISE_PREAMBLE:
            return NoiseFraming(key or NO_KEY, self._device.name, self._mac)
        if first == PLAINTEXT_PREAMBLE and key is not None:
            return None
        return PlaintextFraming()


async def _flush(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(_FAREWELL_SECONDS):
        await writer.drain()
        writer.close()
        await writer.wait_closed()
