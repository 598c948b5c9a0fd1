"""What Home Assistant asks of a satellite beside turns: announcements, timers, lines, polls."""

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

from satellite.turn import State
from tests.satellite.house import COMMAND, House, hears, until
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, assistant, played, sounding
from wyoming_common.errors import ConfigError


async def test_an_announcement_is_played_and_reported(tmp_path: Path) -> None:
    async with (
        assistant(tmp_path, ((60.0, 0),), wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite())
        await house.reply(1.0)

        await house.hear_until(Played)

    assert sounding(tmp_path) == pytest.approx(1.0, abs=0.01)


async def test_pings_and_polls_are_answered_while_a_reply_plays(tmp_path: Path) -> None:
    async with (
        assistant(tmp_path, ((60.0, 0),), wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
        House(satellite) as poll,
    ):
        await house.say(RunSatellite())
        await house.reply(20.0)
        await until(satellite, State.SPEAKING)

        await house.say(Ping(text="there?"))
        await poll.say(Describe())

        assert Pong.from_event(await house.hear_until(Pong)).text == "there?"
        info = Info.from_event(await poll.hear())
        assert info.satellite is not None
        assert info.satellite.installed
        assert info.satellite.active_wake_words == ["computer"]
        assert [model.phrase for model in info.wake[0].models] == ["computer"]
        assert satellite.machine.state is State.SPEAKING


async def test_a_muted_satellite_hears_nothing_but_plays_announcements_and_rings(
    tmp_path: Path,
) -> None:
    async with (
        assistant(tmp_path, ((2.0, 0), *COMMAND), wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite(), PauseSatellite())

        await house.reply(1.0)
        await until(satellite, State.SPEAKING)
        await until(satellite, State.IDLE)
        await hears(satellite, 20.0)
        announced = sounding(tmp_path)
        await house.say(TimerFinished(id="a"), Ping())
        await house.hear_until(Pong)
        await hears(satellite, 3.0)

    assert announced == pytest.approx(1.0, abs=0.01)
    assert len(played(tmp_path)) > 1


async def test_a_mute_of_one_line_leaves_the_other_wake_word(tmp_path: Path) -> None:
    heard = (*COMMAND[:-1], (6.0, 0), *COMMAND)
    flags = ("--wake=alexa", "--pipeline=alexa=tcp://127.0.0.1:0", "--no-sounds")
    async with (
        assistant(tmp_path, heard, *flags, wake=WakeIsEither()) as satellite,
        House(satellite) as first,
        House(satellite, satellite.uris["alexa"]) as second,
    ):
        await first.say(RunSatellite(), PauseSatellite())
        await second.say(RunSatellite())

        detection = Detection.from_event(await second.hear_until(Detection))

    assert detection.name == "alexa"


async def test_home_assistant_can_make_us_listen(tmp_path: Path) -> None:
    heard = ((1.0, 0), (1.0, SPEECH), (60.0, 0))
    async with (
        assistant(tmp_path, heard, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite(), RunPipeline(PipelineStage.ASR, PipelineStage.TTS))

        await house.hear_until(RunPipeline)


async def test_a_timer_rings_until_it_is_silenced(tmp_path: Path) -> None:
    heard = ((8.0, 0), (0.3, WAKE), (60.0, 0))
    async with (
        assistant(tmp_path, heard, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite(), TimerStarted(id="a", total_seconds=1))
        await house.say(TimerFinished(id="a"))
        await until(satellite, State.AWAKE)
        silenced = satellite.body.clock.now()
        await satellite.body.clock.until(silenced + 4.0)

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
        assistant(tmp_path, heard, *flags, wake=WakeIsEither()) as satellite,
        House(satellite) as first,
        House(satellite, satellite.uris["alexa"]) as second,
    ):
        names = []
        for house in (first, second):
            await house.say(RunSatellite(), Describe())
            info = Info.from_event(await house.hear())
            assert info.satellite is not None
            names.append((info.satellite.name, info.satellite.active_wake_words))

        detections = []
        for house in (first, second):
            detections.append(Detection.from_event(await house.hear_until(Detection)).name)
            await house.hear_until(AudioStop)
            await house.say(Transcript(text="turn on the light"))
            await house.reply(0.5)
            await house.hear_until(Played)

    assert names == [("Kitchen", ["computer"]), ("Kitchen (alexa)", ["alexa"])]
    assert detections == ["computer", "alexa"]


async def test_an_announcement_on_any_line_is_played_and_reported_there(tmp_path: Path) -> None:
    flags = ("--wake=alexa", "--pipeline=alexa=tcp://127.0.0.1:0")
    async with (
        assistant(tmp_path, ((60.0, 0),), *flags, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as first,
        House(satellite, satellite.uris["alexa"]) as second,
    ):
        await first.say(RunSatellite())
        await second.say(RunSatellite())

        for house in (second, first):
            await house.reply(0.5)
            await house.hear_until(Played)

    assert sounding(tmp_path) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("given", ["alexa", "alexa=", "okay_nabu=tcp://127.0.0.1:0"])
async def test_a_pipeline_of_no_wake_word_of_ours_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(ConfigError, match="pipeline: expected WORD=tcp://HOST:PORT"):
        async with assistant(tmp_path, ((0.1, 0),), f"--pipeline={given}", wake=WakeIsVeryLoud()):
            pass
