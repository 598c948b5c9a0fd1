"""The dashboard finds a satellite that works on its own, and is told what it knows."""

import asyncio
from typing import Any

from parley.dashboard.history import TurnHistory
from parley.dashboard.sources import Sources
from satellite.config import SatelliteSettings
from satellite.wyoming.trace_server import serve_traces
from tests.dashboard.rig import add_turn
from wyoming_common.discovery.zeroconf import describe
from wyoming_common.telemetry.recorder import Telemetry

MAX_WAIT_SECONDS = 20.0
"""Generous: it only bounds a test that fails."""


def settings(uri: str = "tcp://127.0.0.1:0", zeroconf: str = "off") -> SatelliteSettings:
    return SatelliteSettings(uri=uri, zeroconf=zeroconf, mode="standalone")


async def turns(history: TurnHistory) -> list[dict[str, Any]]:
    """Return the turns once there are some."""
    async with asyncio.timeout(MAX_WAIT_SECONDS):
        while not (found := history.turns(None, 10)):  # noqa: ASYNC110 - a history has no event
            await asyncio.sleep(0.02)
    return found


async def test_a_standalone_satellite_is_found_without_being_named() -> None:
    telemetry = Telemetry("parley-satellite")
    add_turn(telemetry, "one")
    history = TurnHistory()

    async with (
        serve_traces(settings(zeroconf="parley-test-door"), telemetry) as uri,
        Sources((), history, discover=True) as sources,
    ):
        (turn,) = await turns(history)
        found = set(sources.all)

    assert turn["id"] == "one"
    assert uri in found


async def test_home_assistant_cannot_run_a_trace_server() -> None:
    async with serve_traces(settings(), Telemetry("parley-satellite")) as uri:
        info = await describe(uri)

    assert info.satellite is None
    assert not any((info.asr, info.wake, info.mic, info.snd))


async def test_a_second_satellite_on_a_machine_serves_traces_on_another_port() -> None:
    async with (
        serve_traces(settings(), Telemetry("one")) as first,
        serve_traces(settings(first), Telemetry("two")) as second,
    ):
        info = await describe(second)

    assert first != second
    assert info.satellite is None
