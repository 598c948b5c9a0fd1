"""Lines whose other end is gone without a word: the kernel gives them up with ETIMEDOUT.

That is a TimeoutError, as is time of ours that is up. `bench.links` has the kernel do it.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.test_hostile_clients import answer, attacked, every_service
from tests.wire import SECONDS
from wyoming_common.limits import GuardedReader, Limits
from wyoming_common.service import ServiceHandler

DEAD = {
    "timed out": TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
    "no route": OSError(errno.EHOSTUNREACH, "No route to host"),
    "reset": ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
}
READS: dict[str, Callable[[GuardedReader], Awaitable[bytes]]] = {
    "nothing": lambda reader: reader.readline(),
    "a part of a header": lambda reader: reader.readline(),
    "a part of a payload": lambda reader: reader.readexactly(10),
}


@pytest.mark.parametrize("dead", DEAD)
@pytest.mark.parametrize("read", READS)
async def test_reading_ends_with_the_line(read: str, dead: str) -> None:
    source = asyncio.StreamReader()
    source.feed_data({"nothing": b"", "a part of a header": b"{"}.get(read, b"abc"))
    reader = GuardedReader(source, Limits(), busy=lambda: False)
    reader._deadline = asyncio.get_running_loop().time() + SECONDS
    reading = asyncio.ensure_future(READS[read](reader))
    await asyncio.sleep(0)

    source.set_exception(DEAD[dead])

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(reading, SECONDS)


@every_service
@pytest.mark.parametrize("dead", DEAD)
async def test_a_line_that_dies_takes_nobody_with_it(
    service: str, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[ServiceHandler] = []
    run = ServiceHandler.run

    async def noted(self: ServiceHandler) -> None:
        there.append(self)
        await run(self)

    monkeypatch.setattr(ServiceHandler, "run", noted)
    async with attacked(service, None, monkeypatch) as target:
        host, _, port = target.uri.removeprefix("tcp://").rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b'{"type": "ping"}\n{"type": "pi')
        async with asyncio.timeout(SECONDS):
            while not there:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)

        # As the event loop does when a socket fails.
        there[0].writer.transport._fatal_error(DEAD[dead], "dead")  # type: ignore[attr-defined]

        await target.at_rest()
        await answer(service, target)
        writer.transport.abort()
