"""Keeps programs running: started again when they end or no longer answer."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

from wyoming_common.errors import ServiceError, Unavailable
from wyoming_common.processes import Child, Program

_LOGGER = logging.getLogger(__name__)

_FAILURES = 3
"""Checks that fail in a row before a program counts as dead."""


class Backoff:
    """How long to wait before a restart: doubling from 1 s to 60 s, each a quarter off by chance.

    A program that ran for a minute begins anew.
    """

    FIRST, MOST, STEADY = 1.0, 60.0, 60.0
    """Seconds"""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._delay = self.FIRST

    def next(self, uptime: float) -> float:
        """Return the seconds to wait after a run that lasted `uptime` seconds."""
        if uptime >= self.STEADY:
            self._delay = self.FIRST
        delay = self._delay
        self._delay = min(2 * delay, self.MOST)
        return delay * (0.75 + 0.5 * self._chance())


class Supervised:
    """A program that is kept running: restarted when it ends, until `stop`.

    `check`, given the URI, raises ServiceError for a program that does not work; one that
    fails three times in a row, `check_seconds` apart, is ended and started again.
    """

    def __init__(
        self,
        program: Program,
        *,
        check: Callable[[str], Awaitable[object]] | None = None,
        check_seconds: float = 15.0,
        finish_on_success: bool = False,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.program = program
        self.running: Child | None = None
        self._check = check
        self._check_seconds = check_seconds
        self._finish_on_success = finish_on_success
        self._backoff = Backoff(chance)
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start it and return its URI once it is ready. Raises Unavailable.

        A service that chose its port by itself gets the same one when it is started again.
        """
        self.running = await Child.start(self.program)
        if self.running.uri:
            arguments = (*self.program.arguments, "--uri", self.running.uri)
            self.program = replace(self.program, arguments=arguments)
        self._keeper = asyncio.create_task(self._keep())
        return self.running.uri

    async def stop(self) -> None:
        """End it for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self.running is not None:
            await self.running.stop()

    async def finished(self) -> None:
        """Wait for a program that may end on its own; for others, for ever."""
        assert self._keeper is not None
        await asyncio.wait([self._keeper])

    async def _keep(self) -> None:
        name = self.program.name
        while self.running is not None:
            run = self.running
            status = await self._until_over(run)
            if status == 0 and self._finish_on_success:
                _LOGGER.info("%s has finished", name)
                return
            delay = self._backoff.next(run.uptime)
            _LOGGER.warning("%s ended with status %d; restart in %.1f s", name, status, delay)
            await asyncio.sleep(delay)
            await self._restart()

    async def _until_over(self, run: Child) -> int:
        """Wait until the run ends, or end it because it does not work any more."""
        ended = asyncio.create_task(run.wait())
        ill = asyncio.create_task(self._until_ill(run.uri))
        try:
            await asyncio.wait((ended, ill), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await run.stop()
            return await ended
        finally:
            ill.cancel()
            ended.cancel()

    async def _until_ill(self, uri: str) -> None:
        failures = 0
        while failures < _FAILURES:
            await asyncio.sleep(self._check_seconds)
            try:
                if self._check is not None:
                    await self._check(uri)
                failures = 0
            except ServiceError as err:
                failures += 1
                _LOGGER.warning("%s does not answer: %s", self.program.name, err)

    async def _restart(self) -> None:
        while True:
            try:
                self.running = await Child.start(self.program)
            except Unavailable as err:
                delay = self._backoff.next(0.0)
                _LOGGER.warning("%s; next attempt in %.1f s", err, delay)
                await asyncio.sleep(delay)
            else:
                _LOGGER.info("%s is back", self.program.name)
                return
