"""The satellite when something goes away in the real Home Assistant, or somebody is impatient."""

import asyncio
import subprocess
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.homeassistant import client as clients
from tests.homeassistant.client import Client
from tests.homeassistant.house import House
from tests.homeassistant.lodger import Lodger, lodger, one_breath, wake_word
from tests.homeassistant.machines import BOX

PORT = 10_702
LAMP = "input_boolean.living_room_lamp"
COMMAND = "wfw-turn_on_the_living_room_lamp"
INTERRUPTIONS = 5
NOT_THERE = ("absent", "unavailable")
SILENT, GONE = "Home Assistant says nothing any more", "Home Assistant has gone"
FAILED = "speech-to-text failed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(house: House) -> AsyncIterator[Lodger]:
    async with lodger(house, "Trouble", PORT, "home") as made:
        yield made


async def switches_the_lamp(room: Lodger, client: Client) -> None:
    """Say a command in one breath and wait until Home Assistant has done it and said so."""
    await at_rest(room, client)
    room.speaker.forget()
    await room.microphone.say(one_breath(COMMAND))
    await client.until(LAMP, lambda state: state == "on")
    await room.speaker.plays()


async def at_rest(room: Lodger, client: Client) -> None:
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
    room: Lodger, client: Client
) -> None:
    await at_rest(room, client)

    for _ in range(INTERRUPTIONS):
        room.speaker.forget()
        await room.microphone.say(one_breath(COMMAND))
        await client.until(LAMP, lambda state: state == "on")
        await room.speaker.plays()
        await client.service("input_boolean.turn_off", entity_id=LAMP)

    await client.until(room.entity, lambda state: state == "idle")


async def test_a_wake_word_and_nothing_else_leads_back_to_waiting(
    room: Lodger, client: Client
) -> None:
    await at_rest(room, client)

    await room.microphone.say(wake_word())

    await client.until(room.entity, lambda state: state == "idle")
    await asyncio.sleep(6)  # what a person is given to begin to speak
    await switches_the_lamp(room, client)


async def test_a_short_break_of_the_network_in_a_command_costs_no_word(
    room: Lodger, client: Client
) -> None:
    await at_rest(room, client)

    saying = asyncio.create_task(room.microphone.say(one_breath(COMMAND)))
    await asyncio.sleep(1.5)
    cable("down")
    await asyncio.sleep(1.0)
    cable("up")
    await saying

    await client.until(LAMP, lambda state: state == "on")


async def test_after_the_network_was_away_the_next_turn_works(room: Lodger, client: Client) -> None:
    await at_rest(room, client)
    connected = room.count("Home Assistant is here")
    gone = room.count(GONE)

    cable("down")
    await room.microphone.say(one_breath(COMMAND))
    await room.logs(GONE, gone + 1)
    cable("up")
    await room.is_connected(connected + 1)

    await switches_the_lamp(room, client)


async def test_a_speech_service_that_dies_in_a_turn_is_heard_and_the_next_turn_works(
    room: Lodger, house: House, client: Client
) -> None:
    await at_rest(room, client)
    failed = room.count(FAILED)

    saying = asyncio.create_task(room.microphone.say(one_breath(COMMAND)))
    await asyncio.sleep(1.5)
    house.services["stt"].kill()
    try:
        await saying
        await room.logs(FAILED, failed + 1)
    finally:
        await asyncio.to_thread(house.services["stt"].start)

    await switches_the_lamp(room, client)


async def test_home_assistant_started_anew_finds_its_satellite(room: Lodger, house: House) -> None:
    connected = room.count("Home Assistant is here")

    await asyncio.to_thread(house.hass.restart)

    async with clients.connect(house.token) as client:
        await room.is_connected(connected + 1)
        await client.until(house.entities["stt"], lambda state: state not in NOT_THERE)
        await switches_the_lamp(room, client)


async def test_home_assistant_that_hangs_is_left_and_comes_back(room: Lodger, house: House) -> None:
    connected = room.count("Home Assistant is here")
    silent = room.count(SILENT)

    with house.hass.frozen():
        await room.logs(SILENT, silent + 1)

    async with clients.connect(house.token) as client:
        await room.is_connected(connected + 1)
        await switches_the_lamp(room, client)
