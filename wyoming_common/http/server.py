"""HTTP server: serves an aiohttp application within the limits on connections, time and memory."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from wyoming_common.errors import ConfigError
from wyoming_common.http.connections import HttpConnections
from wyoming_common.net.access import Access
from wyoming_common.net.limits import Limits

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler, Middleware

_KEEPALIVE_SECONDS: Final = 75.0
"""Between two requests of a connection."""
_LINGER_SECONDS: Final = 1.0
"""Time in which a refused request is read on, so that its client can read why."""
_LOGGER: Final = logging.getLogger(f"{__name__}.requests")


class _BadRequestFilter(logging.Filter):
    """Reduces the traceback of a bad request to one line: it is no failure of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        from aiohttp.http_exceptions import HttpProcessingError
        from aiohttp.web import RequestPayloadError

        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | RequestPayloadError):
            record.msg, record.args = f"{record.getMessage()}: {error!s:.200}", None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = None
        return True


_LOGGER.addFilter(_BadRequestFilter())


@asynccontextmanager
async def listening(
    app: "web.Application", uri: str, setting: str, limits: Limits | None = None
) -> AsyncIterator[str]:
    """Serve `app` at `uri`, http://HOST:PORT, until the block ends; yields the bound URI.

    `setting` names the setting of `uri` in errors. Of `limits` those of connections and memory
    hold, `event_seconds` for a whole request, and `write_seconds`. Raises ConfigError for an
    address that cannot be used.
    """
    from aiohttp import web

    host, port = _target(uri, setting)
    connections = HttpConnections(limits or Limits())
    app.middlewares.append(connections.limit())
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_LOGGER,
        shutdown_timeout=1.0,
        keepalive_timeout=_KEEPALIVE_SECONDS,
        lingering_time=_LINGER_SECONDS,
        # A hundred requests that unpack to megabytes each would be a gigabyte.
        auto_decompress=False,
    )
    await runner.setup()
    make = cast("Callable[[], asyncio.Protocol]", runner.server)
    loop = asyncio.get_running_loop()
    try:
        try:
            server = await loop.create_server(lambda: connections.open(make()), host, port)
        except OSError as err:
            # asyncio wraps the system's reason in a sentence of its own.
            reason = os.strerror(err.errno) if err.errno else str(err)
            raise ConfigError(f"{setting}: cannot listen on {uri}: {reason}") from err
        async with _closing(server):
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{server.sockets[0].getsockname()[1]}"
    finally:
        # Ends the open connections as well: one that is kept alive would be waited for.
        await runner.cleanup()


@asynccontextmanager
async def _closing(server: asyncio.Server) -> AsyncIterator[None]:
    try:
        yield
    finally:
        server.close()


def only_from(access: Access) -> "Middleware":
    """Return the middleware that refuses requests from outside the networks of `access`."""
    from aiohttp import web

    @web.middleware
    async def check(request: web.Request, handler: "Handler") -> web.StreamResponse:
        if not access.allows(request.remote or ""):
            raise web.HTTPForbidden(text=f"{request.remote} is not in a network --allow names\n")
        return await handler(request)

    return check


def _target(uri: str, setting: str) -> tuple[str, int]:
    try:
        target = urlsplit(uri)
        host, port = target.hostname, target.port
    except ValueError as err:
        raise ConfigError(f"{setting}: {err}, got '{uri}'") from err
    if target.scheme != "http" or not host or port is None:
        raise ConfigError(f"{setting}: expected http://HOST:PORT, got '{uri}'")
    return host, port
