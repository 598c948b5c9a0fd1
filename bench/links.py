"""Whole turns over a line that is late, lossy, or cut for a minute: with real TCP over it.

    python -m bench.links [--only NAME] [--cut 60]     as root, on Linux

Clients and satellite are in one network namespace, the three services with their default models
in another, and this program carries the packets between them: it delays each by 500 ms, loses 30 %
of them, or carries none for a while. So retransmission, back-off and dead lines are those of the
kernel (tc netem does the same, where the kernel has it).
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wyoming.client import AsyncClient
from wyoming.event import Event

from bench.load import QUESTION, request
from bench.netns import FAR, NEAR, open_tun

_PORTS: Final = {"stt": 10300, "llm": 10600, "tts": 10200}
_LAST: Final = {"stt": "transcript", "llm": "handled", "tts": "audio-stop"}
_ENDS: Final = (*_LAST.values(), "error", "not-handled")
_MAX_SECONDS: Final = 300.0
_AFTER_SECONDS: Final = 0.3
"""Into a turn, before the line is cut."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Delay, loss and cuts of a network link."""

    name: str
    delay: float = 0.0
    """Seconds, each way"""
    loss: float = 0.0
    cut: bool = False


CONDITIONS: Final = (
    Condition("as it is"),
    Condition("500 ms late", delay=0.5),
    Condition("500 ms late, 30 % lost", delay=0.5, loss=0.3),
    Condition("cut in mid-turn", cut=True),
)


class Line:
    """Carries packets between two devices."""

    def __init__(self, near: int, far: int) -> None:
        self._random = random.Random(1)  # noqa: S311 - repeatable
        self.condition = CONDITIONS[0]
        self.whole = True
        self.carried = self.lost = 0
        loop = asyncio.get_running_loop()
        loop.add_reader(near, self._carry, near, far)
        loop.add_reader(far, self._carry, far, near)

    def _carry(self, source: int, target: int) -> None:
        with suppress(BlockingIOError):
            while packet := os.read(source, 65_536):
                if not self.whole or self._random.random() < self.condition.loss:
                    self.lost += 1
                    continue
                self.carried += 1
                loop = asyncio.get_running_loop()
                loop.call_later(self.condition.delay, self._put, target, packet)

    def _put(self, target: int, packet: bytes) -> None:
        with suppress(OSError):
            os.write(target, packet)


@asynccontextmanager
async def services() -> AsyncIterator[Line]:
    """Run the three services behind a line."""
    commands = [
        f"{sys.executable} -m wyoming_{kind} --uri tcp://0.0.0.0:{port} --no-zeroconf"
        for kind, port in _PORTS.items()
    ]
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as meeting:
        meeting.bind(f"{folder}/meeting")
        meeting.listen()
        process = await asyncio.create_subprocess_exec(
            "unshare", "-n", "--kill-child", sys.executable, "-m", "bench.netns",
            f"{folder}/meeting", "sh", "-c", " & ".join([*commands, "wait"]),
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            there, _ = await asyncio.to_thread(meeting.accept)
            _, [far], _, _ = socket.recv_fds(there, 16, 1)
            there.close()
            yield Line(open_tun(NEAR), far)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


async def turn(kind: str, number: int) -> tuple[str, Any, int]:
    """Ask; return the last event's type, what was answered, and how many answers came."""
    answer, ends, sound = None, 0, 0
    async with AsyncClient.from_uri(f"tcp://{FAR}:{_PORTS[kind]}") as client:
        for event in request(kind, number):
            await client.write_event(event)
        while event_or_none := await client.read_event():
            sound += len(event_or_none.payload or b"")
            if event_or_none.type in _ENDS:
                answer, ends = event_or_none, ends + 1
                await client.write_event(Event("ping"))
            if event_or_none.type == "pong":
                break
    if answer is None:
        return "hung up", "", ends
    return answer.type, sound if kind == "tts" else answer.data.get("text"), ends


async def satellite(folder: Path) -> tuple[str, Any, int]:
    """Have a standalone satellite do one turn, from a file to a file."""
    uris = [word for kind, port in _PORTS.items() for word in (f"--{kind}", f"tcp://{FAR}:{port}")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "satellite", "--mode", "standalone", "--wake", "none", "--once",
        "--json", "--mic", f"file:{QUESTION}", "--speaker", f"file:{folder / 'reply.wav'}", *uris,
        "--no-zeroconf", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    output, _ = await process.communicate()
    turns = [json.loads(line) for line in output.splitlines()]
    if not turns:
        return f"ended with status {process.returncode}", "", 0
    return "failed" if turns[-1]["error"] else "spoken", turns[-1]["error"] or "", len(turns)


async def tried(kind: str, line: Line, condition: Condition, cut: float, folder: Path) -> str:
    """Do a turn of `kind`; return what came of it."""
    began = time.monotonic()
    line.condition = condition
    asking = asyncio.create_task(satellite(folder) if kind == "satellite" else turn(kind, 1))
    if condition.cut:
        await asyncio.sleep(_AFTER_SECONDS + 3 * (kind == "satellite"))
        line.whole = False
        await asyncio.sleep(cut)
        line.whole = True
    try:
        end, said, count = await asyncio.wait_for(asking, _MAX_SECONDS)
    except TimeoutError:
        end, said, count = "HANGS", "", 0
    except OSError as err:
        end, said, count = type(err).__name__, str(err), 0
    shown = f", {said!s:.60}" if said else ""
    return f"{end}{shown}, answers: {count}, {time.monotonic() - began:.1f} s"


async def ready() -> None:
    """Wait until each service answers."""
    for port in _PORTS.values():
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(5), AsyncClient.from_uri(f"tcp://{FAR}:{port}") as one:
                    await one.write_event(Event("describe"))
                    if await one.read_event():
                        break
            await asyncio.sleep(0.5)


async def measure(only: str, cut: float) -> None:
    """Try every condition, all kinds of client at once."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    kinds = (*_PORTS, "satellite")
    with tempfile.TemporaryDirectory() as folder:
        async with services() as line:
            await asyncio.wait_for(ready(), 180)
            for condition in CONDITIONS:
                if only not in condition.name:
                    continue
                line.carried = line.lost = 0
                results = await asyncio.gather(
                    *(tried(kind, line, condition, cut, Path(folder)) for kind in kinds)
                )
                line.condition = CONDITIONS[0]
                for kind, result in zip(kinds, results, strict=True):
                    print(f"| {condition.name} | {kind} | {result} |", flush=True)
                print(f"| {condition.name} | packets | {line.carried}, lost {line.lost} |")
                after = [await tried(kind, line, CONDITIONS[0], 0, Path(folder)) for kind in kinds]
                print(f"| ...and then | {' | '.join(after)} |", flush=True)


def main() -> None:
    """Go into a namespace of our own, measure there, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="conditions whose name contains this")
    parser.add_argument("--cut", type=float, default=60, help="seconds")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        inside = [sys.executable, "-m", "bench.links", *sys.argv[1:], "--inside"]
        os.execvp("unshare", ["unshare", "-n", *inside])  # noqa: S606, S607 - of this machine
    print("| line | client | what came of it |\n|---|---|---|")
    asyncio.run(measure(options.only, options.cut))


if __name__ == "__main__":
    main()
