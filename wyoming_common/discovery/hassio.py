"""Discovery through Home Assistant's Supervisor, of a service that runs as an app (add-on).

https://developers.home-assistant.io/docs/api/supervisor/endpoints/#discovery

The announcement stays when the service stops. The Supervisor offers it only while the app runs and
drops it when the app is uninstalled; were it withdrawn at every stop, Home Assistant would delete
what the user has set up with it at every restart (`async_process_del` of its hassio integration).
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from wyoming_common.backoff import Backoff
from wyoming_common.discovery.zeroconf import describe
from wyoming_common.errors import Unavailable
from wyoming_common.net.sockets import reachable_uri

_LOGGER = logging.getLogger(__name__)

SUPERVISOR = "http://supervisor"
"""Address of the Supervisor inside an app."""
_MAX_ANSWER_SECONDS = 10.0


def supervisor_token() -> str:
    """Return the token that the Supervisor gives to an app; "" outside of one."""
    return os.environ.get("SUPERVISOR_TOKEN", "")


@asynccontextmanager
async def announce_to_supervisor(
    uri: str, token: str, supervisor: str = SUPERVISOR, first_pause_seconds: float = 1.0
) -> AsyncIterator[None]:
    """Announce the service that listens on `uri`, a tcp one, as soon as it answers `describe`.

    Keeps trying until the Supervisor accepts it or the block ends.
    """
    task = asyncio.create_task(_announce(uri, token, supervisor, first_pause_seconds))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _announce(uri: str, token: str, supervisor: str, first_pause_seconds: float) -> None:
    port = urlsplit(uri).port
    # The name of the container, which Home Assistant resolves to its current address.
    found_at = f"tcp://{socket.gethostname()}:{port}"
    message = {"service": "wyoming", "config": {"uri": found_at}}
    backoff = Backoff(first_pause_seconds)
    async with aiohttp.ClientSession(
        supervisor,
        headers={"Authorization": f"Bearer {token}"},
        timeout=aiohttp.ClientTimeout(_MAX_ANSWER_SECONDS),
    ) as client:
        while True:
            try:
                await describe(reachable_uri(uri))
                async with client.post("/discovery", json=message) as response:
                    problem = "" if response.ok else await _problem(response)
            except (Unavailable, TimeoutError, aiohttp.ClientError) as err:
                reason = str(err) or type(err).__name__
            else:
                if not problem:
                    _LOGGER.info("Announced to Home Assistant as %s", found_at)
                    return
                reason = f"{response.status} {problem}"
                if HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.TOO_MANY_REQUESTS:
                    _LOGGER.error("The Supervisor refuses to announce this app: %s", reason)
                    return
            pause = backoff.next()
            _LOGGER.warning("Not announced yet (%s); next attempt in %d s", reason, pause)
            await asyncio.sleep(pause)


async def _problem(response: aiohttp.ClientResponse) -> str:
    try:
        return str((await response.json())["message"])
    except (aiohttp.ContentTypeError, ValueError, KeyError, TypeError):
        return response.reason or "no reason given"
