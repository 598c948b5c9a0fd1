"""Leak check by a fitted line: memory, files, threads and tasks of a process over time.

A cache grows to its bound and stays there; a leak goes on as long as there is work. So a line is
fitted to the second half of the time alone, by which the caches are to be full: the median of the
slopes between all pairs of samples (Theil-Sen), which single peaks do not move. What the line gains
in that half is the growth.
https://en.wikipedia.org/wiki/Theil%E2%80%93Sen_estimator
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Final

from wyoming.client import AsyncClient
from wyoming.event import Event

_QUANTITIES: Final = ("resident MB", "files", "threads", "tasks")
_SHARE: Final = 0.02
_MIN_GROWTH_MB: Final = 4.0
_COUNT: Final = 0.5
_MIN_SAMPLES: Final = 8
"""Fewest samples that a line is fitted to."""


@dataclass(frozen=True, slots=True)
class Held:
    """Resources of a process at one time."""

    megabytes: float
    """Resident"""
    files: int
    threads: int
    tasks: int
    """Of asyncio"""

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} / {self.files} / {self.threads} / {self.tasks}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Growth of one quantity of one process."""

    process: str
    quantity: str
    first: float
    """Median of the first tenth of the time"""
    middle: float
    """The fitted line at the beginning of the second half"""
    growth: float
    """Gain of the line in the second half"""
    tolerance: float
    works: int
    """Turns or requests in the second half"""

    @property
    def flat(self) -> bool:
        """Whether the second half shows no growth."""
        return self.growth <= self.tolerance

    def __str__(self) -> str:
        each = self.growth / max(1, self.works) * 1000
        unit = " kB each" if self.quantity == _QUANTITIES[0] else " in 1,000"
        if not self.flat:
            said = "GROWS"
        elif self.middle - self.first > self.tolerance:
            said = "flat, once its caches were full"
        else:
            said = "flat"
        return (
            f"| {self.process} | {self.quantity} | {self.first:.1f} | {self.middle:.1f} "
            f"| {self.growth:+.1f} | {self.tolerance:.1f} | {each:+.1f}{unit} | {said} |"
        )


HEADER: Final = (
    "| process | | at the start | at half time | growth since, fitted | tolerance | of a turn | |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Resources at a number of seconds and turns (or requests) after the start."""

    seconds: float
    works: int
    held: Held


class History:
    """Samples of one process."""

    def __init__(self, process: str, uri: str, pid: int) -> None:
        self.process = process
        self._uri = uri
        self._pid = pid
        self.samples: list[Sample] = []

    async def sample(self, seconds: float, works: int) -> Held:
        """Look at the process, `works` turns and `seconds` after the start."""
        held = Held(*_resident_and_threads(self._pid), tasks=await _tasks(self._uri))
        self.samples.append(Sample(seconds, works, held))
        return held


def judge(process: str, samples: Sequence[Sample]) -> list[Verdict]:
    """Return a verdict on each quantity; none where there are too few samples."""
    whole = samples[-1].seconds if samples else 0.0
    half = [sample for sample in samples if sample.seconds >= whole / 2]
    if len(half) < _MIN_SAMPLES:
        return []
    early = [sample for sample in samples if sample.seconds <= whole / 10]
    return [
        _verdict(process, quantity, early, half, partial(_value, number))
        for number, quantity in enumerate(_QUANTITIES)
    ]


def _value(number: int, sample: Sample) -> float:
    return float(astuple(sample.held)[number])


def _verdict(
    process: str,
    quantity: str,
    early: Sequence[Sample],
    half: Sequence[Sample],
    value: Callable[[Sample], float],
) -> Verdict:
    slope = _slope([(sample.seconds, value(sample)) for sample in half])
    began, ended = half[0].seconds, half[-1].seconds
    middle = statistics.median(value(s) - slope * (s.seconds - began) for s in half)
    return Verdict(
        process,
        quantity,
        first=statistics.median(map(value, early)),
        middle=middle,
        growth=slope * (ended - began),
        tolerance=max(_MIN_GROWTH_MB, _SHARE * middle) if quantity == _QUANTITIES[0] else _COUNT,
        works=half[-1].works - half[0].works,
    )


def table(histories: Sequence[History]) -> tuple[str, bool]:
    """Return a table in Markdown that says of everything whether it is flat, and if all is."""
    verdicts = [
        verdict for history in histories for verdict in judge(history.process, history.samples)
    ]
    lines = [HEADER, *map(str, verdicts)] if verdicts else ["Too short to say anything."]
    return "\n".join(lines), bool(verdicts) and all(verdict.flat for verdict in verdicts)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


def _resident_and_threads(pid: int) -> tuple[float, int, int]:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    values = dict(line.split(":", 1) for line in status.splitlines())
    resident = int(values["VmRSS"].split()[0]) / 1024
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return resident, files, int(values["Threads"])


async def _tasks(uri: str) -> int:
    """Return how many tasks the service runs."""
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Event("trace-query", {}))
        report = await client.read_event()
    return int(report.data["state"]["tasks"]) if report is not None else -1
