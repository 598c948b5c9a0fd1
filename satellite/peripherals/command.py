"""Command of the user that is run for each event."""

import asyncio
import json
import logging
import shlex
from typing import Self

from satellite.peripherals.control import SatelliteEvent
from wyoming_common.errors import ConfigError

_LOGGER = logging.getLogger(__name__)

_MAX_WAITING_EVENTS = 32
_STDERR = 2
_MAX_COMMAND_SECONDS = 5.0
"""A command that takes longer is ended, because the events after it would be old."""


class EventCommand:
    """Runs `command EVENT` with the event as JSON on its standard input, one at a time.

    When the command is too slow the oldest events are dropped. Raises ConfigError for a command
    that cannot be parsed.
    """

    def __init__(self, command: str) -> None:
        try:
            self._argv = shlex.split(command)
        except ValueError as err:
            raise ConfigError(f"event-command: {err}, got '{command}'") from err
        if not self._argv:
            raise ConfigError("event-command: expected a command, got nothing")
        self._waiting: asyncio.Queue[SatelliteEvent] = asyncio.Queue(_MAX_WAITING_EVENTS)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def on_event(self, event: SatelliteEvent) -> None:
        """Queue an event."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(event)

    async def _run(self) -> None:
        while True:
            await self._run_command(await self._waiting.get())

    async def _run_command(self, event: SatelliteEvent) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                str(event["event"]),
                stdin=asyncio.subprocess.PIPE,
                # Standard output may carry the speaker's audio, or the turns as JSON.
                stdout=_STDERR,
            )
        except OSError as err:
            _LOGGER.warning("event-command: cannot run '%s': %s", self._argv[0], err.strerror)
            return
        try:
            async with asyncio.timeout(_MAX_COMMAND_SECONDS):
                await process.communicate(json.dumps(dict(event)).encode())
            if process.returncode:
                _LOGGER.warning("event-command: ended with status %d", process.returncode)
        except TimeoutError:
            _LOGGER.warning("event-command: took more than %g s; ended", _MAX_COMMAND_SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
