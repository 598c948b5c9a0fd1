"""A service whose model loads when told: python -m tests.common.slow_service PIPE [FLAG...].

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

from tests.common.test_service import INFO
from wyoming_common.app import run_program, run_service
from wyoming_common.errors import ModelError
from wyoming_common.service import ServiceHandler
from wyoming_common.settings import ServiceSettings
from wyoming_common.worker import ModelThread


class SlowSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PARLEY_SLOW_", cli_prog_name="slow")

    uri: str = "tcp://127.0.0.1:0"


class Handler(ServiceHandler):
    def __init__(
        self,
        model: ModelThread[str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(lambda: INFO, reader, writer)
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
    await run_service(settings, lambda: INFO, model, partial(Handler, model), stuck_seconds=0.5)


if __name__ == "__main__":
    gate = Path(sys.argv.pop(1))
    run_program(SlowSettings.load, lambda settings: serve_slowly(settings, gate))
