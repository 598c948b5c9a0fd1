"""`parley bench`: measure the wait for each stage of a turn on this machine."""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from parley.benchmark.rounds import KINDS, Round, ServicesUnderTest, SpokenQuestion
from parley.benchmark.verdict import STAGES, Row, Verdict, judge, make_rows
from parley.cli.probe import QUESTION
from wyoming_common.audio.pcm import read_audio
from wyoming_common.discovery.zeroconf import Watcher
from wyoming_common.errors import Unavailable
from wyoming_common.telemetry.recorder import model_names, parse_budgets

_WARM_UP_ROUNDS = 1
"""Rounds that are not counted: the first request of a process loads shared resources."""
_FIND_SECONDS = 5.0
_BAR_SECONDS = (0.5, 0.8)
"""Seconds below which an answer feels immediate, and below which it feels quick."""
_MIN_ROUNDS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for service in KINDS:
        parser.add_argument(f"--{service}", metavar="URI", help="default: found by zeroconf")
    parser.add_argument(
        "--question",
        type=Path,
        action="append",
        metavar="FILE",
        help="a recorded question; repeatable, used in turn (default: the shipped one)",
    )
    parser.add_argument(
        "--seconds", type=float, default=100.0, help="longest time to measure, in seconds (100)"
    )
    parser.add_argument("--rounds", type=int, default=20, help="largest number of turns (20)")
    parser.add_argument(
        "--budget",
        action="append",
        default=[],
        metavar="STAGE=MS",
        help="longest acceptable wait for stt, llm, tts or turn, in ms; repeatable",
    )
    parser.add_argument("--json", action="store_true", help="one JSON line instead of a table")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    budgets = parse_budgets(arguments.budget)
    speeches = [SpokenQuestion(read_audio(path)[0]) for path in arguments.question or [QUESTION]]
    services, rounds = asyncio.run(_measure(arguments, speeches))
    rows = make_rows(rounds, budgets)
    verdict = judge(rows)
    if arguments.json:
        print(json.dumps(_as_dict(services, rounds, rows, verdict), ensure_ascii=False))
    else:
        _show(services, rounds, rows, verdict)
    return 0


async def _measure(
    arguments: argparse.Namespace, speeches: Sequence[SpokenQuestion]
) -> tuple[ServicesUnderTest, list[Round]]:
    services = ServicesUnderTest(await _find({kind: getattr(arguments, kind) for kind in KINDS}))
    await services.describe()
    rounds: list[Round] = []
    begun = time.monotonic()
    for number in range(_WARM_UP_ROUNDS + arguments.rounds):
        late = time.monotonic() - begun > arguments.seconds
        if late and len(rounds) >= _MIN_ROUNDS + _WARM_UP_ROUNDS:
            break
        rounds.append(await services.run(speeches[number % len(speeches)], _question()))
        if sys.stderr.isatty():
            sys.stderr.write(f"\rTurn {number + 1}")
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    counted = rounds[_WARM_UP_ROUNDS:]
    await services.collect(counted)
    return services, counted


async def _find(given: dict[str, str | None]) -> dict[str, str]:
    found = {kind: uri for kind, uri in given.items() if uri}
    if len(found) == len(given):
        return found
    async with Watcher() as watcher:
        missing = [kind for kind in given if kind not in found]
        await watcher.wait_for([KINDS[kind] for kind in missing], _FIND_SECONDS)
        for kind in missing:
            services = watcher.of(KINDS[kind])
            if not services:
                raise Unavailable(
                    f"Found no {STAGES[kind]} on the network within {_FIND_SECONDS:g} s; start "
                    f"one, e.g. with `parley run`, or give its address: --{kind} tcp://HOST:PORT"
                )
            found[kind] = services[0].uri
    return {kind: found[kind] for kind in given}


def _question() -> str:
    """Return a random question, so that no service can answer from a cache."""
    chance = random.Random()  # noqa: S311 - variety, not secrecy
    thing = chance.choice(("apples", "candles", "chairs", "letters", "stones", "tickets"))
    first, second = chance.randint(12, 99), chance.randint(12, 99)
    return f"I have {first} {thing} and get {second} more. How many {thing} do I have?"


def _as_dict(
    services: ServicesUnderTest, rounds: Sequence[Round], rows: Sequence[Row], verdict: Verdict
) -> dict[str, object]:
    return {
        "rounds": len(rounds),
        "models": {kind: model_names(info) for kind, info in services.infos.items()},
        "stages": [
            {
                "stage": row.stage,
                "waits_ms": [round(wait * 1000, 1) for wait in row.waits],
                "p50_ms": round(row.p50 * 1000, 1),
                "p95_ms": round(row.p95 * 1000, 1),
                "budget_ms": None if row.budget is None else round(row.budget * 1000, 1),
                "beyond": round(row.beyond, 3),
                **{
                    f"within_{bar * 1000:.0f}_ms": round(row.within(bar), 3) for bar in _BAR_SECONDS
                },
                "model_ms": _rounded(row.model),
                "queue_ms": _rounded(row.queue),
                "outside_ms": _rounded(row.outside),
                "facts": dict(row.facts),
            }
            for row in rows
        ],
        "change": verdict.stage,
        "slow": verdict.slow,
        "reason": verdict.reason,
        "advice": verdict.advice,
    }


def _show(
    services: ServicesUnderTest, rounds: Sequence[Round], rows: Sequence[Row], verdict: Verdict
) -> None:
    console = Console()
    for kind, info in services.infos.items():
        names = ", ".join(model_names(info)[:3]) or "model not named"
        console.print(f"{STAGES[kind]:15} {services.uris[kind]}  {names}", highlight=False)
    table = Table(title=f"{len(rounds)} turns: wait in milliseconds")
    table.caption = "outside: network; for text-to-speech also the wait for text"
    table.add_column("stage", no_wrap=True)
    columns = ("median", "95 %", "budget", "over", "model", "queue", "outside")
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            STAGES[row.stage],
            f"{row.p50 * 1000:.0f}",
            f"{row.p95 * 1000:.0f}",
            _cell(row.budget),
            "" if row.budget is None else f"{row.beyond:.0%}",
            *(_cell(value) for value in (row.model, row.queue, row.outside)),
            style="red" if row.stage == verdict.stage and verdict.slow else "",
        )
    console.print(table)
    turn = next((row for row in rows if row.stage == "turn"), None)
    if turn is not None:
        shares = ", ".join(
            f"{turn.within(bar):.0%} within {bar * 1000:.0f} ms" for bar in _BAR_SECONDS
        )
        console.print(f"Of all turns, from the last word to the first sound: {shares}.")
    begin = "Change this: " if verdict.slow else "Within budget: "
    console.print(f"[bold]{begin}[/]{verdict.reason}.", highlight=False)
    hint = "Try this" if verdict.slow else "To make it shorter still"
    console.print(f"{hint}: {verdict.advice}.", highlight=False)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _cell(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.0f}"
