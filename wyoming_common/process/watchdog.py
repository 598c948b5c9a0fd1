"""Watchdog of a service: it notices that the service no longer works.

The service sends `describe` to itself as a client would, and reports to systemd while that works.
https://www.freedesktop.org/software/systemd/man/latest/sd_watchdog_enabled.html
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from wyoming.client import AsyncClient
from wyoming.info import Describe

from wyoming_common.net.sockets import reachable_uri
from wyoming_common.process.sd_notify import notify

_LOGGER = logging.getLogger(__name__)

MAX_STEP_SECONDS: Final = 900.0
"""Far more than any piece of work takes, such as half a minute of speech or a sentence."""


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float:
    """Return the seconds within which systemd expects a report, 0 if it expects none."""
    period = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(period) / 1e6 if ours and period.isdecimal() else 0.0


@asynccontextmanager
async def watched(uri: str, seconds: float) -> AsyncIterator[None]:
    """While the block runs, report every third of `seconds` that `uri` answers, if it does."""
    if not seconds:
        yield
        return
    watching = asyncio.create_task(_watch(reachable_uri(uri), seconds / 3))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def stuck(step_seconds: Callable[[], float], max_seconds: float = MAX_STEP_SECONDS) -> None:
    """Return once a piece of work has taken more than `max_seconds`.

    `step_seconds` returns how long the one under way has taken. A library that is in a deadlock
    stays there, and nothing can interrupt it.
    """
    while step_seconds() <= max_seconds:  # noqa: ASYNC110 - a stuck thread sets no event
        await asyncio.sleep(max_seconds / 100)


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
