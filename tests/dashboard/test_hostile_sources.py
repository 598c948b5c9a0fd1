"""Any host of the network may announce itself as a source and answer anything."""

import asyncio
import json
from contextlib import suppress

import pytest

from tests.dashboard.rig import dashboard

ANSWERS = {
    "a payload of a terabyte": b'{"type": "trace-report", "payload_length": 1000000000000}\n',
    "a header without end": b'{"type": "' + b"x" * 200_000,
    "no Wyoming": b"HTTP/1.1 200 OK\r\n\r\n",
    "invalid stages": json.dumps(
        {
            "type": "trace-report",
            "data": {"records": [{"turn": [], "stages": "x", "source": 1, "boot": 2, "at": "?"}]},
        }
    ).encode()
    + b"\n",
    "an invalid clock": b'{"type": "trace-report", "data": {"clock": 7}}\n',
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_whatever_a_source_says_is_its_own_problem(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(ANSWERS[name])
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        uri = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with dashboard(uri) as shown, asyncio.timeout(20):
            (source,) = shown.sources.all.values()
            while source.problem in ("", "connecting"):  # noqa: ASYNC110 - told in no other way
                await asyncio.sleep(0.01)

            assert source.problem
            assert len(shown.history) == 0
    assert not [record for record in caplog.records if record.exc_info]
