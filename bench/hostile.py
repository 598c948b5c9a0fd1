"""Attacks on a service with its real model, and the latency of other clients meanwhile.

    python -m bench.hostile stt|tts|llm... [--only NAME] [--seconds 5]

Starts each service as a process of its own on loopback, and attacks it for some seconds in one
way after another. Meanwhile a client asks `describe` on a new connection, 20 times a second;
after each attack one real request must be answered. A row says how both fared, and what the
process then holds. All come from one machine, which is the worst case: limits are by address.
"""

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final

from bench import attacks, attacks_http
from bench.attack_client import ATTACKS, Aim, Line
from bench.load import ask, holds, request, started
from wyoming_common.telemetry.recorder import percentile

_SPAWN: Final = multiprocessing.get_context("spawn")
_LAST: Final = {"stt": "transcript", "tts": "audio-stop", "llm": "handled"}
_KNOWN: Final = (attacks, attacks_http)
"""They add themselves to the attacks."""


async def _describe(aim: Aim) -> tuple[list[float], list[str]]:
    waits: list[float] = []
    lost: list[str] = []
    while time.monotonic() < aim.until:
        began = time.monotonic()
        try:
            async with asyncio.timeout(10), Line(aim) as line:
                await line.send(b'{"type": "describe"}\n')
                if b'"info"' not in await line.reader.readline():
                    raise ConnectionError("refused")
            waits.append(time.monotonic() - began)
        except (OSError, TimeoutError) as err:
            lost.append(str(err) or type(err).__name__)
        await asyncio.sleep(0.05)
    return waits, lost


def describe(aim: Aim) -> tuple[list[float], list[str]]:
    """Ask on a new connection, again and again; returns the seconds, and what went wrong."""
    return asyncio.run(_describe(aim))


async def measure(name: str, aim: Aim, uri: str, pid: int, others: Executor) -> str:
    """Attack, and return a row of the table."""
    # A process of its own: the attackers keep this one busy.
    asking = asyncio.get_running_loop().run_in_executor(others, describe, aim)
    await ATTACKS[name][1](aim)
    waits, lost = await asking
    began = time.monotonic()
    answer = await asyncio.wait_for(ask(uri, request(aim.kind, 1)), 120)
    took = time.monotonic() - began
    assert answer.type == _LAST[aim.kind], answer
    ordered = [wait * 1000 for wait in sorted(waits)] or [float("nan")]
    return (
        f"| {name} | {len(waits)} | {len(lost)} | {percentile(ordered, 0.5):.0f} "
        f"/ {percentile(ordered, 0.99):.0f} | {took:.1f} | {holds(pid)} |"
    )


@contextmanager
def target(kind: str) -> Iterator[tuple[str, int, int]]:
    """Run the service with an HTTP door; yields its URI, process id and HTTP port."""
    port = 18_000 + sorted(_LAST).index(kind)
    flag = "--http-uri" if kind == "llm" else "--metrics-uri"
    with started(kind, flag, f"http://127.0.0.1:{port}") as (uri, pid):
        yield uri, pid, port


def main() -> None:
    """Attack, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="+", choices=sorted(_LAST))
    parser.add_argument("--only", default="", help="attacks whose name contains this")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    for kind in options.kinds:
        with target(kind) as (uri, pid, http), ProcessPoolExecutor(1, _SPAWN) as others:
            host, _, port = uri.removeprefix("tcp://").rpartition(":")
            print(f"{kind}: {holds(pid)} before\n")
            print(
                "| attack | describe answered | not | p50 / p99 ms | next request s "
                "| resident MB | files | threads |\n" + "|---" * 8 + "|"
            )
            for name, (kinds, _) in ATTACKS.items():
                if kind in kinds.split() and options.only in name:
                    until = time.monotonic() + options.seconds
                    aim = Aim(kind, host, int(port), http, until)
                    print(asyncio.run(measure(name, aim, uri, pid, others)), flush=True)
            print()


if __name__ == "__main__":
    main()
