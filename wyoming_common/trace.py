"""When each stage of a turn began, gave its first output, and ended."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Stage:
    """Times are seconds since the turn's zero; None where that has not happened."""

    name: str
    start: float
    first: float | None = None
    end: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the stage with times in milliseconds, for JSON."""
        return {
            "stage": self.name,
            "start_ms": _ms(self.start),
            "first_ms": _ms(self.first),
            "end_ms": _ms(self.end),
            **self.facts,
        }


class Trace:
    """One turn. A stage is begun, may give a first output, and ends; each is stamped once."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        turn_id: str = "",
        zero: float | None = None,
    ) -> None:
        """`zero` is the clock's time at the turn's zero, when that is not this instant."""
        self.id = turn_id or uuid.uuid4().hex[:16]
        self._clock = clock
        self._zero = clock() if zero is None else zero
        self._stages: dict[str, Stage] = {}

    def now(self) -> float:
        """Return seconds since the turn's zero."""
        return self._clock() - self._zero

    def begin(self, stage: str, at: float | None = None, **facts: Any) -> None:
        """Begin `stage` now, or `at` seconds since zero."""
        start = self.now() if at is None else at
        self._stages.setdefault(stage, Stage(stage, start)).facts.update(facts)

    def first(self, stage: str, **facts: Any) -> None:
        """Stamp the first output of `stage`; later calls change nothing but the facts."""
        entry = self._stages[stage]
        if entry.first is None:
            entry.first = self.now()
        entry.facts.update(facts)

    def end(self, stage: str, at: float | None = None, **facts: Any) -> None:
        """End `stage`, which may be one that never began."""
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


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
