"""Trace server of a standalone satellite, for `parley dashboard`."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from wyoming.event import Event
from wyoming.info import Info

from satellite.config import SatelliteSettings
from wyoming_common.config.settings import OFF
from wyoming_common.discovery.zeroconf import TRACE_SERVICE_TYPE, announce, instance_name
from wyoming_common.errors import ConfigError
from wyoming_common.net.access import Access
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.server import serve
from wyoming_common.telemetry.recorder import Telemetry

_LOGGER = logging.getLogger(__name__)


class TraceHandler(ServiceHandler):
    """Answers `trace-query`, `describe` and `ping`; Home Assistant cannot run it as a satellite."""

    async def on_request(self, event: Event) -> None:
        """Ignore every other event."""


@asynccontextmanager
async def serve_traces(settings: SatelliteSettings, telemetry: Telemetry) -> AsyncIterator[str]:
    """Serve the records of `telemetry` until the block ends; yields the bound URI.

    A port in use is replaced by any free one, so that a second satellite of a machine is found too.
    The server is announced under a zeroconf type that Home Assistant does not look for.
    """
    async with AsyncExitStack() as stack:
        serve_at = partial(
            serve,
            info=Info,
            make_handler=TraceHandler,
            access=Access(settings.allow),
            telemetry=telemetry,
        )
        try:
            uri = await stack.enter_async_context(serve_at(settings.uri))
        except ConfigError as err:
            if not settings.uri.startswith("tcp:"):
                raise
            _LOGGER.info("%s; serving traces on another port", err)
            elsewhere = f"tcp://{_host(settings.uri)}:0"
            uri = await stack.enter_async_context(serve_at(elsewhere))
        if settings.zeroconf != OFF and uri.startswith("tcp:"):
            name = settings.zeroconf or instance_name("satellite", urlsplit(uri).port)
            await stack.enter_async_context(announce(uri, Info(), name, TRACE_SERVICE_TYPE))
        yield uri


def _host(uri: str) -> str:
    host = urlsplit(uri).hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host
