"""Turns over Wyoming, with the events that Home Assistant really sends."""

from pathlib import Path

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played
from wyoming.tts import Synthesize
from wyoming.vad import VoiceStarted, VoiceStopped
from wyoming.wake import Detection

from satellite.core.turn import TurnState
from tests.support.satellite_client import COMMAND, HomeAssistantClient, loud_samples, until
from tests.support.satellite_rig import (
    SPEECH,
    WAKE,
    WakeIsVeryLoud,
    played,
    sounding,
    wyoming_satellite,
)


async def test_a_wake_word_runs_a_pipeline_with_what_was_said(tmp_path: Path) -> None:
    async with (
        wyoming_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())

        detection = Detection.from_event(await client.receive())
        run = RunPipeline.from_event(await client.receive())
        sent = b""
        while not AudioStop.is_type((event := await client.receive()).type):
            sent += AudioChunk.from_event(event).audio

    assert detection.name == "computer"
    assert (run.start_stage, run.end_stage) == (PipelineStage.ASR, PipelineStage.TTS)
    loud = loud_samples(sent)
    assert (loud[-1] - loud[0]) / 16_000 == pytest.approx(1.0, abs=0.02)


async def test_the_reply_is_played_at_its_pace_and_reported(tmp_path: Path) -> None:
    async with wyoming_satellite(
        tmp_path, COMMAND, "--no-sounds", wake=WakeIsVeryLoud()
    ) as satellite:
        async with HomeAssistantClient(satellite) as client:
            await client.send(RunSatellite())
            await client.receive_until(AudioStop)
            await client.send(Transcribe(language="en"), Transcript(text="turn on the light"))
            await client.send_reply(2.0)

            await client.receive_until(Played)

        assert satellite.machine.state is TurnState.IDLE
    assert sounding(tmp_path) == pytest.approx(2.0, abs=0.01)


async def test_the_microphone_stops_when_home_assistant_says_that_speech_is_over(
    tmp_path: Path,
) -> None:
    heard = ((0.3, WAKE), (0.4, 0), (60.0, SPEECH))
    async with (
        wyoming_satellite(
            tmp_path, heard, "--max-listen", "50", wake=WakeIsVeryLoud()
        ) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(AudioChunk)

        await client.send(VoiceStopped())

        await until(satellite, TurnState.THINKING)
        await client.receive_until(AudioStop)
        await client.send(Ping())
        assert Pong.is_type((await client.receive()).type)


async def test_the_satellite_ends_the_utterance_before_home_assistants_voice_detection_does(
    tmp_path: Path,
) -> None:
    ends = []
    for external in (True, False):
        async with (
            wyoming_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
            HomeAssistantClient(satellite) as client,
        ):
            await client.send(RunSatellite())
            await client.receive_until(RunPipeline)
            if external:
                await client.send(VoiceStarted())
            await client.receive_until(AudioStop)
            ends.append(satellite.clock.now())

    assert ends[0] < ends[1] - 0.5


async def test_the_wake_word_interrupts_a_reply(tmp_path: Path) -> None:
    heard = ((8.0, 0), (0.3, WAKE), (0.5, 0), (1.0, SPEECH), (60.0, 0))
    async with (
        wyoming_satellite(tmp_path, heard, "--no-sounds", wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.send_reply(15.0)

        await client.receive_until(RunPipeline)

    assert played(tmp_path)[-1][1] < 8.5


@pytest.mark.parametrize(("text", "runs"), [("Which one?", 2), ("That one.", 1)])
async def test_a_reply_that_asks_runs_another_pipeline_without_a_wake_word(
    tmp_path: Path, text: str, runs: int
) -> None:
    heard = (*COMMAND[:-1], (3.0, 0), (1.0, SPEECH), (2.0, 0), *COMMAND)
    async with (
        wyoming_satellite(tmp_path, heard, "--no-sounds", wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(AudioStop)
        await client.send(Transcribe(language="en"), Transcript(text="turn on the light"))
        await client.send(Synthesize(text=text))
        await client.send_reply(0.5)
        await client.receive_until(Played)
        woken = Detection.from_event(await client.receive_until(Detection)).name

    # Without a question the next turn is that of the wake word at the end.
    assert woken == (None if runs == 2 else "computer")
