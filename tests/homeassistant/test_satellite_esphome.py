"""The satellite as an ESPHome device of the real Home Assistant, in a room of recordings."""

import asyncio
import json
import operator
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile

from satellite.esphome.names import entity_names
from tests.homeassistant import client as clients
from tests.homeassistant.client import MAX_WAITING_SECONDS, Client
from tests.homeassistant.installation import OWN_WORD, Installation
from tests.homeassistant.machines import BOX, HOME
from tests.homeassistant.pipeline import RATE, Recording, ask
from tests.homeassistant.second_satellite import (
    SecondSatellite,
    choose_option,
    one_breath,
    plain_satellite,
    said,
    second_satellite,
    wake_word,
)

PORT = 10_710
LAMP = "input_boolean.living_room_lamp"
COMMAND = "wfw-turn_on_the_living_room_lamp"
OTHER_COMMAND = "s2p-turn_on_Standing_Light"
PAUSE = Recording("pause", "", bytes(int(0.4 * RATE) * 2))
ENCRYPTED = "Home Assistant has connected, encrypted"
ANNOUNCEMENT = "Dinner is ready, and everybody is waiting for you in the kitchen."


@dataclass(frozen=True, slots=True)
class Device:
    """The satellite, and the entities that Home Assistant has made of it by their object ids."""

    room: SecondSatellite
    entities: dict[str, str]

    async def rest(self, client: Client) -> None:
        """Wait until nothing plays and no turn runs, with the lamp off."""
        await client.service("input_boolean.turn_off", entity_id=LAMP)
        await self.room.speaker.falls_silent(0.7)
        await client.until(self.room.entity, lambda state: state == "idle")
        self.room.speaker.forget()

    async def choose(self, client: Client, key: str, option: str) -> None:
        """Choose an option of a select entity."""
        await choose_option(client, self.entities[key], option)

    async def switches_the_lamp(self, client: Client, word: Recording | None = None) -> None:
        """Say a wake word and a command, and wait until it is done and answered."""
        await self.rest(client)
        heard = one_breath(COMMAND) if word is None else word + PAUSE + said(COMMAND).trimmed()
        await self.room.microphone.say(heard)
        await client.until(LAMP, lambda state: state == "on")
        await self.room.speaker.plays()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def device(installation: Installation) -> AsyncIterator[Device]:
    """The satellite, found by zeroconf, without a key until Home Assistant sets one."""
    data = installation.directory / "esphome-data"
    async with (
        second_satellite(
            installation, "Device", PORT, "home", f"--data-dir={data}", integration="esphome"
        ) as room,
        clients.connect(installation.token) as client,
    ):
        yield Device(room, await entities_of(client, room.device))


async def entities_of(client: Client, device: str) -> dict[str, str]:
    """Return the entities of a device: ours by object id, Home Assistant's by their own key."""
    ours = {name: key for key, name in entity_names("en").items()}
    rows = await client.call("config/entity_registry/list")
    return {
        ours.get(row["original_name"]) or row["unique_id"].rpartition("-")[2]: row["entity_id"]
        for row in rows
        if row["device_id"] == device
    }


async def attributes(client: Client, entity: str) -> dict[str, Any]:
    """Return the attributes of an entity."""
    states = await client.call("get_states")
    return next(dict(one["attributes"]) for one in states if one["entity_id"] == entity)


# Encryption.


async def test_it_is_found_and_given_a_key_of_its_own(
    device: Device, installation: Installation
) -> None:
    room = device.room

    assert room.count("Home Assistant has set the encryption key") == 1
    stored = installation.directory / "esphome-data" / "device.esphome.json"
    key = json.loads(stored.read_text(encoding="utf-8"))["encryption_key"]
    assert key not in room.program.log.read_text(errors="replace")
    process = await asyncio.create_subprocess_exec(
        *BOX.command("bash", "-c", f"printf '\\0\\0\\1' >/dev/tcp/{BOX.address}/{PORT}")
    )
    await process.wait()
    await room.logs("does not encrypt; give it the encryption key")


async def test_the_key_survives_a_restart_of_the_satellite(device: Device, client: Client) -> None:
    connected = device.room.count(ENCRYPTED)
    device.room.program.kill()
    await asyncio.to_thread(device.room.program.start)

    await device.room.logs(ENCRYPTED, connected + 1)

    await device.switches_the_lamp(client)


async def test_a_key_of_the_settings_is_asked_for_and_a_wrong_one_is_refused(
    installation: Installation, client: Client
) -> None:
    right, wrong = "A" * 42 + "E=", "B" * 42 + "E="
    data = str(installation.directory / "keyed")
    flags = ("--protocol=esphome", "--encryption-key", right, "--data-dir", data)
    program, _, _ = plain_satellite(installation, "Keyed", PORT + 1, *flags)
    try:
        await asyncio.to_thread(program.start)
        flow = await client.discovers("Keyed", "esphome")
        asked = await client.confirm(flow)
        assert asked["step_id"] == "encryption_key", asked
        refused = await client.confirm(asked, noise_psk=wrong)
        assert refused["errors"] == {"base": "invalid_psk"}
        entry = await client.confirm(asked, noise_psk=right)
        assert entry["type"] == "create_entry", entry
    finally:
        await asyncio.to_thread(program.stop)

    log = program.log.read_text(errors="replace")
    assert "the encryption key of the client is wrong" in log
    assert right not in log
    assert wrong not in log


# The voice assistant.


async def test_wake_word_and_command_in_one_breath_switch_a_light_and_are_answered(
    device: Device, client: Client
) -> None:
    await device.switches_the_lamp(client)

    assert device.room.speaker.loud_seconds() > 0


async def test_the_wake_word_into_a_reply_begins_the_next_turn(
    device: Device, client: Client
) -> None:
    await device.rest(client)
    room = device.room

    for _ in range(3):
        room.speaker.forget()
        await room.microphone.say(one_breath(COMMAND))
        await client.until(LAMP, lambda state: state == "on")
        await room.speaker.plays()
        await client.service("input_boolean.turn_off", entity_id=LAMP)

    await device.rest(client)


async def test_a_timer_rings_until_the_wake_word(
    device: Device, installation: Installation, client: Client
) -> None:
    wake_word = said("wow-tests-okay_nabu", "wake")
    await device.rest(client)

    run = await ask(
        client,
        installation.pipelines["home"],
        "set a timer for 3 seconds",
        device_id=device.room.device,
    )
    assert run.failure == "", run.summary()
    await device.room.speaker.plays()
    await device.room.microphone.say(wake_word)

    await device.room.speaker.falls_silent(3.0)


async def test_a_speech_service_that_dies_in_a_turn_is_logged_and_the_next_turn_works(
    device: Device, installation: Installation, client: Client
) -> None:
    await device.rest(client)
    failed = device.room.count("Turn failed")

    saying = asyncio.create_task(device.room.microphone.say(one_breath(COMMAND)))
    await asyncio.sleep(1.5)
    installation.services["stt"].kill()
    try:
        await saying
        await device.room.logs("Turn failed", failed + 1)
    finally:
        await asyncio.to_thread(installation.services["stt"].start)

    await device.switches_the_lamp(client)


# Announcements and conversations.


async def test_an_announcement_is_played_behind_a_chime_to_its_end(
    device: Device, client: Client
) -> None:
    await device.rest(client)
    lengths = {}
    for chime in (False, True):
        device.room.speaker.forget()
        await client.service(
            "assist_satellite.announce",
            entity_id=device.room.entity,
            message=ANNOUNCEMENT,
            preannounce=chime,
        )
        # The service returns when the satellite says that it has played.
        lengths[chime] = device.room.speaker.loud_seconds()
        await client.until(device.room.entity, lambda state: state == "idle")

    assert lengths[False] > 1.5
    assert lengths[True] > lengths[False]


async def test_a_conversation_that_home_assistant_starts_goes_on_without_a_wake_word(
    device: Device, client: Client
) -> None:
    await device.rest(client)
    # Home Assistant's own agent does not take part in conversations that it starts.
    await device.choose(client, "pipeline", "agent")
    try:
        await client.service(
            "assist_satellite.start_conversation",
            entity_id=device.room.entity,
            start_message="Is there anything that I should do for you?",
            preannounce=False,
        )
        device.room.speaker.forget()
        await device.room.microphone.say(said(COMMAND).trimmed())
        await client.until(device.room.entity, lambda state: state == "responding")
        await device.room.speaker.plays()
    finally:
        await device.rest(client)
        await device.choose(client, "pipeline", "home")


@pytest.mark.parametrize(("name", "wanted"), [(COMMAND, "lamp"), (OTHER_COMMAND, "standing")])
async def test_a_question_is_answered_by_voice_with_the_id_of_the_answer(
    device: Device, client: Client, name: str, wanted: str
) -> None:
    await device.rest(client)

    asking = asyncio.create_task(
        client.response(
            "assist_satellite.ask_question",
            entity_id=device.room.entity,
            question="What should I turn on?",
            preannounce=False,
            answers=[
                {"id": "lamp", "sentences": ["[turn on] [the] living room lamp"]},
                {"id": "standing", "sentences": ["[turn on] [the] standing light[s]"]},
            ],
        )
    )
    await device.room.speaker.plays()
    await device.room.speaker.falls_silent(0.6)
    await device.room.microphone.say(said(name).trimmed())
    answer = await asking

    assert answer["id"] == wanted, answer
    assert await client.state(LAMP) == "off"


# Wake words.


async def test_each_of_two_wake_words_chosen_in_home_assistant_has_its_own_pipeline(
    device: Device, client: Client
) -> None:
    assert await client.state(device.entities["wake_word"]) == "okay nabu"
    await device.choose(client, "wake_word_2", "hey jarvis")
    await device.room.logs("Wake words that are listened for: okay_nabu, hey_jarvis")
    await device.choose(client, "pipeline_2", "agent")

    for word, lamp in ((wake_word(), "on"), (said("pmw-hey_jarvis-1", "wake").trimmed(), "off")):
        await device.rest(client)
        await device.room.microphone.say(word + PAUSE + said(COMMAND).trimmed())
        await device.room.speaker.plays()
        await device.room.speaker.falls_silent()

        # The second pipeline's agent answers everything and does nothing.
        assert await client.state(LAMP) == lamp


async def test_a_custom_wake_word_of_home_assistant_is_fetched_and_survives_a_restart(
    device: Device, client: Client
) -> None:
    room = device.room
    # Home Assistant offers its own words when it has connected, and then asks for the options.
    chooser = device.entities["wake_word_2"]
    async with asyncio.timeout(MAX_WAITING_SECONDS):
        while OWN_WORD not in (await attributes(client, chooser))["options"]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await device.choose(client, "pipeline_2", "home")
    await device.choose(client, "wake_word_2", OWN_WORD)
    await room.logs("Wake words that are listened for: okay_nabu, own")

    await device.switches_the_lamp(client, said("pmw-alexa-1", "wake").trimmed())
    connected = room.count(ENCRYPTED)
    room.program.kill()
    await asyncio.to_thread(room.program.start)
    await room.logs(ENCRYPTED, connected + 1)
    await device.switches_the_lamp(client, said("pmw-alexa-1", "wake").trimmed())

    assert await client.state(device.entities["wake_word_2"]) == OWN_WORD
    await device.choose(client, "wake_word_2", "no_wake_word")
    await device.choose(client, "pipeline_2", "preferred")


# The media player.


@contextmanager
def stations(folder: Path) -> Iterator[str]:
    """Serve music, and a station that stalls, to Home Assistant."""
    over = Event()
    tone = np.sin(np.arange(20 * 22_050) * 0.15) * 9_000
    soundfile.write(folder / "music.mp3", tone.astype(np.int16), 22_050)
    music = (folder / "music.mp3").read_bytes()

    class Station(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/gone.mp3":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "audio/mpeg")
            self.end_headers()
            if self.path == "/stalled.mp3":
                self.wfile.write(music[:40_000])
                over.wait()
            else:
                self.wfile.write(music)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer((HOME.address, 0), Station) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOME.address}:{server.server_port}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


async def play(client: Client, player: str, url: str, **data: Any) -> None:
    await client.service(
        "media_player.play_media",
        entity_id=player,
        media_content_id=url,
        media_content_type="music",
        **data,
    )


async def test_music_plays_pauses_and_stops_and_its_volume_changes(
    device: Device, client: Client, tmp_path: Path
) -> None:
    await device.rest(client)
    player = device.entities["media_player"]
    service = partial(client.service, entity_id=player)
    with stations(tmp_path) as url:
        await play(client, player, f"{url}/music.mp3")
        await device.room.speaker.plays()
        await client.until(player, lambda state: state == "playing")
        await service("media_player.media_pause")
        await client.until(player, lambda state: state == "paused")
        await device.room.speaker.falls_silent()
        device.room.speaker.forget()
        await service("media_player.media_play")
        await device.room.speaker.plays()
        await service("media_player.volume_set", volume_level=0.0)
        await device.room.speaker.falls_silent()
        await service("media_player.volume_set", volume_level=1.0)
        device.room.speaker.forget()
        await device.room.speaker.plays()
        await service("media_player.volume_mute", is_volume_muted=True)
        await device.room.speaker.falls_silent()
        await service("media_player.volume_mute", is_volume_muted=False)
        await service("media_player.media_stop")
        await client.until(player, lambda state: state == "idle")
        await device.room.speaker.falls_silent()

    assert (await attributes(client, player))["volume_level"] == 1.0


async def test_an_announcement_over_music_ends_and_the_music_goes_on(
    device: Device, client: Client, tmp_path: Path
) -> None:
    await device.rest(client)
    player = device.entities["media_player"]
    with stations(tmp_path) as url:
        await play(client, player, f"{url}/music.mp3")
        await device.room.speaker.plays()

        await client.service(
            "assist_satellite.announce",
            entity_id=device.room.entity,
            message=ANNOUNCEMENT,
            preannounce=False,
        )

        assert await client.state(player) == "playing"
        device.room.speaker.forget()
        await device.room.speaker.plays()
        await client.service("media_player.media_stop", entity_id=player)
        await device.room.speaker.falls_silent()


@pytest.mark.parametrize("name", ["gone", "stalled"])
async def test_a_station_that_is_gone_or_stalls_ends_and_the_next_turn_works(
    device: Device, client: Client, tmp_path: Path, name: str
) -> None:
    await device.rest(client)
    player = device.entities["media_player"]
    failures = device.room.count("ERROR")
    with stations(tmp_path) as url:
        await play(client, player, f"{url}/{name}.mp3")
        await device.room.logs("ERROR", failures + 1)
        await client.until(player, lambda state: state == "idle")

        await device.switches_the_lamp(client)


# The other entities.


def is_number(value: float, state: str) -> bool:
    return abs(float(state) - value) < 0.001


async def test_every_entity_is_there_and_can_be_set(device: Device, client: Client) -> None:
    entities = device.entities
    for key, value in (("follow_up", 5), ("wake_sensitivity", 0.6), ("volume", 80)):
        await client.service("number.set_value", entity_id=entities[key], value=value)
        await client.until(entities[key], partial(is_number, value))
    await client.service("number.set_value", entity_id=entities["follow_up"], value=0)
    await client.service("number.set_value", entity_id=entities["wake_sensitivity"], value=0.5)
    await client.service("number.set_value", entity_id=entities["volume"], value=100)
    for key in ("sounds", "mute"):
        before = await client.state(entities[key])
        await client.service("switch.toggle", entity_id=entities[key])
        await client.until(entities[key], partial(operator.ne, before))
        await client.service("switch.toggle", entity_id=entities[key])
        await client.until(entities[key], partial(operator.eq, before))
    level = await client.until(
        entities["microphone_level"], lambda state: state not in ("unknown", "unavailable")
    )
    assert -96 <= float(level) < 0
    assert 0 < float(await client.state(entities["wake_score"])) <= 1
    assert (await client.state(entities["firmware"])).startswith("Parley ")


async def test_muted_it_hears_nothing_until_it_is_unmuted(device: Device, client: Client) -> None:
    # Asked for first: a test that is skipped must not leave the satellite muted.
    command = one_breath(COMMAND)
    await device.rest(client)
    mute = device.entities["mute"]
    await client.service("switch.turn_on", entity_id=mute)
    await client.until(mute, lambda state: state == "on")

    # Far longer than a command takes that is heard.
    quiet = Recording("quiet", "", bytes(4 * 2 * RATE))
    await device.room.microphone.say(command + quiet)
    assert await client.state(LAMP) == "off"

    await client.service("switch.turn_off", entity_id=mute)
    await client.until(mute, lambda state: state == "off")
    await device.switches_the_lamp(client)


async def test_the_button_has_it_listen(device: Device, client: Client) -> None:
    await device.rest(client)

    await client.service("button.press", entity_id=device.entities["listen"])
    await device.room.microphone.say(PAUSE + said(COMMAND).trimmed())

    await client.until(LAMP, lambda state: state == "on")


# Faults.


async def test_home_assistant_started_anew_in_the_middle_of_a_reply_finds_its_satellite(
    device: Device, installation: Installation, client: Client
) -> None:
    room = device.room
    await device.rest(client)
    connected = room.count(ENCRYPTED)
    announcing = asyncio.create_task(
        client.send(
            "call_service",
            domain="assist_satellite",
            service="announce",
            service_data={
                "entity_id": room.entity,
                "message": " ".join([ANNOUNCEMENT] * 5),
                "preannounce": False,
            },
        )
    )
    await room.speaker.plays()
    await announcing

    await asyncio.to_thread(installation.hass.restart)

    async with clients.connect(installation.token) as again:
        await room.logs(ENCRYPTED, connected + 1)
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            await again.until(
                installation.entities["stt"], lambda state: state not in ("absent", "unavailable")
            )
        await device.switches_the_lamp(again)


async def test_home_assistant_that_hangs_is_left_and_comes_back(
    device: Device, installation: Installation
) -> None:
    room = device.room
    connected, gone = room.count(ENCRYPTED), room.count("Home Assistant has disconnected")

    with installation.hass.frozen():
        await room.logs("Home Assistant has disconnected", gone + 1)

    async with clients.connect(installation.token) as again:
        await room.logs(ENCRYPTED, connected + 1)
        await device.switches_the_lamp(again)


async def test_a_device_that_is_removed_gives_its_key_back(device: Device, client: Client) -> None:
    entries = await client.call("config_entries/get", domain="esphome")
    entry = next(one["entry_id"] for one in entries if one["title"] == "Device")
    async with client.session.delete(f"/api/config/config_entries/entry/{entry}") as response:
        assert response.ok

    await device.room.logs("Home Assistant has removed the encryption key")
