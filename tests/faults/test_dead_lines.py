"""Dead connections, whose other end vanished: the kernel gives them up with ETIMEDOUT.

That is a TimeoutError, as is time of ours that is up. `bench.links` has the kernel do it.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.test_hostile_clients import answered, attacked, every_service
from tests.support.wire import TIMEOUT_SECONDS
from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import FixedState, GuardedReader

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
    reader = GuardedReader(source, Limits(), state=FixedState(busy=False))
    reading = asyncio.ensure_future(READS[read](reader))
    await asyncio.sleep(0)

    source.set_exception(DEAD[dead])

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(reading, TIMEOUT_SECONDS)


@every_service
@pytest.mark.parametrize("dead", DEAD)
async def test_a_connection_that_dies_ends_no_other(service: str, dead: str) -> None:
    async with attacked(service) as target:
        host, _, port = target.uri.removeprefix("tcp://").rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b'{"type": "ping"}\n{"type": "pi')
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not target.handlers:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)

        # As the event loop does when a socket fails.
        transport = target.handlers[0].writer.transport
        transport.get_protocol().connection_lost(DEAD[dead])
        transport.abort()

        assert await target.at_rest()
        assert await answered(service, target)
        writer.transport.abort()
