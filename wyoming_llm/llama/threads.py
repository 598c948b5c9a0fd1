"""Number of threads that leaves the other stages their cores.

With as many threads as cores, every step of the model waits for the slowest of them: where
another program holds a core, the last thread runs when that one is done. One thread less is
then twice as fast.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

WINDOW_SECONDS = 0.2
"""Time between two looks; /proc/stat counts in steps of 10 ms."""
_STALE_SECONDS = 2.0
"""Time after which the mean since the last look says nothing about now: it holds the start of other
programs, or the recognition of earlier turns."""
_OWN_LOAD = 0.25
"""Part of the load average that the turns themselves make"""

Reading = tuple[float, float, float]
"""Clock, CPU seconds of all programs, CPU seconds of this one."""


class CpuShare:
    """Counts the cores that other programs leave free. Linux; elsewhere all cores count as free."""

    def __init__(
        self,
        cores: int,
        read: Callable[[], Reading | None] | None = None,
        load_average: Callable[[], float] = lambda: os.getloadavg()[0],
    ) -> None:
        """`load_average` returns how many programs wanted a core in the last minute, on average."""
        self._cores = cores
        self._load_average = load_average
        self._read = read or _read_proc
        self._last = self._read()
        self._free = cores

    def free(self) -> int:
        """Return the number of cores that were free since the last look, at least 1.

        After more than two seconds it is what the load average of the last minute leaves.
        """
        reading = self._read()
        if reading is None or self._last is None:
            return self._cores
        clock, used, ours = (new - old for new, old in zip(reading, self._last, strict=True))
        if clock >= WINDOW_SECONDS:
            stale = clock > _STALE_SECONDS
            others = self._load_average() - _OWN_LOAD if stale else (used - ours) / clock
            self._free = max(1, min(self._cores, round(self._cores - max(0.0, others))))
            self._last = reading
        return self._free


def _read_proc() -> Reading | None:
    try:
        line = Path("/proc/stat").read_bytes().partition(b"\n")[0]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, line.split()[1:])
    busy = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return time.monotonic(), busy, time.process_time()
