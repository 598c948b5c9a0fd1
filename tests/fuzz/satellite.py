"""Fuzz target: a satellite's port, to which any client may connect as Home Assistant."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from satellite.audio.devices.device import FRAME_SECONDS, SILENCE, Frame
from satellite.audio.devices.files import FileSpeaker
from satellite.audio.pipeline import AudioPipeline
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from satellite.drivers.driver import Devices
from satellite.drivers.satellite import Satellite, make_turn_machine
from satellite.drivers.wyoming import WyomingDriver
from satellite.wyoming import ha_connections
from satellite.wyoming.ha_connections import HaConnection
from tests.fuzz.targets import Counted, Target
from tests.support.satellite_rig import LoudIsSpeech, WakeIsVeryLoud
from wyoming_common.telemetry.recorder import Telemetry


class CountedConnection(Counted, HaConnection): ...


class Quiet:
    """A microphone in an empty room."""

    ended = False

    def __init__(self, clock: RunClock) -> None:
        self._clock = clock

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def frames(self) -> AsyncIterator[Frame]:
        at = self._clock.now()
        while True:
            at += FRAME_SECONDS
            await self._clock.until(at)
            yield Frame(SILENCE, at)


@asynccontextmanager
async def door() -> AsyncIterator[Target]:
    """A satellite for Home Assistant, of which every event that it gets is counted."""
    counts: dict[str, Any] = {"handled": Counter[str](), "handlers": list[HaConnection]()}
    settings = SatelliteSettings.load(["--uri=tcp://127.0.0.1:0", "--no-zeroconf", "--wake=none"])
    clock, player = RunClock(), Player(22_050)
    telemetry = Telemetry("satellite")
    audio = AudioPipeline(LoudIsSpeech(), WakeIsVeryLoud())
    counted = type("Handler", (CountedConnection,), counts)
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(ha_connections, "HaConnection", counted),
    ):
        devices = Devices(clock, Quiet(clock), player, audio, telemetry)
        driver = WyomingDriver(settings, devices)
        machine = make_turn_machine(settings, devices, driver)
        satellite = Satellite(settings, devices, machine, driver)
        async with FileSpeaker(Path(folder) / "speaker.wav", player, clock), driver:
            task = asyncio.create_task(satellite.run())
            yield Target(driver.uri, telemetry=telemetry, waiting=partial(_ended, task), **counts)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _ended(task: "asyncio.Task[None]") -> int:
    """Return 0 while it runs; raises what has ended it."""
    if task.done():
        task.result()
    return int(task.done())
