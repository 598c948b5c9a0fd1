"""One way to run standalone turns against fake services on TCP."""

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    redirect_stdout,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from satellite.config import SatelliteSettings
from satellite.drivers.standalone import StandaloneDriver
from satellite.wake.engine import WakeDetector
from satellite.wyoming.directory import ServiceDirectory
from tests.support.fake_services import FakeService, fake_llm, fake_stt, fake_tts
from tests.support.satellite_rig import SPEECH, SatelliteRig, VirtualClock, file_devices, rig
from wyoming_common.errors import ServiceError

QUESTION = ((0.5, 0), (1.0, SPEECH), (1.0, 0))
"""A second of speech."""

Fake = AbstractAsyncContextManager[FakeService]


@dataclass(slots=True)
class StandaloneRun:
    """A standalone satellite, its services, and the reports of its turns."""

    stt: FakeService
    llm: FakeService
    tts: FakeService
    rig: SatelliteRig[StandaloneDriver]
    failure: ServiceError | None = None
    """The error that the run has ended with."""
    reports: list[dict[str, Any]] = field(default_factory=list)

    @property
    def report(self) -> dict[str, Any]:
        """The report of the only turn."""
        [report] = self.reports
        return report

    async def run(self) -> None:
        """Run the satellite to the end of its recording, or of its only turn."""
        output = io.StringIO()
        try:
            with redirect_stdout(output):
                await self.rig.satellite.run()
        except ServiceError as err:
            self.failure = err
        self.reports = [json.loads(line) for line in output.getvalue().splitlines()]


@asynccontextmanager
async def standalone_satellite(
    folder: Path,
    heard: Sequence[tuple[float, int]],
    *flags: str,
    stt: Fake | None = None,
    llm: Fake | None = None,
    tts: Fake | None = None,
    wake: WakeDetector | None = None,
) -> AsyncIterator[StandaloneRun]:
    """A satellite whose microphone hears `heard`, still to be run."""
    settings = SatelliteSettings.load(
        [
            f"--mic=file:{folder}/mic.wav",
            f"--wake={'computer' if wake else 'none'}",
            "--json",
            "--stop-word=stop",
            *flags,
        ]
    )
    async with AsyncExitStack() as stack:
        services = (
            await stack.enter_async_context(stt or fake_stt("hi")),
            await stack.enter_async_context(llm or fake_llm("Hello")),
            await stack.enter_async_context(tts or fake_tts()),
        )
        uris = dict(zip(("asr", "handle", "tts"), (one.uri for one in services), strict=True))
        directory = await stack.enter_async_context(ServiceDirectory(uris, 1.0, 1.0))
        devices = await stack.enter_async_context(file_devices(folder, heard, wake, VirtualClock()))
        driver = StandaloneDriver(settings, devices, directory)
        made = rig(settings, devices, driver, folder)
        await stack.enter_async_context(driver)
        yield StandaloneRun(*services, made)


async def standalone_turns(
    folder: Path,
    heard: Sequence[tuple[float, int]] = QUESTION,
    *flags: str,
    stt: Fake | None = None,
    llm: Fake | None = None,
    tts: Fake | None = None,
    wake: WakeDetector | None = None,
) -> StandaloneRun:
    """Run a satellite over `heard` to its end; a failure is part of the result."""
    async with standalone_satellite(
        folder, heard, *flags, stt=stt, llm=llm, tts=tts, wake=wake
    ) as run:
        await run.run()
    return run
