"""A satellite whose Home Assistant fails, goes away, or is not the only one."""

import asyncio
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.ping import Ping, Pong
from wyoming.pipeline import RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.snd import Played
from wyoming.wake import Detection

from satellite.homeassistant import Assistant
from satellite.turn import State
from tests.satellite.house import COMMAND, RATE, House, loud_samples, until
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, assistant, played


async def test_a_line_that_breaks_in_mid_utterance_loses_nothing(tmp_path: Path) -> None:
    async with assistant(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite:
        async with House(satellite) as house:
            await house.say(RunSatellite())
            await house.hear_until(AudioChunk)
        async with House(satellite) as house:
            await house.say(RunSatellite())

            await house.hear_until(RunPipeline)
            sent = b""
            while not AudioStop.is_type((event := await house.hear()).type):
                sent += AudioChunk.from_event(event).audio

    assert len(loud_samples(sent)) > 0.6 * 16_000


async def test_what_is_said_while_home_assistant_is_away_waits_for_it(tmp_path: Path) -> None:
    async with assistant(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite:
        await until(satellite, State.THINKING)

        async with House(satellite) as house:
            await house.say(RunSatellite())

            await house.hear_until(RunPipeline)
            await house.hear_until(AudioStop)


async def test_a_home_assistant_that_stays_away_is_heard_as_a_sound(tmp_path: Path) -> None:
    flags = ("--resume-timeout", "1")
    async with assistant(tmp_path, COMMAND, *flags, wake=WakeIsVeryLoud()) as satellite:
        await until(satellite, State.THINKING)

        await until(satellite, State.IDLE)
        await satellite.body.clock.until(satellite.body.clock.now() + 1.0)

    assert len(played(tmp_path)) >= 2


async def test_a_reply_that_breaks_off_ends_with_a_sound_and_the_next_turn_works(
    tmp_path: Path,
) -> None:
    heard = (*COMMAND[:-1], (6.0, 0), *COMMAND)
    async with assistant(tmp_path, heard, wake=WakeIsVeryLoud()) as satellite:
        async with House(satellite) as house:
            await house.say(RunSatellite())
            await house.hear_until(RunPipeline)
            await house.say(Transcript(text="hi"), AudioStart(RATE, 2, 1))
            await house.say(AudioChunk(RATE, 2, 1, b"\x00\x20" * RATE))
            await until(satellite, State.SPEAKING)
        async with House(satellite) as house:
            await house.say(RunSatellite())

            await house.hear_until(Played)
            await house.hear_until(RunPipeline)


@pytest.mark.parametrize("code", ["stt-no-text-recognized", "intent-failed"])
async def test_an_error_ends_the_turn(tmp_path: Path, code: str) -> None:
    async with (
        assistant(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())
        await house.hear_until(RunPipeline)

        await house.say(Error(text="no", code=code))

        await until(satellite, State.IDLE)


async def test_a_pipeline_without_a_reply_ends(tmp_path: Path) -> None:
    flags = ("--llm-timeout", "2")
    async with (
        assistant(tmp_path, COMMAND, *flags, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())
        await house.hear_until(RunPipeline)

        await house.say(Transcript(text="hello"))

        await until(satellite, State.IDLE)


async def test_a_paused_satellite_forgets_its_turn(tmp_path: Path) -> None:
    async with (
        assistant(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())
        await house.hear_until(RunPipeline)

        await house.say(PauseSatellite())

        await until(satellite, State.IDLE)
        assert not satellite.connected


async def test_a_malformed_event_is_answered_with_an_error(tmp_path: Path) -> None:
    async with assistant(tmp_path, ((60.0, 0),)) as satellite, House(satellite) as house:
        await house.say(RunSatellite())

        await house._client.write_event(Event("timer-finished", {}))

        error = Error.from_event(await house.hear_until(Error))
        assert error.code == "bad-request"


async def test_a_turn_given_up_is_ended_before_the_next_begins(tmp_path: Path) -> None:
    heard = ((0.3, WAKE), (1.0, 0), (0.5, SPEECH), (0.3, WAKE), (1.0, 0), (1.0, SPEECH), (60.0, 0))
    async with (
        assistant(tmp_path, heard, "--no-sounds", wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())
        await house.hear_until(RunPipeline)

        await house.hear_until(AudioStop)

        assert Detection.is_type((await house.hear()).type)
        assert RunPipeline.is_type((await house.hear()).type)


async def from_another_machine(
    satellite: Assistant,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect from an address that is not Home Assistant's."""
    host, _, port = satellite.uri.removeprefix("tcp://").rpartition(":")
    return await asyncio.open_connection(host, int(port), local_addr=("127.0.0.2", 0))


async def test_another_machine_does_not_get_the_microphone_that_home_assistant_has(
    tmp_path: Path,
) -> None:
    async with (
        assistant(tmp_path, ((60.0, 0),)) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite(), Ping())
        await house.hear_until(Pong)
        reader, writer = await from_another_machine(satellite)

        await async_write_event(RunSatellite().event(), writer)

        async with asyncio.timeout(5):
            refusal = await async_read_event(reader)
            end = await async_read_event(reader)
        writer.close()
        await house.say(Ping())
        assert refusal is not None
        assert (Error.from_event(refusal).code, end) == ("refused", None)
        assert Pong.is_type((await house.hear()).type)
        assert satellite.connected


async def test_while_home_assistant_is_restarted_nobody_else_gets_the_microphone(
    tmp_path: Path,
) -> None:
    async with assistant(tmp_path, ((60.0, 0),)) as satellite:
        async with House(satellite) as house:
            await house.say(RunSatellite(), Ping())
            await house.hear_until(Pong)
        reader, writer = await from_another_machine(satellite)

        await async_write_event(RunSatellite().event(), writer)

        async with asyncio.timeout(5):
            refusal = await async_read_event(reader)
        writer.close()
        assert refusal is not None
        assert Error.from_event(refusal).code == "refused"


async def test_the_machine_that_was_first_gets_the_satellite_back_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("satellite.lines._AWAY_SECONDS", -1.0)
    async with assistant(tmp_path, ((60.0, 0),)) as satellite:
        async with House(satellite) as house:
            await house.say(RunSatellite(), Ping())
            await house.hear_until(Pong)
        reader, writer = await from_another_machine(satellite)
        await async_write_event(RunSatellite().event(), writer)
        await async_write_event(Ping().event(), writer)
        async with asyncio.timeout(5):
            answer = await async_read_event(reader)
        assert answer is not None
        assert Pong.is_type(answer.type)

        async with House(satellite) as house:
            await house.say(RunSatellite(), Ping())
            await house.hear_until(Pong)

            async with asyncio.timeout(5):
                while await reader.read(4096):
                    pass
            assert satellite.connected
        writer.close()


async def test_home_assistant_that_comes_back_takes_its_own_place(tmp_path: Path) -> None:
    async with (
        assistant(tmp_path, ((60.0, 0),)) as satellite,
        House(satellite) as before,
        House(satellite) as after,
    ):
        await before.say(RunSatellite(), Ping())
        await before.hear_until(Pong)

        await after.say(RunSatellite(), Ping())

        await after.hear_until(Pong)
        assert satellite.connected
