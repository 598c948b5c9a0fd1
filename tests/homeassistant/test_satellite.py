"""The satellite's whole life with the real Home Assistant, in a room of recordings."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.homeassistant import client as clients
from tests.homeassistant.client import MAX_WAITING_SECONDS, Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.machines import Program
from tests.homeassistant.pipeline import RATE, Recording, Table, ask, recording
from tests.homeassistant.satellite_audio import Microphone, Speaker, satellite

LAMP = "input_boolean.living_room_lamp"


@dataclass(frozen=True, slots=True)
class Room:
    program: Program
    microphone: Microphone
    speaker: Speaker
    entity: str
    device: str
    title: str

    async def logs(self, text: str, times: int = 1) -> None:
        """Wait until the satellite has logged something `times` times."""
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while self.program.log.read_text(errors="replace").count(text) < times:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def count(self, text: str) -> int:
        return self.program.log.read_text(errors="replace").count(text)


def spoken(name: str, kind: str = "command") -> Recording:
    said = recording(name, kind)
    if said is None:
        pytest.skip("needs the recordings of PARLEY_DATA")
    return said


def one_breath(name: str) -> Recording:
    """Return the wake word and a command right behind it."""
    return spoken("wow-tests-okay_nabu", "wake").trimmed() + spoken(name).trimmed()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(installation: Installation) -> AsyncIterator[Room]:
    """The satellite found by zeroconf, set up, and using Home Assistant's own agent."""
    program, microphone, speaker = satellite(installation.directory)
    microphone_opened = False
    try:
        program.start()
        microphone.open()
        microphone_opened = True
        async with clients.connect(installation.token) as client:
            entry = await client.confirm(await client.discovers("Rig"))
            assert entry["type"] == "create_entry", entry
            async with asyncio.timeout(MAX_WAITING_SECONDS):
                while not (rows := await of_entry(client, entry["result"]["entry_id"])):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            entity = next(row for row in rows if row["entity_id"].startswith("assist_satellite."))
            chooser = next(row for row in rows if row["unique_id"].endswith("-pipeline"))
            await client.until(chooser["entity_id"], lambda state: state != "absent")
            await client.service(
                "select.select_option", entity_id=chooser["entity_id"], option="home"
            )
        made = Room(
            program, microphone, speaker, entity["entity_id"], entity["device_id"], entry["title"]
        )
        await made.logs("Home Assistant has connected")
        yield made
    finally:
        if microphone_opened:
            microphone.close()
        program.stop()


async def of_entry(client: Client, entry_id: str) -> list[dict[str, str]]:
    registry = await client.call("config/entity_registry/list")
    rows = [row for row in registry if row["config_entry_id"] == entry_id]
    return rows if any(row["entity_id"].startswith("select.") for row in rows) else []


async def test_it_is_found_by_zeroconf_under_its_own_name(room: Room, client: Client) -> None:
    assert room.title == "Rig"
    assert await client.until(room.entity, lambda state: state == "idle")


async def test_wake_word_and_command_in_one_breath_switch_a_light_and_are_answered(
    room: Room, client: Client, times: list[Table]
) -> None:
    table = Table("Satellite, seconds after the end of speech", ("said", "light", "reply"))
    for _ in range(3):
        await client.service("input_boolean.turn_off", entity_id=LAMP)
        room.speaker.forget()
        played = asyncio.create_task(room.speaker.plays())

        ended = await room.microphone.say(one_breath("wfw-turn_on_the_living_room_lamp"))
        await client.until(LAMP, lambda state: state == "on")
        switched = asyncio.get_running_loop().time()
        replied = await played
        assert replied >= ended
        table.add("turn on the living room lamp", switched - ended, replied - ended)
        await room.speaker.falls_silent()
        await client.until(room.entity, lambda state: state == "idle")

    times.append(table)


async def test_an_announcement_is_played_to_its_end(room: Room, client: Client) -> None:
    room.speaker.forget()

    await client.service(
        "assist_satellite.announce",
        entity_id=room.entity,
        message="Dinner is ready, and everybody is waiting for you in the kitchen.",
        preannounce=False,
    )

    # The service returns when the satellite says that it has played.
    assert room.speaker.loud_seconds() > 1.5
    await client.until(room.entity, lambda state: state == "idle")


async def test_a_timer_rings_until_the_wake_word(
    room: Room, installation: Installation, client: Client
) -> None:
    wake_word = spoken("wow-tests-okay_nabu", "wake")
    await room.speaker.falls_silent()
    room.speaker.forget()

    run = await ask(
        client, installation.pipelines["home"], "set a timer for 3 seconds", device_id=room.device
    )
    await room.speaker.plays()
    await room.microphone.say(wake_word)

    assert run.failure == "", run.summary()
    await room.speaker.falls_silent(3.0)
    await client.until(room.entity, lambda state: state == "idle")


async def test_muted_it_hears_nothing_until_it_is_unmuted(room: Room, client: Client) -> None:
    # Asked for first: a test that is skipped must not leave the satellite muted.
    command = one_breath("wfw-turn_on_the_living_room_lamp")
    switch = next(
        row["entity_id"]
        for row in await client.call("config/entity_registry/list")
        if row["device_id"] == room.device and row["entity_id"].startswith("switch.")
    )
    await client.service("input_boolean.turn_off", entity_id=LAMP)
    connected = room.count("Home Assistant has connected")
    await client.service("switch.turn_on", entity_id=switch)
    await room.logs("Home Assistant has muted the satellite")

    # Far longer than a command takes that is heard.
    quiet = Recording("quiet", "", bytes(5 * 2 * RATE))
    await room.microphone.say(command + quiet)
    assert await client.state(LAMP) == "off"

    await client.service("switch.turn_off", entity_id=switch)
    await room.logs("Home Assistant has connected", connected + 1)
    await room.speaker.falls_silent()
    await room.microphone.say(command)
    await client.until(LAMP, lambda state: state == "on")


async def test_after_a_crash_home_assistant_comes_back_to_it(room: Room, client: Client) -> None:
    await client.service("input_boolean.turn_off", entity_id=LAMP)
    connected = room.count("Home Assistant has connected")
    room.program.kill()
    room.program.start()
    await room.logs("Home Assistant has connected", connected + 1)

    await room.microphone.say(one_breath("wfw-turn_on_the_living_room_lamp"))

    assert await client.until(LAMP, lambda state: state == "on") == "on"
