from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from wyoming.client import AsyncClient
from wyoming.info import Info

from tests.llm.fakes import FakeLlm
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.server import serve
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.engine import LlmEngine
from wyoming_llm.handler import LlmHandler
from wyoming_llm.info import llm_info

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Service(NamedTuple):
    engine: FakeLlm
    uri: str


Serving = Callable[..., AbstractAsyncContextManager[Service]]


@asynccontextmanager
async def serving(engine: FakeLlm | None = None, **settings: Any) -> AsyncIterator[Service]:
    engine = engine or FakeLlm()
    chosen = LlmSettings(**({"zeroconf": "off", "http_uri": "off"} | settings))
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    replies = GenerationQueue(model, chosen.parallel, pause=0)
    # A clock that stands still: the system prompt has the minute, and a prefix ends with it.
    assistant = Assistant(chosen, replies, now=lambda: NOON)

    def info() -> Info:
        return llm_info("fake", engine.model, controls=False)

    handler = partial(LlmHandler, assistant)
    async with idle_work(replies), serve("tcp://127.0.0.1:0", info, handler) as uri:
        yield Service(engine, uri)
    await model.aclose()


@pytest.fixture
def serve_llm() -> Serving:
    return serving


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with serving() as service:
        yield service


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[AsyncClient]:
    async with AsyncClient.from_uri(service.uri) as client:
        yield client
