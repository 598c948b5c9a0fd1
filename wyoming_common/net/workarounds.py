"""Workarounds for asyncio, aiohttp and wyoming: the only module that touches their private parts.

Each function names the upstream issue or the source that makes it necessary.
"""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol

from wyoming.client import AsyncClient

from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import GuardedReader


def limit_tls_buffers(size: int) -> None:
    """Give each TLS connection of this process a read buffer of `size` bytes instead of 256 kB.

    asyncio allocates `SSLProtocol.max_size` for every connection and has no parameter for it:
    Lib/asyncio/sslproto.py, https://github.com/python/cpython/issues/109534.
    """
    SSLProtocol.max_size = size


async def start_server_tls(
    writer: asyncio.StreamWriter, tls: ssl.SSLContext, handshake_seconds: float
) -> None:
    """Upgrade a connection whose reading is paused to TLS. Raises OSError and TimeoutError.

    When the client leaves during the handshake, `loop.start_tls` returns None and
    `StreamWriter.start_tls` stores it as the transport, which the writer's own destructor then
    fails on: https://github.com/python/cpython/issues/105993.
    """
    plain = writer.transport
    try:
        await writer.start_tls(tls, ssl_handshake_timeout=handshake_seconds)
    except AttributeError as err:
        writer._transport = plain  # type: ignore[attr-defined]  # noqa: SLF001
        raise ConnectionAbortedError("The client went away in the TLS handshake") from err


def has_paused_reading(protocol: asyncio.Protocol) -> bool:
    """Whether aiohttp's server protocol wants no more input for now.

    It tells only its transport, which may have delivered more by then; a protocol that stands
    between the two has to ask. See `BaseProtocol.pause_reading` and `RequestHandler` in
    aiohttp/base_protocol.py and aiohttp/web_protocol.py.
    """
    return any(getattr(protocol, name, False) for name in ("_reading_paused", "_buffer_paused"))


def bound_reads(client: AsyncClient, limits: Limits) -> None:
    """Have a connected Wyoming client read no more than `limits` allow.

    wyoming.client reads events of any length and offers no way to replace its reader:
    https://github.com/OHF-Voice/wyoming/blob/main/wyoming/client.py.
    """
    source = client._reader  # noqa: SLF001
    assert source is not None
    client._reader = GuardedReader(source, limits)  # noqa: SLF001
