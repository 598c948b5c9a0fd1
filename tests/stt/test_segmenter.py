"""The segmenter cuts audio into speech segments and loses no speech."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stt.fakes import RATE, LoudnessVadStream, silence, soft_speech, speech
from wyoming_common.audio.endpointing import Endpointer, EndpointEvent
from wyoming_common.audio.pcm import PcmFormat
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import RealTimeDetector, SpeechSegment, SpeechSegmenter
from wyoming_stt.engine import MAX_SEGMENT_SECONDS

MONO = PcmFormat()


def make_segmenter(*, may_end: bool = True) -> SpeechSegmenter:
    return SpeechSegmenter(LoudnessVadStream(), Endpointer(), may_end=may_end)


def live(
    segmenter: SpeechSegmenter, pcm: bytes, *, at: float = 0.0, step: int = 640
) -> list[EndpointEvent]:
    """Feed as a microphone would: 20 ms of audio every 20 ms, beginning `at` seconds."""
    changes: list[EndpointEvent] = []
    for start in range(0, len(pcm), step):
        part = PcmChunk(pcm[start : start + step], MONO, at + start / 2 / RATE)
        changes += segmenter.feed([part]).changes
    return changes


def test_live_speech_ends_in_the_silence_after_it() -> None:
    segmenter = make_segmenter()

    changes = live(segmenter, silence(0.5) + speech(1.0) + silence(3.0))

    assert changes == [EndpointEvent.STARTED, EndpointEvent.PAUSED, EndpointEvent.ENDED]


def test_a_file_sent_at_once_is_segmented_to_its_end() -> None:
    segmenter = make_segmenter()
    pcm = speech(1.0) + silence(2.0) + speech(1.0) + silence(1.0)

    changes = segmenter.feed([PcmChunk(pcm, MONO, 0.0)]).changes

    assert EndpointEvent.ENDED not in changes
    tail = segmenter.finish().open_segment
    assert tail is not None
    assert (tail.end - tail.start) / RATE > 4.0


def test_a_segment_and_its_pause_are_all_that_was_heard() -> None:
    segmenter = make_segmenter()
    pcm = silence(0.2) + speech(1.0) + silence(0.35)

    live(segmenter, pcm)

    segment = segmenter.feed([]).open_segment
    assert segment is not None
    heard = np.concatenate([segment.audio, segment.pause])
    assert len(segment.pause) / RATE > 0.1
    frames = np.frombuffer(pcm, "<i2")[segment.start : segment.start + len(heard)]
    assert np.array_equal(heard, frames.astype(np.float32) / 32768)


def test_a_segment_tells_how_long_speech_was_certain() -> None:
    certain, doubtful = make_segmenter(), make_segmenter()

    live(certain, silence(0.2) + speech(1.0) + silence(0.35))
    live(doubtful, silence(0.2) + speech(0.3) + soft_speech(0.7) + silence(0.35))

    long, short = certain.feed([]).open_segment, doubtful.feed([]).open_segment
    assert long is not None
    assert short is not None
    assert 0.8 < long.certain_seconds <= 1.1
    assert 0.1 < short.certain_seconds <= 0.4


def test_soft_sound_long_after_the_speech_is_not_part_of_it() -> None:
    segmenter = make_segmenter(may_end=False)
    live(segmenter, speech(1.0) + soft_speech(0.9))

    segment = segmenter.feed([]).open_segment

    assert segment is not None
    assert 1.3 <= segment.speech_end / RATE <= 1.5


def test_the_pause_of_a_segment_is_half_a_second_at_most() -> None:
    segmenter = make_segmenter(may_end=False)

    live(segmenter, speech(1.0) + silence(3.0))

    segment = segmenter.feed([]).open_segment
    assert segment is not None
    assert len(segment.pause) == RATE // 2


def test_the_segment_is_the_speech_with_a_margin() -> None:
    segmenter = make_segmenter()

    live(segmenter, silence(2.0) + speech(1.0) + silence(0.4))

    tail = segmenter.feed([]).open_segment
    assert tail is not None
    assert 1.6 * RATE <= tail.start <= 2.0 * RATE
    assert 3.0 * RATE <= tail.end <= 3.4 * RATE
    assert len(tail.audio) == tail.end - tail.start


def test_silence_holds_no_segment() -> None:
    segmenter = make_segmenter()

    live(segmenter, silence(3.0))

    assert segmenter.finish().open_segment is None


def test_the_last_samples_before_the_stop_are_included() -> None:
    segmenter = make_segmenter()
    segmenter.feed([PcmChunk(silence(0.5) + speech(0.32) + b"\x00\x20" * 300, MONO, 0.0)])

    tail = segmenter.finish().open_segment

    assert tail is not None
    assert tail.end >= round(0.82 * RATE) + 300


def test_a_format_that_changes_in_mid_stream_is_followed() -> None:
    segmenter = make_segmenter()
    stereo = np.repeat(np.frombuffer(speech(1.0, 48_000), "<i2"), 2).tobytes()

    segmenter.feed(
        [PcmChunk(speech(1.0), MONO, 0.0), PcmChunk(stereo, PcmFormat(48_000, 2, 2), 0.0)]
    )
    tail = segmenter.finish().open_segment

    assert tail is not None
    assert abs((tail.end - tail.start) / RATE - 2.0) < 0.1


def test_memory_is_bounded_before_the_first_speech() -> None:
    segmenter = make_segmenter(may_end=False)

    for second in range(600):
        segmenter.feed([PcmChunk(silence(1.0), MONO, float(second))])

    assert segmenter.buffered_bytes < 2 * RATE * 2


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.1, 40.0)), min_size=1, max_size=6),
    st.integers(1, 7),
)
@settings(max_examples=25, deadline=None)
def test_segments_are_bounded_in_order_and_hold_all_speech(
    parts: list[tuple[bool, float]], seconds_a_part: int
) -> None:
    segmenter = make_segmenter(may_end=False)
    pcm = b"".join((speech if loud else silence)(seconds) for loud, seconds in parts)
    step = 2 * RATE * seconds_a_part
    segments: list[SpeechSegment] = []

    for start in range(0, len(pcm), step):
        segments += segmenter.feed([PcmChunk(pcm[start : start + step], MONO, 0.0)]).completed
    last = segmenter.finish()
    segments += last.completed
    if last.open_segment is not None:
        segments.append(last.open_segment)

    for segment in segments:
        assert 0 < len(segment.audio) == segment.end - segment.start
        assert len(segment.audio) <= (MAX_SEGMENT_SECONDS + 1) * RATE
    for before, after in itertools.pairwise(segments):
        assert before.end <= after.start + RATE // 2
    loud = np.abs(np.frombuffer(pcm, "<i2")) > 4000
    covered = np.zeros(len(loud) + RATE, bool)
    for segment in segments:
        covered[segment.start : segment.end] = True
    spoken = sum(seconds for is_loud, seconds in parts if is_loud)
    if spoken >= 0.2:
        assert (loud & ~covered[: len(loud)]).sum() <= 0.15 * RATE * len(parts)


def test_audio_at_the_speed_of_speech_is_live_and_a_file_is_not() -> None:
    spoken, sent, delayed = RealTimeDetector(), RealTimeDetector(), RealTimeDetector()
    for number in range(100):
        spoken.note(number * 0.02, 0.02)
        sent.note(number * 0.0002, 0.02)
        delayed.note(5 + max(number, 30) * 0.02, 0.02)

    assert spoken.live
    assert not sent.live
    assert delayed.live
