"""Does a service grow for ever? What it holds after many requests, no two of them alike.

    python -m bench.growth stt|tts|llm [--requests 1000] [--rows 10] [--seed 1]

Starts the service with its default model, and asks two requests at a time as fast as it answers.
Text is of one to sixty words, numbers, dates and signs among them; one of ten is a long one.
A cache grows to its bound and stays there; a leak goes on: the last line says what the second
half of the requests added.
"""

import argparse
import asyncio
import random
from typing import Final

from wyoming.event import Event

from bench.load import ask, holds, request, started

_WORDS: Final = tuple(
    "light kitchen rain timer door music heating clock garden oven window bedroom tomorrow "  # noqa: SIM905
    "evening quarter minutes degrees playing opened closed turned brighter colder umbrella "
    "station reminder shopping message calendar neighbour vacuum thermostat humidity of the a in "
    "to and on is it was for with at by not".split()
)
_AT_ONCE: Final = 2


def text(rng: random.Random, most_words: int = 60) -> str:
    """Return something that was never said before."""
    words = []
    for _ in range(rng.choice([1, 3, 6, 9, 14, 25, most_words])):
        kind = rng.random()
        if kind < 0.06:
            words.append(rng.choice(["{:,}", "{} %", "${}.50", "{}:30", "12/{}/2031"]).format(
                rng.randrange(1, 100_000 if kind < 0.01 else 12)))  # fmt: skip
        else:
            words.append(rng.choice(_WORDS))
        if rng.random() < 0.12:
            words[-1] += rng.choice([".", ",", "?", "!", ";"])
    return " ".join(words).capitalize() + "."


def asked(kind: str, rng: random.Random, number: int) -> list[Event]:
    """Return the events of one request."""
    if kind == "stt":
        return request(kind, number)
    if kind == "tts":
        return [Event("synthesize", {"text": text(rng, 200 if number % 10 == 0 else 60)})]
    context = {"conversation_id": f"room {number % 500}"}
    return [Event("transcript", {"text": text(rng, 40), "context": context})]


async def grow(uri: str, kind: str, pid: int, requests: int, rows: int, seed: int) -> None:
    """Ask, and print rows."""
    rng, done, failed = random.Random(seed), 0, 0  # noqa: S311 - repeatable
    memory: list[tuple[int, float]] = []

    async def one() -> None:
        nonlocal done, failed
        while done < requests:
            done += 1
            answer = await ask(uri, asked(kind, rng, done))
            failed += answer.type in ("error", "not-handled")

    def row() -> None:
        held = holds(pid)
        memory.append((done, float(held.split(" | ")[0])))
        print(f"| {done} | {failed} | {held} |", flush=True)

    print("| requests | failed | resident MB | files | threads |\n|---|---|---|---|---|")
    row()
    asking = [asyncio.create_task(one()) for _ in range(_AT_ONCE)]
    while any(not task.done() for task in asking):
        await asyncio.sleep(0.1)
        if done >= len(memory) * requests // rows:
            row()
    await asyncio.gather(*asking)
    row()
    half = next(entry for entry in memory if entry[0] >= requests // 2)
    print(f"\n{kind}: {memory[-1][1] - half[1]:+.0f} MB in the last {done - half[0]} requests")


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["stt", "tts", "llm"])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options, flags = parser.parse_known_args()
    with started(options.kind, *flags) as (uri, pid):
        asyncio.run(grow(uri, options.kind, pid, options.requests, options.rows, options.seed))


if __name__ == "__main__":
    main()
