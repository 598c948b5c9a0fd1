"""One connection to a Wyoming service: every wait has its time, every failure its sentence."""

import asyncio
import json
import ssl
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event

from wyoming_common.errors import ConfigError, ServiceError, TimedOut, Unavailable
from wyoming_common.limits import GuardedReader, Limits
from wyoming_common.listening import client_tls

TLS = "tls"
"""Scheme of a URI that is spoken to over TLS."""
_LIMITS = Limits()
_CLOSE_SECONDS = 1.0


class ServiceFailed(ServiceError):
    """The service answered with an `error` event."""

    code = "service-failed"


class Link:
    """Opened by `async with`; leaving the block hangs up, which cancels the service's work.

    Every failure is a ServiceError whose text begins with what the service is for and where
    it is, e.g. "speech-to-text (tcp://...): ...".
    """

    def __init__(
        self, what: str, uri: str, connect_seconds: float, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` is how to speak with a tls:// URI."""
        self.name = f"{what} ({uri})"
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
        self._reader = GuardedReader(source, _LIMITS, busy=lambda: True)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._writer.wait_closed()
        self._writer.transport.abort()

    async def send(self, event: Event, seconds: float) -> None:
        """Send an event. Raises Unavailable when the service is gone, TimedOut when it is stuck."""
        try:
            async with asyncio.timeout(seconds):
                await async_write_event(event, self._writer)
        except TimeoutError as err:
            raise TimedOut(f"{self.name}: took no {event.type} for {seconds:g} s") from err
        except OSError as err:
            raise Unavailable(f"{self.name}: went away: {_reason(err)}") from err

    async def receive(self, seconds: float | None, waiting_for: str) -> Event:
        """Return the next event that is not an error.

        Raises ServiceFailed for an `error` event, TimedOut when nothing comes for `seconds`
        (None waits for ever), Unavailable when the service hangs up.
        """
        try:
            async with asyncio.timeout(seconds):
                event = await async_read_event(self._reader)
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
    """Raise ConfigError unless `uri` is one that a service can be reached at."""
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
        return f"no TLS with it: {(err.reason or 'unknown reason').lower().replace('_', ' ')}"
    return (err.strerror or str(err) or type(err).__name__).lower()
