"""Services for tests: a handler served over real TCP, and two handlers that need no model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Attribution, Info, TtsProgram
from wyoming.tts import Synthesize

from wyoming_common.errors import BadAudio
from wyoming_common.net.access import Access
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.limits import Limits
from wyoming_common.net.server import HandlerFactory, serve
from wyoming_common.telemetry.recorder import Telemetry


def tts_info() -> Info:
    """Describe a text-to-speech program without voices."""
    return TTS_INFO


TTS_INFO = Info(
    tts=[
        TtsProgram(
            "test", Attribution("", ""), installed=True, description="", version="1", voices=[]
        )
    ]
)


@asynccontextmanager
async def running_service(
    info: Callable[[], Info],
    make_handler: HandlerFactory,
    limits: Limits | None = None,
    *,
    uri: str = "tcp://127.0.0.1:0",
    access: Access | None = None,
    telemetry: Telemetry | None = None,
) -> AsyncIterator[str]:
    """Serve over TCP on a free port of loopback until the block ends; yields the bound URI."""
    async with serve(uri, info, make_handler, limits, access, telemetry) as bound:
        yield bound


@asynccontextmanager
async def connected_client(
    info: Callable[[], Info], make_handler: HandlerFactory, limits: Limits | None = None
) -> AsyncIterator[AsyncClient]:
    """Run a service as `running_service` does, and yield one client that is connected to it."""
    async with (
        running_service(info, make_handler, limits) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        yield client


class SilentHandler(ServiceHandler):
    """Answers only what the base class answers: `describe`, `ping` and `trace-query`."""

    async def on_request(self, event: Event) -> None:
        """Ignore the event."""


class SpeakingHandler(ServiceHandler):
    """Answers `synthesize` with one chunk that holds its text.

    The texts "refuse" and "bug" fail, "forever" never ends, "flood" sends audio without end.
    `job_ended` is set whenever a job has ended; `partial` gives one to watch.
    """

    def __init__(self, *args: Any, job_ended: asyncio.Event | None = None) -> None:
        super().__init__(*args)
        self.job_ended = job_ended or asyncio.Event()

    async def on_request(self, event: Event) -> None:
        if Synthesize.is_type(event.type):
            await self.start(self.speak(Synthesize.from_event(event).text))

    async def speak(self, text: str) -> None:
        try:
            if text == "refuse":
                raise BadAudio("not like this")
            if text == "bug":
                raise RuntimeError("a secret path")
            await self.write_event(AudioChunk(16000, 2, 1, text.encode()).event())
            while text == "flood":
                await self.write_event(AudioChunk(16000, 2, 1, bytes(65536)).event())
            if text == "forever":
                await asyncio.Event().wait()
            await self.write_event(AudioStop().event())
        finally:
            self.job_ended.set()
