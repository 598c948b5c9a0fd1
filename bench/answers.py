"""How soon `ping` and `describe` are answered while a service has all the work it can do.

    python -m bench.answers stt=URI llm=URI tts=URI [--clients 4] [--seconds 10]

Every client asks again as soon as it has its answer; one more connection pings and describes in
turn, every 20 ms. Prints JSON: p50 and p99 in milliseconds by service and event.
"""

import argparse
import asyncio
import json
import time
from collections import defaultdict

from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping

from wyoming_common.cli.probe import probe
from wyoming_common.errors import ServiceError
from wyoming_common.telemetry import percentile

_PERIOD = 0.02


async def _work(kind: str, uri: str) -> None:
    while True:
        try:
            await probe(kind, uri)
        except ServiceError:
            # Too much to do is an answer as well; it must not become a tight loop.
            await asyncio.sleep(0.1)


async def _ask(client: AsyncClient, event: Event) -> float:
    sent = time.perf_counter()
    await client.write_event(event)
    await client.read_event()
    return (time.perf_counter() - sent) * 1000


async def measure(kind: str, uri: str, clients: int, seconds: float) -> dict[str, float]:
    """Return milliseconds by event and percentile."""
    times: dict[str, list[float]] = defaultdict(list)
    work = [asyncio.create_task(_work(kind, uri)) for _ in range(clients)]
    try:
        async with AsyncClient.from_uri(uri) as client:
            ends = time.perf_counter() + seconds
            while time.perf_counter() < ends:
                times["ping"].append(await _ask(client, Ping("x").event()))
                times["describe"].append(await _ask(client, Describe().event()))
                await asyncio.sleep(_PERIOD)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    return {
        f"{event}_p{part}": round(percentile(sorted(spent), part / 100), 1)
        for event, spent in times.items()
        for part in (50, 99)
    }


async def _main(arguments: argparse.Namespace) -> None:
    found = {}
    for given in arguments.services:
        kind, _, uri = given.partition("=")
        found[kind] = await measure(kind, uri, arguments.clients, arguments.seconds)
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("services", nargs="+", metavar="KIND=URI")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10.0)
    asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
