"""The `wyoming-tts` command."""

import asyncio
import sys

from wyoming.info import Info

from wyoming_common import registry
from wyoming_common.app import run_program, run_service
from wyoming_common.worker import ModelThread
from wyoming_tts.cli_speak import SpeakSettings, speak
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import TtsEngine
from wyoming_tts.engines import ENGINES
from wyoming_tts.handler import TtsHandler
from wyoming_tts.info import tts_info
from wyoming_tts.speech import Speech


def main() -> None:
    """Run the service until it is told to stop, or `speak` a text."""
    if sys.argv[1:2] == ["speak"]:
        run_program(lambda: SpeakSettings.load(sys.argv[2:]), _speak)
    else:
        run_program(TtsSettings.load, _serve)


async def _speak(settings: SpeakSettings) -> None:
    engine: TtsEngine = registry.load(ENGINES, settings.engine)(settings)
    await asyncio.to_thread(speak, settings, Speech(engine, settings))


async def _serve(settings: TtsSettings) -> None:
    engine: TtsEngine = registry.load(ENGINES, settings.engine)(settings)
    speech = Speech(engine, settings)
    # A sentence is admitted at a time: none in the middle of a reply may find no place.
    model = ModelThread("tts", speech.load, max_waiting=2 * settings.max_connections)

    def info() -> Info:
        return tts_info(settings.engine, engine)

    def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> TtsHandler:
        return TtsHandler(info, speech, model, settings, reader, writer)

    await run_service(settings, info, model, handler)


if __name__ == "__main__":
    main()
