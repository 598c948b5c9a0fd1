"""What the services hold after many turns: memory, files, tasks, threads. Leaks, not caches.

    python -m bench.soak [--minutes 30] [--every 10] [--nice 19]

Starts speech-to-text, conversation and text-to-speech with their default models. Each round is
one whole turn (a question is transcribed, answered and spoken) with another text every time, and
beside it what goes wrong in a home: a client that hangs up in the middle, one that sends what is
no event, and one that says nothing. A row each tenth of the time; the last one after a rest.

A cache grows to its bound and stays there; a leak goes on. So the growth over the second half is
what counts, and is printed per 1,000 turns. The first tenth fills the caches.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from contextlib import ExitStack, suppress
from typing import Final

from wyoming.client import AsyncClient
from wyoming.event import Event

from bench.load import ask, holds, request, started

_KINDS: Final = ("stt", "llm", "tts")
_PARTS: Final = 10
_REST_SECONDS: Final = 15
_WORDS: Final = ("light", "rain", "timer", "door", "music", "heating", "clock", "garden", "oven")


class Turns:
    """Counts what came of the turns."""

    def __init__(self, uris: dict[str, str]) -> None:
        self._uris = uris
        self.done = 0
        self.failed: list[str] = []

    async def one(self, number: int) -> None:
        """Run a turn to its end."""
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

    async def trouble(self, number: int) -> None:
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


async def tasks(uri: str) -> int:
    """Return how many tasks the service runs."""
    async with AsyncClient.from_uri(uri) as client:
        await client.write_event(Event("trace-query", {}))
        report = await client.read_event()
    return int(report.data["state"]["tasks"]) if report is not None else -1


async def soak(uris: dict[str, str], pids: dict[str, int], minutes: float, every: float) -> None:
    """Run turns, and print rows."""
    turns, began = Turns(uris), time.monotonic()
    memory: dict[str, list[tuple[int, float]]] = {kind: [] for kind in _KINDS}

    async def row(name: str) -> None:
        cells = []
        for kind in _KINDS:
            held = holds(pids[kind])
            memory[kind].append((turns.done, float(held.split(" | ")[0])))
            cells.append(f"{held.replace(' | ', ' / ')} / {await tasks(uris[kind])}")
        print(f"| {name} | {turns.done} | {len(turns.failed)} | {' | '.join(cells)} |", flush=True)

    part, number = 0, 0
    while time.monotonic() - began < minutes * 60:
        if time.monotonic() - began >= part * minutes * 60 / _PARTS:
            await row(f"{part * minutes / _PARTS:.0f} min")
            part += 1
        start = time.monotonic()
        number += 1
        await asyncio.gather(turns.one(number), turns.trouble(number))
        await asyncio.sleep(max(0.0, every - (time.monotonic() - start)))
    await row(f"{minutes:.0f} min")
    await asyncio.sleep(_REST_SECONDS)
    await row("at rest")
    print()
    for kind, held in memory.items():
        half = held[len(held) // 2 :]
        grown = (half[-1][1] - half[0][1]) / max(1, half[-1][0] - half[0][0]) * 1000
        print(f"{kind}: {grown:+.1f} MB in 1,000 turns, over the second half")
    print(f"failed: {turns.failed[:5] or 'none'}")


def main() -> None:
    """Soak, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=10, help="seconds from turn to turn")
    parser.add_argument("--nice", type=int, default=0, help="beside other work: 19")
    options = parser.parse_args()
    os.nice(options.nice)
    # Ends as Ctrl-C does: the services end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        ran = {kind: stack.enter_context(started(kind)) for kind in _KINDS}
        uris = {kind: uri for kind, (uri, _) in ran.items()}
        pids = {kind: pid for kind, (_, pid) in ran.items()}
        print("| after | turns | failed | stt: MB / files / threads / tasks | llm | tts |")
        print("|---" * 6 + "|")
        asyncio.run(soak(uris, pids, options.minutes, options.every))


if __name__ == "__main__":
    main()
