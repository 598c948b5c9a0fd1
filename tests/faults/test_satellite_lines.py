"""A satellite whose line is cut in the middle of its own turn: to Home Assistant, or a service."""

import asyncio
import json
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.pipeline import RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played

from satellite.clock import RunClock
from satellite.turn import State
from tests.faults.link import BadLink
from tests.satellite import fakes
from tests.satellite.house import COMMAND, RATE, House, until
from tests.satellite.rig import SPEECH, WakeIsVeryLoud, assistant, conversation

TURNS = (*COMMAND[:-1], (30.0, 0), *COMMAND)
QUESTION = ((0.5, 0), (1.0, SPEECH), (3.0, 0))
LIMITS = ("--stt-timeout=3", "--llm-timeout=3", "--tts-timeout=3", "--resume-timeout=3")
MOMENTS = ("listening", "waiting", "speaking")


async def reach(house: House, moment: str) -> None:
    """Do Home Assistant's part of a turn up to `moment`."""
    await house.hear_until(RunPipeline)
    if moment == "listening":
        await house.hear_until(AudioChunk)
        return
    await house.hear_until(AudioStop)
    if moment == "speaking":
        await house.say(Transcript(text="hi"), AudioStart(RATE, 2, 1))
        await house.say(AudioChunk(RATE, 2, 1, b"\x00\x20" * RATE))


async def whole_turn(house: House) -> None:
    await house.hear_until(AudioStop)
    await house.say(Transcript(text="hi"))
    await house.reply(0.3)
    await house.hear_until(Played)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_line_to_home_assistant_that_is_reset_in_a_turn_costs_that_turn_at_most(
    tmp_path: Path, moment: str
) -> None:
    async with assistant(tmp_path, TURNS, *LIMITS, wake=WakeIsVeryLoud()) as satellite:
        async with House(satellite) as house:
            await house.say(RunSatellite())
            await reach(house, moment)
            writer = house._client._writer
            assert writer is not None
            writer.transport.abort()

        async with House(satellite) as house:
            await house.say(RunSatellite())
            if moment != "speaking":
                # What was said is asked once more, whole, and answered once.
                await house.hear_until(RunPipeline)
                await whole_turn(house)
            await until(satellite, State.IDLE)
            await house.hear_until(RunPipeline)
            await whole_turn(house)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_line_to_home_assistant_that_falls_silent_in_a_turn_is_given_up_in_time(
    tmp_path: Path, moment: str
) -> None:
    async with (
        assistant(tmp_path, TURNS, *LIMITS, "--no-sounds", wake=WakeIsVeryLoud()) as satellite,
        BadLink(satellite.uri).open() as link,
    ):
        async with House(satellite, link.uri) as house:
            await house.say(RunSatellite())
            await reach(house, moment)
            link.cut()

            await until(satellite, State.IDLE)
        async with House(satellite) as house:
            await house.say(RunSatellite())
            await house.hear_until(RunPipeline)
            await whole_turn(house)


async def test_over_a_late_and_lossy_line_home_assistant_has_every_turn_once(
    tmp_path: Path,
) -> None:
    # A line is late by the clock on the wall; Home Assistant must be there before the wake word.
    heard = ((3.0, 0), *COMMAND)
    async with (
        assistant(
            tmp_path, heard, "--no-sounds", wake=WakeIsVeryLoud(), clock=RunClock()
        ) as satellite,
        BadLink(satellite.uri, delay=0.05, loss=0.3).open() as link,
        House(satellite, link.uri) as house,
    ):
        await house.say(RunSatellite())
        await house.hear_until(RunPipeline)
        await whole_turn(house)

        await house.say(Error(text="over", code="x"))
        await until(satellite, State.IDLE)


@pytest.mark.parametrize("kind", ["stt", "llm", "tts"])
async def test_a_service_that_is_cut_off_in_a_turn_is_given_up_in_time_and_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    heard = (*QUESTION, (2.0, 0), *QUESTION)
    limits = ("--stt-timeout=0.5", "--llm-timeout=0.5", "--tts-timeout=0.5", "--no-sounds")
    faults = {name: "hang" if name == kind else "" for name in ("stt", "llm", "tts")}
    async with (
        fakes.stt("a", "b", broken=faults["stt"], recovers=True) as stt,
        fakes.llm("One two", "Four five", broken=faults["llm"], recovers=True) as llm,
        fakes.tts(broken=faults["tts"], recovers=True) as tts,
        conversation(tmp_path, heard, stt, llm, tts, *limits) as loop,
    ):
        async with asyncio.timeout(30):
            await loop.run()

    turns = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 1 <= len(turns) <= 2
    assert turns[-1]["error"] is None
    assert turns[-1]["reply"] in ("Four five", "One two")
