"""Trace of a turn: the start, the first output and the end of each of its stages.

One id names a turn in every process that works for it: it travels in the `context` of Wyoming
events as `turn_id`. Times are read from the monotonic clock, which no change of the date moves.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

TURN_ID = "turn_id"
"""The key of the turn's id in the `context` of an event."""
_ID_LENGTH = 64

_MEASURED_TO_END = frozenset({"stt"})
"""Stages whose answer is their end; the answer of the others is their first output."""


def new_turn_id() -> str:
    """Return an id that no other turn has."""
    return uuid.uuid4().hex[:16]


def turn_id_of(data: Mapping[str, Any]) -> str:
    """Return the turn's id in the data of a Wyoming event, "" if it has none."""
    context = data.get("context")
    value = context.get(TURN_ID) if isinstance(context, Mapping) else None
    return value[:_ID_LENGTH] if isinstance(value, str) else ""


@dataclass(slots=True)
class Stage:
    """Times are seconds since the turn's zero; None where that has not happened."""

    name: str
    start: float
    ready: float | None = None
    """Time at which all input of the stage was there; its start unless it is stamped."""
    first: float | None = None
    end: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def wait(self) -> float | None:
        """Seconds a person waited for this stage: from `ready` to its answer.

        None where there was no answer: a stage that failed, or was cancelled before it.
        """
        to_end = self.name in _MEASURED_TO_END
        answer = self.end if to_end else self.first
        given_up = self.facts.get("failed") or (to_end and self.facts.get("cancelled"))
        if answer is None or given_up:
            return None
        return max(0.0, answer - (self.start if self.ready is None else self.ready))

    def as_dict(self) -> dict[str, Any]:
        """Return the stage with times in milliseconds, for JSON."""
        times = {
            "stage": self.name,
            "start_ms": _ms(self.start),
            "first_ms": _ms(self.first),
            "end_ms": _ms(self.end),
            "wait_ms": _ms(self.wait),
        }
        if self.ready is not None:
            times["ready_ms"] = _ms(self.ready)
        return {**times, **self.facts}


class Trace:
    """One turn. A stage is begun, may give a first output, and ends; each is stamped once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, turn_id: str = "") -> None:
        self.id = turn_id or new_turn_id()
        self.clock = clock
        self.zero = clock()
        """The clock's reading at the turn's zero, in seconds."""
        self._stages: dict[str, Stage] = {}

    def now(self) -> float:
        """Return seconds since the turn's zero."""
        return self.clock() - self.zero

    def begin(self, stage: str, at: float | None = None, **facts: Any) -> None:
        """Begin `stage` now, or `at` seconds since zero."""
        start = self.now() if at is None else at
        self._stages.setdefault(stage, Stage(stage, start)).facts.update(facts)

    def ready(self, stage: str, at: float | None = None) -> None:
        """Stamp the time at which all input of `stage` was there; a later stamp replaces it.

        Does nothing for a stage that never began, like `first` and `end`.
        """
        entry = self._stages.get(stage)
        if entry is not None:
            entry.ready = self.now() if at is None else at

    def first(self, stage: str, at: float | None = None, **facts: Any) -> None:
        """Stamp the first output of `stage`; later calls change nothing but the facts."""
        entry = self._stages.get(stage)
        if entry is None:
            return
        if entry.first is None:
            entry.first = self.now() if at is None else at
        entry.facts.update(facts)

    def end(self, stage: str, at: float | None = None, **facts: Any) -> None:
        """End `stage`."""
        entry = self._stages.get(stage)
        if entry is None:
            return
        if entry.end is None:
            entry.end = self.now() if at is None else at
        entry.facts.update(facts)

    @property
    def stages(self) -> list[Stage]:
        """The stages in order of their start."""
        return sorted(self._stages.values(), key=lambda stage: stage.start)

    def as_dict(self) -> dict[str, Any]:
        """Return the turn for a JSON line, times in milliseconds since its zero."""
        return {"turn": self.id, "stages": [stage.as_dict() for stage in self.stages]}


class Span:
    """One stage of one turn, as the process that does it sees it.

    `queue_ms` is the time its work waited for the model, `model_ms` the time the model worked.
    `add` sums amounts, `note` sets facts.
    """

    def __init__(
        self, stage: str, turn_id: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stage = stage
        self.given = bool(turn_id)
        """Whether the id came from the program that began the turn, and joins this to others."""
        self.trace = Trace(clock, turn_id)
        self.texts: dict[str, str] = {}
        """Transcript or reply of this stage; kept only if a person asked to see it."""
        self.is_ready = False
        self._queue = 0.0
        self._model = 0.0
        self._sums: dict[str, float] = {}
        self.trace.begin(stage)

    def ready(self, at: float | None = None) -> None:
        """Stamp that all input of the stage is there, such as the end of speech of an utterance.

        `at` is a reading of the clock, for a time that becomes known only later.
        """
        self.is_ready = True
        self.trace.ready(self.stage, None if at is None else at - self.trace.zero)

    def first(self) -> None:
        """Stamp the first output."""
        self.trace.first(self.stage)

    def add(self, **amounts: float) -> None:
        """Add to sums: tokens, seconds of audio, cache hits."""
        for name, amount in amounts.items():
            self._sums[name] = self._sums.get(name, 0) + amount

    def note(self, **facts: Any) -> None:
        """Set facts, such as `model="tiny.en"` or `cancelled=True`."""
        self.trace.begin(self.stage, **facts)

    def quote(self, **texts: str) -> None:
        """Set texts of this stage, such as `heard="..."`."""
        self.texts.update(texts)

    def end(self) -> None:
        """Stamp the end."""
        sums = {name: round(amount, 3) for name, amount in self._sums.items()}
        self.trace.end(self.stage, queue_ms=_ms(self._queue), model_ms=_ms(self._model), **sums)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time of the block as time in the queue."""
        asked = self.trace.clock()
        try:
            yield
        finally:
            self._queue += self.trace.clock() - asked

    def timed(self, func: Callable[P, T]) -> Callable[P, T]:
        """Return `func`, counting the time until it runs as queue and while it runs as model."""
        clock = self.trace.clock
        asked = clock()

        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            began = clock()
            self._queue += began - asked
            try:
                return func(*args, **kwargs)
            finally:
                self._model += clock() - began

        return run


class NoSpan(Span):
    """Null object for work that is not traced."""

    def __init__(self) -> None:
        super().__init__("", "none", lambda: 0.0)

    def ready(self, at: float | None = None) -> None:
        pass

    def first(self) -> None:
        pass

    def add(self, **amounts: float) -> None:
        pass

    def note(self, **facts: Any) -> None:
        pass

    def quote(self, **texts: str) -> None:
        pass

    def end(self) -> None:
        pass

    def timed(self, func: Callable[P, T]) -> Callable[P, T]:
        return func


NO_SPAN = NoSpan()
_CURRENT: ContextVar[Span] = ContextVar("span", default=NO_SPAN)


def current_span() -> Span:
    """Return the span of the job that runs, NO_SPAN where none is traced."""
    return _CURRENT.get()


@contextmanager
def as_current(span: Span) -> Iterator[None]:
    """Make `span` that of everything the block awaits and starts."""
    token = _CURRENT.set(span)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
