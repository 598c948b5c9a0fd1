"""Levels of the microphone's signal."""

import numpy as np
import pytest

from satellite.audio.devices.device import FRAME_SAMPLES, Frame
from satellite.audio.frontend import speech_power
from satellite.audio.pipeline import AudioPipeline
from satellite.wake.engine import NoWake
from tests.support.satellite_rig import LoudIsSpeech

TIME = np.arange(FRAME_SAMPLES) / 16_000


def pcm(samples: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bytes:
    return samples.astype("<i2").tobytes()


@pytest.mark.parametrize("hertz", [500.0, 1000.0, 3000.0])
def test_power_in_the_range_of_speech_counts_fully(hertz: float) -> None:
    tone = 4000 * np.sin(2 * np.pi * hertz * TIME)

    assert speech_power(pcm(tone)) == pytest.approx(8e6, rel=0.05)


@pytest.mark.parametrize("hertz", [0.0, 50.0, 60.0])
def test_an_offset_and_hum_count_almost_nothing(hertz: float) -> None:
    hum = 8000 * np.cos(2 * np.pi * hertz * TIME)

    assert speech_power(pcm(hum)) < 8000**2 / 1000


class HighPass:
    """Takes an offset away, as the real front end does, and nothing else."""

    def process(self, near: bytes, far: bytes) -> bytes:
        return pcm(np.frombuffer(near, "<i2") - 8000.0)


def test_speech_over_the_offset_of_a_cheap_microphone_is_not_taken_for_an_echo() -> None:
    audio = AudioPipeline(LoudIsSpeech(), NoWake(), HighPass())
    said = pcm(8000 + 3500 * np.sin(2 * np.pi * 1000 * TIME))

    heard = [audio.process(Frame(said, 0.01 * index), said) for index in range(20)]

    assert [voice.vad.left_db for one in heard for voice in one.voice_activity][-1] > -1.0
