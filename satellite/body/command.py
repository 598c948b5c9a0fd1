"""A command of the user's that is run for each piece of news."""

import asyncio
import json
import logging
import shlex
from typing import Self

from satellite.body.control import News
from wyoming_common.errors import ConfigError

_LOGGER = logging.getLogger(__name__)

_MOST_WAITING = 32
_STDERR = 2
_SECONDS = 5.0
"""A command that takes longer is ended: the news after it would be old."""


class EventCommand:
    """Runs `command EVENT` with the news as JSON on its standard input, one at a time.

    When it is too slow the oldest news are dropped. Raises ConfigError for a command that is
    none.
    """

    def __init__(self, command: str) -> None:
        try:
            self._argv = shlex.split(command)
        except ValueError as err:
            raise ConfigError(f"event-command: {err}, got '{command}'") from err
        if not self._argv:
            raise ConfigError("event-command: expected a command, got nothing")
        self._news: asyncio.Queue[News] = asyncio.Queue(_MOST_WAITING)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def tell(self, news: News) -> None:
        """Queue a piece of news."""
        if self._news.full():
            self._news.get_nowait()
        self._news.put_nowait(news)

    async def _run(self) -> None:
        while True:
            await self._tell(await self._news.get())

    async def _tell(self, news: News) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                str(news["event"]),
                stdin=asyncio.subprocess.PIPE,
                # Ours may carry the speaker's sound, or the turns as JSON.
                stdout=_STDERR,
            )
        except OSError as err:
            _LOGGER.warning("event-command: cannot run '%s': %s", self._argv[0], err.strerror)
            return
        try:
            async with asyncio.timeout(_SECONDS):
                await process.communicate(json.dumps(dict(news)).encode())
            if process.returncode:
                _LOGGER.warning("event-command: ended with status %d", process.returncode)
        except TimeoutError:
            _LOGGER.warning("event-command: took more than %g s; ended", _SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
