"""Clock of one run: zero is the first sample of the microphone and of the speaker."""

import asyncio
import time
from collections.abc import Callable


class RunClock:
    """Seconds since `start`; all devices of a run share one clock."""

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
        """Return the time of the run at `source_time` of the source."""
        return source_time - self._zero

    async def until(self, at: float) -> None:
        """Sleep until `at` seconds since zero; yields to other tasks even when late."""
        await asyncio.sleep(max(0.0, at - self.now()))
