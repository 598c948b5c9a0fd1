"""Load of N satellites at once on one machine: whole turns.

    python -m bench.load_turns [--satellites 1,2,4,8,16,32] [--seconds 25] [--pause 1]

Starts speech-to-text, conversation and text-to-speech with their default models. Each satellite
says a question in real time, waits for the answer, which is streamed to the voice as it is
generated, and asks again after a pause of up to twice `--pause` seconds: far more often than people
do. The wait is from the end of speech to the first sound of the answer, at the client.
"""

import argparse
import asyncio
import random
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from bench.load import QUESTION, holds, started
from parley.benchmark.rounds import ServicesUnderTest, SpokenQuestion
from wyoming_common.audio.pcm import read_audio
from wyoming_common.errors import ServiceError
from wyoming_common.telemetry.recorder import percentile

_KINDS: Final = ("stt", "llm", "tts")
_STAGES: Final = ("turn", "stt", "llm", "tts")
_QUESTIONS: Final = (
    "What is a good book for a rainy day?",
    "How do I keep my plants alive in winter?",
    "Tell me something about the moon.",
    "What should I cook with potatoes and eggs?",
)


@dataclass
class Tally:
    """Waits and failures of the satellites."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    by_satellite: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


async def satellite(
    services: ServicesUnderTest, number: int, until: float, pause: float, tally: Tally
) -> None:
    """Ask again and again."""
    chance = random.Random(number)  # noqa: S311 - repeatable
    pcm, _ = read_audio(QUESTION)
    turn = number
    await asyncio.sleep(chance.uniform(0, 2))  # they were not bought on the same day
    while time.monotonic() < until:
        turn += 1
        question = f"{_QUESTIONS[turn % len(_QUESTIONS)]} I ask for the number {turn * 37}."
        try:
            done = await services.run(SpokenQuestion(pcm), question)
        except ServiceError as err:
            tally.failed[str(err)[:60]] += 1
            continue
        for stage, waited in done.waits().items():
            tally.waits.setdefault(stage, []).append(waited)
        tally.by_satellite[number] += 1
        await asyncio.sleep(chance.uniform(0, 2 * pause))


async def load(services: ServicesUnderTest, satellites: int, seconds: float, pause: float) -> str:
    """Return a row of the table: what `satellites` at once meet."""
    tally, began = Tally(), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(satellites):
            group.create_task(satellite(services, number, began + seconds, pause, tally))
    took = time.monotonic() - began
    turns = [tally.by_satellite[number] for number in range(satellites)]
    cells = " | ".join(_three(tally.waits.get(stage, [])) for stage in _STAGES)
    return (
        f"| {satellites} | {sum(turns) / took * 60:.0f} | {cells} "
        f"| {min(turns)} to {max(turns)} "
        f"| {sum(tally.failed.values())} {dict(tally.failed) or ''} |"
    )


def _three(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "-"
    return " / ".join(f"{percentile(ordered, part):.2f}" for part in (0.5, 0.95, 0.99))


async def run(
    services: ServicesUnderTest, pids: dict[str, int], options: argparse.Namespace
) -> None:
    """Print the table."""
    await services.describe()
    await load(services, 1, 5, 0)
    print(
        "| satellites | turns a minute | end of speech to first sound, p50 / p95 / p99 s "
        "| transcript | first words | their sound | turns of a satellite | failed |\n" + "|---" * 8
        + "|"
    )  # fmt: skip
    for satellites in options.satellites.split(","):
        row = await load(services, int(satellites), options.seconds, options.pause)
        print(row, flush=True)
    for kind, pid in pids.items():
        print(f"\n{kind}, memory MB | files | threads at the end: {holds(pid)}")


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--satellites", default="1,2,4,8,16,32")
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--pause", type=float, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        ran = {kind: stack.enter_context(started(kind)) for kind in _KINDS}
        services = ServicesUnderTest({kind: uri for kind, (uri, _) in ran.items()})
        asyncio.run(run(services, {kind: pid for kind, (_, pid) in ran.items()}, options))


if __name__ == "__main__":
    main()
