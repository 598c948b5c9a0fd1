"""The parts of the conversation service, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.app import run_service
from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines import ENGINES
from wyoming_llm.handler import LlmHandler
from wyoming_llm.info import llm_info
from wyoming_llm.replies import Replies


async def serve_llm(settings: LlmSettings) -> None:
    """Serve until cancelled."""
    engine: LlmEngine = registry.load(ENGINES, settings.engine)(settings)

    def load() -> LlmEngine:
        engine.load()
        return engine

    model = ModelThread("llm", load, max_waiting=64)
    replies = Replies(model, settings.parallel)
    assistant = Assistant(settings, replies)
    assistant.warm_up()

    def info() -> Info:
        return llm_info(settings.engine, engine.model, controls=bool(settings.home_assistant))

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> LlmHandler:
        return LlmHandler(info, assistant, reader, writer)

    async with keeping(replies):
        await run_service(settings, info, model, handler)


@asynccontextmanager
async def keeping(replies: Replies) -> AsyncIterator[None]:
    """Use the time in which nobody asks, until the block ends."""
    task = asyncio.create_task(replies.keep())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
