"""ESPHome satellite, driven by the official client as Home Assistant drives it."""

import asyncio
import base64
import secrets
from pathlib import Path
from typing import Any

import pytest
from aioesphomeapi import (
    MediaPlayerCommand,
    MediaPlayerEntityFeature,
    MediaPlayerInfo,
    SwitchState,
    VoiceAssistantEventType,
    VoiceAssistantTimerEventType,
)
from aioesphomeapi.core import (
    ZERO_NOISE_PSK,
    InvalidEncryptionKeyAPIError,
    RequiresEncryptionAPIError,
)

from satellite.core.turn import TurnState
from satellite.esphome.names import ENTITY_NAMES
from satellite.wake.engine import WakeEngine
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
from tests.support.satellite_client import COMMAND, loud_samples
from tests.support.satellite_rig import SPEECH, WAKE, WakeIsVeryLoud, played, sounding
from wyoming_common.errors import ConfigError

SILENCE = ((600.0, 0),)
ENCRYPTED = f"--encryption-key={KEY}"


async def test_a_stranger_lists_the_device_and_its_entities(tmp_path: Path) -> None:
    async with esphome_satellite(tmp_path, SILENCE) as rig, connected(rig) as client:
        info = await client.device_info()
        entities, services = await client.list_entities_services()

    assert (info.name, info.friendly_name, info.manufacturer) == ("kitchen", "Kitchen", "Parley")
    assert info.api_encryption_supported
    assert {entity.object_id for entity in entities} == {
        *("media_player", "mute", "sounds", "listen", "follow_up", "volume"),
        *("microphone_level", "firmware"),
    }
    assert services == []


async def test_states_are_sent_when_they_change(tmp_path: Path) -> None:
    async with (
        esphome_satellite(tmp_path, SILENCE) as rig,
        connected(rig) as client,
        running(rig),
    ):
        entities, _ = await client.list_entities_services()
        keys = {entity.object_id: entity.key for entity in entities}
        states: asyncio.Queue[object] = asyncio.Queue()
        client.subscribe_states(states.put_nowait)

        client.switch_command(keys["mute"], True)

        def is_muted(state: Any) -> bool:
            mutes = isinstance(state, SwitchState) and state.key == keys["mute"]
            return mutes and state.state

        while not is_muted(await soon(states)):
            pass
        assert rig.satellite.microphone_off


async def test_over_noise_a_turn_runs_from_the_wake_word_to_the_played_reply(
    tmp_path: Path,
) -> None:
    flags = (ENCRYPTED, "--no-sounds")
    async with (
        files(reply=wav(1.5, size=0xFFFFFFFF)) as url,
        esphome_satellite(tmp_path, COMMAND, *flags, wake=WakeIsVeryLoud()) as rig,
        connected(rig, KEY) as client,
    ):
        assistant = Assistant(client)
        assistant.subscribe()
        await client.device_info()
        async with running(rig):
            phrase = await soon(assistant.started)
            aborted = await soon(assistant.ended)
            assistant.answer("is it late", f"{url}/reply")

            success = await soon(assistant.finished)
            await until(rig, TurnState.IDLE)

    assert (phrase, aborted, success) == ("computer", False, True)
    loud = loud_samples(bytes(assistant.audio))
    assert (loud[-1] - loud[0]) / 16_000 == pytest.approx(1.0, abs=0.02)
    assert sounding(tmp_path) == pytest.approx(1.5, abs=0.02)


async def test_a_reply_that_is_streamed_is_fetched_before_its_text_is_whole(
    tmp_path: Path,
) -> None:
    kind = VoiceAssistantEventType
    async with (
        files(reply=wav(1.0)) as url,
        esphome_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as rig,
        connected(rig) as client,
    ):
        assistant = Assistant(client)
        assistant.subscribe()
        await client.device_info()
        async with running(rig):
            await soon(assistant.started)
            assistant.send(kind.VOICE_ASSISTANT_RUN_START, url=f"{url}/reply")
            await soon(assistant.ended)
            assistant.send(kind.VOICE_ASSISTANT_STT_END, text="tell me a story")
            assistant.send(kind.VOICE_ASSISTANT_INTENT_PROGRESS, tts_start_streaming="1")

            await until(rig, TurnState.SPEAKING)
            assistant.send(kind.VOICE_ASSISTANT_RUN_END)
            assert await soon(assistant.finished)


async def test_a_reply_that_asks_back_opens_the_microphone_without_a_wake_word(
    tmp_path: Path,
) -> None:
    heard = (*COMMAND[:-1], (4.0, 0), (1.0, SPEECH), (60.0, 0))
    flags = ("--no-sounds",)
    async with (
        files(reply=wav(0.3)) as url,
        esphome_satellite(tmp_path, heard, *flags, wake=WakeIsVeryLoud()) as rig,
        connected(rig) as client,
    ):
        assistant = Assistant(client)
        assistant.subscribe()
        await client.device_info()
        async with running(rig):
            first = await soon(assistant.started)
            await soon(assistant.ended)
            assistant.answer("set a timer", f"{url}/reply", continues=True)
            await soon(assistant.finished)

            second = await soon(assistant.started)

    assert (first, second) == ("computer", None)


async def announce(rig: EsphomeRig, url: str, before: str = "") -> bool:
    """Have the satellite announce something, and return whether it did."""
    async with connected(rig) as client:
        assistant = Assistant(client)
        assistant.subscribe()
        await client.device_info()
        finished = await client.send_voice_assistant_announcement_await_response(
            url, 20.0, "text", preannounce_media_id=before
        )
        return bool(finished.success)


async def test_an_announcement_is_played_behind_its_preannouncement(tmp_path: Path) -> None:
    async with (
        files(chime=wav(0.4, rate=16_000), message=wav(1.0)) as url,
        esphome_satellite(tmp_path, SILENCE) as rig,
        running(rig),
    ):
        success = await announce(rig, f"{url}/message", before=f"{url}/chime")

    assert success
    assert sounding(tmp_path) == pytest.approx(1.4, abs=0.03)


async def test_a_conversation_that_home_assistant_starts_listens_after_the_announcement(
    tmp_path: Path,
) -> None:
    heard = ((2.0, 0), *((1.0, SPEECH), (1.0, 0)) * 20)
    async with (
        files(question=wav(0.5)) as url,
        esphome_satellite(tmp_path, heard, "--no-barge-in", wake=WakeIsVeryLoud()) as rig,
        connected(rig) as client,
    ):
        assistant = Assistant(client)
        assistant.subscribe()
        await client.device_info()
        async with running(rig):
            await client.send_voice_assistant_announcement_await_response(
                f"{url}/question", 20.0, "text", start_conversation=True
            )

            assert await soon(assistant.started) is None
            await soon(assistant.ended)
            assistant.send(VoiceAssistantEventType.VOICE_ASSISTANT_STT_END, text="yes")
            assistant.send(VoiceAssistantEventType.VOICE_ASSISTANT_RUN_END)
            await until(rig, TurnState.IDLE)


@pytest.mark.parametrize(
    "content", [b"<html>not found</html>", b"", wav(0.5)[:20], b"RIFF" + bytes(100)]
)
async def test_an_announcement_without_audio_is_reported_and_the_next_one_works(
    tmp_path: Path, content: bytes
) -> None:
    async with (
        files(bad=content, good=wav(0.5)) as url,
        esphome_satellite(tmp_path, SILENCE, "--no-sounds") as rig,
        running(rig),
    ):
        bad = await announce(rig, f"{url}/bad")
        good = await announce(rig, f"{url}/good")

    assert (bad, good) == (False, True)
    assert sounding(tmp_path) == pytest.approx(0.5, abs=0.02)


async def test_a_reply_whose_server_stalls_is_played_as_far_as_it_came(tmp_path: Path) -> None:
    async with (
        files(stalled=None) as url,
        esphome_satellite(tmp_path, SILENCE, "--no-sounds", "--tts-timeout=0.5") as rig,
        running(rig),
    ):
        success = await announce(rig, f"{url}/stalled")

    assert success
    assert sounding(tmp_path) == pytest.approx(0.5, abs=0.02)


async def test_music_is_ducked_under_an_announcement_and_goes_on(tmp_path: Path) -> None:
    async with (
        files(music=wav(6.0), message=wav(1.0)) as url,
        esphome_satellite(tmp_path, SILENCE, "--no-sounds") as rig,
        connected(rig) as client,
        running(rig),
    ):
        entities, _ = await client.list_entities_services()
        key = next(entity.key for entity in entities if entity.object_id == "media_player")
        client.media_player_command(key, media_url=f"{url}/music")
        await until_music(rig, plays=True)
        success = await announce(rig, f"{url}/message")
        await until_music(rig, plays=False)

    assert success
    assert sounding(tmp_path) == pytest.approx(6.0, abs=1.1)


async def test_the_media_player_stops_and_remembers_its_volume(tmp_path: Path) -> None:
    async with (
        files(music=wav(60.0)) as url,
        esphome_satellite(tmp_path, SILENCE) as rig,
        connected(rig) as client,
        running(rig),
    ):
        entities, _ = await client.list_entities_services()
        key = next(entity.key for entity in entities if entity.object_id == "media_player")
        client.media_player_command(key, media_url=f"{url}/music", volume=0.25)
        await until_music(rig, plays=True)
        client.media_player_command(key, command=MediaPlayerCommand.STOP)
        await until_music(rig, plays=False)

    async with esphome_satellite(tmp_path, SILENCE) as rig, connected(rig) as client:
        states: asyncio.Queue[object] = asyncio.Queue()
        client.subscribe_states(states.put_nowait)
        volume = None
        while volume is None:
            volume = getattr(await soon(states), "volume", None)

    assert volume == 0.25


async def test_wake_words_are_chosen_in_home_assistant_and_kept(tmp_path: Path) -> None:
    for chosen in (["alexa", "jarvis"], None):
        async with (
            esphome_satellite(tmp_path, SILENCE, wake=WakeIsVeryLoud()) as rig,
            connected(rig) as client,
        ):
            Assistant(client).subscribe()
            if chosen is not None:
                await client.set_voice_assistant_configuration([*chosen, "unknown", "computer"])
            configuration = await client.get_voice_assistant_configuration(5.0)

        assert [word.id for word in configuration.available_wake_words] == [
            "computer",
            "alexa",
            "jarvis",
        ]
        assert configuration.active_wake_words == ["alexa", "jarvis"]
        assert configuration.max_active_wake_words == 2
        assert not rig.driver.accepts("computer")


async def test_a_timer_rings_until_the_wake_word(tmp_path: Path) -> None:
    heard = ((4.0, 0), (0.3, WAKE), (60.0, 0))
    kind = VoiceAssistantTimerEventType
    async with (
        esphome_satellite(tmp_path, heard, wake=WakeIsVeryLoud()) as rig,
        connected(rig) as client,
    ):
        Assistant(client).subscribe()
        client.send_voice_assistant_timer_event(
            kind.VOICE_ASSISTANT_TIMER_FINISHED, "a", "eggs", 3, 0, False
        )
        await client.device_info()
        async with running(rig):
            await until(rig, TurnState.AWAKE)
            silenced = rig.clock.now()
            await rig.clock.until(silenced + 4.0)

    assert len(played(tmp_path)) >= 4
    assert all(start < silenced + 0.5 for start, _ in played(tmp_path))


async def test_a_device_with_a_key_refuses_plaintext_and_other_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = base64.b64encode(secrets.token_bytes(32)).decode()
    async with esphome_satellite(tmp_path, SILENCE, ENCRYPTED) as rig:
        with pytest.raises(RequiresEncryptionAPIError):
            async with connected(rig):
                pass
        with pytest.raises(InvalidEncryptionKeyAPIError):
            async with connected(rig, other):
                pass
        async with connected(rig, KEY) as client:
            assert (await client.device_info()).name == "kitchen"

    assert caplog.text.count("the encryption key of the client is wrong") == 1
    assert KEY not in caplog.text
    assert other not in caplog.text


async def test_a_key_that_home_assistant_sets_is_kept_and_can_be_removed(tmp_path: Path) -> None:
    async with (
        esphome_satellite(tmp_path, SILENCE) as rig,
        connected(rig, ZERO_NOISE_PSK) as client,
    ):
        assert (await client.device_info()).api_encryption_provisionable
        assert await client.noise_encryption_set_key(KEY.encode())
    async with esphome_satellite(tmp_path, SILENCE) as rig:
        with pytest.raises(RequiresEncryptionAPIError):
            async with connected(rig):
                pass
        async with connected(rig, KEY) as client:
            assert await client.noise_encryption_set_key(b"")
    async with esphome_satellite(tmp_path, SILENCE) as rig, connected(rig) as client:
        assert (await client.device_info()).api_encryption_provisionable

    assert (tmp_path / "kitchen.esphome.json").stat().st_mode & 0o077 == 0


async def test_pipelines_of_the_wyoming_protocol_are_refused(tmp_path: Path) -> None:
    flag = "--pipeline=computer=tcp://127.0.0.1:0"
    with pytest.raises(ConfigError, match="only with --protocol wyoming"):
        async with esphome_satellite(tmp_path, SILENCE, flag, wake=WakeIsVeryLoud()):
            pass


async def test_home_assistant_that_comes_back_gets_the_utterance_that_it_missed(
    tmp_path: Path,
) -> None:
    async with esphome_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as rig, running(rig):
        await until(rig, TurnState.LISTENING)
        async with connected(rig) as client:
            assistant = Assistant(client)
            assistant.subscribe()

            assert await soon(assistant.started) == "computer"
            assert await soon(assistant.ended) is False

    assert len(loud_samples(bytes(assistant.audio))) > 0.6 * 16_000


async def test_numbers_and_switches_are_set_within_their_bounds_and_kept(tmp_path: Path) -> None:
    async with (
        esphome_satellite(tmp_path, SILENCE) as rig,
        connected(rig) as client,
        running(rig),
    ):
        entities, _ = await client.list_entities_services()
        keys = {entity.object_id: entity.key for entity in entities}
        client.number_command(keys["follow_up"], 1000.0)
        client.number_command(keys["volume"], float("nan"))
        client.number_command(keys["volume"], 30.0)
        client.switch_command(keys["sounds"], False)
        client.switch_command(keys["mute"], True)
        await client.device_info()
        await rig.clock.until(rig.clock.now() + 0.1)

    async with esphome_satellite(tmp_path, SILENCE) as rig, connected(rig) as client:
        states: asyncio.Queue[Any] = asyncio.Queue()
        client.subscribe_states(states.put_nowait)
        found = {(state := await soon(states)).key: state for _ in keys if _ != "listen"}

    assert found[keys["follow_up"]].state == 60.0
    assert found[keys["volume"]].state == 30.0
    assert found[keys["media_player"]].volume == pytest.approx(0.3)
    assert not found[keys["sounds"]].state
    assert found[keys["mute"]].state
    assert found[keys["microphone_level"]].missing_state
    assert not rig.satellite.sounds
    assert rig.machine.follow_up_seconds == 60.0


async def test_the_level_of_the_microphone_and_the_score_of_the_wake_word_are_measured(
    tmp_path: Path,
) -> None:
    heard = ((0.5, 0), (0.3, WAKE), (13.0, 0), (12.0, SPEECH), (60.0, 0))
    engine = WakeEngine(("computer",), "micro", lambda *_: WakeIsVeryLoud())
    async with (
        esphome_satellite(tmp_path, heard, wake=WakeIsVeryLoud(), engine=engine) as rig,
        connected(rig) as client,
    ):
        entities, _ = await client.list_entities_services()
        keys = {entity.object_id: entity.key for entity in entities}
        states: asyncio.Queue[Any] = asyncio.Queue()
        client.subscribe_states(states.put_nowait)
        await client.device_info()
        values: dict[str, list[float]] = {"microphone_level": [], "wake_score": []}
        async with running(rig), asyncio.timeout(30):
            while not values["wake_score"] or len(values["microphone_level"]) < 2:
                state = await states.get()
                for name, found in values.items():
                    if state.key == keys[name] and not state.missing_state:
                        found.append(state.state)

    assert values["wake_score"] == [0.0]
    first, second = values["microphone_level"][:2]
    assert -96 <= first < second < 0


@pytest.mark.parametrize(
    ("language", "name"), [("de-AT", "Zuhören"), ("it", "Ascolta"), ("sv", "Listen")]
)
async def test_entities_have_names_in_the_language_of_the_user(
    tmp_path: Path, language: str, name: str
) -> None:
    async with (
        esphome_satellite(tmp_path, SILENCE, f"--language={language}") as rig,
        connected(rig) as client,
    ):
        entities, _ = await client.list_entities_services()

    assert name in {entity.name for entity in entities}


def test_every_language_names_every_entity() -> None:
    assert len({frozenset(names) for names in ENTITY_NAMES.values()}) == 1


async def test_the_media_player_has_the_features_that_home_assistant_shows(
    tmp_path: Path,
) -> None:
    feature = MediaPlayerEntityFeature
    async with esphome_satellite(tmp_path, SILENCE) as rig, connected(rig) as client:
        entities, _ = await client.list_entities_services()
        player = next(one for one in entities if isinstance(one, MediaPlayerInfo))
        flags = feature(player.feature_flags_compat(client.api_version))  # type: ignore[arg-type]

    for wanted in ("PLAY_MEDIA", "PAUSE", "PLAY", "STOP", "VOLUME_SET", "MEDIA_ANNOUNCE"):
        assert feature[wanted] in flags
