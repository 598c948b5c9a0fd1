"""The dashboard finds a satellite that works on its own, and is told what it knows."""

import asyncio
from typing import Any

from satellite.config import SatelliteSettings
from satellite.door import open_door
from tests.dashboard.rig import add_turn
from wyoming_common.dashboard.history import History
from wyoming_common.dashboard.sources import Sources
from wyoming_common.discovery import describe
from wyoming_common.telemetry import Telemetry

SECONDS = 20.0
"""Generous: it only bounds a test that fails."""


def settings(uri: str = "tcp://127.0.0.1:0", zeroconf: str = "off") -> SatelliteSettings:
    return SatelliteSettings(uri=uri, zeroconf=zeroconf, mode="standalone")


async def turns(history: History) -> list[dict[str, Any]]:
    """Return the turns once there are some."""
    async with asyncio.timeout(SECONDS):
        while not (found := history.turns(None, 10)):  # noqa: ASYNC110 - a history has no event
            await asyncio.sleep(0.02)
    return found


async def test_a_standalone_satellite_is_found_without_being_named() -> None:
    telemetry = Telemetry("parley-satellite")
    add_turn(telemetry, "one")
    history = History()

    async with (
        open_door(settings(zeroconf="parley-test-door"), telemetry) as uri,
        Sources((), history, discover=True) as sources,
    ):
        (turn,) = await turns(history)
        found = set(sources.all)

    assert turn["id"] == "one"
    assert uri in found


async def test_it_is_nothing_that_home_assistant_could_run() -> None:
    async with open_door(settings(), Telemetry("parley-satellite")) as uri:
        info = await describe(uri)

    assert info.satellite is None
    assert not any((info.asr, info.wake, info.mic, info.snd))


async def test_a_second_satellite_on_a_machine_tells_on_another_port() -> None:
    async with (
        open_door(settings(), Telemetry("one")) as first,
        open_door(settings(first), Telemetry("two")) as second,
    ):
        info = await describe(second)

    assert first != second
    assert info.satellite is None
