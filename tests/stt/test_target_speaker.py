"""The speaker of a turn is told from others by level."""

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.stt.fakes import RATE, LoudnessVadStream, silence, speech
from wyoming_common.audio.endpointing import Endpointer, EndpointEvent
from wyoming_common.audio.pcm import PcmFormat
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SpeechSegment, SpeechSegmenter
from wyoming_stt.audio.target_speaker import TargetSpeaker


def other(seconds: float, decibels: float = 12.0) -> bytes:
    """Return another person's speech, softer than `speech`."""
    return (np.frombuffer(speech(seconds), "<i2") * 10 ** (-decibels / 20)).astype("<i2").tobytes()


class Turn:
    """One turn that arrives in real time, with the speaker told from others."""

    def __init__(
        self,
        pcm: bytes,
        target: Callable[[], TargetSpeaker | None] = TargetSpeaker,
        *,
        may_end: bool = True,
        live: bool = True,
    ) -> None:
        self.segmenter = SpeechSegmenter(
            LoudnessVadStream(),
            Endpointer(),
            may_end=may_end,
            target=target(),
        )
        self.events: list[EndpointEvent] = []
        self.ended_at: float | None = None
        for at in range(0, len(pcm), 640):
            now = at / 2 / RATE if live else 0.0
            snapshot = self.segmenter.feed([PcmChunk(pcm[at : at + 640], PcmFormat(), now)])
            self.events += snapshot.changes
            if snapshot.final:
                self.ended_at = now
                break

    def segment(self) -> SpeechSegment:
        """Return the speech of the turn."""
        segment = self.segmenter.finish().open_segment
        assert segment is not None
        return segment


def everyone() -> None:
    """Make no target speaker."""


def loud_seconds(segment: SpeechSegment) -> float:
    return float((np.abs(segment.audio) > 0.01).sum()) / RATE


def loudest_at(segment: SpeechSegment, seconds: float) -> float:
    """Return the loudest sample of the 0.1 s around a time of the stream."""
    at = round(seconds * RATE) - segment.start
    return float(np.abs(segment.audio[at - 800 : at + 800]).max())


def test_softer_speech_behind_a_turn_does_not_hold_it_open() -> None:
    pcm = silence(0.5) + speech(1.5) + other(6.0)

    assert Turn(pcm, everyone).ended_at is None
    ended = Turn(pcm).ended_at
    assert ended is not None
    assert ended < 3.5


def test_softer_speech_before_and_behind_a_turn_is_not_in_its_segment() -> None:
    segment = Turn(silence(0.5) + other(2.0) + speech(1.5) + other(6.0)).segment()

    assert 1.9 < segment.start / RATE < 2.5
    assert segment.end / RATE < 4.6


def test_softer_speech_in_a_pause_of_the_speaker_is_silenced() -> None:
    pcm = silence(0.5) + speech(1.0) + other(2.3) + speech(1.0) + silence(0.2)
    turn = Turn(pcm, may_end=False)

    assert loud_seconds(turn.segment()) < 3.0
    assert (turn.segment().end - turn.segment().start) / RATE > 4.0


def test_a_turn_goes_on_when_its_speaker_does() -> None:
    turn = Turn(silence(0.5) + speech(1.0) + other(0.85) + speech(1.0) + other(5.0))

    assert EndpointEvent.RESUMED in turn.events
    assert turn.segment().end / RATE > 3.3


def test_short_softer_speech_is_silenced_where_others_have_been_heard() -> None:
    between = speech(1.0) + other(1.0) + speech(1.0) + silence(0.2)

    alone = Turn(silence(0.5) + between, may_end=False)
    among_others = Turn(silence(0.5) + other(1.5) + between, may_end=False)

    assert loudest_at(alone.segment(), 2.0) > 0
    assert loudest_at(among_others.segment(), 3.5) == 0


def test_a_short_soft_word_is_the_speakers() -> None:
    pcm = silence(0.5) + speech(1.0) + other(0.35) + silence(3.0)

    with_target, without = Turn(pcm), Turn(pcm, everyone)

    assert with_target.ended_at == without.ended_at
    assert np.array_equal(with_target.segment().audio, without.segment().audio)


def test_one_loud_vowel_does_not_make_the_rest_of_a_sentence_another_persons() -> None:
    pcm = silence(0.5) + speech(0.3) + other(1.5) + silence(3.0)

    with_target, without = Turn(pcm), Turn(pcm, everyone)

    assert with_target.ended_at == without.ended_at
    assert np.array_equal(with_target.segment().audio, without.segment().audio)


def test_others_are_told_by_the_level_behind_a_loud_vowel() -> None:
    pcm = silence(0.5) + speech(0.3) + other(2.0) + other(6.0, 24.0)

    turn = Turn(pcm)

    assert turn.ended_at is not None
    assert turn.ended_at < 4.0
    assert 2.6 < turn.segment().end / RATE < 3.6


def test_speech_of_one_level_is_untouched() -> None:
    pcm = silence(0.3) + speech(2.0) + silence(0.3) + speech(1.0) + silence(3.0)

    with_target, without = Turn(pcm), Turn(pcm, everyone)

    assert with_target.events == without.events
    assert np.array_equal(with_target.segment().audio, without.segment().audio)


def test_a_turn_of_one_soft_speaker_is_the_speakers() -> None:
    turn = Turn(silence(0.3) + other(2.0, 10.0) + silence(3.0))

    assert turn.ended_at is not None
    assert loud_seconds(turn.segment()) > 1.8


def test_a_recording_sent_at_once_keeps_everyone() -> None:
    pcm = silence(0.5) + other(2.0) + speech(1.5) + other(2.0)

    sent = Turn(pcm, live=False)

    assert np.array_equal(sent.segment().audio, Turn(pcm, everyone, live=False).segment().audio)


def test_each_use_of_the_level_can_be_switched_off() -> None:
    pcm = silence(0.5) + speech(1.5) + other(2.0) + silence(3.0)

    ends, drops = (
        Turn(pcm, partial(TargetSpeaker, drops=False)),
        Turn(pcm, partial(TargetSpeaker, ends=False)),
    )

    assert ends.ended_at == Turn(pcm).ended_at
    assert drops.ended_at == Turn(pcm, everyone).ended_at
    assert drops.segment().end < Turn(pcm, everyone).segment().end
