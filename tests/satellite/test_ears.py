"""What is measured in the microphone's signal."""

import numpy as np
import pytest

from satellite.devices.device import FRAME_SAMPLES, Frame
from satellite.ears import Ears
from satellite.frontend import speech_power
from satellite.wake.engine import NoWake
from tests.satellite.rig import LoudIsSpeech

TIME = np.arange(FRAME_SAMPLES) / 16_000


def pcm(samples: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bytes:
    return samples.astype("<i2").tobytes()


@pytest.mark.parametrize("hertz", [500.0, 1000.0, 3000.0])
def test_what_is_in_the_range_of_speech_counts_whole(hertz: float) -> None:
    tone = 4000 * np.sin(2 * np.pi * hertz * TIME)

    assert speech_power(pcm(tone)) == pytest.approx(8e6, rel=0.05)


@pytest.mark.parametrize("hertz", [0.0, 50.0, 60.0])
def test_an_offset_and_hum_hardly_count(hertz: float) -> None:
    hum = 8000 * np.cos(2 * np.pi * hertz * TIME)

    assert speech_power(pcm(hum)) < 8000**2 / 1000


class HighPass:
    """Takes an offset away, as the real front end does, and nothing else."""

    def process(self, near: bytes, far: bytes) -> bytes:
        return pcm(np.frombuffer(near, "<i2") - 8000.0)


def test_speech_over_the_offset_of_a_cheap_microphone_is_not_taken_for_an_echo() -> None:
    ears = Ears(LoudIsSpeech(), NoWake(), HighPass())
    said = pcm(8000 + 3500 * np.sin(2 * np.pi * 1000 * TIME))

    heard = [ears.hear(Frame(said, 0.01 * index), said) for index in range(20)]

    assert [voice.hearing.left_db for one in heard for voice in one.voices][-1] > -1.0
