"""The time of one run: zero is the first sample of the microphone and of the speaker."""

import asyncio
import time
from collections.abc import Callable


class RunClock:
    """Counts seconds since `start`; all devices of a run share one."""

    def __init__(self, source: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._zero = source()

    def start(self) -> None:
        """Make this instant zero."""
        self._zero = self._source()

    def now(self) -> float:
        """Return seconds since zero."""
        return self._source() - self._zero

    def at(self, source_time: float) -> float:
        """Return what `now` was when the source said `source_time`."""
        return source_time - self._zero

    async def until(self, at: float) -> None:
        """Sleep until `at` seconds since zero; yields to other tasks even when late."""
        await asyncio.sleep(max(0.0, at - self.now()))
