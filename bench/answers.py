"""Latency of `ping` and `describe` while a service has all the work it can do.

    python -m bench.answers stt=URI llm=URI tts=URI [--clients 4] [--seconds 10]

Clients and questions are those of `bench.load`, put to services that run already. Prints JSON:
p50 and p99 in milliseconds by service and event.
"""

import argparse
import asyncio
import json
import multiprocessing
import time
from concurrent.futures import Executor, ProcessPoolExecutor

from bench.load import Tally, client, probe
from wyoming_common.telemetry.recorder import percentile

_EVENTS = ("ping", "describe")


async def measure(
    kind: str, uri: str, clients: int, seconds: float, probes: Executor
) -> dict[str, float]:
    """Return milliseconds by event and percentile."""
    until = time.monotonic() + seconds
    loop = asyncio.get_running_loop()
    # The probes have processes of their own, so that they do not wait for the clients.
    asking = [loop.run_in_executor(probes, probe, uri, event, until) for event in _EVENTS]
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(uri, kind, number, until, Tally()))
    return {
        f"{event}_p{part}": round(1000 * percentile(sorted(waits), part / 100), 1)
        for event, waits in zip(_EVENTS, await asyncio.gather(*asking), strict=True)
        for part in (50, 99)
    }


async def _main(arguments: argparse.Namespace) -> None:
    found = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(_EVENTS), context) as probes:
        for given in arguments.services:
            kind, _, uri = given.partition("=")
            found[kind] = await measure(kind, uri, arguments.clients, arguments.seconds, probes)
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("services", nargs="+", metavar="KIND=URI")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0)
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
