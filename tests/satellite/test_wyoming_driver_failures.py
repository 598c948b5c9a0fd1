"""Failures of Home Assistant: broken connections, errors, and a second machine."""

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

from satellite.core.turn import TurnState
from tests.support.satellite_client import (
    COMMAND,
    REPLY_RATE,
    HomeAssistantClient,
    WyomingRig,
    loud_samples,
    until,
)
from tests.support.satellite_rig import (
    SPEECH,
    WAKE,
    WakeIsVeryLoud,
    played,
    sounding,
    wyoming_satellite,
)


async def test_a_connection_that_breaks_in_an_utterance_loses_nothing(tmp_path: Path) -> None:
    async with wyoming_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite:
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())
            await client.receive_until(AudioChunk)
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())

            await client.receive_until(RunPipeline)
            sent = b""
            while not AudioStop.is_type((event := await client.receive()).type):
                sent += AudioChunk.from_event(event).audio

    assert len(loud_samples(sent)) > 0.6 * 16_000


async def test_an_utterance_said_while_home_assistant_is_away_waits_for_it(tmp_path: Path) -> None:
    async with wyoming_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite:
        await until(satellite, TurnState.THINKING)

        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())

            await client.receive_until(RunPipeline)
            sent = b""
            while not AudioStop.is_type((event := await client.receive()).type):
                sent += AudioChunk.from_event(event).audio

    assert len(loud_samples(sent)) > 0.6 * 16_000


async def test_a_home_assistant_that_stays_away_causes_an_error_sound(tmp_path: Path) -> None:
    flags = ("--resume-timeout", "1")
    async with wyoming_satellite(tmp_path, COMMAND, *flags, wake=WakeIsVeryLoud()) as satellite:
        await until(satellite, TurnState.THINKING)

        await until(satellite, TurnState.IDLE)
        await satellite.clock.until(satellite.clock.now() + 1.0)

    assert len(played(tmp_path)) >= 2


async def test_a_reply_that_breaks_off_ends_with_a_sound_and_the_next_turn_works(
    tmp_path: Path,
) -> None:
    heard = (*COMMAND[:-1], (6.0, 0), *COMMAND)
    async with wyoming_satellite(tmp_path, heard, wake=WakeIsVeryLoud()) as satellite:
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())
            await client.receive_until(AudioStop)
            await client.send(Transcript(text="hi"), AudioStart(REPLY_RATE, 2, 1))
            await client.send(AudioChunk(REPLY_RATE, 2, 1, b"\x00\x20" * REPLY_RATE))
            await until(satellite, TurnState.SPEAKING)
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())

            await client.receive_until(Played)
            await client.receive_until(RunPipeline)

    # A second of the reply, beside the sounds of the wake words and of the failure.
    assert sounding(tmp_path) > 1.0


@pytest.mark.parametrize("code", ["stt-no-text-recognized", "intent-failed"])
async def test_an_error_ends_the_turn(tmp_path: Path, code: str) -> None:
    async with (
        wyoming_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(RunPipeline)

        await client.send(Error(text="no", code=code))

        await until(satellite, TurnState.IDLE)
        assert satellite.driver.connected


async def test_a_pipeline_without_a_reply_ends(tmp_path: Path) -> None:
    flags = ("--llm-timeout", "2")
    async with (
        wyoming_satellite(tmp_path, COMMAND, *flags, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(RunPipeline)

        await client.send(Transcript(text="hello"))

        await until(satellite, TurnState.IDLE)
        assert satellite.driver.connected


async def test_a_paused_satellite_forgets_its_turn(tmp_path: Path) -> None:
    async with (
        wyoming_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(RunPipeline)

        await client.send(PauseSatellite())

        await until(satellite, TurnState.IDLE)
        assert not satellite.driver.connected


async def test_a_malformed_event_is_answered_with_an_error(tmp_path: Path) -> None:
    async with (
        wyoming_satellite(tmp_path, ((60.0, 0),)) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())

        await client.send_event(Event("timer-finished", {}))

        error = Error.from_event(await client.receive_until(Error))
        assert error.code == "bad-request"


async def test_a_turn_given_up_is_ended_before_the_next_begins(tmp_path: Path) -> None:
    heard = ((0.3, WAKE), (1.0, 0), (0.5, SPEECH), (0.3, WAKE), (1.0, 0), (1.0, SPEECH), (60.0, 0))
    async with (
        wyoming_satellite(tmp_path, heard, "--no-sounds", wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(RunPipeline)

        await client.receive_until(AudioStop)

        assert Detection.is_type((await client.receive()).type)
        assert RunPipeline.is_type((await client.receive()).type)


async def from_another_machine(
    satellite: WyomingRig,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect from an address that is not Home Assistant's."""
    host, _, port = satellite.driver.uri.removeprefix("tcp://").rpartition(":")
    return await asyncio.open_connection(host, int(port), local_addr=("127.0.0.2", 0))


async def test_another_machine_does_not_get_the_microphone_that_home_assistant_has(
    tmp_path: Path,
) -> None:
    async with (
        wyoming_satellite(tmp_path, ((60.0, 0),)) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite(), Ping())
        await client.receive_until(Pong)
        reader, writer = await from_another_machine(satellite)

        await async_write_event(RunSatellite().event(), writer)

        async with asyncio.timeout(5):
            refusal = await async_read_event(reader)
            end = await async_read_event(reader)
        writer.close()
        await client.send(Ping())
        assert refusal is not None
        assert (Error.from_event(refusal).code, end) == ("refused", None)
        assert Pong.is_type((await client.receive()).type)
        assert satellite.driver.connected


async def test_another_machine_does_not_get_the_microphone_during_a_restart(
    tmp_path: Path,
) -> None:
    async with wyoming_satellite(tmp_path, ((60.0, 0),)) as satellite:
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite(), Ping())
            await client.receive_until(Pong)
        reader, writer = await from_another_machine(satellite)

        await async_write_event(RunSatellite().event(), writer)

        async with asyncio.timeout(5):
            refusal = await async_read_event(reader)
        writer.close()
        assert refusal is not None
        assert Error.from_event(refusal).code == "refused"


async def test_the_first_machine_gets_the_satellite_back_from_another(
    tmp_path: Path,
) -> None:
    async with wyoming_satellite(tmp_path, ((60.0, 0),), away_seconds=-1.0) as satellite:
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite(), Ping())
            await client.receive_until(Pong)
        reader, writer = await from_another_machine(satellite)
        await async_write_event(RunSatellite().event(), writer)
        await async_write_event(Ping().event(), writer)
        async with asyncio.timeout(5):
            answer = await async_read_event(reader)
        assert answer is not None
        assert Pong.is_type(answer.type)

        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite(), Ping())
            await client.receive_until(Pong)

            async with asyncio.timeout(5):
                while await reader.read(4096):
                    pass
            assert satellite.driver.connected
        writer.close()


async def test_home_assistant_that_comes_back_takes_its_own_place(tmp_path: Path) -> None:
    async with (
        wyoming_satellite(tmp_path, ((60.0, 0),)) as satellite,
        HomeAssistantClient(satellite) as before,
        HomeAssistantClient(satellite) as after,
    ):
        await before.send(RunSatellite(), Ping())
        await before.receive_until(Pong)

        await after.send(RunSatellite(), Ping())

        await after.receive_until(Pong)
        assert satellite.driver.connected
