"""Requests of Home Assistant beside turns: announcements, timers, pipelines, polls."""

from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioStop
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.snd import Played
from wyoming.timer import TimerFinished, TimerStarted
from wyoming.wake import Detection

from satellite.core.turn import TurnState
from tests.support.satellite_client import COMMAND, HomeAssistantClient, hears, until
from tests.support.satellite_rig import (
    SPEECH,
    WAKE,
    WakeIsVeryLoud,
    played,
    sounding,
    wyoming_satellite,
)
from wyoming_common.errors import ConfigError


async def test_an_announcement_is_played_and_reported(tmp_path: Path) -> None:
    async with (
        wyoming_satellite(tmp_path, ((60.0, 0),), wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.send_reply(1.0)

        await client.receive_until(Played)

    assert sounding(tmp_path) == pytest.approx(1.0, abs=0.01)


async def test_pings_and_polls_are_answered_while_a_reply_plays(tmp_path: Path) -> None:
    async with (
        wyoming_satellite(tmp_path, ((60.0, 0),), wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
        HomeAssistantClient(satellite) as poll,
    ):
        await client.send(RunSatellite())
        await client.send_reply(20.0)
        await until(satellite, TurnState.SPEAKING)

        await client.send(Ping(text="there?"))
        await poll.send(Describe())

        assert Pong.from_event(await client.receive_until(Pong)).text == "there?"
        info = Info.from_event(await poll.receive())
        assert info.satellite is not None
        assert info.satellite.installed
        assert info.satellite.active_wake_words == ["computer"]
        assert [model.phrase for model in info.wake[0].models] == ["computer"]
        assert satellite.machine.state is TurnState.SPEAKING


async def test_a_muted_satellite_hears_nothing_but_plays_announcements_and_rings(
    tmp_path: Path,
) -> None:
    async with (
        wyoming_satellite(tmp_path, ((2.0, 0), *COMMAND), wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite(), PauseSatellite())

        await client.send_reply(1.0)
        await until(satellite, TurnState.SPEAKING)
        await until(satellite, TurnState.IDLE)
        await hears(satellite, 20.0)
        announced = sounding(tmp_path)
        await client.send(TimerFinished(id="a"), Ping())
        await client.receive_until(Pong)
        await hears(satellite, 3.0)

    assert announced == pytest.approx(1.0, abs=0.01)
    assert len(played(tmp_path)) > 1


async def test_a_muted_pipeline_leaves_the_other_wake_word(tmp_path: Path) -> None:
    heard = (*COMMAND[:-1], (6.0, 0), *COMMAND)
    flags = ("--wake=alexa", "--pipeline=alexa=tcp://127.0.0.1:0", "--no-sounds")
    async with (
        wyoming_satellite(tmp_path, heard, *flags, wake=WakeIsEither()) as satellite,
        HomeAssistantClient(satellite) as first,
        HomeAssistantClient(satellite, satellite.driver.uris["alexa"]) as second,
    ):
        await first.send(RunSatellite(), PauseSatellite())
        await second.send(RunSatellite())

        detection = Detection.from_event(await second.receive_until(Detection))

    assert detection.name == "alexa"


async def test_home_assistant_can_start_listening(tmp_path: Path) -> None:
    heard = ((1.0, 0), (1.0, SPEECH), (60.0, 0))
    async with (
        wyoming_satellite(tmp_path, heard, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite(), RunPipeline(PipelineStage.ASR, PipelineStage.TTS))

        run = RunPipeline.from_event(await client.receive_until(RunPipeline))

    assert run.start_stage is PipelineStage.ASR


async def test_a_timer_rings_until_it_is_silenced(tmp_path: Path) -> None:
    heard = ((8.0, 0), (0.3, WAKE), (60.0, 0))
    async with (
        wyoming_satellite(tmp_path, heard, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite(), TimerStarted(id="a", total_seconds=1))
        await client.send(TimerFinished(id="a"))
        await until(satellite, TurnState.AWAKE)
        silenced = satellite.clock.now()
        await satellite.clock.until(silenced + 4.0)

    rings = played(tmp_path)
    assert len(rings) >= 6
    assert max(start for start, _ in rings if start < silenced) > 5.0
    assert all(start < silenced + 0.5 for start, _ in rings)


class WakeIsEither(WakeIsVeryLoud):
    """Hears one word first and another after it."""

    def __init__(self) -> None:
        super().__init__(after_first="alexa")


async def test_each_wake_word_may_have_a_pipeline_of_its_own(tmp_path: Path) -> None:
    heard = (*COMMAND[:-1], (6.0, 0), *COMMAND)
    flags = ("--wake=alexa", "--pipeline=alexa=tcp://127.0.0.1:0", "--name=Kitchen", "--no-sounds")
    async with (
        wyoming_satellite(tmp_path, heard, *flags, wake=WakeIsEither()) as satellite,
        HomeAssistantClient(satellite) as first,
        HomeAssistantClient(satellite, satellite.driver.uris["alexa"]) as second,
    ):
        names = []
        for client in (first, second):
            await client.send(RunSatellite(), Describe())
            info = Info.from_event(await client.receive())
            assert info.satellite is not None
            names.append((info.satellite.name, info.satellite.active_wake_words))

        detections = []
        for client in (first, second):
            detections.append(Detection.from_event(await client.receive_until(Detection)).name)
            await client.receive_until(AudioStop)
            await client.send(Transcript(text="turn on the light"))
            await client.send_reply(0.5)
            await client.receive_until(Played)

    assert names == [("Kitchen", ["computer"]), ("Kitchen (alexa)", ["alexa"])]
    assert detections == ["computer", "alexa"]


async def test_an_announcement_to_any_pipeline_is_played_and_reported_there(tmp_path: Path) -> None:
    flags = ("--wake=alexa", "--pipeline=alexa=tcp://127.0.0.1:0")
    async with (
        wyoming_satellite(tmp_path, ((60.0, 0),), *flags, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as first,
        HomeAssistantClient(satellite, satellite.driver.uris["alexa"]) as second,
    ):
        await first.send(RunSatellite())
        await second.send(RunSatellite())

        for client in (second, first):
            await client.send_reply(0.5)
            await client.receive_until(Played)

    assert sounding(tmp_path) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("given", ["alexa", "alexa=", "okay_nabu=tcp://127.0.0.1:0"])
async def test_a_pipeline_for_an_unknown_wake_word_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(ConfigError, match="pipeline: expected WORD=tcp://HOST:PORT"):
        async with wyoming_satellite(
            tmp_path, ((0.1, 0),), f"--pipeline={given}", wake=WakeIsVeryLoud()
        ):
            pass
