import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from wyoming.client import AsyncClient

from tests.llm.fakes import FakeLlm
from wyoming_common.server import serve
from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import LlmEngine
from wyoming_llm.handler import LlmHandler
from wyoming_llm.home import acting
from wyoming_llm.info import llm_info
from wyoming_llm.replies import Replies
from wyoming_llm.service import keeping


class Service(NamedTuple):
    engine: FakeLlm
    uri: str


Serving = Callable[..., AbstractAsyncContextManager[Service]]


@asynccontextmanager
async def serving(engine: FakeLlm | None = None, **settings: Any) -> AsyncIterator[Service]:
    engine = engine or FakeLlm()
    chosen = LlmSettings(**({"zeroconf": "off", "http_uri": "off"} | settings))
    model: ModelThread[LlmEngine] = ModelThread("llm", lambda: engine)
    replies = Replies(model, chosen.parallel, pause=0)
    assistant = Assistant(chosen, replies)

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> LlmHandler:
        info = llm_info("fake", engine.model, controls=False)
        return LlmHandler(lambda: info, assistant, reader, writer)

    async with keeping(replies), serve("tcp://127.0.0.1:0", handler) as uri:
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


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for a home that does not do as it is told."""
    monkeypatch.setattr(acting, "_READ_BACK_SECONDS", 0.2)
