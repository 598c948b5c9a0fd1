"""Turn history: the records of all processes, joined into turns."""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from wyoming_common.telemetry.recorder import percentile

MAX_TURNS: Final = 10_000
MAX_BYTES: Final = 64_000_000
"""Size of all records; a source on the network may send anything."""
_MAX_RECORD_BYTES: Final = 64_000
_MAX_RECORDS_PER_TURN: Final = 64
_MAX_SERIES: Final = 256
"""Pairs of stage and source whose waits are kept."""
_MAX_GAP_SECONDS: Final = 3.0
"""Longest time between two stages of one turn, where no id joins them."""
_ORDER: Final = {"stt": 0, "llm": 1, "tts": 2}
_MAX_POINTS: Final = 240
_MIN_WINDOW_WAITS: Final = 20
_MAX_OPEN_TURNS: Final = 50
"""Latest turns that a record may still join."""


@dataclass(slots=True)
class RecordedTurn:
    """One turn; `begin` and `end` are seconds of our monotonic clock."""

    id: str
    number: int
    begin: float
    end: float
    given: bool
    stages: dict[str, float] = field(default_factory=dict)
    """Begin of each stage, by name, in seconds of our monotonic clock."""
    records: list[bytes] = field(default_factory=list)
    """Records as JSON, which takes a tenth of the memory of the objects."""
    revision: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the turn with its records, times in milliseconds since its beginning."""
        records = [json.loads(record) for record in self.records]
        for record in records:
            record["offset_ms"] = round((record.pop("at") - self.begin) * 1000, 1)
        return {
            "id": self.id,
            "total_ms": total_ms(records),
            "number": self.number,
            "joined": "id" if self.given else "time",
            "records": sorted(records, key=lambda record: record["offset_ms"]),
        }


class TurnHistory:
    """The latest turns in order, and the waits of each stage at each source."""

    def __init__(self, max_turns: int = MAX_TURNS, max_bytes: int = MAX_BYTES) -> None:
        self._turns: deque[RecordedTurn] = deque(maxlen=max_turns)
        self._by_id: dict[str, RecordedTurn] = {}
        self._waits: dict[tuple[str, str], deque[tuple[float, float]]] = {}
        self._max_turns = max_turns
        self._max_bytes = max_bytes
        self._number = 0
        self._bytes = 0
        self._series: list[dict[str, Any]] = []
        self._series_of = -1
        self.revision = 0
        """Number of records so far."""

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, record: dict[str, Any], at: float, error: float = 0.0) -> None:
        """Add a record that began at `at`, in seconds of our clock, plus or minus `error`."""
        stages = record["stages"]
        stored = {**record, "at": at, "clock_error_ms": round(error * 1000, 2)}
        content = json.dumps(stored, separators=(",", ":")).encode()
        if len(content) > _MAX_RECORD_BYTES:
            return
        times = [0.0, *(stage["end_ms"] or stage["start_ms"] or 0.0 for stage in stages)]
        begin = at + min((stage["start_ms"] or 0.0 for stage in stages), default=0.0) / 1000
        end = at + max(times) / 1000
        given = bool(record.get("given"))
        turn = self._find(record, begin, end)
        if turn is None:
            turn = self._open(record["turn"], begin, end, given=given)
        elif given and not turn.given:
            self._rename(turn, record["turn"])
        self.revision += 1
        turn.revision = self.revision
        turn.begin, turn.end = min(turn.begin, begin), max(turn.end, end)
        turn.stages |= {stage["stage"]: begin for stage in stages}
        if len(turn.records) < _MAX_RECORDS_PER_TURN:
            turn.records.append(content)
            self._bytes += len(content)
        while self._bytes > self._max_bytes:
            self._drop_oldest()
        for stage in stages:
            if stage.get("wait_ms") is not None and not stage.get("failed"):
                self._wait(stage["stage"], record["source"], at, stage["wait_ms"])

    def turns(self, before: int | None, limit: int) -> list[dict[str, Any]]:
        """Return up to `limit` turns before number `before`, the latest first."""
        chosen: list[RecordedTurn] = []
        for turn in reversed(self._turns):
            if len(chosen) == limit:
                break
            if before is None or turn.number < before:
                chosen.append(turn)
        return [turn.as_dict() for turn in chosen]

    def changed(self, revision: int, limit: int) -> list[dict[str, Any]]:
        """Return the turns among the latest `limit` that changed after `revision`."""
        latest = islice(reversed(self._turns), limit)
        return [turn.as_dict() for turn in latest if turn.revision > revision]

    def began(self, number: int) -> float | None:
        """Return the begin of a turn in seconds of our clock, or None for an unknown number."""
        index = number - self._turns[0].number if self._turns else -1
        return self._turns[index].begin if 0 <= index < len(self._turns) else None

    def series(self) -> list[dict[str, Any]]:
        """Return the percentiles of the stored waits for each stage and source."""
        if self._series_of == self.revision:
            return self._series
        found = []
        for (stage, source), waits in self._waits.items():
            ordered = sorted(wait for _, wait in waits)
            found.append({"stage": stage, "source": source, **_percentiles(ordered)})
        self._series = sorted(found, key=lambda entry: (_rank(entry["stage"]), entry["source"]))
        self._series_of = self.revision
        return self._series

    def over_time(self, stage: str, source: str) -> list[dict[str, Any]]:
        """Return the waits of a stage over time, in at most 240 points.

        A point holds its time, the longest wait since the previous point, and percentiles over
        the last 20 waits, or over a fiftieth of all waits where that is more.
        """
        waits = sorted(self._waits.get((stage, source), ()))
        stride = max(1, -(-len(waits) // _MAX_POINTS))
        window = max(_MIN_WINDOW_WAITS, len(waits) // 50)
        points = []
        for last in range(len(waits) - 1, -1, -stride):
            recent = sorted(wait for _, wait in waits[max(0, last + 1 - window) : last + 1])
            longest = max(wait for _, wait in waits[max(0, last + 1 - stride) : last + 1])
            points.append({"at": waits[last][0], "wait": longest, **_percentiles(recent)})
        return points[::-1]

    def _find(self, record: dict[str, Any], begin: float, end: float) -> RecordedTurn | None:
        turn = self._by_id.get(record["turn"])
        if turn is not None:
            return turn
        names = {stage["stage"] for stage in record["stages"]}
        whole = bool(names & {"turn", "listening"})
        if record.get("given") and not whole:
            return None
        candidates = islice(reversed(self._turns), _MAX_OPEN_TURNS)
        return next(
            (turn for turn in candidates if _fits(turn, names, begin, end, whole=whole)), None
        )

    def _open(self, turn_id: str, begin: float, end: float, *, given: bool) -> RecordedTurn:
        if len(self._turns) == self._max_turns:
            self._drop_oldest()
        turn = RecordedTurn(turn_id, self._number, begin, end, given)
        self._number += 1
        self._turns.append(turn)
        self._by_id[turn_id] = turn
        return turn

    def _drop_oldest(self) -> None:
        oldest = self._turns.popleft()
        self._by_id.pop(oldest.id, None)
        self._bytes -= sum(map(len, oldest.records))

    def _rename(self, turn: RecordedTurn, turn_id: str) -> None:
        self._by_id.pop(turn.id, None)
        turn.id = turn_id
        self._by_id[turn_id] = turn

    def _wait(self, stage: str, source: str, at: float, wait: float) -> None:
        if (stage, source) in self._waits or len(self._waits) < _MAX_SERIES:
            waits = self._waits.setdefault((stage, source), deque(maxlen=self._max_turns))
            waits.append((at, wait))


def _fits(turn: RecordedTurn, names: set[str], begin: float, end: float, *, whole: bool) -> bool:
    """Return whether a record without a shared id may belong to `turn`, by its times."""
    if turn.stages.keys() & names:
        return False
    if whole:
        # The satellite's record spans the turn from end to end, so earlier stages lie inside it.
        return not turn.given and begin <= turn.begin and turn.end <= end + _MAX_GAP_SECONDS
    if "turn" in turn.stages:
        return turn.begin <= begin and end <= turn.end + _MAX_GAP_SECONDS
    rank = min(map(_rank, names), default=0)
    in_order = all(
        (other <= begin) if _rank(name) < rank else (begin <= other)
        for name, other in turn.stages.items()
    )
    return (
        in_order and begin <= turn.end + _MAX_GAP_SECONDS and turn.begin <= end + _MAX_GAP_SECONDS
    )


def _rank(stage: str) -> int:
    return _ORDER.get(stage, len(_ORDER))


def _percentiles(ordered: list[float]) -> dict[str, Any]:
    return {
        "count": len(ordered),
        **{f"p{part}": round(percentile(ordered, part / 100), 1) for part in (50, 95, 99)},
    }


def total_ms(records: Iterable[dict[str, Any]]) -> float | None:
    """Return the wait of the user in a turn, measured by the satellite or else by the services."""
    stages = {
        stage["stage"]: (record["offset_ms"], stage)
        for record in records
        for stage in record["stages"]
    }
    if "turn" in stages:
        wait = stages["turn"][1].get("wait_ms")
        return None if wait is None else float(wait)
    if not {"stt", "tts"} <= stages.keys():
        return None
    stt_offset, stt = stages["stt"]
    tts_offset, tts = stages["tts"]
    first = tts.get("first_ms")
    if first is None:
        return None
    ready = stt.get("ready_ms", stt["start_ms"])
    total: float = tts_offset + float(first) - stt_offset - float(ready)
    return round(total, 1)
