"""Assembly of the text-to-speech service."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.model_thread import ModelThread
from wyoming_common.process.app import run_service
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import TtsEngine
from wyoming_tts.engines import ENGINES
from wyoming_tts.handler import TtsHandler
from wyoming_tts.info import tts_info
from wyoming_tts.synthesis.synthesizer import Synthesizer


async def serve_tts(settings: TtsSettings) -> None:
    """Serve until cancelled."""
    with open_synthesizer(settings) as synthesizer:
        # A sentence is admitted at a time: one in the middle of a reply must find a place.
        max_waiting = 2 * settings.max_connections
        model = ModelThread("tts", synthesizer.load, max_waiting)

        def info() -> Info:
            return tts_info(settings.engine, synthesizer.engine)

        handler = partial(TtsHandler, synthesizer, model, settings)
        await run_service(settings, info, model, handler)


@contextmanager
def open_synthesizer(settings: TtsSettings) -> Iterator[Synthesizer]:
    """Yield a synthesizer with the engine that `settings` name, closed behind the block.

    Raises UnknownEngine, MissingDependency and ConfigError.
    """
    engine: TtsEngine = registry.load(ENGINES, settings.engine)(settings)
    try:
        yield Synthesizer(engine, settings)
    finally:
        engine.close()
