"""Satellite whose connection to Home Assistant or a service is cut in the middle of a turn."""

import asyncio
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.pipeline import RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played

from satellite.core.clock import RunClock
from satellite.core.turn import TurnState
from tests.faults.link import BadLink
from tests.support.fake_services import fake_llm, fake_stt, fake_tts
from tests.support.satellite_client import COMMAND, REPLY_RATE, HomeAssistantClient, until
from tests.support.satellite_rig import SPEECH, WakeIsVeryLoud, played, sounding, wyoming_satellite
from tests.support.standalone_turn import standalone_turns

TURNS = (*COMMAND[:-1], (30.0, 0), *COMMAND)
QUESTION = ((0.5, 0), (1.0, SPEECH), (3.0, 0))
LIMITS = ("--stt-timeout=3", "--llm-timeout=3", "--tts-timeout=3", "--resume-timeout=3")
MOMENTS = ("listening", "waiting", "speaking")


async def reach(client: HomeAssistantClient, moment: str) -> None:
    """Do Home Assistant's part of a turn up to `moment`."""
    await client.receive_until(RunPipeline)
    if moment == "listening":
        await client.receive_until(AudioChunk)
        return
    await client.receive_until(AudioStop)
    if moment == "speaking":
        await client.send(Transcript(text="hi"), AudioStart(REPLY_RATE, 2, 1))
        await client.send(AudioChunk(REPLY_RATE, 2, 1, b"\x00\x20" * REPLY_RATE))


async def whole_turn(client: HomeAssistantClient) -> None:
    await client.receive_until(AudioStop)
    await client.send(Transcript(text="hi"))
    await client.send_reply(0.3)
    await client.receive_until(Played)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_line_to_home_assistant_that_is_reset_in_a_turn_costs_that_turn_at_most(
    tmp_path: Path, moment: str
) -> None:
    async with wyoming_satellite(tmp_path, TURNS, *LIMITS, wake=WakeIsVeryLoud()) as satellite:
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())
            await reach(client, moment)
            client.reset()

        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())
            if moment != "speaking":
                # The utterance is sent once more, whole, and answered once.
                await client.receive_until(RunPipeline)
                await whole_turn(client)
            await until(satellite, TurnState.IDLE)
            await client.receive_until(RunPipeline)
            await whole_turn(client)

    assert sounding(tmp_path) > 0.25


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_line_to_home_assistant_that_falls_silent_in_a_turn_is_given_up_in_time(
    tmp_path: Path, moment: str
) -> None:
    async with (
        wyoming_satellite(
            tmp_path, TURNS, *LIMITS, "--no-sounds", wake=WakeIsVeryLoud()
        ) as satellite,
        BadLink(satellite.driver.uri).open() as link,
    ):
        async with HomeAssistantClient(satellite, link.uri) as client:
            await client.send(RunSatellite())
            await reach(client, moment)
            link.cut()

            await until(satellite, TurnState.IDLE)
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())
            await client.receive_until(RunPipeline)
            await whole_turn(client)

    assert sounding(tmp_path) > 0.25


async def test_over_a_late_and_lossy_line_home_assistant_has_every_turn_once(
    tmp_path: Path,
) -> None:
    # A line is late by the clock on the wall; Home Assistant must be there before the wake word.
    heard = ((3.0, 0), *COMMAND)
    async with (
        wyoming_satellite(
            tmp_path, heard, "--no-sounds", wake=WakeIsVeryLoud(), clock=RunClock()
        ) as satellite,
        BadLink(satellite.driver.uri, delay=0.05, loss=0.3).open() as link,
        HomeAssistantClient(satellite, link.uri) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(RunPipeline)
        await whole_turn(client)

        await client.send(Error(text="over", code="x"))
        await until(satellite, TurnState.IDLE)

    assert len(played(tmp_path)) == 1


@pytest.mark.parametrize("kind", ["stt", "llm", "tts"])
async def test_a_service_that_is_cut_off_in_a_turn_is_given_up_in_time_and_asked_again(
    tmp_path: Path, kind: str
) -> None:
    heard = (*QUESTION, (2.0, 0), *QUESTION)
    limits = ("--stt-timeout=0.5", "--llm-timeout=0.5", "--tts-timeout=0.5", "--no-sounds")
    faults = {name: "hang" if name == kind else "" for name in ("stt", "llm", "tts")}
    async with asyncio.timeout(30):
        run = await standalone_turns(
            tmp_path,
            heard,
            *limits,
            stt=fake_stt("a", "b", broken=faults["stt"], recovers=True),
            llm=fake_llm("One two", "Four five", broken=faults["llm"], recovers=True),
            tts=fake_tts(broken=faults["tts"], recovers=True),
        )

    assert 1 <= len(run.reports) <= 2
    assert run.reports[-1]["error"] is None
    assert run.reports[-1]["reply"] in ("Four five", "One two")
