"""Where `parley dashboard` asks a standalone satellite, to which nobody else connects."""

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from wyoming.event import Event
from wyoming.info import Info

from satellite.config import SatelliteSettings
from wyoming_common.access import Access
from wyoming_common.discovery import TELLER_TYPE, announce
from wyoming_common.errors import ConfigError
from wyoming_common.server import serve
from wyoming_common.service import ServiceHandler
from wyoming_common.settings import NO_ZEROCONF
from wyoming_common.telemetry import Telemetry

_LOGGER = logging.getLogger(__name__)


class Teller(ServiceHandler):
    """Answers `trace-query`, `describe` and `ping`; it is no satellite that one can run."""

    async def on_request(self, event: Event) -> None:
        """Ignore the rest."""


@asynccontextmanager
async def open_door(settings: SatelliteSettings, telemetry: Telemetry) -> AsyncIterator[str]:
    """Tell who asks what `telemetry` knows until the block ends; yields the bound URI.

    A port in use is replaced by any: two satellites of one machine are found all the same.
    It is announced under a type of its own, by which Home Assistant finds no satellite.
    """
    async with AsyncExitStack() as stack:
        serve_at = partial(
            serve,
            make_handler=partial(Teller, Info),
            access=Access(settings.allow),
            telemetry=telemetry,
        )
        try:
            uri = await stack.enter_async_context(serve_at(settings.uri))
        except ConfigError as err:
            if not settings.uri.startswith("tcp:"):
                raise
            _LOGGER.info("%s; another port tells of turns", err)
            elsewhere = f"tcp://{_host(settings.uri)}:0"
            uri = await stack.enter_async_context(serve_at(elsewhere))
        if settings.zeroconf != NO_ZEROCONF and uri.startswith("tcp:"):
            name = settings.zeroconf or f"{_machine()}-parley-satellite-{urlsplit(uri).port}"
            await stack.enter_async_context(announce(uri, Info(), name, TELLER_TYPE))
        yield uri


def _host(uri: str) -> str:
    host = urlsplit(uri).hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _machine() -> str:
    return socket.gethostname().split(".")[0]
