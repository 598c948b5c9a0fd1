"""The `wyoming-stt` command."""

import asyncio
import sys
import threading
from contextlib import AsyncExitStack
from functools import partial

from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.process.app import run_program, run_service
from wyoming_stt.cli import TranscribeSettings, run
from wyoming_stt.config import SttSettings
from wyoming_stt.handler import SttHandler
from wyoming_stt.service import build


async def _serve(settings: SttSettings) -> None:
    home = HomeAssistant.from_settings(settings.home_assistant, settings.token_file)
    async with AsyncExitStack() as stack:
        if home is not None:
            await stack.enter_async_context(home.open())
        service = build(settings, (lambda: home.home) if home is not None else None)
        if home is not None:
            home.listeners.append(lambda _: service.refresh_sentences())
        await stack.enter_async_context(service.tended())
        await run_service(settings, service.info, service, partial(SttHandler, service))


async def _transcribe(settings: TranscribeSettings) -> None:
    stopped = threading.Event()
    try:
        await asyncio.to_thread(run, settings, stopped.is_set)
    finally:
        stopped.set()


def main() -> None:
    """Run the service until a signal stops it, or `transcribe` files."""
    if sys.argv[1:2] == ["transcribe"]:
        run_program(lambda: TranscribeSettings.load(sys.argv[2:]), _transcribe)
    else:
        run_program(SttSettings.load, _serve)


if __name__ == "__main__":
    main()
