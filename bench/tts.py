#!/usr/bin/env python3
"""Text-to-speech beside stock wyoming-piper, in the same run, on the same voice file.

    bench/tts.py --peers DIR --voice FOLDER [--rounds N] [--json OUT] [--load COMMAND] [--text FILE]

DIR is a virtual environment with wyoming-piper; FOLDER holds NAME.onnx and NAME.onnx.json.
Requests alternate between the two servers. Streaming sends a word every 60 ms, as a small language
model writes them; first audio is then counted from the first word. Playback is simulated at the
speaker's clock, from the first audio on: `dry` is how long it had nothing to play.
"""

import argparse
import asyncio
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from wyoming.audio import AudioChunk
from wyoming.client import AsyncClient
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop

TEXTS = {
    "short": [
        "The garage door is closed.",
        "Good morning, it is ten past seven.",
        "Your package has been delivered to the front door.",
    ],
    "long": [
        (
            "The heating in the bathroom was switched on at half past six because the temperature "
            "had fallen below the value that you set for weekday mornings last autumn."
        ),
        (
            "Tomorrow will start with fog along the river, followed by a bright afternoon with "
            "temperatures around nineteen degrees and hardly any wind from the south."
        ),
    ],
    "several": [
        (
            "Your next appointment is with the dentist at three. The drive takes about twenty "
            "minutes at that time of day. Shall I remind you when it is time to leave?"
        ),
        (
            "I found two recipes for lentil soup. One takes half an hour, and the other one "
            "needs to rest overnight. Which of them would you like to hear first?"
        ),
    ],
}
WORD_SECONDS = 0.06
PORTS = {"wyoming-piper": 10391, "parley": 10392}
CACHED = "tcp://127.0.0.1:10393"


@dataclass(frozen=True, slots=True)
class Turn:
    """Times in milliseconds."""

    first: float
    total: float
    audio: float
    dry: float


async def ask(uri: str, text: str, *, stream: bool) -> Turn:
    async with AsyncClient.from_uri(uri) as client:
        start = time.perf_counter()
        writing = asyncio.create_task(_write(client, text, stream=stream))
        first = played_until = dry = 0.0
        seconds = 0.0
        while (event := await client.read_event()) is not None:
            now = time.perf_counter() - start
            if AudioChunk.is_type(event.type):
                chunk = AudioChunk.from_event(event)
                if not first:
                    first = played_until = now
                dry += max(0.0, now - played_until)
                played_until = max(played_until, now) + chunk.seconds
                seconds += chunk.seconds
            if event.type == ("synthesize-stopped" if stream else "audio-stop"):
                break
        total = time.perf_counter() - start
        await writing
    return Turn(first * 1e3, total * 1e3, seconds * 1e3, dry * 1e3)


async def _write(client: AsyncClient, text: str, *, stream: bool) -> None:
    if not stream:
        await client.write_event(Synthesize(text=text).event())
        return
    await client.write_event(SynthesizeStart().event())
    for word in text.split():
        await client.write_event(SynthesizeChunk(text=f"{word} ").event())
        await asyncio.sleep(WORD_SECONDS)
    await client.write_event(Synthesize(text=text).event())
    await client.write_event(SynthesizeStop().event())


@contextmanager
def server(command: list[str]) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


@asynccontextmanager
async def both(peers: Path, voice: Path) -> AsyncIterator[dict[str, str]]:
    """Start the two servers; yields their addresses once both have spoken a word."""
    name = next(voice.glob("*.onnx")).stem  # noqa: ASYNC240 - before anything is measured
    uris = {server: f"tcp://127.0.0.1:{port}" for server, port in PORTS.items()}
    with ExitStack() as stack, tempfile.TemporaryDirectory() as empty:
        stock = f"{peers}/bin/python -m wyoming_piper --voice {name} --data-dir {voice}"
        ours = f"{sys.executable} -m wyoming_tts --voice {voice} --data-dir {empty} --cache 0"
        ours += " --no-zeroconf"
        cached = ours.replace("--cache 0", "")
        for command, uri in zip((stock, ours, cached), (*uris.values(), CACHED), strict=True):
            stack.enter_context(server(shlex.split(f"{command} --uri {uri}")))
        for uri in (*uris.values(), CACHED):
            await _ready(uri)
        yield uris


async def _ready(uri: str, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while True:
            try:
                await ask(uri, "Ready.", stream=False)
            except OSError:
                await asyncio.sleep(0.2)
            else:
                return


async def measure(uris: dict[str, str], rounds: int) -> dict[str, dict[str, list[Turn]]]:
    """Return the turns by "kind, way" and server; each text is asked of both in turn."""
    results: dict[str, dict[str, list[Turn]]] = {}
    for _ in range(rounds):
        for stream in (False, True):
            for kind, texts in TEXTS.items():
                row = results.setdefault(f"{kind}, {'streaming' if stream else 'plain'}", {})
                for text in texts:
                    for name, uri in uris.items():
                        row.setdefault(name, []).append(await ask(uri, text, stream=stream))
    return results


async def measure_cache(rounds: int) -> list[float]:
    """Return the milliseconds after which phrases start that were spoken before."""
    texts = [text for texts in TEXTS.values() for text in texts]
    for text in texts:
        await ask(CACHED, text, stream=False)
    turns = [await ask(CACHED, text, stream=False) for _ in range(rounds) for text in texts]
    return [turn.first for turn in turns]


def report(results: dict[str, dict[str, list[Turn]]]) -> str:
    lines = [
        (
            "| text | first audio, ms: stock | ours | ratio | total, ms: stock | ours | ratio "
            "| dry, ms: stock | ours |"
        ),
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, row in results.items():
        stock, ours = (row[name] for name in PORTS)
        cells = [kind]
        for field in ("first", "total"):
            old, new = (
                statistics.median(getattr(turn, field) for turn in turns) for turns in (stock, ours)
            )
            ratio = old / new if field == "first" else new / old
            cells += [f"{old:.0f}", f"{new:.0f}", f"{ratio:.2f}"]
        cells += [f"{max(turn.dry for turn in turns):.0f}" for turns in (stock, ours)]
        lines.append(f"| {' | '.join(cells)} |")
    plain = [row for kind, row in results.items() if kind.endswith("plain")]
    for label, pick in (("mean", statistics.fmean), ("p95", _p95)):
        old, new = (pick([t.first for row in plain for t in row[name]]) for name in PORTS)
        lines.append(f"\nFirst audio, plain, {label}: {old:.0f} / {new:.0f} ms = {old / new:.1f}x")
    old, new = (sum(t.total for row in plain for t in row[name]) for name in PORTS)
    lines.append(f"\nTotal, plain, ours / stock: {new / old:.2f}")
    return "\n".join(lines)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--voice", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--load", default="", help="a command that runs beside the measurement")
    parser.add_argument("--text", type=Path, help="a text to be read instead of the usual ones")
    arguments = parser.parse_args()
    if arguments.text:
        TEXTS.clear()
        TEXTS["text"] = [" ".join(arguments.text.read_text().split())]
    async with both(arguments.peers, arguments.voice) as uris:
        with server(shlex.split(arguments.load)) if arguments.load else ExitStack():
            results = await measure(uris, arguments.rounds)
            cached = await measure_cache(arguments.rounds)
    print(report(results))
    print(f"\nPhrase cache: median {statistics.median(cached):.1f} ms, worst {max(cached):.1f} ms")
    if arguments.json:
        rows = {k: {n: [asdict(t) for t in ts] for n, ts in r.items()} for k, r in results.items()}
        arguments.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    asyncio.run(main())
