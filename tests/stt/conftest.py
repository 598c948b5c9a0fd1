from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from wyoming.client import AsyncTcpClient

from tests.stt.fakes import FakeEars, FakeEngine
from wyoming_common.server import serve
from wyoming_common.worker import ModelThread
from wyoming_stt.engine import SttEngine
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import programs
from wyoming_stt.service import SttService
from wyoming_stt.vad import SpeechModel


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def other() -> FakeEngine:
    return FakeEngine(("fr",))


@pytest_asyncio.fixture
async def service(engine: FakeEngine, other: FakeEngine) -> AsyncIterator[SttService]:
    service = SttService(
        programs(["first", "second"], [engine.languages, other.languages]),
        [
            ModelThread[SttEngine]("first", lambda: engine, max_waiting=4),
            ModelThread[SttEngine]("second", lambda: other),
        ],
        ModelThread[SpeechModel]("ears", FakeEars),
    )
    yield service
    engine.gate.set()
    other.gate.set()
    await service.aclose()


@pytest_asyncio.fixture
async def port(service: SttService) -> AsyncIterator[int]:
    async with serve("tcp://127.0.0.1:0", partial(SttHandler, service)) as uri:
        yield int(uri.rpartition(":")[2])


@pytest_asyncio.fixture
async def client(port: int) -> AsyncIterator[AsyncTcpClient]:
    async with AsyncTcpClient("127.0.0.1", port) as connected:
        yield connected
