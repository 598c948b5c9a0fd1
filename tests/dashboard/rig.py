"""Services that tell of turns, and a dashboard that shows them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from wyoming.event import Event
from wyoming.info import Info

from parley.dashboard.history import TurnHistory
from parley.dashboard.server import Viewers, serve_dashboard
from parley.dashboard.sources import Sources
from parley.dashboard.talk import BrowserSatellites
from parley.dashboard.voices import HouseholdVoices
from parley.dashboard.wake_words import WakeWords
from wyoming_common.net.access import Access
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.server import serve
from wyoming_common.telemetry.recorder import Telemetry
from wyoming_common.telemetry.trace import Trace


class Silent(ServiceHandler):
    """Answers nothing but `trace-query`, `describe` and `ping`."""

    async def on_request(self, event: Event) -> None:
        pass


@dataclass
class Shown:
    """A dashboard and what it shows."""

    uri: str
    history: TurnHistory
    sources: Sources


@asynccontextmanager
async def telling(telemetry: Telemetry) -> AsyncIterator[str]:
    """A service that tells what `telemetry` knows; yields its URI."""
    async with serve("tcp://127.0.0.1:0", Info, Silent, telemetry=telemetry) as uri:
        yield uri


@asynccontextmanager
async def dashboard(
    *uris: str,
    text: bool = False,
    at: str = "http://127.0.0.1:0",
    talk: Sequence[str] = (),
    ingress: bool = False,
    wake_words: WakeWords | None = None,
    voices: HouseholdVoices | None = None,
) -> AsyncIterator[Shown]:
    """A dashboard that asks `uris`; `talk` are the flags of the satellite behind its page."""
    history = TurnHistory()
    viewers = Viewers(Access(), text, ingress)
    async with AsyncExitStack() as stack:
        if wake_words is not None:
            await stack.enter_async_context(wake_words.running())
        sources = await stack.enter_async_context(Sources(uris, history, discover=False))
        uri = await stack.enter_async_context(
            serve_dashboard(
                at,
                sources,
                history,
                viewers,
                BrowserSatellites(sources, talk) if talk else None,
                wake_words,
                voices,
            )
        )
        yield Shown(uri, history, sources)


def add_turn(
    telemetry: Telemetry, turn_id: str, *, llm: float = 0.2, said: str = "what time is it"
) -> None:
    """Tell of a turn as a satellite sees it; its wait is 0.5 s and what the LLM took."""
    trace = Trace(turn_id=turn_id)
    trace.begin("listening", at=0.0)
    trace.end("listening", at=1.0)
    trace.begin("stt", at=0.1)
    trace.ready("stt", at=1.0)
    trace.end("stt", at=1.3)
    trace.begin("llm", at=1.3)
    trace.first("llm", at=1.3 + llm)
    trace.end("llm", at=1.5 + llm)
    trace.begin("tts", at=1.3 + llm)
    trace.first("tts", at=1.5 + llm)
    trace.end("tts", at=1.7 + llm)
    trace.begin("playback", at=1.5 + llm)
    trace.end("playback", at=3.0 + llm)
    trace.begin("turn", at=0.0)
    trace.ready("turn", at=1.0)
    trace.first("turn", at=1.5 + llm)
    trace.end("turn", at=3.0 + llm)
    telemetry.record(trace, {"transcript": said, "reply": "It is late."})
