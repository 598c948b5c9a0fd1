"""Diagnosis of measured rounds: the stage that is worth changing, and why. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from parley.benchmark.rounds import Round
from wyoming_common.telemetry.recorder import percentile

STAGES: Final = {
    "stt": "speech-to-text",
    "llm": "conversation",
    "tts": "text-to-speech",
    "turn": "whole turn",
}
_LARGE_FRACTION: Final = 0.3
"""Fraction of a wait above which its cause is worth naming."""
_MAX_FRACTION_BEYOND: Final = 0.01
"""Fraction of the waits that may exceed the budget."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stage over all rounds; times in seconds, None where the service records no turns."""

    stage: str
    waits: tuple[float, ...]
    budget: float | None
    model: float | None
    queue: float | None
    outside: float | None
    """Wait of the client outside the service: the network, and for text-to-speech also the time
    until the conversation service had sent enough text to synthesize."""
    facts: Mapping[str, float]

    @property
    def p50(self) -> float:
        return percentile(sorted(self.waits), 0.5)

    @property
    def p95(self) -> float:
        return percentile(sorted(self.waits), 0.95)

    @property
    def beyond(self) -> float:
        """Fraction of the waits that exceeded the budget."""
        if self.budget is None:
            return 0.0
        return sum(wait > self.budget for wait in self.waits) / len(self.waits)

    def within(self, seconds: float) -> float:
        """Fraction of the waits that were no longer than `seconds`."""
        return sum(wait <= seconds for wait in self.waits) / len(self.waits)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The stage to change first, whether it is too slow, and a change to try."""

    stage: str
    slow: bool
    reason: str
    advice: str


def make_rows(rounds: Sequence[Round], budgets: Mapping[str, float]) -> list[Row]:
    """Return one row a stage, the whole turn last."""
    rows = []
    for stage in STAGES:
        pairs = [
            (one.waits()[stage], one.service_records.get(stage))
            for one in rounds
            if stage in one.waits()
        ]
        if not pairs:
            continue
        recorded = [(wait, record) for wait, record in pairs if record is not None]
        rows.append(
            Row(
                stage,
                tuple(_own(stage, wait, record) for wait, record in pairs),
                budgets.get(stage),
                _median([_seconds(record, "model_ms") for _, record in recorded]),
                _median([_seconds(record, "queue_ms") for _, record in recorded]),
                _median([_outside(stage, wait, record) for wait, record in recorded]),
                _facts([record for _, record in recorded]),
            )
        )
    return rows


def judge(rows: Sequence[Row]) -> Verdict:
    """Return the stage that exceeds its budget most, or else the slowest one."""
    stages = [row for row in rows if row.stage != "turn"]
    beyond = [row for row in stages if row.budget and row.beyond > _MAX_FRACTION_BEYOND]
    if beyond:
        worst = max(beyond, key=lambda row: row.p95 / (row.budget or 1.0))
        reason = (
            f"{STAGES[worst.stage]} is beyond its budget of {_ms(worst.budget or 0.0)} in "
            f"{worst.beyond:.0%} of turns (half within {_ms(worst.p50)}, 95 % within "
            f"{_ms(worst.p95)})"
        )
        return Verdict(worst.stage, True, reason, advise(worst))
    longest = max(stages, key=lambda row: row.p50)
    reason = (
        f"every stage keeps within its budget; {STAGES[longest.stage]} takes longest "
        f"({_ms(longest.p50)})"
    )
    return Verdict(longest.stage, False, reason, advise(longest))


def advise(row: Row) -> str:
    """Return the first change to try for a stage, chosen by where its time goes."""
    wait = max(row.p50, 1e-9)
    if row.queue is not None and row.queue > _LARGE_FRACTION * wait:
        return f"its requests wait {_ms(row.queue)} for the model: see who else uses it"
    if row.stage == "llm" and row.outside is not None and row.outside > _LARGE_FRACTION * wait:
        return f"{_ms(row.outside)} of it pass outside the service: look at the network between"
    return _ADVICE[row.stage](row)


def _advise_stt(row: Row) -> str:
    if row.model is not None and row.model < _LARGE_FRACTION * row.p50:
        return (
            "most of it is the wait for the end of speech, not the model: try --endpointing, or "
            "a less patient setting of it"
        )
    return "try a smaller model (--model tiny.en), more --threads, or a GPU (--device cuda)"


def _advise_llm(row: Row) -> str:
    fresh = row.facts.get("prompt_tokens", 0.0) - row.facts.get("cached_tokens", 0.0)
    if fresh > 200:
        return (
            f"it reads {fresh:.0f} new words of prompt (tokens) before it answers: shorten the "
            "system prompt, or expose fewer entities"
        )
    return "try a smaller or more strongly quantised model, more --threads, or another server"


def _advise_tts(_: Row) -> str:
    return "try a voice of lower quality (low or x_low), more --threads, or a GPU"


_ADVICE: Final = {"stt": _advise_stt, "llm": _advise_llm, "tts": _advise_tts}


def _seconds(record: Mapping[str, Any], key: str) -> float | None:
    value = record.get(key)
    return value / 1000 if isinstance(value, int | float) else None


def _own(stage: str, wait: float, record: Mapping[str, Any] | None) -> float:
    """Return the wait that a stage causes: text-to-speech without its wait for text."""
    own = _seconds(record, "wait_ms") if stage == "tts" and record is not None else None
    return wait if own is None else own


def _outside(stage: str, wait: float, record: Mapping[str, Any]) -> float | None:
    """Return the client's wait minus the service's own, for stages that begin with a request.

    Speech-to-text begins with speech, and client and service date the end of speech differently.
    """
    own = _seconds(record, "wait_ms")
    return None if own is None or stage == "stt" else max(0.0, wait - own)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _facts(records: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    names = {
        key
        for record in records
        for key, value in record.items()
        if isinstance(value, int | float) and not key.endswith("_ms")
    }
    return {
        name: median([float(record.get(name, 0.0)) for record in records]) for name in sorted(names)
    }


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
