"""Tell Home Assistant's Supervisor about a service that runs as an app (add-on).

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

import httpx2

from wyoming_common.discovery import describe
from wyoming_common.errors import Unavailable

_LOGGER = logging.getLogger(__name__)

SUPERVISOR = "http://supervisor"
"""How every app reaches the Supervisor."""
_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts; doubles."""


def supervisor_token() -> str:
    """Return the token that the Supervisor gives to an app; "" outside of one."""
    return os.environ.get("SUPERVISOR_TOKEN", "")


@asynccontextmanager
async def announce_to_supervisor(
    uri: str, token: str, supervisor: str = SUPERVISOR
) -> AsyncIterator[None]:
    """Announce the service that listens on `uri`, a tcp one, as soon as it answers `describe`.

    Keeps trying until the Supervisor accepts it or the block ends.
    """
    task = asyncio.create_task(_announce(uri, token, supervisor))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _announce(uri: str, token: str, supervisor: str) -> None:
    port = urlsplit(uri).port
    # The name of the container, which Home Assistant resolves to its address of the day.
    found_at = f"tcp://{socket.gethostname()}:{port}"
    message = {"service": "wyoming", "config": {"uri": found_at}}
    pause = _FIRST_PAUSE
    async with httpx2.AsyncClient(
        base_url=supervisor, headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS
    ) as client:
        while True:
            try:
                await describe(f"tcp://{_reachable(uri)}:{port}")
                response = await client.post("/discovery", json=message)
            except (Unavailable, httpx2.HTTPError) as err:
                reason = str(err) or type(err).__name__
            else:
                if response.is_success:
                    _LOGGER.info("Announced to Home Assistant as %s", found_at)
                    return
                reason = f"{response.status_code} {_message(response)}"
                if HTTPStatus.BAD_REQUEST <= response.status_code < HTTPStatus.TOO_MANY_REQUESTS:
                    _LOGGER.error("The Supervisor refuses to announce this app: %s", reason)
                    return
            _LOGGER.warning("Not announced yet (%s); next attempt in %d s", reason, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _reachable(uri: str) -> str:
    """Return an address under which this process reaches what it listens on itself."""
    host = urlsplit(uri).hostname or ""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{own}]" if ":" in own else own


def _message(response: httpx2.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase
