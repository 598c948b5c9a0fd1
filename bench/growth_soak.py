"""Soak test of one service: its resources after many requests, no two of them alike.

    python -m bench.growth_soak stt|tts|llm [--requests 1000] [--rows 10] [--seed 1]

Starts the service with its default model, and asks two requests at a time as fast as it answers.
Text is of one to sixty words, numbers, dates and signs among them; one of ten is as long as it
gets, and often a single sentence.
Speech is from half a second to half a minute, some of it noise or silence.
A cache grows to its bound and stays there; a leak goes on: the table at the end tells them apart
(bench/leak_check.py says how). Exits with 1 where something grows.
"""

import argparse
import asyncio
import random
import sys
import time
from typing import Final

from wyoming.event import Event

from bench.leak_check import History, table
from bench.load import QUESTION, ask, started
from wyoming_common.audio.pcm import read_audio

_WORDS: Final = tuple(
    "light kitchen rain timer door music heating clock garden oven window bedroom tomorrow "  # noqa: SIM905
    "evening quarter minutes degrees playing opened closed turned brighter colder umbrella "
    "station reminder shopping message calendar neighbour vacuum thermostat humidity of the a in "
    "to and on is it was for with at by not".split()
)
_AT_ONCE: Final = 2
_SAMPLES: Final = 200
_RATE: Final = 16_000
_CHUNK: Final = 3200


def text(rng: random.Random, count: int = 0) -> str:
    """Return something that was never said before, of `count` words or any number of them."""
    words = []
    ends = 0.12 if rng.random() < 0.8 else 0.0
    for _ in range(count or rng.choice([1, 3, 6, 9, 14, 25, 60])):
        kind = rng.random()
        if kind < 0.06:
            words.append(rng.choice(["{:,}", "{} %", "${}.50", "{}:30", "12/{}/2031"]).format(
                rng.randrange(1, 100_000 if kind < 0.01 else 12)))  # fmt: skip
        else:
            words.append(rng.choice(_WORDS))
        if rng.random() < ends:
            words[-1] += rng.choice([".", ",", "?", "!", ";"])
    return " ".join(words).capitalize() + "."


def asked(kind: str, rng: random.Random, number: int) -> list[Event]:
    """Return the events of one request."""
    if kind == "stt":
        return _speech(_sound(rng, number))
    if kind == "tts":
        return [Event("synthesize", {"text": text(rng, 200 if number % 10 == 0 else 0)})]
    context = {"conversation_id": f"room {number % 500}"}
    return [Event("transcript", {"text": text(rng), "context": context})]


def _sound(rng: random.Random, number: int) -> bytes:
    """Return 16-bit samples: the question once or often, cut anywhere; noise; silence."""
    question, _ = read_audio(QUESTION)
    seconds = 30 if number % 20 == 0 else rng.choice([0.5, 1, 2, 3, 5, 8])
    size = int(seconds * _RATE) * 2
    match rng.randrange(8):
        case 0:
            return bytes(size)
        case 1:
            return rng.randbytes(size)
        case _:
            pause = bytes(int(rng.uniform(0, 0.2) * _RATE) * 2)
            return ((question + pause) * (size // len(question) + 1))[:size]


def _speech(pcm: bytes) -> list[Event]:
    form = {"rate": _RATE, "width": 2, "channels": 1}
    parts = [pcm[at : at + _CHUNK] for at in range(0, len(pcm), _CHUNK)]
    return [
        Event("transcribe", {"language": "en"}),
        Event("audio-start", form),
        *(Event("audio-chunk", form, part) for part in parts),
        Event("audio-stop"),
    ]


async def grow(history: History, uri: str, kind: str, options: argparse.Namespace) -> bool:
    """Ask, and print rows and the table; returns whether all was flat."""
    rng, began = random.Random(options.seed), time.monotonic()  # noqa: S311 - repeatable
    begun = done = failed = samples = rows = 0

    async def one() -> None:
        nonlocal begun, done, failed
        while begun < options.requests:
            begun += 1
            answer = await ask(uri, asked(kind, rng, begun))
            done += 1
            failed += answer.type in ("error", "not-handled")

    print("| requests | failed | MB / files / threads / tasks |\n|---|---|---|")
    asking = [asyncio.create_task(one()) for _ in range(_AT_ONCE)]
    while any(not task.done() for task in asking):
        if done >= samples * options.requests / _SAMPLES:
            samples += 1
            held = await history.sample(time.monotonic() - began, done)
            if done >= rows * options.requests / options.rows:
                rows += 1
                print(f"| {done} | {failed} | {held} |", flush=True)
        await asyncio.sleep(0.02)
    await asyncio.gather(*asking)
    said, flat = table([history])
    print(f"| {done} | {failed} | {await history.sample(time.monotonic() - began, done)} |")
    print(f"\n{said}")
    return flat


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["stt", "tts", "llm"])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options, flags = parser.parse_known_args()
    with started(options.kind, *flags) as (uri, pid):
        history = History(options.kind, uri, pid)
        flat = asyncio.run(grow(history, uri, options.kind, options))
    sys.exit(not flat)


if __name__ == "__main__":
    main()
