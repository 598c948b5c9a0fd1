"""Mouth to ear of whole turns, and the work that was begun ahead of the end of the turn.

    python -m bench.mouth_to_ear DATA --stt URI --llm URI --tts URI [--kind command] [--turns 20]
        [--json FILE]

Each recording is put to a standalone satellite of its own. The speakers are split into two halves
by a hash of their name; what is tuned on one half is measured on the other. Printed are the wait
from the last speech to the first sound, both read from the recordings, for each half and for each
kind of recording (most of `speech` are statements, which are given time to go on); in how many
turns transcript, reply and voice had been begun ahead, and the reasons of the others; and the
processor time of the three services beside the work that was thrown away.
"""

import argparse
import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from wyoming.client import AsyncClient
from wyoming.event import Event

from bench.questions import ANY, Turn, ask
from wyoming_common.telemetry.recorder import TRACE_QUERY, TRACE_REPORT, percentile

SERVICES: Final = ("stt", "llm", "tts")
Reports = Mapping[str, dict[str, Any]]
HALVES: Final = ("even", "odd")
_AHEAD: Final = {"stt": "decoded_at_pause", "llm": "rehearsed", "tts": "rehearsed"}
"""Fact of a stage's trace that says that its answer was begun ahead."""
_MAX_QUESTION_SECONDS: Final = 12.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A turn, and what its services say of it."""

    turn: Turn
    half: str
    kind: str = ""
    """Kind of the recording"""
    ahead: tuple[str, ...] = ()
    """Stages whose answer had been begun when the turn ended."""
    instant: bool = False
    """Whether the reply needed no model."""
    model_ms: float = 0.0
    """Work of the models in the turn."""


def half_of(speaker: str) -> str:
    """Return the half that a speaker belongs to."""
    return HALVES[hashlib.sha256(speaker.encode()).digest()[0] % 2]


def chosen(entries: Sequence[dict[str, Any]], kind: str, count: int) -> list[dict[str, Any]]:
    """Return `count` recordings of a kind, half of them of each half of the speakers."""
    usable = [
        entry for entry in entries
        if entry["kind"] == kind and 1.0 <= entry["seconds"] <= _MAX_QUESTION_SECONDS
        and entry.get("text")
    ]  # fmt: skip
    found = []
    for half in HALVES:
        ours = [entry for entry in usable if half_of(str(entry["speaker"])) == half]
        wanted = max(1, count // 2)
        found += ours[:: max(1, len(ours) // wanted)][:wanted]
    return found


async def report_of(uri: str) -> dict[str, Any]:
    """Return the times of a service's last turns."""
    async with AsyncClient.from_uri(uri) as client, asyncio.timeout(10):
        await client.write_event(Event(TRACE_QUERY))
        while (event := await client.read_event()) is not None:
            if event.type == TRACE_REPORT:
                return dict(event.data)
    raise ConnectionError(f"{uri} hung up")


def facts_of(report: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of the last turn in a service's report."""
    records = report["records"]
    return dict(records[-1]["stages"][-1]) if records else {}


def reasons(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a line on each stage: in how many turns it was begun ahead, and why not in others."""
    for stage in SERVICES:
        ahead = [one for one in outcomes if stage in one.ahead]
        other = Counter(_reason(stage, one) for one in outcomes if stage not in one.ahead)
        told = ", ".join(f"{count} {reason}" for reason, count in other.most_common())
        yield f"{stage} begun ahead in {len(ahead)} of {len(outcomes)} turns; others: {told or '-'}"


def _reason(stage: str, outcome: Outcome) -> str:
    if stage == "llm" and outcome.instant:
        return "without the model (instant or home)"
    if stage != "stt" and "stt" not in outcome.ahead:
        return "the last pause was decoded only after the end"
    if stage == "tts" and "llm" not in outcome.ahead and not outcome.instant:
        return "the reply had not been begun"
    return "no word of it was known before the end"


def summary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of the report."""
    answered = [one for one in outcomes if not one.turn.problem]
    kinds = sorted({one.kind for one in answered} - {""})
    for name in (*HALVES, *kinds, "all"):
        waits = sorted(one.turn.wait for one in answered if name in (one.half, one.kind, "all"))
        if waits:
            p50, p95 = (percentile(waits, part) for part in (0.5, 0.95))
            yield f"{name}: {len(waits)} turns, p50 {p50:.0f} ms, p95 {p95:.0f} ms"
    yield from reasons(answered)
    for one in outcomes:
        if one.turn.problem:
            yield f"not counted: {one.turn.name}: {one.turn.problem}"


def work(before: Reports, after: Reports) -> Iterator[str]:
    """Yield the lines on the processor time of the services between two reports."""
    used, thrown = 0.0, 0.0
    for name in SERVICES:
        seconds = after[name]["state"]["cpu_s"] - before[name]["state"]["cpu_s"]
        wasted = (_wasted_ms(after[name]) - _wasted_ms(before[name])) / 1000
        used, thrown = used + seconds, thrown + wasted
        yield f"{name}: {seconds:.1f} s of processor time; {wasted:.2f} s of work thrown away"
    yield f"thrown away: {thrown / max(used, 0.01):.0%}"


def _wasted_ms(report: dict[str, Any]) -> float:
    return float(report["counts"].get("wasted_ms", 0))


def measure(data: Path, uris: dict[str, str], kinds: Sequence[str], turns: int) -> list[Outcome]:
    """Put the recordings to the services, one after the other."""
    lines = (data / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    services = [f"--{name}={uri}" for name, uri in uris.items()]
    outcomes = []
    for kind in kinds:
        for entry in chosen(entries, kind, turns):
            turn = ask(data / entry["audio"], ANY, services)
            facts = {name: facts_of(asyncio.run(report_of(uri))) for name, uri in uris.items()}
            ahead = tuple(name for name in SERVICES if facts[name].get(_AHEAD[name]))
            worked = sum(one.get("model_ms") or 0.0 for one in facts.values())
            instant = "tokens" not in facts["llm"]
            half = half_of(str(entry["speaker"]))
            outcomes.append(Outcome(turn, half, kind, ahead, instant, worked))
            print(f"{entry['audio']}: {turn.problem or f'{turn.wait:.0f} ms'} {' '.join(ahead)}")
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    for name in SERVICES:
        parser.add_argument(f"--{name}", required=True, help="tcp://HOST:PORT of the service")
    parser.add_argument("--kind", nargs="+", default=["command", "speech"])
    parser.add_argument("--turns", type=int, default=20, help="of each kind")
    parser.add_argument("--json", type=Path, help="write the turns to this file")
    arguments = parser.parse_args()
    uris = {name: getattr(arguments, name) for name in SERVICES}
    before = {name: asyncio.run(report_of(uri)) for name, uri in uris.items()}
    outcomes = measure(arguments.data, uris, arguments.kind, arguments.turns)
    after = {name: asyncio.run(report_of(uri)) for name, uri in uris.items()}
    for line in (*summary(outcomes), *work(before, after)):
        print(line)
    if arguments.json is not None:
        rows = [json.dumps(asdict(one)) + "\n" for one in outcomes]
        arguments.json.write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
