"""The parts of the conversation service, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.app import run_service
from wyoming_common.home_assistant import HomeAssistant
from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant
from wyoming_llm.config import OFF, LlmSettings
from wyoming_llm.engine import LlmEngine
from wyoming_llm.engines import ENGINES
from wyoming_llm.handler import LlmHandler
from wyoming_llm.home.control import HomeControl
from wyoming_llm.home.detached import NoHome
from wyoming_llm.home.sentences import Sentences
from wyoming_llm.http.door import Door, open_door
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
    home = home_of(settings)

    def info() -> Info:
        return llm_info(settings.engine, engine.model, controls=home is not None)

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> LlmHandler:
        return LlmHandler(info, assistant, reader, writer)

    async with AsyncExitStack() as stack:
        assistant = await stack.enter_async_context(assisting(settings, home, replies))
        door = Door(replies, lambda: engine.model, lambda: model.loaded, settings.http_key)
        await stack.enter_async_context(open_door(door, settings))
        await run_service(settings, info, model, handler)


def home_of(settings: LlmSettings) -> HomeAssistant | None:
    """Return the Home Assistant that is to be controlled, if any. Raises ConfigError."""
    if settings.control == OFF:
        return None
    return HomeAssistant.from_settings(settings.home_assistant, settings.token_file)


@asynccontextmanager
async def assisting(
    settings: LlmSettings, home: HomeAssistant | None, replies: Replies
) -> AsyncIterator[Assistant]:
    """An assistant that uses the time in which nobody asks, until the block ends."""
    async with controlling(settings, home, replies) as control:
        assistant = Assistant(settings, replies, control)
        assistant.warm_up()
        async with keeping(replies):
            yield assistant


@asynccontextmanager
async def controlling(
    settings: LlmSettings, home: HomeAssistant | None, replies: Replies
) -> AsyncIterator[HomeControl | NoHome]:
    """Control the home, if there is one, until the block ends."""
    sentences = ModelThread("sentences", lambda: Sentences(settings.sentences_dir))
    try:
        if home is None:
            yield NoHome(sentences)
            return
        async with home.open():
            yield HomeControl(settings, home, sentences, replies)
    finally:
        await sentences.aclose()


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
