"""Satellite whose network, services or Home Assistant fail, and whose user interrupts it."""

import asyncio
import subprocess
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.homeassistant import client as clients
from tests.homeassistant.client import Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.machines import BOX
from tests.homeassistant.second_satellite import (
    SecondSatellite,
    one_breath,
    second_satellite,
    wake_word,
)

PORT = 10_702
LAMP = "input_boolean.living_room_lamp"
COMMAND = "wfw-turn_on_the_living_room_lamp"
INTERRUPTIONS = 5
NOT_THERE = ("absent", "unavailable")
SILENT, GONE = "Home Assistant has sent nothing for", "Home Assistant has disconnected"
FAILED = "speech-to-text failed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(installation: Installation) -> AsyncIterator[SecondSatellite]:
    async with second_satellite(installation, "Trouble", PORT, "home") as made:
        yield made


async def switches_the_lamp(room: SecondSatellite, client: Client) -> None:
    """Say a command in one breath and wait until Home Assistant has done it and said so."""
    await at_rest(room, client)
    room.speaker.forget()
    await room.microphone.say(one_breath(COMMAND))
    assert await client.until(LAMP, lambda state: state == "on") == "on"
    await room.speaker.plays()
    assert room.speaker.loud_seconds() > 0


async def at_rest(room: SecondSatellite, client: Client) -> None:
    await client.service("input_boolean.turn_off", entity_id=LAMP)
    await room.speaker.falls_silent(0.5)
    await client.until(room.entity, lambda state: state == "idle")


def cable(state: str) -> None:
    """Pull the cable of the satellite's machine, or put it back."""
    command = ["ip", "-n", BOX.name, "link", "set", "eth0", state]
    subprocess.run(command, check=True)
    if state == "up":
        multicast = ["ip", "-n", BOX.name, "route", "replace", "224.0.0.0/4", "dev", "eth0"]
        subprocess.run(multicast, check=True)


async def test_the_wake_word_into_a_reply_begins_the_next_turn(
    room: SecondSatellite, client: Client
) -> None:
    await at_rest(room, client)

    for _ in range(INTERRUPTIONS):
        room.speaker.forget()
        await room.microphone.say(one_breath(COMMAND))
        await client.until(LAMP, lambda state: state == "on")
        await room.speaker.plays()
        await client.service("input_boolean.turn_off", entity_id=LAMP)

    assert await client.until(room.entity, lambda state: state == "idle") == "idle"


async def test_a_wake_word_and_nothing_else_leads_back_to_waiting(
    room: SecondSatellite, client: Client
) -> None:
    await at_rest(room, client)

    await room.microphone.say(wake_word())

    assert await client.until(room.entity, lambda state: state == "idle") == "idle"
    await switches_the_lamp(room, client)


async def test_a_short_break_of_the_network_in_a_command_costs_no_word(
    room: SecondSatellite, client: Client
) -> None:
    await at_rest(room, client)

    saying = asyncio.create_task(room.microphone.say(one_breath(COMMAND)))
    await asyncio.sleep(1.5)
    cable("down")
    await asyncio.sleep(1.0)
    cable("up")
    await saying

    assert await client.until(LAMP, lambda state: state == "on") == "on"


async def test_after_the_network_was_away_the_next_turn_works(
    room: SecondSatellite, client: Client
) -> None:
    await at_rest(room, client)
    command = one_breath(COMMAND)
    connected = room.count("Home Assistant has connected")
    gone = room.count(GONE)

    cable("down")
    await room.microphone.say(command)
    await room.logs(GONE, gone + 1)
    cable("up")
    await room.is_connected(connected + 1)

    await switches_the_lamp(room, client)


async def test_a_speech_service_that_dies_in_a_turn_is_heard_and_the_next_turn_works(
    room: SecondSatellite, installation: Installation, client: Client
) -> None:
    await at_rest(room, client)
    failed = room.count(FAILED)

    saying = asyncio.create_task(room.microphone.say(one_breath(COMMAND)))
    await asyncio.sleep(1.5)
    installation.services["stt"].kill()
    try:
        await saying
        await room.logs(FAILED, failed + 1)
    finally:
        await asyncio.to_thread(installation.services["stt"].start)

    await switches_the_lamp(room, client)


async def test_home_assistant_started_anew_finds_its_satellite(
    room: SecondSatellite, installation: Installation
) -> None:
    connected = room.count("Home Assistant has connected")

    await asyncio.to_thread(installation.hass.restart)

    async with clients.connect(installation.token) as client:
        await room.is_connected(connected + 1)
        await client.until(installation.entities["stt"], lambda state: state not in NOT_THERE)
        await switches_the_lamp(room, client)


async def test_home_assistant_that_hangs_is_left_and_comes_back(
    room: SecondSatellite, installation: Installation
) -> None:
    connected = room.count("Home Assistant has connected")
    silent = room.count(SILENT)

    with installation.hass.frozen():
        await room.logs(SILENT, silent + 1)

    async with clients.connect(installation.token) as client:
        await room.is_connected(connected + 1)
        await switches_the_lamp(room, client)
