"""Many turns in a row with the real Home Assistant: nothing leaks, nothing hangs."""

import asyncio
import os
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from tests.homeassistant.client import Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.pipeline import Table
from tests.homeassistant.second_satellite import SecondSatellite, one_breath, second_satellite

TURNS = int(os.environ.get("PARLEY_TURNS", "50"))
PORTS = {"wyoming": 10_701, "esphome": 10_705}
COMMANDS = {
    "wfw-turn_on_the_living_room_lamp": "input_boolean.living_room_lamp",
    "s2p-turn_on_Standing_Light": "input_boolean.standing_light",
}
"""Recordings, and what each switches on."""
_MAX_GROWTH_MB = 15.0


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(PORTS))
async def room(
    installation: Installation, request: pytest.FixtureRequest
) -> AsyncIterator[SecondSatellite]:
    name: str = request.param
    data = f"--data-dir={installation.directory / name}"
    async with second_satellite(
        installation, f"Endurance {name}", PORTS[name], "home", data, integration=name
    ) as made:
        yield made


@pytest.mark.timeout(1200)
async def test_turn_after_turn_is_answered_and_nothing_grows(
    room: SecondSatellite, client: Client, times: list[Table]
) -> None:
    waits: list[tuple[float, float]] = []
    megabytes: list[float] = []
    files: list[int] = []

    for turn in range(TURNS):
        name, light = list(COMMANDS.items())[turn % len(COMMANDS)]
        waits.append(await _turn(room, client, name, light, turn))
        megabytes.append(room.megabytes())
        files.append(room.open_files())

    lights, replies = np.array(waits).T
    table = Table(f"{room.program.name}, {TURNS} turns in a row", ("", "p50", "p95", "most"))
    for label, values in (("light", lights), ("reply", replies)):
        table.add(f"{label}, s after speech", *np.percentile(values, [50, 95, 100]).tolist())
    table.add("memory, MB", f"{megabytes[0]:.0f} first", f"{megabytes[-1]:.0f} last", "")
    times.append(table)
    # The first turns load what is loaded on use.
    assert megabytes[-1] - megabytes[min(5, TURNS - 1)] < _MAX_GROWTH_MB
    assert files[-1] <= files[0] + 2


async def _turn(
    room: SecondSatellite, client: Client, name: str, light: str, number: int
) -> tuple[float, float]:
    """Say a command in one breath; return when the light was on and when the reply began."""
    await client.service("input_boolean.turn_off", entity_id=light)
    await room.speaker.falls_silent(0.5)
    await client.until(room.entity, lambda state: state == "idle")
    room.speaker.forget()
    played = asyncio.create_task(room.speaker.plays())
    try:
        ended = await room.microphone.say(one_breath(name))
        await client.until(light, lambda state: state == "on")
        lit = asyncio.get_running_loop().time()
        began = await played
    except TimeoutError as err:
        raise AssertionError(f"turn {number} hangs:\n{room.program.tail()}") from err
    finally:
        played.cancel()
    return lit - ended, began - ended
