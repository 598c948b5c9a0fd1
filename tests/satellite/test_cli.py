"""Report of the sound check."""

import numpy as np
import pytest

from satellite.audio.devices.device import FRAME_BYTES, FRAME_SECONDS, Frame
from satellite.cli import chirp, judge


def room(delay_seconds: float, gain: float, noise: float = 20.0) -> list[Frame]:
    """Three seconds of a room in which a chirp is played at second one."""
    samples = np.random.default_rng(0).normal(0, noise, 48_000)
    wave = np.frombuffer(chirp(16_000), "<i2") * gain
    begin = 16_000 + int(delay_seconds * 16_000)
    samples[begin : begin + len(wave)] += wave
    pcm = np.clip(samples, -32768, 32767).astype("<i2").tobytes()
    return [
        Frame(pcm[at : at + FRAME_BYTES], (at // FRAME_BYTES + 1) * FRAME_SECONDS)
        for at in range(0, len(pcm), FRAME_BYTES)
    ]


@pytest.mark.parametrize("delay", [0.02, 0.15, 0.4])
def test_the_delay_of_the_echo_is_found(delay: float) -> None:
    report = judge(room(delay, 0.1), 1.0)

    assert report.delay_ms == pytest.approx(delay * 1000, abs=2)
    assert report.clipped == 0
    assert report.lost_frames == 0


def test_a_chirp_that_is_not_heard_is_reported() -> None:
    report = judge(room(0.1, 0.0), 1.0)

    assert report.delay_ms is None
    assert any("not heard" in line for line in report.lines())


def test_clipping_and_a_silent_microphone_are_reported() -> None:
    loud = judge(room(0.1, 10.0), 1.0)
    dead = judge(room(0.1, 0.0, noise=0.0), 1.0)

    assert any("clipped" in line for line in loud.lines())
    assert any("silent" in line for line in dead.lines())


def test_lost_frames_are_counted() -> None:
    frames = room(0.1, 0.1)
    gap = [Frame(frame.pcm, frame.at + (0.5 if frame.at > 2 else 0.0)) for frame in frames]

    assert judge(gap, 1.0).lost_frames == 1
