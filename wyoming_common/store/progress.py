"""How a download tells how far it is."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

_LOGGER = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with the model's name, the bytes there by now, and the bytes in all (0: not known)."""

_LOG_SECONDS = 10.0


def log_progress() -> Progress:
    """Return a progress that writes a log line every ten seconds."""
    last = time.monotonic()

    def log(name: str, done: int, total: int) -> None:
        nonlocal last
        if (instant := time.monotonic()) - last >= _LOG_SECONDS:
            last = instant
            _LOGGER.info("%s: %.0f of %.0f MB", name, done / 1e6, total / 1e6)

    return log


@contextmanager
def progress_bars(console: Console | None = None) -> Iterator[Progress]:
    """Draw one bar a model on standard error until the block ends."""
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console or Console(stderr=True),
    )
    tasks = {}

    def show(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=None)
        bars.update(tasks[name], completed=done, total=total or None)

    with bars:
        yield show
