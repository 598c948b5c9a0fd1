"""Sockets that a service listens on: tcp, TLS, unix."""

import asyncio
import os
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from wyoming_common.errors import ConfigError

OnClient = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]

_HANDSHAKE_SECONDS = 5.0
_TLS_BYTES = 32 * 1024
"""Buffer of each TLS connection: twice the largest record, where asyncio takes 256 kB"""
_LEFT = (7, 8)
"""TCP_CLOSE and TCP_CLOSE_WAIT of Linux's tcp_states.h."""


@dataclass(frozen=True, slots=True)
class Door:
    """How a socket is opened, beyond its address."""

    tls: ssl.SSLContext | None = None
    unix_mode: int = 0o660
    """Permissions of a unix socket: who may write to it may connect."""


def parse_uri(uri: str) -> SplitResult:
    """Split an address. Raises ConfigError."""
    try:
        return urlsplit(uri)
    except ValueError as err:
        raise ConfigError(f"uri: {err}, got '{uri}'") from err


async def listen(
    uri: str, on_client: OnClient, line_bytes: int, door: Door
) -> tuple[asyncio.Server, str]:
    """Listen on `uri`; returns the server and the bound URI (tcp port 0 means any).

    Raises ConfigError for an address that cannot be used.
    """
    target = parse_uri(uri)
    try:
        if target.scheme == "tcp" and target.hostname and target.port is not None:
            server = await asyncio.start_server(
                on_client,
                target.hostname,
                target.port,
                limit=line_bytes,
            )
            port = server.sockets[0].getsockname()[1]
            host = f"[{target.hostname}]" if ":" in target.hostname else target.hostname
            return server, f"tcp://{host}:{port}"
        if target.scheme == "unix" and target.path:
            return await _listen_unix(target.path, on_client, line_bytes, door), uri
    except OSError as err:
        # asyncio wraps the system's reason in a sentence of its own; a failed look-up has none.
        code = err.errno or 0
        reason = os.strerror(code) if code > 0 else err.strerror or str(err)
        raise ConfigError(f"Cannot listen on {uri}: {reason}") from err
    except ValueError as err:
        raise ConfigError(f"uri: {err}, got '{uri}'") from err
    raise ConfigError(f"uri: expected tcp://HOST:PORT, unix:///PATH or stdio://, got '{uri}'")


async def _listen_unix(
    path: str, on_client: OnClient, line_bytes: int, door: Door
) -> asyncio.Server:
    server = await asyncio.start_unix_server(on_client, path, limit=line_bytes, start_serving=False)
    # Nobody can connect before it is known who may.
    Path(path).chmod(door.unix_mode)  # noqa: ASYNC240 - once, at the very start
    await server.start_serving()
    return server


async def shake_hands(writer: asyncio.StreamWriter, tls: ssl.SSLContext) -> None:
    """Go over to TLS on a connection whose reading is paused. Raises OSError and TimeoutError.

    Done once a connection is counted: a server that is given the context does it for any number
    of strangers at once, with a buffer of 256 kB for each.
    """
    plain = writer.transport
    try:
        await writer.start_tls(tls, ssl_handshake_timeout=_HANDSHAKE_SECONDS)
    except AttributeError as err:
        # A line that ends in the last moment leaves the writer without a transport, which neither
        # asyncio nor the writer's destructor expects.
        writer._transport = plain  # type: ignore[attr-defined]  # noqa: SLF001
        raise ConnectionAbortedError("The client went away in the TLS handshake") from err


def server_tls(cert: Path, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """Return how to serve over TLS; with `ca`, clients must show a certificate signed by it.

    Raises ConfigError for files that cannot be read.
    """
    SSLProtocol.max_size = _TLS_BYTES
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return _with_files(context, cert, key, ca)


def client_tls(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """Return how to connect over TLS; `ca` signed the service's certificate, else the system's."""
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


@contextmanager
def on_the_line() -> Iterator[None]:
    """Raise ConnectionError for whatever ends a connection while the block reads or writes.

    A line that is dead ends with ETIMEDOUT, whose Python class is that of time that is up.
    """
    try:
        yield
    except ConnectionError:
        raise
    except OSError as err:
        raise ConnectionAbortedError(f"The line is dead: {err}") from err


def has_left(writer: asyncio.StreamWriter) -> bool:
    """Whether the client has hung up, also behind data that is not read yet."""
    sock = writer.get_extra_info("socket")
    if sock is None or sock.family == socket.AF_UNIX:
        return writer.is_closing()
    try:
        state: int = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    except OSError:
        return True
    return state in _LEFT


def address_of(writer: asyncio.StreamWriter) -> str:
    """Return the client's address, "" on a unix socket; notices clients that vanish."""
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
