"""Targets of fuzzing: the services with fake engines, and the invariants that must hold."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info

from tests.llm.fakes import FakeLlm
from tests.stt.fakes import FakeEngine, LoudnessVad
from tests.support.wire import receive_until
from tests.tts.fakes import FakeTts
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.limits import Limits
from wyoming_common.net.server import serve
from wyoming_common.telemetry.recorder import Telemetry
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import Assistant
from wyoming_llm.dialogue.generation_queue import GenerationQueue, idle_work
from wyoming_llm.engine import LlmEngine
from wyoming_llm.handler import LlmHandler
from wyoming_llm.info import llm_info
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import SttEngine
from wyoming_stt.handler import SttHandler
from wyoming_stt.info import stt_programs
from wyoming_stt.service import SttService
from wyoming_tts.config import TtsSettings
from wyoming_tts.handler import TtsHandler
from wyoming_tts.info import tts_info
from wyoming_tts.synthesis.synthesizer import Synthesizer

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
    handlers: list[ServiceHandler]
    """Of all connections so far"""

    async def check(self) -> None:
        """Fail unless it still answers."""
        async with AsyncClient.from_uri(self.uri) as client:
            await client.write_event(Describe().event())
            Info.from_event(await receive_until(client, Info))

    async def at_rest(self) -> bool:
        """Wait until nothing is left of any client; return whether that came."""
        return await self._until(lambda: not self._connections() and not self.waiting())

    async def without_connections(self) -> bool:
        """Wait until the last connection is closed; return whether that came."""
        return await self._until(lambda: not self._connections())

    def _connections(self) -> int:
        return int(self.telemetry.state["connections"]())

    async def _until(self, reached: Callable[[], bool]) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                while not reached():  # noqa: ASYNC110 - a closed socket sets no event
                    await asyncio.sleep(0.001)
        return reached()


class Counted(ServiceHandler):
    """Counts the events that it is asked to handle, and lists the handlers."""

    handled: Counter[str]
    handlers: list[ServiceHandler]

    async def run(self) -> None:
        self.handlers.append(self)
        await super().run()

    async def handle_event(self, event: Event) -> bool:
        self.handled[event.type if event.type.isascii() else "?"] += 1
        return await super().handle_event(event)


class CountedStt(Counted, SttHandler): ...


class CountedTts(Counted, TtsHandler): ...


class CountedLlm(Counted, LlmHandler): ...


def _counted() -> dict[str, Any]:
    return {"handled": Counter[str](), "handlers": list[ServiceHandler]()}


@asynccontextmanager
async def stt(
    limits: Limits = LIMITS, vad_model: Callable[[], VadModel] = LoudnessVad
) -> AsyncIterator[Target]:
    engine: ModelThread[SttEngine] = ModelThread("stt", FakeEngine)
    vad: ModelThread[VadModel] = ModelThread("vad", vad_model)
    [program] = stt_programs(["one"], [("en", "de")])
    service = SttService(SttSettings(partials=True), [(program, engine)], vad)
    telemetry = Telemetry("stt")
    counted = _counted()
    handler = partial(type("Handler", (CountedStt,), counted), service)
    async with serve(
        "tcp://127.0.0.1:0", service.info, handler, limits, telemetry=telemetry
    ) as uri:
        yield Target(
            uri, telemetry=telemetry, waiting=lambda: engine.waiting + vad.waiting, **counted
        )
    await service.aclose()


@asynccontextmanager
async def tts(limits: Limits = LIMITS) -> AsyncIterator[Target]:
    engine = FakeTts()
    settings = TtsSettings(max_text=5000, zeroconf="off")
    speech = Synthesizer(engine, settings)
    model = ModelThread("tts", lambda: speech)
    telemetry = Telemetry("tts")
    counted = _counted()
    make: type[TtsHandler] = type("Handler", (CountedTts,), counted)

    def info() -> Info:
        return tts_info("fake", engine)

    handler = partial(make, speech, model, settings)
    async with serve("tcp://127.0.0.1:0", info, handler, limits, telemetry=telemetry) as uri:
        yield Target(uri, telemetry=telemetry, waiting=lambda: model.waiting, **counted)
    await model.aclose()


@asynccontextmanager
async def llm(limits: Limits = LIMITS) -> AsyncIterator[Target]:
    settings = LlmSettings(zeroconf="off", http_uri="off")
    model: ModelThread[LlmEngine] = ModelThread("llm", FakeLlm)
    replies = GenerationQueue(model, settings.parallel)
    assistant = Assistant(settings, replies)
    telemetry = Telemetry("llm")
    counted = _counted()
    make: type[LlmHandler] = type("Handler", (CountedLlm,), counted)
    info = partial(llm_info, "fake", "fake", controls=False)

    async with (
        idle_work(replies),
        serve(
            "tcp://127.0.0.1:0", info, partial(make, assistant), limits, telemetry=telemetry
        ) as uri,
    ):
        yield Target(uri, telemetry=telemetry, waiting=lambda: model.waiting, **counted)
    await model.aclose()


def satellite() -> AbstractAsyncContextManager[Target]:
    from tests.fuzz.satellite import door

    return door()


TARGETS: dict[str, Callable[..., AbstractAsyncContextManager[Target]]] = {
    "stt": stt,
    "tts": tts,
    "llm": llm,
}
"""The services"""
DOORS = {**TARGETS, "satellite": satellite}
"""...and a satellite's own door"""


class Bugs(logging.Handler):
    """Collector of logged errors. Input of a client is never one, but a satellite logs what Home
    Assistant reports as an error of its own.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("satellite.drivers.") and not record.exc_info:
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
