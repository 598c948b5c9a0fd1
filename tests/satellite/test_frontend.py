"""Echo cancellation of the microphone's signal."""

import numpy as np
import pytest

from satellite.audio.devices.device import FRAME_SAMPLES
from satellite.audio.frontend import FrontEndSettings, WebRtc, is_silent

RNG = np.random.default_rng(0)
SILENCE = bytes(FRAME_SAMPLES * 2)


def noise(level: float = 3000.0) -> bytes:
    return RNG.normal(0, level, FRAME_SAMPLES).astype("<i2").tobytes()


def rms(pcm: bytes) -> float:
    return float(np.sqrt(np.mean(np.frombuffer(pcm, "<i2").astype(float) ** 2)))


def test_the_microphone_passes_unchanged_while_the_speaker_is_silent() -> None:
    front_end = WebRtc(FrontEndSettings(), 16_000)
    said = [noise() for _ in range(50)]

    assert [front_end.process(near, SILENCE) for near in said] == said


def test_echo_of_a_reply_after_a_long_silence_is_cancelled() -> None:
    front_end = WebRtc(FrontEndSettings(), 16_000)
    for _ in range(500):
        front_end.process(noise(10), SILENCE)
    played = [noise() for _ in range(300)]

    left = [front_end.process(far, far) for far in played]

    assert np.mean([rms(one) for one in left[200:]]) < 0.1 * rms(played[0])


def test_echo_that_arrives_after_the_last_sound_is_cancelled() -> None:
    front_end = WebRtc(FrontEndSettings(), 16_000)
    delay = 20
    played = [noise() for _ in range(300)] + [SILENCE] * delay
    heard = [SILENCE] * delay + played[:-delay]

    left = [front_end.process(near, far) for near, far in zip(heard, played, strict=True)]

    assert np.mean([rms(one) for one in left[-delay:]]) < 0.1 * rms(played[0])


def test_noise_suppression_does_not_wait_for_the_speaker() -> None:
    front_end = WebRtc(FrontEndSettings(noise=True), 16_000)

    left = [front_end.process(noise(300), SILENCE) for _ in range(300)]

    assert np.mean([rms(one) for one in left[200:]]) < 150


@pytest.mark.parametrize(("pcm", "silent"), [(b"", True), (SILENCE, True), (b"\0\0\0\1", False)])
def test_only_zeros_are_silence(pcm: bytes, silent: bool) -> None:
    assert is_silent(pcm) is silent
