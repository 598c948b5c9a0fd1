"""Second stage at the wake word: the voice of a stranger does not wake the satellite."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.event import Event, async_read_event, async_write_event

from satellite.config import SatelliteSettings
from satellite.core.turn import TurnState
from satellite.drivers.satellite import Satellite, make_turn_machine
from satellite.wake.household import WAKE_VOICE_SECONDS, RemoteWakeVoices
from tests.support.recording_driver import RecordingDriver
from tests.support.satellite_rig import (
    SPEECH,
    WAKE,
    VirtualClock,
    WakeIsVeryLoud,
    file_devices,
)
from wyoming_common.errors import ConfigError
from wyoming_common.protocol.household_voice import HouseholdVoice, HouseholdVoiceFound

HEARD = ((1.5, 0), (0.3, WAKE), (0.5, 0), (1.0, SPEECH), (2.0, 0))


@asynccontextmanager
async def service(answer: Event | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A speech-to-text service with one answer; None is silence. Yields its URI and what it got."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        event = await async_read_event(reader)
        if event is not None:
            got.append(HouseholdVoice.from_event(event).pcm)
            if answer is not None:
                await async_write_event(answer, writer)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", got


async def judged(uri: str, seconds: float = 10.0) -> bool:
    result: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    async with RemoteWakeVoices(uri, seconds=seconds) as voices:
        voices.judge(b"\0\0", result.set_result)
        return await result


@pytest.mark.parametrize(
    ("answer", "may_wake"),
    [
        (HouseholdVoiceFound(found=True).event(), True),
        (HouseholdVoiceFound(found=False).event(), False),
        (HouseholdVoiceFound(found=None).event(), True),
        (Event("household-voice-found", {"found": "no"}), True),
    ],
)
async def test_a_voice_may_wake_unless_it_is_a_stranger_s(answer: Event, may_wake: bool) -> None:
    async with service(answer) as (uri, got):
        assert await judged(uri) is may_wake
    assert got == [b"\0\0"]


async def test_a_service_that_is_slow_or_away_keeps_no_one_out() -> None:
    async with service(None) as (uri, _):
        assert await judged(uri, 0.01)
    assert await judged(uri)


def test_a_uri_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError):
        RemoteWakeVoices("localhost")


class Judge:
    """Judges by a fixed opinion, when it is told to."""

    def __init__(self, *, may_wake: bool) -> None:
        self._may_wake = may_wake
        self.heard: list[bytes] = []
        self.then: Callable[[bool], None]

    def judge(self, pcm: bytes, then: Callable[[bool], None]) -> None:
        self.heard.append(pcm)
        asyncio.get_running_loop().call_soon(then, self._may_wake)


@pytest.mark.parametrize("may_wake", [True, False])
async def test_the_turn_begins_for_the_household_alone(tmp_path: Path, may_wake: bool) -> None:
    settings = SatelliteSettings.load(["--wake=computer", "--no-sounds"])
    judge = Judge(may_wake=may_wake)
    async with file_devices(tmp_path, HEARD, WakeIsVeryLoud(), VirtualClock()) as devices:
        driver = RecordingDriver(lambda *_: None)
        driver.ticks.append(lambda at: setattr(driver, "finished", at > 4.0))
        machine = make_turn_machine(settings, devices, driver)
        satellite = Satellite(settings, devices, machine, driver, voices=judge)
        await satellite.run()

    assert [len(pcm) for pcm in judge.heard] == [int(WAKE_VOICE_SECONDS * 32_000)]
    assert bool(driver.turns) is may_wake
    assert machine.state is (TurnState.THINKING if may_wake else TurnState.IDLE)
    assert devices.telemetry.counts.get("wake:stranger", 0) == (not may_wake)
