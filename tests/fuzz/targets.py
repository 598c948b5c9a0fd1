"""The services with engines that need no model, and what must hold of them always."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info

from tests.llm.fakes import FakeLlm
from tests.stt.fakes import FakeEars, FakeEngine
from tests.tts.fakes import FakeTts
from tests.wire import receive_until
from wyoming_common.limits import Limits
from wyoming_common.server import serve
from wyoming_common.service import ServiceHandler
from wyoming_common.telemetry import Telemetry
from wyoming_common.worker import ModelThread
from wyoming_llm.assistant import Assistant
from wyoming_llm.config import LlmSettings
from wyoming_llm.engine import LlmEngine
from wyoming_llm.handler import LlmHandler
from wyoming_llm.info import llm_info
from wyoming_llm.replies import Replies
from wyoming_llm.service import keeping
from wyoming_stt.engine import SttEngine
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import programs
from wyoming_stt.service import SttService
from wyoming_stt.vad import SpeechModel
from wyoming_tts.config import TtsSettings
from wyoming_tts.handler import TtsHandler
from wyoming_tts.info import tts_info
from wyoming_tts.speech import Speech

LIMITS = Limits(event_seconds=5, stall_seconds=5, write_seconds=5)


@dataclass(frozen=True, slots=True)
class Target:
    """A service under attack."""

    uri: str
    handled: Counter[str]
    """Events that reached a handler, by type"""
    telemetry: Telemetry
    waiting: Callable[[], int]
    """Requests at its model"""

    async def check(self) -> None:
        """Fail unless it still answers."""
        async with AsyncClient.from_uri(self.uri) as client:
            await client.write_event(Describe().event())
            Info.from_event(await receive_until(client, Info))

    async def at_rest(self) -> None:
        """Wait until nothing is left of any client; fails if something stays."""
        async with asyncio.timeout(10):
            while self.telemetry.state["connections"]() or self.waiting():  # noqa: ASYNC110
                await asyncio.sleep(0.001)  # nothing tells when a socket is gone


class Counted(ServiceHandler):
    """Counts what it is asked to handle."""

    handled: Counter[str]

    async def handle_event(self, event: Event) -> bool:
        self.handled[event.type if event.type.isascii() else "?"] += 1
        return await super().handle_event(event)


class CountedStt(Counted, SttHandler): ...


class CountedTts(Counted, TtsHandler): ...


class CountedLlm(Counted, LlmHandler): ...


@asynccontextmanager
async def stt() -> AsyncIterator[Target]:
    engine: ModelThread[SttEngine] = ModelThread("stt", FakeEngine)
    ears: ModelThread[SpeechModel] = ModelThread("ears", FakeEars)
    service = SttService(programs(["one"], [("en", "de")]), [engine], ears, partials=True)
    telemetry = Telemetry("stt")
    handled: Counter[str] = Counter()
    handler = partial(type("Handler", (CountedStt,), {"handled": handled}), service)
    async with serve("tcp://127.0.0.1:0", handler, LIMITS, telemetry=telemetry) as uri:
        yield Target(uri, handled, telemetry, lambda: engine.waiting + ears.waiting)
    await service.aclose()


@asynccontextmanager
async def tts() -> AsyncIterator[Target]:
    engine = FakeTts()
    settings = TtsSettings(max_text=5000, zeroconf="off")
    speech = Speech(engine, settings)
    model = ModelThread("tts", lambda: speech)
    telemetry = Telemetry("tts")
    handled: Counter[str] = Counter()
    make: type[TtsHandler] = type("Handler", (CountedTts,), {"handled": handled})

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> TtsHandler:
        return make(lambda: tts_info("fake", engine), speech, model, settings, reader, writer)

    async with serve("tcp://127.0.0.1:0", handler, LIMITS, telemetry=telemetry) as uri:
        yield Target(uri, handled, telemetry, lambda: model.waiting)
    await model.aclose()


@asynccontextmanager
async def llm() -> AsyncIterator[Target]:
    settings = LlmSettings(zeroconf="off", http_uri="off")
    model: ModelThread[LlmEngine] = ModelThread("llm", FakeLlm)
    replies = Replies(model, settings.parallel)
    assistant = Assistant(settings, replies)
    telemetry = Telemetry("llm")
    handled: Counter[str] = Counter()
    make: type[LlmHandler] = type("Handler", (CountedLlm,), {"handled": handled})
    info = llm_info("fake", "fake", controls=False)

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> LlmHandler:
        return make(lambda: info, assistant, reader, writer)

    async with (
        keeping(replies),
        serve("tcp://127.0.0.1:0", handler, LIMITS, telemetry=telemetry) as uri,
    ):
        yield Target(uri, handled, telemetry, lambda: model.waiting)
    await model.aclose()


def satellite() -> AbstractAsyncContextManager[Target]:
    from tests.fuzz.satellite import door

    return door()


TARGETS: dict[str, Callable[[], AbstractAsyncContextManager[Target]]] = {
    "stt": stt,
    "tts": tts,
    "llm": llm,
}
"""The services"""
DOORS = {**TARGETS, "satellite": satellite}
"""...and a satellite's own door"""


class Bugs(logging.Handler):
    """Collects what is logged as an error: what a client sends is never one. To a satellite Home
    Assistant may tell of its own.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "satellite.homeassistant" and not record.exc_info:
            return
        self.found.append(logging.Formatter().format(record))


@contextmanager
def no_bugs() -> Iterator[None]:
    """Fail if a traceback was logged during the block."""
    bugs = Bugs()
    logging.getLogger().addHandler(bugs)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(bugs)
    assert not bugs.found, bugs.found[0]
