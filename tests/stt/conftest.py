from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from wyoming.client import AsyncTcpClient

from tests.stt.fakes import FakeEngine, LoudnessVad
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import SttEngine
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import stt_programs
from wyoming_stt.service import SttService


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def other() -> FakeEngine:
    return FakeEngine(("fr",))


@pytest_asyncio.fixture
async def service(engine: FakeEngine, other: FakeEngine) -> AsyncIterator[SttService]:
    first, second = stt_programs(["first", "second"], [engine.languages, other.languages])
    service = SttService(
        SttSettings(),
        [
            (first, ModelThread[SttEngine]("first", lambda: engine, max_waiting=4)),
            (second, ModelThread[SttEngine]("second", lambda: other)),
        ],
        ModelThread[VadModel]("vad", LoudnessVad),
    )
    yield service
    engine.gate.set()
    other.gate.set()
    await service.aclose()


@pytest_asyncio.fixture
async def port(service: SttService) -> AsyncIterator[int]:
    async with serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri:
        yield int(uri.rpartition(":")[2])


@pytest_asyncio.fixture
async def client(port: int) -> AsyncIterator[AsyncTcpClient]:
    async with AsyncTcpClient("127.0.0.1", port) as connected:
        yield connected
