"""A service whose model loads when told: `python -m THIS_MODULE PIPE [FLAG...]`.

The model is loaded once a line can be read from the named pipe; "fail" makes it fail. It does not
come back from a request.
"""

import asyncio
import sys
import threading
from functools import partial
from pathlib import Path

from pydantic_settings import SettingsConfigDict
from wyoming.event import Event

from tests.support.services import TTS_INFO
from wyoming_common.config.settings import ServiceSettings
from wyoming_common.errors import ModelError
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.context import ConnectionContext
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.process.app import run_program, run_service


class SlowSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PARLEY_SLOW_", cli_prog_name="slow")

    uri: str = "tcp://127.0.0.1:0"


class Handler(ServiceHandler):
    def __init__(
        self,
        model: ModelThread[str],
        context: ConnectionContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(context, reader, writer)
        self._model = model

    async def on_request(self, event: Event) -> None:
        """Never answer."""
        await self._model.call(lambda _: threading.Event().wait())


def load(pipe: Path) -> str:
    if pipe.read_text() == "fail":
        raise ModelError("model.bin is cut short")
    return "loaded"


async def serve_slowly(settings: SlowSettings, pipe: Path) -> None:
    model = ModelThread("slow", partial(load, pipe))
    await run_service(settings, lambda: TTS_INFO, model, partial(Handler, model), stuck_seconds=0.5)


if __name__ == "__main__":
    gate = Path(sys.argv.pop(1))
    run_program(SlowSettings.load, lambda settings: serve_slowly(settings, gate))
