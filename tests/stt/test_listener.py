"""The listener cuts audio into pieces of speech and loses none of it."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stt.fakes import RATE, LoudIsSpeech, silence, speech
from wyoming_common.audio import PcmFormat
from wyoming_common.endpoint import Change, Endpoint
from wyoming_stt.engine import LONGEST_SECONDS
from wyoming_stt.listener import Listener, Pace, Pcm

MONO = PcmFormat()


def listener(*, may_end: bool = True) -> Listener:
    return Listener(LoudIsSpeech(), Endpoint(), may_end=may_end)


def live(ears: Listener, pcm: bytes, *, at: float = 0.0, step: int = 640) -> list[Change]:
    """Feed as a microphone would: 20 ms of audio every 20 ms, beginning `at` seconds."""
    changes = []
    for start in range(0, len(pcm), step):
        part = Pcm(pcm[start : start + step], MONO, at + start / 2 / RATE)
        changes += ears.feed([part])
    return changes


def test_live_speech_ends_in_the_silence_after_it() -> None:
    ears = listener()

    changes = live(ears, silence(0.5) + speech(1.0) + silence(3.0))

    assert changes == [Change.STARTED, Change.PAUSED, Change.ENDED]


def test_a_file_sent_at_once_is_heard_to_its_end() -> None:
    ears = listener()
    pcm = speech(1.0) + silence(2.0) + speech(1.0) + silence(1.0)

    changes = ears.feed([Pcm(pcm, MONO, 0.0)])

    assert Change.ENDED not in changes
    tail = ears.tail()
    assert tail is not None
    assert (tail.end - tail.start) / RATE > 4.0


def test_the_piece_is_the_speech_with_a_little_around_it() -> None:
    ears = listener()

    live(ears, silence(2.0) + speech(1.0) + silence(0.4))

    tail = ears.tail()
    assert tail is not None
    assert 1.6 * RATE <= tail.start <= 2.0 * RATE
    assert 3.0 * RATE <= tail.end <= 3.4 * RATE
    assert len(tail.audio) == tail.end - tail.start


def test_silence_holds_no_piece() -> None:
    ears = listener()

    live(ears, silence(3.0))
    ears.finish()

    assert ears.tail() is None


def test_the_last_samples_before_the_stop_are_heard() -> None:
    ears = listener()
    ears.feed([Pcm(silence(0.5) + speech(0.32) + b"\x00\x20" * 300, MONO, 0.0)])

    ears.finish()

    tail = ears.tail()
    assert tail is not None
    assert tail.end >= round(0.82 * RATE) + 300


def test_a_format_that_changes_in_mid_stream_is_followed() -> None:
    ears = listener()
    stereo = np.repeat(np.frombuffer(speech(1.0, 48_000), "<i2"), 2).tobytes()

    ears.feed([Pcm(speech(1.0), MONO, 0.0), Pcm(stereo, PcmFormat(48_000, 2, 2), 0.0)])
    ears.finish()

    tail = ears.tail()
    assert tail is not None
    assert abs((tail.end - tail.start) / RATE - 2.0) < 0.1


def test_memory_is_bounded_before_anybody_speaks() -> None:
    ears = listener(may_end=False)

    for second in range(600):
        ears.feed([Pcm(silence(1.0), MONO, float(second))])

    assert len(ears._audio) < 2 * RATE * 2


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0.1, 40.0)), min_size=1, max_size=6),
    st.integers(1, 7),
)
@settings(max_examples=25, deadline=None)
def test_pieces_are_bounded_in_order_and_hold_all_speech(
    parts: list[tuple[bool, float]], seconds_a_part: int
) -> None:
    ears = listener(may_end=False)
    pcm = b"".join((speech if loud else silence)(seconds) for loud, seconds in parts)
    step = 2 * RATE * seconds_a_part
    pieces = []

    for start in range(0, len(pcm), step):
        ears.feed([Pcm(pcm[start : start + step], MONO, 0.0)])
        pieces += ears.windows()
    ears.finish()
    pieces += ears.windows()
    if (tail := ears.tail()) is not None:
        pieces.append(tail)

    for piece in pieces:
        assert 0 < len(piece.audio) == piece.end - piece.start
        assert len(piece.audio) <= (LONGEST_SECONDS + 1) * RATE
    for before, after in itertools.pairwise(pieces):
        assert before.end <= after.start + RATE // 2
    loud = np.abs(np.frombuffer(pcm, "<i2")) > 4000
    covered = np.zeros(len(loud) + RATE, bool)
    for piece in pieces:
        covered[piece.start : piece.end] = True
    spoken = sum(seconds for is_loud, seconds in parts if is_loud)
    if spoken >= 0.2:
        assert (loud & ~covered[: len(loud)]).sum() <= 0.15 * RATE * len(parts)


def test_audio_at_the_speed_of_speech_is_live_and_a_file_is_not() -> None:
    spoken, sent, delayed = Pace(), Pace(), Pace()
    for number in range(100):
        spoken.note(number * 0.02, 0.02)
        sent.note(number * 0.0002, 0.02)
        delayed.note(5 + max(number, 30) * 0.02, 0.02)

    assert spoken.live
    assert not sent.live
    assert delayed.live
