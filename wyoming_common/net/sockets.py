"""Listening sockets of a service: TCP, TLS and unix, and what they tell of a client."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, cast
from urllib.parse import SplitResult, urlsplit

from wyoming_common.errors import ConfigError
from wyoming_common.net.workarounds import limit_tls_buffers, start_server_tls

OnClient = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]

_HANDSHAKE_SECONDS: Final = 5.0
_TLS_BUFFER_BYTES: Final = 32 * 1024
"""Twice the largest TLS record."""
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not bound
_FIRST_BYTE_SECONDS: Final = 10.0
"""Time in which a client sends its first byte where that decides its protocol."""
_MAX_SILENT_CLIENTS: Final = 64
"""Clients that may be silent at one time where the first byte decides; the oldest is hung up on."""
_CLOSED_STATES: Final = (7, 8)
"""TCP_CLOSE and TCP_CLOSE_WAIT of Linux's include/net/tcp_states.h."""


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """Options of a listening socket, apart from its address."""

    tls: ssl.SSLContext | None = None
    unix_mode: int = 0o660
    """Permissions of a unix socket; a user who may write to it may connect."""
    by_first_byte: Mapping[int, OnClient] = field(default_factory=dict)
    """Takers of clients that speak another protocol, by the first byte that such a client sends.
    Then a client is taken when it has sent one; without TLS only."""


def parse_uri(uri: str) -> SplitResult:
    """Split an address. Raises ConfigError."""
    try:
        return urlsplit(uri)
    except ValueError as err:
        raise ConfigError(f"uri: {err}, got '{uri}'") from err


@asynccontextmanager
async def listen(
    uri: str, on_client: OnClient, line_bytes: int, options: ListenOptions
) -> AsyncIterator[tuple[asyncio.Server, str]]:
    """Listen on `uri` until the block ends; yields the server and the bound URI.

    A tcp port of 0 means any, and the host `[::]` takes IPv4 clients too. Close the server before
    its connections are ended. Raises ConfigError for an address that cannot be used.
    """
    target = parse_uri(uri)
    async with AsyncExitStack() as stack:
        try:
            if target.scheme == "tcp" and target.hostname and target.port is not None:
                make = _protocol_factory(on_client, line_bytes, options)
                server = await _listen_tcp(target.hostname, target.port, make)
            elif target.scheme == "unix" and target.path:
                server = await stack.enter_async_context(
                    _listen_unix(Path(target.path), on_client, line_bytes, options)
                )
            else:
                raise ConfigError(
                    f"uri: expected tcp://HOST:PORT, unix:///PATH or stdio://, got '{uri}'"
                )
        except OSError as err:
            # asyncio wraps the system's reason in a sentence of its own; a failed look-up has none.
            code = err.errno or 0
            reason = os.strerror(code) if code > 0 else err.strerror or str(err)
            raise ConfigError(f"Cannot listen on {uri}: {reason}") from err
        except ValueError as err:
            raise ConfigError(f"uri: {err}, got '{uri}'") from err
        try:
            yield server, _bound_uri(target, server)
        finally:
            server.close()
            await server.wait_closed()


async def _listen_tcp(host: str, port: int, make: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    if host == "::" and socket.has_dualstack_ipv6():
        # asyncio would take IPv6 alone.
        sock = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
        return await loop.create_server(make, sock=sock)
    return await loop.create_server(make, host, port)


def _protocol_factory(
    on_client: OnClient, line_bytes: int, options: ListenOptions
) -> Callable[[], asyncio.Protocol]:
    if not options.by_first_byte:
        return partial(_stream_protocol, on_client, line_bytes)
    silent: dict[_FirstByte, None] = {}

    def choose(first: int) -> asyncio.Protocol:
        return _stream_protocol(options.by_first_byte.get(first, on_client), line_bytes)

    return partial(_FirstByte, choose, silent)


def _stream_protocol(on_client: OnClient, line_bytes: int) -> asyncio.Protocol:
    """Return what asyncio.start_server makes for each connection."""
    return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=line_bytes), on_client)


class _FirstByte(asyncio.Protocol):
    """Gives a connection to another protocol, chosen by the first byte that arrives."""

    def __init__(
        self, choose: Callable[[int], asyncio.Protocol], silent: "dict[_FirstByte, None]"
    ) -> None:
        self._choose = choose
        self._silent = silent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._timeout = asyncio.get_running_loop().call_later(_FIRST_BYTE_SECONDS, self.drop)
        self._silent[self] = None
        if len(self._silent) > _MAX_SILENT_CLIENTS:
            next(iter(self._silent)).drop()

    def data_received(self, data: bytes) -> None:
        self._forget()
        protocol = self._choose(data[0])
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._forget()

    def drop(self) -> None:
        """Hang up on a client that has sent nothing."""
        self._forget()
        self._transport.abort()

    def _forget(self) -> None:
        self._timeout.cancel()
        self._silent.pop(self, None)


@asynccontextmanager
async def _listen_unix(
    path: Path, on_client: OnClient, line_bytes: int, options: ListenOptions
) -> AsyncIterator[asyncio.Server]:
    if await _answers(path):
        # asyncio would remove the other server's socket and put its own in its place.
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    server = await asyncio.start_unix_server(on_client, path, limit=line_bytes, start_serving=False)
    # No client can connect before the permissions are set.
    path.chmod(options.unix_mode)  # noqa: ASYNC240 - once, at the very start
    await server.start_serving()
    own = _inode(path)
    try:
        yield server
    finally:
        if own is not None and _inode(path) == own:
            path.unlink()  # noqa: ASYNC240 - once, at the very end


async def _answers(path: Path) -> bool:
    """Whether a server accepts connections on a unix socket."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except (BlockingIOError, PermissionError):
        return True  # too many clients wait, or it is another user's
    except OSError:
        return False
    writer.close()
    return True


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _bound_uri(target: SplitResult, server: asyncio.Server) -> str:
    if target.scheme == "unix":
        return target.geturl()
    host = target.hostname or ""
    port = server.sockets[0].getsockname()[1]
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def reachable_uri(uri: str) -> str:
    """Return the URI at which this machine reaches a server that listens on `uri`.

    It differs for one that is bound to all addresses: that is reached at loopback.
    """
    target = urlsplit(uri)
    loopback = _LOOPBACK.get(target.hostname or "")
    return f"{target.scheme}://{loopback}:{target.port}" if loopback else uri


async def upgrade_to_tls(writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> None:
    """Go over to TLS on a connection whose reading is paused. Raises OSError and TimeoutError.

    Done once a connection is admitted: a server that is given the TLS context does it for any
    number of clients at once.
    """
    await start_server_tls(writer, tls, _HANDSHAKE_SECONDS)


def server_tls(cert: Path, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """Return the TLS context of a server; with `ca`, clients must show a certificate signed by it.

    Raises ConfigError for files that cannot be read.
    """
    limit_tls_buffers(_TLS_BUFFER_BYTES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return _with_files(context, cert, key, ca)


def client_tls(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """Return the TLS context of a client; `ca` signed the server's certificate.

    Without `ca` the authorities of the system count. Raises ConfigError as `server_tls` does.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.load_default_certs()
    return _with_files(context, cert, key, ca)


def _with_files(
    context: ssl.SSLContext, cert: Path | None, key: Path | None, ca: Path | None
) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if cert is not None:
            # A key that has a password would ask for it on the terminal.
            context.load_cert_chain(cert, key, password=_no_password)
        if ca is not None:
            context.load_verify_locations(ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as err:
        names = ", ".join(str(path) for path in (cert, key, ca) if path is not None)
        reason = err.strerror or str(err) or type(err).__name__
        raise ConfigError(f"tls: cannot use {names}: {reason}") from err
    return context


def _no_password() -> str:
    raise ConfigError("tls_key: expected a key without a password")


def has_hung_up(writer: asyncio.StreamWriter) -> bool:
    """Whether the client has hung up, also when data that it sent before is not read yet."""
    sock = writer.get_extra_info("socket")
    if sock is None or sock.family == socket.AF_UNIX:
        return writer.is_closing()
    try:
        state: int = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    except OSError:
        return True
    return state in _CLOSED_STATES


def address_of(writer: asyncio.StreamWriter) -> str:
    """Return the client's address, "" on a unix socket, and turn TCP keep-alive on."""
    peer = writer.get_extra_info("peername")
    sock = writer.get_extra_info("socket")
    if not isinstance(peer, tuple) or sock is None:
        return ""
    # A machine that loses its network mid-turn leaves a half-open connection behind.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    return str(peer[0])
