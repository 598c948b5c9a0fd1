"""How a download tells how far it is."""

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

Progress = Callable[[str, int, int], None]
"""Called with the model's name, the bytes there by now, and the bytes in all (0: not known)."""


def no_progress(name: str, done: int, total: int) -> None:
    """Tell nobody."""


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
