"""Soak test of whole turns: memory, files, tasks and threads of the services over time.

    python -m bench.soak [--minutes 30] [--every 1] [--nice 19] [--seed 1]

Starts speech-to-text, conversation and text-to-speech with their default models. Each round is
one whole turn (a question is transcribed, answered and spoken) with another text every time;
beside it one request of any length to one of the three, and what goes wrong in a home: a client
that hangs up in the middle, one that sends what is no event, and one that says nothing.

A row each tenth of the time; the last one after a rest. The table at the end says of every
process and quantity whether it was flat in the second half (bench/leak_check.py says how). Exits
with 1 where one was not, or where a turn failed.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from contextlib import ExitStack, suppress
from typing import Final

from wyoming.client import AsyncClient
from wyoming.event import Event

from bench.growth_soak import asked
from bench.leak_check import History, table
from bench.load import ask, request, started

_KINDS: Final = ("stt", "llm", "tts")
_PARTS: Final = 10
_SAMPLES: Final = 300
_REST_SECONDS: Final = 15
_LONG: Final = 30
"""Rounds at the beginning whose requests are all as long as they get"""
_WORDS: Final = ("light", "rain", "timer", "door", "music", "heating", "clock", "garden", "oven")


class Turns:
    """Counts what came of the turns."""

    def __init__(self, uris: dict[str, str], seed: int) -> None:
        self._uris = uris
        self._random = random.Random(seed)  # noqa: S311 - repeatable
        self.done = 0
        self.failed: list[str] = []

    async def round(self, number: int) -> None:
        """Run a turn, and what goes on beside it."""
        await asyncio.gather(self._turn(number), self._other(number), self._trouble(number))

    async def _turn(self, number: int) -> None:
        heard = await ask(self._uris["stt"], request("stt", number))
        word = _WORDS[number % len(_WORDS)]
        text = f"{heard.data.get('text')} Question {number} is about the {word}."
        context = {"conversation_id": f"room {number % 40}"}
        said = await ask(
            self._uris["llm"], [Event("transcript", {"text": text, "context": context})]
        )
        reply = str(said.data.get("text"))[:200] or "Nothing."
        spoken = await ask(self._uris["tts"], [Event("synthesize", {"text": f"{number}. {reply}"})])
        ends = [heard.type, said.type, spoken.type]
        if ends == ["transcript", "handled", "audio-stop"] and heard.data.get("text"):
            self.done += 1
        else:
            self.failed.append(f"{ends}")

    async def _other(self, number: int) -> None:
        kind = _KINDS[number % len(_KINDS)]
        # The longest at first: what they take in memory is to be had before the second half.
        length = 20 * number if number <= _LONG else number
        answer = await ask(self._uris[kind], asked(kind, self._random, length))
        if answer.type == "error":
            self.failed.append(f"{kind}: {answer.data}")

    async def _trouble(self, number: int) -> None:
        """Do what clients should not."""
        kind = _KINDS[number % len(_KINDS)]
        uri = self._uris[kind]
        with suppress(OSError):
            async with AsyncClient.from_uri(uri) as client:  # hangs up in the middle
                for event in request(kind, number)[:8]:
                    await client.write_event(event)
                await asyncio.sleep(0.2)
        host, _, port = uri.removeprefix("tcp://").rpartition(":")
        for sent in (b"GET / HTTP/1.1\r\n\r\n", b'{"type": "ping", "data_length": 99}\n', b""):
            _, writer = await asyncio.open_connection(host, int(port))
            with suppress(OSError):
                writer.write(sent)
                await writer.drain()
                await asyncio.sleep(0.1)
            writer.transport.abort()


async def soak(turns: Turns, histories: list[History], seconds: float, every: float) -> bool:
    """Run turns, and print rows and the table; returns whether nothing failed or grew."""
    began = time.monotonic()

    async def sample() -> str:
        passed = time.monotonic() - began
        held = [await history.sample(passed, turns.done) for history in histories]
        return f"{turns.done} | {len(turns.failed)} | {' | '.join(map(str, held))} |"

    rows = samples = number = 0
    while (passed := time.monotonic() - began) < seconds:
        if passed >= samples * seconds / _SAMPLES:
            samples += 1
            row = await sample()
            if passed >= rows * seconds / _PARTS:
                print(f"| {passed / 60:.1f} min | {row}", flush=True)
                rows += 1
        number += 1
        started_at = time.monotonic()
        await turns.round(number)
        await asyncio.sleep(max(0.0, every - (time.monotonic() - started_at)))
    print(f"| {seconds / 60:.1f} min | {await sample()}")
    said, flat = table(histories)
    await asyncio.sleep(_REST_SECONDS)
    print(f"| at rest | {await sample()}\n\n{said}\n\nfailed: {turns.failed[:5] or 'none'}")
    return flat and not turns.failed


def main() -> None:
    """Soak, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=1, help="least seconds from turn to turn")
    parser.add_argument("--nice", type=int, default=0, help="beside other work: 19")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.nice(options.nice)
    # Ends as Ctrl-C does: the services end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        ran = {kind: stack.enter_context(started(kind)) for kind in _KINDS}
        turns = Turns({kind: uri for kind, (uri, _) in ran.items()}, options.seed)
        histories = [History(kind, uri, pid) for kind, (uri, pid) in ran.items()]
        print("| after | turns | failed | stt: MB / files / threads / tasks | llm | tts |")
        print("|---" * 6 + "|")
        well = asyncio.run(soak(turns, histories, options.minutes * 60, options.every))
    sys.exit(not well)


if __name__ == "__main__":
    main()
