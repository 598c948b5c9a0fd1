"""The satellite that Home Assistant connects to, against the events that it really sends."""

from pathlib import Path

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played
from wyoming.vad import VoiceStarted, VoiceStopped
from wyoming.wake import Detection

from satellite.turn import State
from tests.satellite.house import COMMAND, House, loud_samples, until
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, assistant, played, sounding


async def test_a_wake_word_runs_a_pipeline_with_what_was_said(tmp_path: Path) -> None:
    async with (
        assistant(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())

        detection = Detection.from_event(await house.hear())
        run = RunPipeline.from_event(await house.hear())
        sent = b""
        while not AudioStop.is_type((event := await house.hear()).type):
            sent += AudioChunk.from_event(event).audio

    assert detection.name == "computer"
    assert (run.start_stage, run.end_stage) == (PipelineStage.ASR, PipelineStage.TTS)
    loud = loud_samples(sent)
    assert (loud[-1] - loud[0]) / 16_000 == pytest.approx(1.0, abs=0.02)


async def test_the_reply_is_played_at_its_pace_and_reported(tmp_path: Path) -> None:
    async with assistant(tmp_path, COMMAND, "--no-sounds", wake=WakeIsVeryLoud()) as satellite:
        async with House(satellite) as house:
            await house.say(RunSatellite())
            await house.hear_until(AudioStop)
            await house.say(Transcribe(language="en"), Transcript(text="turn on the light"))
            await house.reply(2.0)

            await house.hear_until(Played)

        assert satellite.machine.state is State.IDLE
    assert sounding(tmp_path) == pytest.approx(2.0, abs=0.01)


async def test_the_microphone_stops_when_home_assistant_says_that_speech_is_over(
    tmp_path: Path,
) -> None:
    heard = ((0.3, WAKE), (0.4, 0), (60.0, SPEECH))
    async with (
        assistant(tmp_path, heard, "--max-listen", "50", wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())
        await house.hear_until(AudioChunk)

        await house.say(VoiceStopped())

        await until(satellite, State.THINKING)
        await house.hear_until(AudioStop)
        await house.say(Ping())
        assert Pong.is_type((await house.hear()).type)


async def test_where_home_assistant_waits_for_silence_we_end_the_utterance_sooner(
    tmp_path: Path,
) -> None:
    ends = []
    for external in (True, False):
        async with (
            assistant(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
            House(satellite) as house,
        ):
            await house.say(RunSatellite())
            await house.hear_until(RunPipeline)
            if external:
                await house.say(VoiceStarted())
            await house.hear_until(AudioStop)
            ends.append(satellite.body.clock.now())

    assert ends[0] < ends[1] - 0.5


async def test_the_wake_word_interrupts_a_reply(tmp_path: Path) -> None:
    heard = ((8.0, 0), (0.3, WAKE), (0.5, 0), (1.0, SPEECH), (60.0, 0))
    async with (
        assistant(tmp_path, heard, "--no-sounds", wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())
        await house.reply(15.0)

        await house.hear_until(RunPipeline)

    assert played(tmp_path)[-1][1] < 8.5
