"""Random events in any order, at the handlers over TCP, counted; one seed repeats a run.

python -m tests.fuzz.flood --events 1000000 [--seed N] [--service stt|tts|llm|satellite]
"""

import argparse
import asyncio
import resource
import time
from collections import Counter
from contextlib import suppress
from random import Random

from tests.fuzz.events import encode, event, not_an_event
from tests.fuzz.targets import DOORS, Target, no_bugs

CLIENTS = 8
_EVENTS_EACH = 200
_QUIET_SECONDS = 0.02
_STUCK_SECONDS = 60


class Flood:
    """Clients that connect, send what comes to their mind, and leave as they like."""

    def __init__(self, service: str, seed: int) -> None:
        self._service = service
        self._random = Random(seed)  # noqa: S311 - repeatable
        self.handled: Counter[str] = Counter()
        self.broken = 0
        self.connections = 0

    async def run(self, target: Target, events: int) -> None:
        """Go on until `events` were handled; fails as soon as the service does not answer."""
        self.handled = target.handled
        while self.handled.total() < events:
            async with asyncio.timeout(_STUCK_SECONDS) as limit:
                clients = [asyncio.create_task(self._client(target)) for _ in range(CLIENTS)]
                await self._finished(clients, limit)
            await target.check()
        assert await target.at_rest()

    async def _finished(self, clients: list[asyncio.Task[None]], limit: asyncio.Timeout) -> None:
        """Wait for `clients`; as long as events are handled, however slowly, nothing is stuck."""
        loop, handled = asyncio.get_running_loop(), -1
        left = set(clients)
        try:
            while left:
                if handled != self.handled.total():
                    handled = self.handled.total()
                    limit.reschedule(loop.time() + _STUCK_SECONDS)
                _, left = await asyncio.wait(left, timeout=1)
        finally:
            for client in left:
                client.cancel()
            await asyncio.gather(*clients)

    async def _client(self, target: Target) -> None:
        random = self._random
        host, _, port = target.uri.removeprefix("tcp://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        self.connections += 1
        reading = asyncio.create_task(_read_all(reader))
        try:
            with suppress(ConnectionError):
                await self._talk(writer, random.randrange(_EVENTS_EACH))
                await self._leave(writer, reading)
        finally:
            reading.cancel()
            await asyncio.wait([reading])
            writer.transport.abort()

    async def _talk(self, writer: asyncio.StreamWriter, events: int) -> None:
        for _ in range(events):
            writer.write(event(self._random, self._service))
            await writer.drain()
            if self._random.random() < 0.02:
                await asyncio.sleep(0)

    async def _leave(self, writer: asyncio.StreamWriter, reading: "asyncio.Task[None]") -> None:
        match self._random.randrange(4):
            case 0:  # the service has to tell us what is wrong, and hang up
                writer.write(not_an_event(self._random, self._service))
                self.broken += 1
                writer.write_eof()
                await asyncio.wait([reading], timeout=10)
            case 1:  # in the middle of an event
                whole = event(self._random, self._service)
                writer.write(whole[: self._random.randrange(len(whole))])
            case 2:
                writer.write(encode("ping", {}))
                await asyncio.wait([reading], timeout=_QUIET_SECONDS)
            case _:
                pass


async def _read_all(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while await reader.read(65_536):
            pass


async def flood(service: str, events: int, seed: int) -> Flood:
    """Flood one service; raises if it fails in any way. Returns what was done."""
    run = Flood(service, seed)
    with no_bugs():
        async with DOORS[service]() as target:
            await run.run(target, events)
    return run


def main() -> None:
    """Flood the services, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="in all")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument("--service", choices=sorted(DOORS), action="append")
    options = parser.parse_args()
    services = options.service or sorted(DOORS)
    for service in services:
        began = time.monotonic()
        run = asyncio.run(flood(service, options.events // len(services), options.seed))
        seconds = time.monotonic() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(  # noqa: T201 - a command
            f"{service}: {run.handled.total()} events handled and {run.broken} broken ones, "
            f"{run.connections} connections in {seconds:.0f} s, peak memory {memory:.0f} MB, "
            f"seed {options.seed}"
        )


if __name__ == "__main__":
    main()
