"""A satellite's own door as a target: whoever connects may say that it is Home Assistant."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Self
from unittest.mock import patch

from satellite import lines
from satellite.clock import RunClock
from satellite.config import SatelliteSettings
from satellite.devices.device import FRAME_SECONDS, SILENCE, Frame
from satellite.devices.files import FileSpeaker
from satellite.ears import Ears
from satellite.homeassistant import Assistant
from satellite.loop import Body
from satellite.player import Player
from satellite.session import Session
from tests.fuzz.targets import Counted, Target
from tests.satellite.rig import LoudIsSpeech, WakeIsVeryLoud
from wyoming_common.telemetry import Telemetry


class CountedSession(Counted, Session): ...


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
    handled: Counter[str] = Counter()
    settings = SatelliteSettings.load(["--uri=tcp://127.0.0.1:0", "--no-zeroconf", "--wake=none"])
    clock, player = RunClock(), Player(22_050)
    telemetry = Telemetry("satellite")
    ears = Ears(LoudIsSpeech(), WakeIsVeryLoud())
    counted = type("Handler", (CountedSession,), {"handled": handled})
    with tempfile.TemporaryDirectory() as folder, patch.object(lines, "Session", counted):
        body = Body(clock, Quiet(clock), player, ears, telemetry)
        async with (
            FileSpeaker(Path(folder) / "speaker.wav", player, clock),
            Assistant(settings, body) as loop,
        ):
            task = asyncio.create_task(loop.run())
            yield Target(loop.uri, handled, telemetry, partial(_ended, task))
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _ended(task: "asyncio.Task[None]") -> int:
    """Return 0 while it runs; raises what has ended it."""
    if task.done():
        task.result()
    return int(task.done())
