"""Restart of programs that end or stop answering, with exponential back-off."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from parley.supervise.processes import ChildProcess, ProgramSpec
from wyoming_common.backoff import Backoff
from wyoming_common.errors import ServiceError, Unavailable

_LOGGER = logging.getLogger(__name__)

_MAX_FAILED_CHECKS = 3
"""Consecutive failed checks after which a program is restarted."""
_STEADY_SECONDS = 60.0
"""A run of this length resets the delay before a restart."""


class SupervisedProgram:
    """A program that is restarted whenever it ends, until `stop`.

    `check` gets the URI and raises ServiceError for a program that does not work; after three
    consecutive failures, `check_seconds` apart, the program is restarted.
    """

    def __init__(
        self,
        program: ProgramSpec,
        *,
        check: Callable[[str], Awaitable[object]] | None = None,
        check_seconds: float = 15.0,
        finish_on_success: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        self.program = program
        self.running: ChildProcess | None = None
        self._check = check
        self._check_seconds = check_seconds
        self._finish_on_success = finish_on_success
        self._backoff = backoff or Backoff(jitter=0.25)
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start the program and return its URI once it is ready. Raises Unavailable.

        A restarted service gets the port that it chose at its first start.
        """
        self.running = await ChildProcess.start(self.program)
        if self.running.uri:
            arguments = (*self.program.arguments, "--uri", self.running.uri)
            self.program = replace(self.program, arguments=arguments)
        self._keeper = asyncio.create_task(self._keep())
        return self.running.uri

    async def stop(self) -> None:
        """Stop the program and do not restart it."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self.running is not None:
            await self.running.stop()

    async def finished(self) -> None:
        """Wait for a program with `finish_on_success` to end; for others, forever."""
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
            if run.uptime >= _STEADY_SECONDS:
                self._backoff.reset()
            delay = self._backoff.next()
            _LOGGER.warning("%s ended with status %d; restart in %.1f s", name, status, delay)
            await asyncio.sleep(delay)
            await self._restart()

    async def _until_over(self, run: ChildProcess) -> int:
        """Wait for the end of the run, or stop it when its checks fail; return the exit status."""
        ended = asyncio.create_task(run.wait())
        failing = asyncio.create_task(self._until_failing(run.uri))
        try:
            await asyncio.wait((ended, failing), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await run.stop()
            return await ended
        finally:
            failing.cancel()
            ended.cancel()

    async def _until_failing(self, uri: str) -> None:
        failures = 0
        while failures < _MAX_FAILED_CHECKS:
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
                self.running = await ChildProcess.start(self.program)
            except Unavailable as err:
                delay = self._backoff.next()
                _LOGGER.warning("%s; next attempt in %.1f s", err, delay)
                await asyncio.sleep(delay)
            else:
                _LOGGER.info("%s is running again", self.program.name)
                return
