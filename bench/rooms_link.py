"""Delay of the right room's answer on a real link: processes in network namespaces, as root.

    python -m bench.rooms_link [--satellites 4] [--rounds 100]

Each process has a real group and judges six seconds of audio for each wake word, which it detects
up to 90 ms late. Prints how often exactly one answered, and its delay after its own detection.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Final

import numpy as np

from satellite.rooms.arbitration import Appraisal
from satellite.rooms.group import SatelliteGroup
from satellite.rooms.merit import MAX_AUDIO_SECONDS, appraisal
from satellite.rooms.messages import GroupCodec
from tests.support.network_namespaces import IP, machines_on_a_link
from wyoming_common.net.access import Access

_ROUND_SECONDS: Final = 1.3
_MAX_LAG_SECONDS: Final = 0.09
_LEAD_SECONDS: Final = 0.2


class Judge:
    """A satellite that judges noise, to which a number is added that makes a best one."""

    def __init__(self) -> None:
        samples = np.random.default_rng(0).normal(0, 1_000, int(MAX_AUDIO_SECONDS * 16_000))
        self._pcm = samples.astype("<i2").tobytes()
        self.bonus = 0
        self.detected_at = 0.0

    def appraise(self, word: bytes | None = None) -> Appraisal:  # noqa: ARG002 - the protocol's
        part = appraisal(self._pcm)
        return Appraisal(part.merit + self.bonus, part.envelope)

    def answer(self, delay_seconds: float) -> None:  # noqa: ARG002 - measured from before the merit
        _tell(f"answer {time.monotonic() - self.detected_at}")

    def yield_to_peer(self) -> None:
        _tell("yield")

    def withdraw(self) -> None:
        _tell("withdraw")


async def satellite(peers: int) -> None:
    """Read lines of a number of the best, and the time of the detection; empty at the end."""
    judge = Judge()
    judge.appraise()
    group = SatelliteGroup(GroupCodec("bench", "key"), Access(), time.monotonic)
    group.attach(judge)
    async with group:
        while group.peers < peers:  # noqa: ASYNC110 - peers come by datagrams
            await asyncio.sleep(0.01)
        _tell("ready")
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            judge.bonus, at = int(line[0]), float(line[1])
            await asyncio.sleep(at - time.monotonic())
            judge.detected_at = time.monotonic()
            group.detected("computer", judge.appraise())
            await asyncio.sleep(_ROUND_SECONDS - 0.5)
            _tell("over")


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


Satellite = subprocess.Popen[str]


def measure(count: int, rounds: int) -> dict[str, object]:
    """Run the processes and count."""
    draw = random.Random(1)  # noqa: S311 - a simulation
    delays: list[float] = []
    one = best = 0
    with machines_on_a_link(count) as machines, ExitStack() as stack:
        satellites = [_start(machine, count - 1, stack) for machine in machines]
        for process in satellites:
            _line(process)
        for _ in range(rounds):
            bonuses = [draw.randrange(10_000) for _ in satellites]
            at = time.monotonic() + _LEAD_SECONDS
            for process, bonus in zip(satellites, bonuses, strict=True):
                assert process.stdin is not None
                process.stdin.write(f"{bonus} {at + draw.uniform(0, _MAX_LAG_SECONDS)}\n")
                process.stdin.flush()
            outcomes = [_outcome(process) for process in satellites]
            delays += [seconds * 1000 for waits, _ in outcomes for seconds in waits]
            answering = [number for number, (_, answers) in enumerate(outcomes) if answers]
            one += len(answering) == 1
            best += answering == [bonuses.index(max(bonuses))]
            time.sleep(max(0.0, at + _ROUND_SECONDS - time.monotonic()))
    p50, p95 = np.percentile(delays, [50, 95]).round(1).tolist()
    found = {"rounds": rounds, "exactly_one": one, "best": best}
    return {"satellites": count, **found, "p50_ms": p50, "p95_ms": p95}


def _start(machine: list[str], peers: int, stack: ExitStack) -> Satellite:
    command = [*machine, sys.executable, "-m", "bench.rooms_link", "--satellite", str(peers)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def _outcome(process: Satellite) -> tuple[list[float], bool]:
    """Return the seconds until each answer, and whether it answers in the end."""
    waits, answers = [], False
    while (line := _line(process)) != "over":
        if line.startswith("answer"):
            waits.append(float(line.split()[1]))
        answers = line.startswith("answer") or (answers and line != "withdraw")
    return waits, answers


def _line(process: Satellite) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--satellites", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--satellite", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.satellite is not None:
        asyncio.run(satellite(arguments.satellite))
    elif not IP:
        sys.exit("rooms_link: needs iproute2")
    else:
        print(json.dumps(measure(arguments.satellites, arguments.rounds)))


if __name__ == "__main__":
    main()
