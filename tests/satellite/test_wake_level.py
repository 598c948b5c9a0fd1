"""The person who said a wake word is told from others by level."""

from pathlib import Path

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStop
from wyoming.pipeline import RunPipeline
from wyoming.satellite import RunSatellite

from satellite.audio.devices.device import FRAME_SAMPLES, Frame
from satellite.audio.pipeline import AudioPipeline
from satellite.core.barge_in import VadFrame
from satellite.core.turn import Action, Listen, TurnMachine, TurnSettings, TurnState
from satellite.core.wake_level import WakeLevelSettings, WakeLoudness
from satellite.wake.engine import NoWake
from tests.support.satellite_client import HomeAssistantClient
from tests.support.satellite_rig import LoudIsSpeech, WakeIsVeryLoud, wyoming_satellite

SAMPLES = 512
FRAME_DURATION = SAMPLES / 16_000
LOUD_DB, SOFT_DB = 60.0, 46.0
TALKER = WakeLoudness(word_db=62.0, before_db=48.0)
QUIET = WakeLoudness(word_db=62.0, before_db=20.0)
WAIT_SECONDS = WakeLevelSettings().seconds


class Turn:
    """A machine that has heard a wake word at 10 s."""

    def __init__(self, loudness: WakeLoudness | None) -> None:
        self.machine = TurnMachine(TurnSettings(), service_ends_turn=True)
        self.at = 10.0
        self.machine.wake(self.at, "okay_nabu", loudness=loudness)

    def hear(self, seconds: float, level_db: float, probability: float = 1.0) -> list[Action]:
        actions: list[Action] = []
        for _ in range(round(seconds / FRAME_DURATION)):
            self.at += FRAME_DURATION
            vad = VadFrame(probability, SAMPLES, 0.0, False, level_db)
            actions += self.machine.voice(self.at, vad)
        return actions

    def pause(self, seconds: float) -> list[Action]:
        return self.hear(seconds, 0.0, 0.0)


def test_a_talker_who_was_heard_before_the_wake_word_does_not_begin_its_turn() -> None:
    turn = Turn(TALKER)
    turn.pause(0.4)

    assert turn.hear(2.0, SOFT_DB) == []
    ordered_at = turn.at
    [listen] = turn.hear(0.5, LOUD_DB)

    assert isinstance(listen, Listen)
    assert ordered_at - 0.7 < listen.since < ordered_at


@pytest.mark.parametrize("loudness", [QUIET, None], ids=["nobody before", "not known"])
def test_a_soft_order_begins_its_turn_at_once_where_nobody_talked_before(
    loudness: WakeLoudness | None,
) -> None:
    turn = Turn(loudness)
    turn.pause(0.4)

    [listen] = turn.hear(0.5, SOFT_DB)

    assert isinstance(listen, Listen)


def test_a_soft_order_beside_a_talker_comes_late_and_whole() -> None:
    turn = Turn(TALKER)
    turn.pause(0.5)
    ordered_at = turn.at

    assert turn.hear(1.0, SOFT_DB) == []
    actions = turn.pause(WAIT_SECONDS - 1.4)

    assert isinstance(actions[0], Listen)
    assert actions[0].since <= ordered_at
    assert turn.machine.state is TurnState.LISTENING


def test_an_order_that_begins_softly_beside_a_talker_is_sent_from_its_beginning() -> None:
    turn = Turn(TALKER)
    turn.pause(0.9)
    ordered_at = turn.at
    turn.hear(0.9, SOFT_DB)

    [listen] = turn.hear(0.5, LOUD_DB)

    assert isinstance(listen, Listen)
    assert listen.since <= ordered_at


def test_nobody_waits_once_the_time_is_over() -> None:
    turn = Turn(TALKER)
    turn.pause(WAIT_SECONDS + 0.1)

    [listen] = turn.hear(0.5, SOFT_DB)

    assert isinstance(listen, Listen)


def tone(seconds: float, peak: float) -> bytes:
    at = np.arange(round(seconds * 16_000)) / 16_000
    return (peak * np.sin(2 * np.pi * 1000 * at)).astype("<i2").tobytes()


def heard(pcm: bytes, far: bytes = b"") -> AudioPipeline:
    audio = AudioPipeline(LoudIsSpeech(), NoWake())
    size = 2 * FRAME_SAMPLES
    for number in range(len(pcm) // size):
        audio.process(Frame(pcm[number * size : (number + 1) * size], 0.01 * number), far)
    return audio


def test_a_wake_word_has_its_own_level_and_that_of_the_sound_before_it() -> None:
    loudness = heard(tone(3.0, 800.0) + tone(0.6, 8000.0) + tone(0.1, 800.0)).wake_loudness

    assert loudness is not None
    assert loudness.word_db - loudness.before_db == pytest.approx(20.0, abs=0.5)


def test_a_wake_word_over_a_reply_has_no_level() -> None:
    said = tone(0.01, 8000.0)

    assert heard(tone(4.0, 8000.0), far=said).wake_loudness is None
    assert heard(tone(4.0, 8000.0)).wake_loudness is not None


@pytest.mark.parametrize(
    ("flags", "least", "most"), [((), 0.5, 0.8), (("--no-begin-with-speaker",), 1.5, 2.5)]
)
async def test_a_satellite_sends_the_order_without_the_talk_before_it(
    tmp_path: Path, flags: tuple[str, ...], least: float, most: float
) -> None:
    talk, wake, order = (2.5, 4000), (0.5, 32_000), (0.8, 20_000)
    heard = (talk, wake, (2.0, talk[1]), order, (3.0, 0))
    async with (
        wyoming_satellite(tmp_path, heard, *flags, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(RunPipeline)
        sent = b""
        while not AudioStop.is_type((event := await client.receive()).type):
            if AudioChunk.is_type(event.type):
                sent += AudioChunk.from_event(event).audio

    order_end = np.flatnonzero(np.abs(np.frombuffer(sent, "<i2")) > 10_000)[-1] / 16_000
    assert least < order_end - order[0] < most
