"""Recorder of turns, counts and percentiles of one process, and the report of them.

A client asks with the Wyoming event `trace-query {source?, since?, text?}` and gets a
`trace-report` (see `Telemetry.report`); other Wyoming programs ignore both. The same report is
served as /trace of `--metrics-uri`.
"""

import os
import platform
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from math import inf
from pathlib import Path
from typing import Any, Final

from wyoming.info import Artifact, Info

from wyoming_common.errors import ConfigError, ServiceError
from wyoming_common.telemetry.trace import NO_SPAN, Span, Stage, Trace, as_current, new_turn_id

TRACE_QUERY: Final = "trace-query"
TRACE_REPORT: Final = "trace-report"

DEFAULT_BUDGETS: Final = {"stt": 0.9, "llm": 1.0, "tts": 0.4, "turn": 1.5}
"""Seconds that a person may wait for a stage. A budget is met if under 1 % of waits exceed it."""

_MAX_RECORDS: Final = 512
"""Turns that are kept in memory."""
_MAX_WAITS: Final = 1000
"""Waits per stage from which percentiles are taken."""
_MAX_REPORTED_RECORDS: Final = 200
"""Records in one report: 200 KB at most, far below the limit on an event."""
_KEEP_TEXT_SECONDS: Final = 60.0
"""Time for which texts are kept after a client last asked for them."""
_MAX_TEXT_CHARACTERS: Final = 2000
_SUMMED: Final = frozenset({"tokens", "cache_hits", "audio_in_s", "audio_out_s"})
_MAX_MODELS: Final = 8
"""Models of a program that a report names."""
_METER_SECONDS: Final = 0.1
_MAX_METER_SLOTS: Final = 50

Record = dict[str, Any]
Listener = Callable[[Record], None]


class Telemetry:
    """The last turns, counts and percentiles of one process. For its event loop only.

    `budgets` are seconds by stage. With `keep_text`, transcripts and replies are kept without a
    request for them, and given to clients on other machines too.
    """

    def __init__(
        self,
        name: str,
        budgets: Mapping[str, float] = DEFAULT_BUDGETS,
        *,
        keep_text: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.budgets = dict(budgets)
        self.counts: Counter[str] = Counter()
        self.waits: dict[str, deque[float]] = {}
        """Seconds waited, the last of each stage."""
        self.violations: Counter[str] = Counter()
        self.measured: Counter[str] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        """Jobs by stage and `done`, `cancelled` or `failed`."""
        self.sums: dict[tuple[str, str], float] = defaultdict(float)
        """Sums of the amounts that jobs have added, by stage and name."""
        self.state: dict[str, Callable[[], Any]] = {}
        """Functions that return a current value, by name: `ready`, `waiting`, `models`..."""
        self.listeners: list[Listener] = []
        """Called with each finished record; must return at once."""
        self._id = new_turn_id()
        self._clock = clock
        self._keep_text = keep_text
        self._text_until = 0.0
        self._records: deque[tuple[Record, Mapping[str, str]]] = deque(maxlen=_MAX_RECORDS)
        self._next = 0
        self._meters: dict[str, deque[tuple[int, float]]] = {}

    def begin(self, stage: str, turn_id: str = "") -> Span:
        """Begin `stage` of a turn; a block of `run` belongs to it and ends it."""
        return Span(stage, turn_id, self._clock) if stage else NO_SPAN

    @contextmanager
    def run(self, span: Span) -> Iterator[None]:
        """Trace the block as `span`; its error is noted and raised on."""
        if span is NO_SPAN:
            yield
            return
        try:
            with as_current(span):
                yield
        except ServiceError as err:
            span.note(failed=err.code)
            raise
        except ConnectionError:
            span.note(cancelled=True)
            raise
        except Exception:
            span.note(failed="internal")
            raise
        except BaseException:
            span.note(cancelled=True)
            raise
        finally:
            span.end()
            self.record(span.trace, span.texts, given=span.given)

    def record(
        self, trace: Trace, texts: Mapping[str, str] | None = None, *, given: bool = True
    ) -> None:
        """Take in a finished turn, or a finished stage of one.

        `given` is whether its id came from the program that began the turn, and joins it to others.
        """
        record = trace.as_dict()
        record |= {
            "source": self.name,
            "boot": boot_id(),
            "at": round(self._clock() - trace.now(), 6),
            "given": given,
        }
        for stage in trace.stages:
            self._count(stage)
        self._records.append((record, self._kept(texts or {})))
        self._next += 1
        for listener in self.listeners:
            listener(record)

    def count(self, name: str, amount: int = 1) -> None:
        """Count an event outside of turns: rejects, underruns, wake words."""
        self.counts[name] += amount

    def meter(self, name: str, value: float) -> None:
        """Keep the loudest `value` of each tenth of a second, for the last five seconds."""
        slot = int(self._clock() / _METER_SECONDS)
        slots = self._meters.setdefault(name, deque(maxlen=_MAX_METER_SLOTS))
        if slots and slots[-1][0] == slot:
            slots[-1] = (slot, max(slots[-1][1], value))
        else:
            slots.append((slot, value))

    def report(self, query: Mapping[str, Any], *, local: bool) -> dict[str, Any]:
        """Return the records since the last report, and the current state.

        `query` may hold `source` and `since` of the last report, for newer records only, and
        `text`, which is honoured for a `local` client.
        """
        if bool(query.get("text")) and local:
            self._text_until = self._clock() + _KEEP_TEXT_SECONDS
        since = query.get("since")
        known = query.get("source") == self._id and isinstance(since, int)
        first = self._next - len(self._records)
        begin = max(first, since) if known and isinstance(since, int) else first
        records = list(self._records)[begin - first :][:_MAX_REPORTED_RECORDS]
        show = self._keep_text or (local and bool(query.get("text")))
        end = begin + len(records)
        return {
            "source": self._id,
            "name": self.name,
            "host": platform.node(),
            "version": version("parley-voice"),
            "since": end,
            "more": end < self._next,
            "clock": {"boot": boot_id(), "monotonic": self._clock(), "wall": time.time()},
            "records": [
                {**record, "texts": dict(texts)} if show and texts else record
                for record, texts in records
            ],
            "stages": {stage: self.summary(stage) for stage in self.waits},
            "counts": dict(self.counts),
            "state": {name: read() for name, read in self.state.items()} | usage(),
            "text": "kept" if self._texts_wanted else "not kept",
            "meters": {
                name: [[slot * _METER_SECONDS, value] for slot, value in slots]
                for name, slots in self._meters.items()
            },
        }

    def summary(self, stage: str) -> dict[str, Any]:
        """Return percentiles of the last waits in milliseconds, and the budget's violations."""
        waits = sorted(self.waits.get(stage, ()))
        budget = self.budgets.get(stage)
        return {
            "count": self.measured[stage],
            "violations": self.violations[stage],
            "budget_ms": None if budget is None else round(budget * 1000, 1),
            **{
                f"p{part}_ms": round(percentile(waits, part / 100) * 1000, 1)
                for part in (50, 95, 99)
                if waits
            },
        }

    @property
    def _texts_wanted(self) -> bool:
        return self._keep_text or self._clock() < self._text_until

    def _kept(self, texts: Mapping[str, str]) -> Mapping[str, str]:
        if not self._texts_wanted:
            return {}
        return {name: text[:_MAX_TEXT_CHARACTERS] for name, text in texts.items()}

    def _count(self, stage: Stage) -> None:
        outcome = next((name for name in ("failed", "cancelled") if stage.facts.get(name)), "done")
        self.outcomes[stage.name, outcome] += 1
        for name in _SUMMED & stage.facts.keys():
            self.sums[stage.name, name] += stage.facts[name]
        if stage.wait is not None:
            self._judge(stage.name, stage.wait)

    def _judge(self, stage: str, wait: float) -> None:
        self.waits.setdefault(stage, deque(maxlen=_MAX_WAITS)).append(wait)
        self.measured[stage] += 1
        if wait > self.budgets.get(stage, inf):
            self.violations[stage] += 1


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return the value below which `part` (0-1) of `ordered` lies, interpolated linearly.

    This is method 7 of Hyndman and Fan (1996), the default of numpy and of spreadsheets.
    """
    position = (len(ordered) - 1) * part
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def parse_budgets(given: Sequence[str]) -> dict[str, float]:
    """Read `stage=milliseconds` into seconds by stage, above the defaults; 0 means no budget."""
    budgets = dict(DEFAULT_BUDGETS)
    for entry in given:
        stage, _, text = entry.partition("=")
        try:
            milliseconds = float(text)
        except ValueError:
            milliseconds = -1
        if not stage or not 0 <= milliseconds < 1e9:
            raise ConfigError(f"budget: expected STAGE=MILLISECONDS, e.g. llm=800; got '{entry}'")
        budgets[stage] = milliseconds / 1000
    return {stage: seconds for stage, seconds in budgets.items() if seconds}


def model_names(info: Info) -> list[str]:
    """Return the names of the installed models in an `info`, a few of each program."""
    found: list[tuple[str, Sequence[Artifact]]] = []
    found += [(program.name, program.models) for program in info.asr]
    found += [(program.name, program.models) for program in info.handle]
    found += [(program.name, program.voices) for program in info.tts]
    return [
        f"{name}: {artifact.name}"
        for name, artifacts in found
        for artifact in [one for one in artifacts if one.installed][:_MAX_MODELS]
    ]


def usage() -> dict[str, float]:
    """Return this process's CPU seconds since its start and its resident memory in MB."""
    times = os.times()
    return {"cpu_s": round(times.user + times.system, 2), "memory_mb": round(_resident_mb(), 1)}


def _resident_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@cache
def boot_id() -> str:
    """Return an id of this boot of the machine."""
    # Processes that read the same one share a monotonic clock, containers included.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return new_turn_id()
