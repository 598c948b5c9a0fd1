"""The satellite that Home Assistant connects to, against the events that it really sends."""

import asyncio
from pathlib import Path

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event, Eventable, async_read_event, async_write_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.snd import Played
from wyoming.timer import TimerFinished, TimerStarted
from wyoming.vad import VoiceStarted, VoiceStopped
from wyoming.wake import Detection

from satellite.homeassistant import Assistant
from satellite.turn import State
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, assistant, played, sounding
from tests.wire import receive, receive_until
from wyoming_common.errors import ConfigError

COMMAND = ((0.3, 0), (0.3, WAKE), (0.8, 0), (1.0, SPEECH), (60.0, 0))
RATE = 22_050


class House:
    """Home Assistant's side of the connection."""

    def __init__(self, satellite: Assistant, uri: str = "") -> None:
        self._client = AsyncClient.from_uri(uri or satellite.uri)

    async def __aenter__(self) -> "House":
        await self._client.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()

    async def say(self, *events: Eventable) -> None:
        for event in events:
            await self._client.write_event(event.event())

    async def hear(self) -> Event:
        return await receive(self._client)

    async def hear_until(self, kind: type[Eventable]) -> Event:
        return await receive_until(self._client, kind)

    async def reply(self, seconds: float) -> None:
        """Send a reply as Home Assistant does: all at once, in chunks of 2048 bytes."""
        pcm = (b"\x00\x20" * int(RATE * seconds))[: int(RATE * seconds) * 2]
        await self.say(AudioStart(RATE, 2, 1, timestamp=0))
        for offset in range(0, len(pcm), 2048):
            await self.say(AudioChunk(RATE, 2, 1, pcm[offset : offset + 2048]))
        await self.say(AudioStop())


async def until(satellite: Assistant, state: State) -> None:
    clock = satellite.body.clock
    async with asyncio.timeout(10):
        while satellite.machine.state is not state:
            await clock.until(clock.now() + 0.03)


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
    loud = [index for index in range(0, len(sent), 2) if abs(_sample(sent, index)) > 5000]
    assert (loud[-1] - loud[0]) / 32_000 == pytest.approx(1.0, abs=0.02)


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


async def test_home_assistant_can_make_us_listen(tmp_path: Path) -> None:
    heard = ((1.0, 0), (1.0, SPEECH), (60.0, 0))
    async with (
        assistant(tmp_path, heard, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite(), RunPipeline(PipelineStage.ASR, PipelineStage.TTS))

        await house.hear_until(RunPipeline)


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

    loud = sum(abs(_sample(sent, index)) > 5000 for index in range(0, len(sent), 2))
    assert loud > 0.6 * 16_000


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


async def test_a_malformed_event_is_answered_with_an_error(tmp_path: Path) -> None:
    async with assistant(tmp_path, ((60.0, 0),)) as satellite, House(satellite) as house:
        await house.say(RunSatellite())

        await house._client.write_event(Event("timer-finished", {}))

        error = Error.from_event(await house.hear_until(Error))
        assert error.code == "bad-request"


def _sample(pcm: bytes, index: int) -> int:
    return int.from_bytes(pcm[index : index + 2], "little", signed=True)


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


async def test_another_machine_does_not_get_the_microphone_that_home_assistant_has(
    tmp_path: Path,
) -> None:
    async with (
        assistant(tmp_path, ((60.0, 0),)) as satellite,
        House(satellite) as house,
    ):
        await house.say(RunSatellite(), Ping())
        await house.hear_until(Pong)
        host, _, port = satellite.uri.removeprefix("tcp://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=("127.0.0.2", 0))

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
