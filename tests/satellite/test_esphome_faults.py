"""Faults around an ESPHome satellite: a log line, bounded memory, and a next turn that works."""

import asyncio
import base64
from pathlib import Path

import pytest
from aioesphomeapi.client import APIClient
from aioesphomeapi.core import ZERO_NOISE_PSK, InvalidEncryptionKeyAPIError

from satellite.core.turn import TurnState
from tests.support.esphome_rig import (
    KEY,
    Assistant,
    EsphomeRig,
    connected,
    esphome_satellite,
    files,
    running,
    soon,
    until,
    until_music,
    wav,
)
from tests.support.satellite_client import COMMAND
from tests.support.satellite_rig import SPEECH, WAKE, WakeIsVeryLoud

SILENCE = ((600.0, 0),)
TWO_COMMANDS = (*COMMAND[:-1], (6.0, 0), (0.3, WAKE), (0.8, 0), (1.0, SPEECH), (60.0, 0))
OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()
MAX_WAIT_SECONDS = 20.0


async def takes_a_turn(made: EsphomeRig, assistant: Assistant, url: str) -> None:
    """Answer the turn that runs, or the next one, and wait until it has been played."""
    assert await soon(assistant.started) == "computer"
    await soon(assistant.ended)
    assistant.answer("is it late", f"{url}/reply")
    assert await soon(assistant.finished)
    await until(made, TurnState.IDLE)


async def test_a_client_that_connects_twice_has_the_microphone_on_its_last_connection(
    tmp_path: Path,
) -> None:
    async with (
        files(reply=wav(0.3)) as url,
        esphome_satellite(tmp_path, COMMAND, "--no-sounds", wake=WakeIsVeryLoud()) as made,
        connected(made) as first,
        connected(made) as second,
    ):
        before, assistant = Assistant(first), Assistant(second)
        before.subscribe()
        await first.device_info()
        assistant.subscribe()
        await second.device_info()
        async with running(made):
            await takes_a_turn(made, assistant, url)

    assert before.started.empty()


async def test_after_home_assistant_went_away_in_a_reply_the_next_turn_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        files(reply=wav(0.5), stalled=None) as url,
        esphome_satellite(
            tmp_path, TWO_COMMANDS, "--no-sounds", "--tts-timeout=1", wake=WakeIsVeryLoud()
        ) as made,
        running(made),
    ):
        async with connected(made) as client:
            assistant = Assistant(client)
            assistant.subscribe()
            await soon(assistant.ended)
            assistant.answer("is it late", f"{url}/stalled")
            await until(made, TurnState.SPEAKING)
        await until(made, TurnState.IDLE)
        async with connected(made) as client:
            assistant = Assistant(client)
            assistant.subscribe()
            await takes_a_turn(made, assistant, url)

    assert "Reply cut off" in caplog.text


async def test_a_key_that_changes_under_a_connection_ends_it_and_the_new_one_is_needed(
    tmp_path: Path,
) -> None:
    async with (
        files(reply=wav(0.3)) as url,
        esphome_satellite(tmp_path, COMMAND, "--no-sounds", wake=WakeIsVeryLoud()) as made,
    ):
        async with connected(made, ZERO_NOISE_PSK) as client:
            assert await client.noise_encryption_set_key(KEY.encode())
        async with connected(made, KEY) as client:
            Assistant(client).subscribe()
            assert await client.noise_encryption_set_key(OTHER_KEY.encode())
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                while made.driver.connected:  # noqa: ASYNC110 - another task ends it
                    await asyncio.sleep(0.01)
        with pytest.raises(InvalidEncryptionKeyAPIError):
            async with connected(made, KEY):
                pass
        async with connected(made, OTHER_KEY) as client:
            assistant = Assistant(client)
            assistant.subscribe()
            await client.device_info()
            async with running(made):
                await takes_a_turn(made, assistant, url)


async def test_a_client_that_is_back_at_once_with_the_new_key_outlives_the_connection_before(
    tmp_path: Path,
) -> None:
    ended = asyncio.Event()

    async def on_stop(_expected: bool) -> None:
        ended.set()

    async with esphome_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as made:
        port = int(made.driver.uri.rpartition(":")[2])
        before = APIClient("127.0.0.1", port, None, noise_psk=ZERO_NOISE_PSK)
        await before.connect(on_stop=on_stop, login=True)
        assert await before.noise_encryption_set_key(KEY.encode())
        async with connected(made, KEY) as client:
            await client.device_info()
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await ended.wait()

            assert (await client.device_info()).name == "kitchen"


async def test_music_that_never_ends_is_held_back_and_a_turn_works_over_it(
    tmp_path: Path,
) -> None:
    async with (
        files(reply=wav(0.3)) as url,
        esphome_satellite(tmp_path, COMMAND, "--no-sounds", wake=WakeIsVeryLoud()) as made,
        connected(made) as client,
    ):
        assistant = Assistant(client)
        assistant.subscribe()
        entities, _ = await client.list_entities_services()
        key = next(entity.key for entity in entities if entity.object_id == "media_player")
        client.media_player_command(key, media_url=f"{url}/endless")
        await client.device_info()
        async with asyncio.timeout(MAX_WAIT_SECONDS):
            while made.devices.player.music_seconds <= 5.0:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        async with running(made):
            await takes_a_turn(made, assistant, url)
            assert made.devices.player.music_seconds < 10.0
            assert made.devices.player.music_active


async def test_an_announcement_that_never_ends_is_held_back(tmp_path: Path) -> None:
    async with (
        files() as url,
        esphome_satellite(tmp_path, SILENCE) as made,
        connected(made) as client,
    ):
        Assistant(client).subscribe()
        announcing = asyncio.create_task(
            client.send_voice_assistant_announcement_await_response(f"{url}/endless", 30.0, "text")
        )
        async with asyncio.timeout(MAX_WAIT_SECONDS):
            while made.devices.player.buffered_seconds <= 60.0:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0)

        assert made.devices.player.buffered_seconds < 62.0
        announcing.cancel()
        await asyncio.wait([announcing])


@pytest.mark.parametrize("name", ["silent", "stalled", "html", "wave"])
async def test_media_without_sound_end_in_a_state_and_a_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    broken = {"html": b"<html>not found</html>", "wave": b"RIFF" + bytes(100), "stalled": None}
    async with (
        files(**broken) as url,
        esphome_satellite(tmp_path, SILENCE, "--tts-timeout=0.5") as made,
        connected(made) as client,
        running(made),
    ):
        entities, _ = await client.list_entities_services()
        key = next(entity.key for entity in entities if entity.object_id == "media_player")
        client.media_player_command(key, media_url=f"{url}/{name}")
        await client.device_info()
        await until_music(made, plays=False)

    assert "ERROR" in caplog.text


async def test_a_reply_that_never_begins_fails_the_turn_and_the_next_one_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        files(reply=wav(0.3)) as url,
        esphome_satellite(
            tmp_path, TWO_COMMANDS, "--no-sounds", "--tts-timeout=0.5", wake=WakeIsVeryLoud()
        ) as made,
        connected(made) as client,
    ):
        assistant = Assistant(client)
        assistant.subscribe()
        await client.device_info()
        async with running(made):
            await soon(assistant.started)
            await soon(assistant.ended)
            assistant.answer("is it late", f"{url}/silent")
            await until(made, TurnState.IDLE)
            await takes_a_turn(made, assistant, url)

    assert "Turn failed" in caplog.text
