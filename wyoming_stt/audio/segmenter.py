"""Speech segmenter: finds the speech in one utterance, its pauses and its end. No I/O.

A segmenter belongs to one thread, the one of voice detection. Every call returns a frozen
`SegmenterSnapshot`; other threads work with that.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from wyoming_common.audio.endpointing import FINAL, Endpointer, EndpointEvent
from wyoming_common.audio.pcm import MODEL_RATE, PcmConverter, PcmFormat, Reframer, to_float
from wyoming_common.audio.vad import VAD_FRAME_SAMPLES
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.target_speaker import TargetSpeaker, only
from wyoming_stt.audio.vad import VadStream
from wyoming_stt.engine import MAX_SEGMENT_SECONDS, Audio

_LEAD_SAMPLES = round(0.3 * MODEL_RATE)
"""Audio before the first speech that a segment includes: the detector is late on soft onsets."""
_TRAIL_SAMPLES = round(0.18 * MODEL_RATE)
"""Audio behind the last speech that a segment includes, as far as it has arrived."""
_MAX_PAUSE_SAMPLES = MODEL_RATE // 2
"""Sound of a pause behind its segment that is of interest"""
_MIN_SOFT_PROBABILITY = 0.15
"""Probability that counts as soft speech before and after certain speech.

Measured: trimming at 0.35 instead costs 0.7 points of WER with tiny.en."""
_CERTAIN_PROBABILITY = 0.9
"""Probability that noise hardly ever has"""
_MAX_SOFT_SAMPLES = MODEL_RATE
"""Distance before certain speech within which soft speech counts."""
_MAX_SOFT_TAIL_SAMPLES = round(0.4 * MODEL_RATE)
"""The same behind it, where a noisy room may pass for a soft voice"""
_MAX_SEGMENT_SAMPLES = round(MAX_SEGMENT_SECONDS * MODEL_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentLimits:
    """Lengths at which long speech is cut, in seconds."""

    early_seconds: float = 20.0
    """Length from which a pause ends a segment"""
    pause_seconds: float = 0.18
    """Length of such a pause, at least"""


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch of speech for an engine."""

    audio: Audio
    start: int
    """First sample, counted from the beginning of the stream"""
    end: int
    speech_end: int
    """Sample behind the last speech in it, before `end` by the silence that is included"""
    pause: Audio = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)
    """Sound of the pause from `end` on, up to half a second of it; nothing while others speak"""
    certain_seconds: float = 0.0
    """Part of it in which the voice detector is certain of speech"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterSnapshot:
    """State of a segmenter after a call, and what that call changed."""

    changes: tuple[EndpointEvent, ...] = ()
    """Changes since the last call; a final one comes last if the turn is over"""
    completed: tuple[SpeechSegment, ...] = ()
    """Segments completed since the last call because the utterance is long"""
    open_segment: SpeechSegment | None = None
    """The speech behind the last completed segment, or None. Given in a pause,
    at the end, and when `feed` was asked for it."""
    live: bool = False
    """Whether the audio arrives in real time"""
    paused: bool = False
    """Whether the speaker pauses or has finished"""
    silence_seconds: float = 0.0
    """Time since the last speech"""
    quiet_seconds: float = 0.0
    """Time since the last speech, soft speech included"""

    @property
    def final(self) -> bool:
        """Whether the turn is over."""
        return bool(self.changes) and self.changes[-1] in FINAL


class RealTimeDetector:
    """Tells audio that arrives as it is spoken from audio that the sender has recorded before."""

    _SPAN_SECONDS = 0.4

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, float]] = deque()
        self._seconds = 0.0

    def note(self, arrived: float, seconds: float) -> None:
        """Count `seconds` of audio that arrived at the time `arrived`."""
        self._seconds += seconds
        self._arrivals.append((arrived, self._seconds))
        while len(self._arrivals) > 1 and (
            self._seconds - self._arrivals[1][1] >= self._SPAN_SECONDS
        ):
            self._arrivals.popleft()

    @property
    def live(self) -> bool:
        """Whether the last 0.4 s of audio took at least half as long to arrive."""
        if not self._arrivals:
            return False
        (first, before), (last, total) = self._arrivals[0], self._arrivals[-1]
        span = total - before
        return span >= self._SPAN_SECONDS / 2 and last - first >= span / 2


class SpeechSegmenter:
    """Takes the audio of one utterance and cuts it into speech segments of bounded length."""

    def __init__(
        self,
        vad: VadStream,
        endpoint: Endpointer,
        *,
        may_end: bool,
        limits: SegmentLimits | None = None,
        target: TargetSpeaker | None = None,
    ) -> None:
        """`may_end`: whether silence may end the turn of audio that arrives in real time.

        `target` tells the speaker of the turn from others in audio that arrives in real time;
        without one everyone counts.
        """
        self._target = target
        self._limits = limits or SegmentLimits()
        self._vad = vad
        self._endpoint = endpoint
        self._may_end = may_end
        self._real_time = RealTimeDetector()
        self._converter: PcmConverter | None = None
        self._format: PcmFormat | None = None
        self._reframer = Reframer(2 * VAD_FRAME_SAMPLES)
        self._audio = bytearray()
        self._origin = 0
        self._probabilities: list[tuple[int, float]] = []
        self._soft_start = 0
        self._soft_end = 0
        self._completed_until = 0
        self._completed: list[SpeechSegment] = []

    @property
    def buffered_bytes(self) -> int:
        """Memory of the audio that may still become part of a segment."""
        return len(self._audio)

    def judge(self, completeness: float) -> None:
        """Pass on how complete the turn is at the pause in progress, -1 to 1."""
        self._endpoint.judge(completeness)

    def feed(
        self, chunks: Sequence[PcmChunk], *, with_open_segment: bool = False
    ) -> SegmenterSnapshot:
        """Take more audio. `with_open_segment` asks for the open segment while speech goes on."""
        changes: list[EndpointEvent] = []
        for chunk in chunks:
            if self._endpoint.finished:
                break
            pcm = self._convert(chunk)
            self._real_time.note(chunk.arrived, len(pcm) / 2 / MODEL_RATE)
            changes += self._process(b"".join(self._reframer.feed(pcm)))
        return self._snapshot(changes, with_open_segment=with_open_segment)

    def finish(self) -> SegmenterSnapshot:
        """Take what is left in the buffers at the end of the stream."""
        changes: list[EndpointEvent] = []
        if self._converter is not None and not self._endpoint.finished:
            rest = self._converter.flush()
            self._may_end = False
            silence = bytes(2 * (VAD_FRAME_SAMPLES - 1))
            changes = self._process(b"".join(self._reframer.feed(rest + silence)))
        return self._snapshot(changes, with_open_segment=True)

    def _snapshot(
        self, changes: list[EndpointEvent], *, with_open_segment: bool
    ) -> SegmenterSnapshot:
        completed, self._completed = tuple(self._completed), []
        paused = self._endpoint.paused or self._endpoint.finished
        return SegmenterSnapshot(
            changes=tuple(changes),
            completed=completed,
            open_segment=self._open_segment() if paused or with_open_segment else None,
            live=self._real_time.live,
            paused=paused,
            silence_seconds=self._endpoint.silence_seconds,
            quiet_seconds=(self._endpoint.position - self._end) / MODEL_RATE,
        )

    def _open_segment(self) -> SpeechSegment | None:
        if self._endpoint.speech_start is None or self._end <= max(
            self._begin, self._completed_until
        ):
            return None
        position = self._endpoint.position
        end = min(self._end + _TRAIL_SAMPLES, position)
        segment = self._segment(end, self._end)
        if segment.end != end:
            return segment
        position = min(position, end + _MAX_PAUSE_SAMPLES)
        pause = bytes(self._audio[2 * (end - self._origin) : 2 * (position - self._origin)])
        return replace(segment, pause=to_float(pause))

    @property
    def _begin(self) -> int:
        start = min(self._endpoint.speech_start or 0, self._soft_start) - _LEAD_SAMPLES
        return max(start, self._origin)

    @property
    def _end(self) -> int:
        return max(self._endpoint.speech_end, self._soft_end)

    def _convert(self, chunk: PcmChunk) -> bytes:
        flushed = b""
        if chunk.format != self._format:
            flushed = self._converter.flush() if self._converter is not None else b""
            self._format = chunk.format
            self._converter = PcmConverter(chunk.format)
        assert self._converter is not None
        return flushed + self._converter.feed(chunk.data)

    def _process(self, frames: bytes) -> list[EndpointEvent]:
        changes = []
        probabilities = self._vad.process(frames)
        powers = (to_float(frames).reshape(-1, VAD_FRAME_SAMPLES) ** 2).mean(axis=1)
        for number, anyone in enumerate(probabilities.tolist()):
            at = 2 * VAD_FRAME_SAMPLES * number
            self._audio += frames[at : at + 2 * VAD_FRAME_SAMPLES]
            probability = self._of_target(anyone, float(powers[number]))
            change = self._endpoint.process(
                probability, VAD_FRAME_SAMPLES, may_end=self._may_end and self._real_time.live
            )
            if change is not None:
                changes.append(change)
            if change in FINAL:
                break
            self._complete_long_segment(probability)
        return changes

    def _of_target(self, anyone: float, power: float) -> float:
        """Return the probability that the speaker of the turn speaks in the next frame."""
        if self._target is None:
            return anyone
        probability = self._target.note(power, anyone)
        if not self._real_time.live:
            return anyone
        if (until := self._target.others_since) is not None:
            self._endpoint.retract(until)
            self._soft_end = min(self._soft_end, until)
        return probability

    def _complete_long_segment(self, probability: float) -> None:
        position = self._endpoint.position
        self._note_soft_speech(probability, position)
        if self._endpoint.speech_start is None:
            # Before the first speech only the lead of a segment is of use.
            self._soft_start = max(self._soft_start, position - _MAX_SOFT_SAMPLES)
            self._drop(position - _MAX_SOFT_SAMPLES - _LEAD_SAMPLES)
            return
        length = position - self._origin
        self._probabilities.append((position, probability))
        limits = self._limits
        pause = self._endpoint.paused and self._endpoint.silence_seconds >= limits.pause_seconds
        if pause and length >= limits.early_seconds * MODEL_RATE:
            self._complete(position)
        elif length >= _MAX_SEGMENT_SAMPLES:
            recent = [
                entry
                for entry in self._probabilities
                if entry[0] > position - _MAX_SEGMENT_SAMPLES // 3
            ]
            self._complete(min(recent, key=lambda entry: entry[1])[0])

    def _note_soft_speech(self, probability: float, position: int) -> None:
        if probability < _MIN_SOFT_PROBABILITY:
            return
        started = self._endpoint.speech_start is not None
        if not started and position - self._soft_end > _LEAD_SAMPLES:
            self._soft_start = position - VAD_FRAME_SAMPLES
        if not started or position - self._endpoint.speech_end < _MAX_SOFT_TAIL_SAMPLES:
            self._soft_end = position

    def _complete(self, at: int) -> None:
        speech_end = min(at, self._end)
        if speech_end > max(self._begin, self._completed_until):
            self._completed.append(self._segment(min(at, self._end + _TRAIL_SAMPLES), speech_end))
        self._completed_until = speech_end
        self._probabilities.clear()
        self._drop(at)

    def _segment(self, end: int, speech_end: int) -> SpeechSegment:
        start = self._begin
        pcm = bytes(self._audio[2 * (start - self._origin) : 2 * (end - self._origin)])
        audio: Audio = np.ascontiguousarray(to_float(pcm))
        spans = []
        if self._target is not None and self._real_time.live:
            spans = self._target.spans(start, end)
        if spans:
            first, last = spans[0][0], spans[-1][1]
            audio = only(spans, audio, start)[first - start : last - start]
            start, end, speech_end = first, last, min(speech_end, last)
        certain = sum(
            start < position <= end and probability >= _CERTAIN_PROBABILITY
            for position, probability in self._probabilities
        )
        seconds = certain * VAD_FRAME_SAMPLES / MODEL_RATE
        return SpeechSegment(audio, start, end, speech_end, certain_seconds=seconds)

    def _drop(self, before: int) -> None:
        if before > self._origin:
            del self._audio[: 2 * (before - self._origin)]
            self._origin = before
            if self._target is not None:
                self._target.forget(before)
