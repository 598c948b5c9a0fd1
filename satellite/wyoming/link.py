"""Client connection to one Wyoming service, with a time limit for every wait."""

import asyncio
import json
import ssl
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event

from wyoming_common.errors import ConfigError, ServiceError, TimedOut, Unavailable
from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import GuardedReader
from wyoming_common.net.sockets import client_tls

TLS = "tls"
"""Scheme of a URI that is reached over TLS."""
_LIMITS = Limits()
_CLOSE_SECONDS = 1.0


class ServiceFailed(ServiceError):
    """A service that has answered with an `error` event, or not in Wyoming."""

    code = "service-failed"


class Link:
    """Opened by `async with`; leaving the block hangs up, which cancels the service's work.

    Every failure is a ServiceError whose text begins with the kind and the URI of the service,
    e.g. "speech-to-text (tcp://...): ...".
    """

    def __init__(
        self, kind: str, uri: str, connect_seconds: float, tls: ssl.SSLContext | None = None
    ) -> None:
        """Prepare a connection; `tls` is used for a tls:// URI."""
        self.name = f"{kind} ({uri})"
        self._uri = uri
        self._connect_seconds = connect_seconds
        self._tls = tls

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._connect_seconds):
                source, self._writer = await _connect(self._uri, self._tls)
        except TimeoutError as err:
            raise Unavailable(
                f"{self.name}: no connection within {self._connect_seconds:g} s"
            ) from err
        except OSError as err:
            raise Unavailable(f"{self.name}: cannot connect: {_reason(err)}") from err
        self._reader = GuardedReader(source, _LIMITS)
        self._next: asyncio.Task[Event | None] | None = None
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._next is not None:
            self._next.cancel()
            await asyncio.gather(self._next, return_exceptions=True)
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._writer.wait_closed()
        self._writer.transport.abort()

    async def send(self, event: Event, seconds: float) -> None:
        """Send an event. Raises Unavailable, or TimedOut when the service is stuck."""
        try:
            async with asyncio.timeout(seconds):
                await async_write_event(event, self._writer)
        except TimeoutError as err:
            raise TimedOut(
                f"{self.name}: did not take a {event.type} event for {seconds:g} s"
            ) from err
        except OSError as err:
            raise Unavailable(f"{self.name}: went away: {_reason(err)}") from err

    async def receive(
        self, seconds: float | None, waiting_for: str, *, resumable: bool = False
    ) -> Event:
        """Return the next event that is not an error.

        Raises ServiceFailed for an `error` event, TimedOut when nothing comes for `seconds`
        (None: no limit), Unavailable when the service hangs up. A `resumable` call may be
        cancelled: it takes nothing away from the next one.
        """
        try:
            async with asyncio.timeout(seconds):
                event = await self._read(resumable=resumable)
        except TimeoutError as err:
            raise TimedOut(f"{self.name}: no {waiting_for} for {seconds:g} s") from err
        except (OSError, asyncio.IncompleteReadError) as err:
            raise Unavailable(f"{self.name}: went away before any {waiting_for}") from err
        except ServiceError as err:
            raise ServiceFailed(f"{self.name}: does not speak Wyoming: {err}") from err
        except (ValueError, KeyError, TypeError) as err:
            raise ServiceFailed(f"{self.name}: does not speak Wyoming") from err
        if event is None:
            raise Unavailable(f"{self.name}: hung up before any {waiting_for}")
        if Error.is_type(event.type):
            text = event.data.get("text") or json.dumps(event.data)
            raise ServiceFailed(f"{self.name}: {text}")
        return event

    async def _read(self, *, resumable: bool) -> Event | None:
        if self._next is None:
            if not resumable:
                return await async_read_event(self._reader)
            self._next = asyncio.create_task(async_read_event(self._reader))
        # Shielded: a read that is cancelled within an event would lose its first half.
        event = await asyncio.shield(self._next)
        self._next = None
        return event


async def _connect(
    uri: str, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    target = urlsplit(uri)
    limit = _LIMITS.header_bytes
    if target.scheme == "unix" and target.path:
        return await asyncio.open_unix_connection(target.path, limit=limit)
    secret = tls or client_tls(None, None, None) if target.scheme == TLS else None
    return await asyncio.open_connection(target.hostname, target.port, limit=limit, ssl=secret)


def check_uri(name: str, uri: str) -> None:
    """Raise ConfigError unless `uri` is the address of a service."""
    try:
        target = urlsplit(uri)
        good = (target.scheme in ("tcp", TLS) and target.hostname and target.port) or (
            target.scheme == "unix" and target.path
        )
    except ValueError:
        good = False
    if not good:
        raise ConfigError(
            f"{name}: expected tcp://HOST:PORT, tls://HOST:PORT or unix:///PATH, got '{uri}'"
        )


def _reason(err: OSError) -> str:
    if isinstance(err, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {err.verify_message} (see --tls-ca)"
    if isinstance(err, ssl.SSLError):
        return f"no TLS connection: {(err.reason or 'unknown reason').lower().replace('_', ' ')}"
    return (err.strerror or str(err) or type(err).__name__).lower()
