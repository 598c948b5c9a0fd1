"""The `wyoming-tts` command."""

import asyncio

from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.app import run_program, run_service
from wyoming_common.worker import ModelThread
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import TtsEngine
from wyoming_tts.engines import ENGINES
from wyoming_tts.handler import TtsHandler
from wyoming_tts.info import tts_info
from wyoming_tts.speech import Speech


def main() -> None:
    run_program(TtsSettings.load, serve_tts)


async def serve_tts(settings: TtsSettings) -> None:
    """Serve until cancelled."""
    engine: TtsEngine = registry.load(ENGINES, settings.engine)(settings)
    speech = Speech(engine, settings)
    model = ModelThread("tts", speech.load, max_waiting=1024)

    def info() -> Info:
        return tts_info(settings.engine, engine)

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> TtsHandler:
        return TtsHandler(info, speech, model, settings, reader, writer)

    await run_service(settings, info, model, handler)


if __name__ == "__main__":
    main()
