"""Load of N clients at once on a service, past its limits, and for long.

    python -m bench.load stt|tts|llm [--clients 1,4,16,64] [--seconds 10] [--soak 180]

Starts the service, with its default model, as a process of its own on loopback. Each client
sends its next request as soon as the last is answered, on a new connection as Home Assistant
does. Beside them one asks `describe` and one `ping`, 50 times a second each.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from wyoming.client import AsyncClient
from wyoming.event import Event

from wyoming_common.audio.pcm import read_audio
from wyoming_common.telemetry.recorder import percentile

QUESTION = Path(__file__).parents[1] / "parley/data/question.wav"
_CHUNK = 3200
_LAST = {"stt": "transcript", "tts": "audio-stop", "llm": "handled"}
_ANSWERS = (*_LAST.values(), "error", "not-handled")
_SENTENCES = (
    "The kitchen light is on.",
    "It will rain in the afternoon, so take an umbrella with you.",
    "Three timers are running.",
    "The front door is locked and all windows are closed.",
)


@dataclass
class Tally:
    """Latencies and refusals of the clients."""

    seconds: list[float] = field(default_factory=list)
    by_client: Counter[int] = field(default_factory=Counter)
    refused: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)


@contextmanager
def started(kind: str, *flags: str) -> Iterator[tuple[str, int]]:
    """Run the service; yields its URI and process id once it is ready."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
    ):
        told.bind(f"{folder}/notify")
        told.settimeout(180)
        command = [sys.executable, "-m", f"wyoming_{kind}", "--uri", "tcp://127.0.0.1:0"]
        environment = os.environ | {"NOTIFY_SOCKET": f"{folder}/notify"}
        with (
            (Path(folder) / "log").open("wb") as log,
            subprocess.Popen(
                [*command, "--no-zeroconf", *flags], env=environment, stdout=log, stderr=log
            ) as process,
        ):
            try:
                while "READY=1" not in (said := told.recv(4096).decode()):
                    pass
                yield said.partition("X_URI=")[2].splitlines()[0], process.pid
            finally:
                process.terminate()


def request(kind: str, number: int) -> list[Event]:
    """Return the events of one request; no two in a row are the same."""
    if kind == "stt":
        audio_format = {"rate": 16_000, "width": 2, "channels": 1}
        pcm, _ = read_audio(QUESTION)
        chunks = [pcm[at : at + _CHUNK] for at in range(0, len(pcm), _CHUNK)]
        return [
            Event("transcribe", {"language": "en"}),
            Event("audio-start", audio_format),
            *(Event("audio-chunk", audio_format, chunk) for chunk in chunks),
            Event("audio-stop"),
        ]
    text = f"{number}. {_SENTENCES[number % len(_SENTENCES)]}"
    return [Event("synthesize" if kind == "tts" else "transcript", {"text": text})]


async def ask(uri: str, events: list[Event]) -> Event:
    """Send a request on a connection of its own; return the last event of the answer."""
    async with AsyncClient.from_uri(uri) as client:
        with suppress(ConnectionError):  # who is refused is told so while still sending
            for event in events:
                await client.write_event(event)
        while isinstance(event := await client.read_event(), Event):
            if event.type in _ANSWERS:
                return event
    return Event("error", {"code": "hung up"})


async def client(uri: str, kind: str, number: int, until: float, tally: Tally) -> None:
    """Ask again and again."""
    turn = number * 1000
    while time.monotonic() < until:
        turn += 1
        began = time.monotonic()
        try:
            answer = await asyncio.wait_for(ask(uri, request(kind, turn)), 120)
        except (OSError, TimeoutError) as err:
            tally.failed[type(err).__name__] += 1
            continue
        took = time.monotonic() - began
        if answer.type == _LAST[kind]:
            tally.seconds.append(took)
            tally.by_client[number] += 1
        elif answer.type == "not-handled" or answer.data.get("code") == "busy":
            tally.refused.append(took)
            await asyncio.sleep(0.1)
        else:
            tally.failed[str(answer.data.get("code"))] += 1


def probe(uri: str, kind: str, until: float) -> list[float]:
    """Ask what is to be answered at once, 50 times a second; returns the seconds of each.

    Runs in a process of its own, before others where that is allowed: what the clients' process
    or the scheduler keeps it waiting for is no delay of the service.
    """
    with suppress(OSError):
        os.nice(-10)
    return asyncio.run(_probe(uri, kind, until))


async def _probe(uri: str, kind: str, until: float) -> list[float]:
    waits = []
    async with AsyncClient.from_uri(uri) as connected:
        while time.monotonic() < until:
            began = time.monotonic()
            await connected.write_event(Event(kind))
            await connected.read_event()
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.02)
    return waits


async def load(uri: str, kind: str, clients: int, seconds: float, probes: Executor) -> str:
    """Return a row of the table: what `clients` at once meet."""
    tally = Tally()
    began = time.monotonic()
    until = began + seconds
    loop = asyncio.get_running_loop()
    probing = [
        loop.run_in_executor(probes, probe, uri, asked, until) for asked in ("describe", "ping")
    ]
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(uri, kind, number, until, tally))
    described, pinged = await asyncio.gather(*probing)
    took = time.monotonic() - began
    shares = [tally.by_client[number] for number in range(clients)]
    return (
        f"| {clients} | {len(tally.seconds) / took:.1f} | {_three(tally.seconds)} "
        f"| {min(shares)} to {max(shares)} | {len(tally.refused)} {_p99(tally.refused)} "
        f"| {sum(tally.failed.values())} {dict(tally.failed) or ''} "
        f"| {_p99(described)} | {_p99(pinged)} |"
    )


async def crowd(uri: str, connections: int) -> str:
    """Open more connections than may be, all at once; say how they fare, and a newcomer later."""
    began = time.monotonic()
    opened = await asyncio.gather(*(_connect(uri) for _ in range(connections)))
    refusals = [at - began for _, at in opened if at is not None]
    took = max(refusals, default=0.0)
    await asyncio.sleep(1.5)
    began = time.monotonic()
    answer = await _describe(uri)
    newcomer = time.monotonic() - began
    for writer, _ in opened:
        writer.transport.abort()
    return (
        f"{connections} connections at once that say nothing: {len(refusals)} refused or dropped "
        f"within {took:.2f} s; a client after them gets {answer} in {newcomer * 1000:.0f} ms"
    )


async def _connect(uri: str) -> tuple[asyncio.StreamWriter, float | None]:
    host, _, port = uri.removeprefix("tcp://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        await asyncio.wait_for(reader.readline(), 1)
    except TimeoutError:
        return writer, None
    except OSError:
        pass
    return writer, time.monotonic()


async def _describe(uri: str) -> str:
    async with AsyncClient.from_uri(uri) as connected:
        await connected.write_event(Event("describe"))
        answer = await connected.read_event()
    return answer.type if answer is not None else "nothing"


async def soak(uri: str, kind: str, pid: int, seconds: float) -> list[str]:
    """Four clients for long; returns rows of what the process holds, every tenth of the time."""
    tally = Tally()
    rows = []
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(client(uri, kind, number, until, tally))
        for part in range(11):
            rows.append(f"| {part * seconds / 10:.0f} s | {len(tally.seconds)} | {holds(pid)} |")
            await asyncio.sleep(max(0.0, min(seconds / 10, until - time.monotonic())))
    rows.append(f"| at rest | {len(tally.seconds)} | {holds(pid)} |")
    return rows


def holds(pid: int) -> str:
    """Return resident MB, open files and threads of a process, as cells of a table."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    values = dict(line.split(":", 1) for line in status.splitlines())
    resident = int(values["VmRSS"].split()[0]) / 1024
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return f"{resident:.0f} | {files} | {values['Threads'].strip()}"


def _three(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "-"
    return " / ".join(f"{percentile(ordered, part):.2f}" for part in (0.5, 0.95, 0.99))


def _p99(seconds: list[float]) -> str:
    return f"{percentile(sorted(seconds), 0.99) * 1000:.1f} ms" if seconds else "-"


def _run(kind: str, options: argparse.Namespace, wait: Callable[[Awaitable[str]], str]) -> None:
    context = multiprocessing.get_context("spawn")
    with started(kind) as (uri, pid), ProcessPoolExecutor(2, context) as probes:
        wait(load(uri, kind, 1, 3, probes))
        if options.soak:
            print("| after | requests | resident MB | files | threads |\n|---|---|---|---|---|")
            for row in asyncio.run(soak(uri, kind, pid, options.soak)):
                print(row)
            return
        before = holds(pid)
        print(
            f"{kind}\n\n| clients | requests/s | p50 / p95 / p99 s | requests of a client "
            "| refused, p99 | failed | describe p99 | ping p99 |\n" + "|---" * 8 + "|"
        )
        for clients in options.clients.split(","):
            print(wait(load(uri, kind, int(clients), options.seconds, probes)), flush=True)
        print("\n" + wait(crowd(uri, 300)))
        print(f"memory MB | files | threads: {before} before, {holds(pid)} after\n")


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="+", choices=sorted(_LAST))
    parser.add_argument("--clients", default="1,4,16,64")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--soak", type=float, default=0, help="seconds; only that")
    options = parser.parse_args()
    for kind in options.kinds:
        _run(kind, options, lambda work: asyncio.run(_result(work)))


async def _result(work: Awaitable[str]) -> str:
    return await work


if __name__ == "__main__":
    main()
