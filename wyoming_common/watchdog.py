"""Notices that the service does not work any more.

It tells systemd that it does, as long as it does: it asks itself what a client would.
https://www.freedesktop.org/software/systemd/man/latest/sd_watchdog_enabled.html
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from wyoming.client import AsyncClient
from wyoming.info import Describe

from wyoming_common.notify import notify

_LOGGER = logging.getLogger(__name__)

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, not bound

STUCK_SECONDS: Final = 900.0
"""What one piece of work takes at most, by far: half a minute of speech, a sentence to say, some
words of a prompt."""


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float:
    """Return how often this process must say that it is well, 0 where nobody waits for it."""
    period = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(period) / 1e6 if ours and period.isdecimal() else 0.0


@asynccontextmanager
async def watched(uri: str, seconds: float) -> AsyncIterator[None]:
    """While the block runs, say every third of `seconds` that `uri` answers, if it does."""
    if not seconds:
        yield
        return
    watching = asyncio.create_task(_watch(_reachable(uri), seconds / 3))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def stuck(step_seconds: Callable[[], float], most: float = STUCK_SECONDS) -> None:
    """Return once a piece of work has taken more than `most` seconds.

    `step_seconds` says how long the one under way has taken. A library that waits for itself does
    so for ever, and nothing can interrupt it.
    """
    while step_seconds() <= most:  # noqa: ASYNC110 - a thread that is stuck tells nobody
        await asyncio.sleep(most / 100)


async def _watch(uri: str, seconds: float) -> None:
    while True:
        try:
            async with asyncio.timeout(seconds), AsyncClient.from_uri(uri) as client:
                await client.write_event(Describe().event())
                # A refusal will do: --allow may leave us out.
                if await client.read_event() is None:
                    raise ConnectionError("it hung up")
            notify(WATCHDOG="1")
        except (OSError, TimeoutError) as err:
            _LOGGER.warning(
                "The service does not answer itself: %s", str(err) or "no answer in time"
            )
        await asyncio.sleep(seconds)


def _reachable(uri: str) -> str:
    """Return an address at which a service that listens on `uri` can be asked."""
    target = urlsplit(uri)
    host = _EVERYWHERE.get(target.hostname or "")
    return f"tcp://{host}:{target.port}" if host else uri
