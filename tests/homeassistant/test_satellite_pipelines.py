"""A satellite of two wake words, each with a pipeline of its own in the real Home Assistant."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.homeassistant import client as clients
from tests.homeassistant.client import Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.machines import BOX
from tests.homeassistant.pipeline import RATE, Recording, ask
from tests.homeassistant.second_satellite import (
    SecondSatellite,
    accept_satellite,
    choose_option,
    pipeline_of,
    said,
    second_satellite,
    wake_word,
)

PORT, SECOND_PORT = 10_703, 10_704
LAMP = "input_boolean.living_room_lamp"
COMMAND = "wfw-turn_on_the_living_room_lamp"
OTHER_WORD = "hey_jarvis"
PAUSE = Recording("pause", "", bytes(int(0.4 * RATE) * 2))


@dataclass(frozen=True, slots=True)
class Pair:
    """The satellite, and what Home Assistant made of its second wake word."""

    room: SecondSatellite
    entity: str
    device: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(installation: Installation) -> AsyncIterator[Pair]:
    flags = ("--wake", OTHER_WORD, "--pipeline")
    own = f"{OTHER_WORD}=tcp://{BOX.address}:{SECOND_PORT}"
    async with second_satellite(installation, "Pair", PORT, "home", *flags, own) as room:
        async with clients.connect(installation.token) as client:
            entity, device = await accept_satellite(client, "Pair (hey jarvis)")
            await choose_option(client, await pipeline_of(client, device), "agent")
        await room.is_connected(2)
        yield Pair(room, entity, device)


async def test_each_wake_word_is_answered_by_its_own_pipeline(pair: Pair, client: Client) -> None:
    room = pair.room
    for word, lamp in (
        (wake_word(), "on"),
        (said("pmw-hey_jarvis-1", "wake").trimmed(), "off"),
    ):
        await client.service("input_boolean.turn_off", entity_id=LAMP)
        await room.speaker.falls_silent(0.5)
        room.speaker.forget()

        await room.microphone.say(word + PAUSE + said(COMMAND).trimmed())
        await room.speaker.plays()
        await room.speaker.falls_silent()

        # The second pipeline's agent answers everything and does nothing.
        assert await client.state(LAMP) == lamp
    for entity in (room.entity, pair.entity):
        await client.until(entity, lambda state: state == "idle")


async def test_a_mute_of_one_wake_word_leaves_the_other(pair: Pair, client: Client) -> None:
    room = pair.room
    muted = room.count("Home Assistant has muted the satellite")
    await client.service("switch.turn_on", entity_id=await switch_of(client, pair.device))
    await room.logs("Home Assistant has muted the satellite", muted + 1)
    await client.service("input_boolean.turn_off", entity_id=LAMP)

    await room.microphone.say(wake_word() + PAUSE + said(COMMAND).trimmed())

    await client.until(LAMP, lambda state: state == "on")
    assert await client.state(await switch_of(client, pair.device)) == "on"
    await client.service("switch.turn_off", entity_id=await switch_of(client, pair.device))


async def test_a_muted_satellite_plays_announcements(pair: Pair, client: Client) -> None:
    room = pair.room
    muted = room.count("Home Assistant has muted the satellite")
    switch = await switch_of(client, room.device)
    await room.speaker.falls_silent()
    await client.service("switch.turn_on", entity_id=switch)
    await room.logs("Home Assistant has muted the satellite", muted + 1)
    # Longer than a connection may be silent before it is taken for dead.
    await room.stays_connected(35.0)
    room.speaker.forget()

    await client.service(
        "assist_satellite.announce",
        entity_id=room.entity,
        message="The washing machine has finished, and the laundry wants to be hung up.",
        preannounce=False,
    )

    await room.speaker.plays()
    await room.speaker.falls_silent()
    assert room.speaker.loud_seconds() > 1.5
    await client.service("switch.turn_off", entity_id=switch)


async def test_timers_are_changed_cancelled_and_ring(
    pair: Pair, installation: Installation, client: Client
) -> None:
    room = pair.room
    await room.speaker.falls_silent()
    room.speaker.forget()

    for order in (
        "set a timer for 2 minutes",
        "pause the timer",
        "unpause the timer",
        "add 1 minute to the timer",
        "cancel the timer",
        "set a timer for 3 seconds",
    ):
        run = await ask(client, installation.pipelines["home"], order, device_id=room.device)
        assert run.failure == "", (order, run.summary())

    await room.speaker.plays()
    await room.microphone.say(wake_word())
    await room.speaker.falls_silent(3.0)


async def switch_of(client: Client, device: str) -> str:
    """Return the switch that mutes a satellite."""
    rows = await client.call("config/entity_registry/list")
    switches = [row["entity_id"] for row in rows if row["device_id"] == device]
    found = [entity for entity in switches if entity.startswith("switch.")]
    if not found:
        pytest.fail("the satellite has no mute switch")
    return str(found[0])
