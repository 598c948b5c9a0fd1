"""Hears one utterance: where speech is in it, when it pauses, when it is over. No I/O."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from wyoming_common.audio import MODEL_RATE, PcmConverter, PcmFormat, Reframer, to_float
from wyoming_common.endpoint import FINAL, Change, Endpoint
from wyoming_stt.engine import LONGEST_SECONDS, Audio
from wyoming_stt.vad import FRAME_SAMPLES, SpeechProbability

_LEAD = round(0.3 * MODEL_RATE)
"""Samples kept before the first speech: the detector is late on soft beginnings."""
_TAIL = round(0.18 * MODEL_RATE)
"""Samples kept behind the last speech, as far as they are there."""
_SOFT = 0.15
"""Probability that counts as somebody speaking softly before and after certain speech.

Measured: trimming at 0.35 instead costs 0.7 points of WER with tiny.en."""
_SOFT_SAMPLES = MODEL_RATE
"""How far from certain speech it counts."""
_WINDOW = round(LONGEST_SECONDS * MODEL_RATE)


@dataclass(frozen=True, slots=True)
class Pcm:
    """Audio as it came from a client."""

    data: bytes
    format: PcmFormat
    arrived: float
    """Seconds on any steady clock"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Where speech that is longer than an engine's window is cut, in seconds."""

    early_seconds: float = 20.0
    """From this length on a pause ends a window."""
    pause_seconds: float = 0.18
    """A pause of at least so long"""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of speech to be written down."""

    audio: Audio
    start: int
    """First sample, counted from the beginning of the stream"""
    end: int
    spoken_until: int
    """Sample behind the last speech in it, before `end` by the silence that is kept"""


class Pace:
    """Whether audio arrives as it is spoken, or faster because the sender has it already."""

    _AUDIO_SECONDS = 0.4

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, float]] = deque()
        self._seconds = 0.0

    def note(self, arrived: float, seconds: float) -> None:
        """Take note of `seconds` of audio."""
        self._seconds += seconds
        self._arrivals.append((arrived, self._seconds))
        while len(self._arrivals) > 1 and (
            self._seconds - self._arrivals[1][1] >= self._AUDIO_SECONDS
        ):
            self._arrivals.popleft()

    @property
    def live(self) -> bool:
        """Whether the last 0.4 s of audio took at least half as long to arrive."""
        if not self._arrivals:
            return False
        (first, heard), (last, total) = self._arrivals[0], self._arrivals[-1]
        span = total - heard
        return span >= self._AUDIO_SECONDS / 2 and last - first >= span / 2


class Listener:
    """Fed the audio of one utterance; cuts it into pieces of speech of bounded length."""

    def __init__(
        self,
        speech: SpeechProbability,
        endpoint: Endpoint,
        *,
        may_end: bool,
        windows: Windows | None = None,
    ) -> None:
        self._window_settings = windows or Windows()
        self._speech = speech
        self._endpoint = endpoint
        self._may_end = may_end
        self._pace = Pace()
        self._converter: PcmConverter | None = None
        self._format: PcmFormat | None = None
        self._frames = Reframer(2 * FRAME_SAMPLES)
        self._audio = bytearray()
        self._origin = 0
        self._quietest: list[tuple[int, float]] = []
        self._soft_start = 0
        self._soft_end = 0
        self._heard_until = 0
        self._windows: deque[Piece] = deque()

    @property
    def live(self) -> bool:
        """Whether the audio arrives in real time."""
        return self._pace.live

    @property
    def paused(self) -> bool:
        """Whether the speaker pauses, or has finished."""
        return self._endpoint.paused or self._endpoint.finished

    @property
    def silence_seconds(self) -> float:
        """How long nobody has spoken."""
        return self._endpoint.silence_seconds

    @property
    def still_seconds(self) -> float:
        """How long nobody has spoken, not even softly."""
        return (self._endpoint.position - self._end) / MODEL_RATE

    def judge(self, completeness: float) -> None:
        """Pass on how complete the turn sounds at the pause in progress, 0 to 1."""
        self._endpoint.judge(completeness)

    def feed(self, parts: list[Pcm]) -> list[Change]:
        """Hear more; returns what changed, ending with a final change if the turn is over."""
        changes: list[Change] = []
        for part in parts:
            if self._endpoint.finished:
                break
            pcm = self._convert(part)
            self._pace.note(part.arrived, len(pcm) / 2 / MODEL_RATE)
            changes += self._hear(b"".join(self._frames.feed(pcm)))
        return changes

    def finish(self) -> list[Change]:
        """Hear what is left in the buffers: the stream has ended."""
        if self._converter is None or self._endpoint.finished:
            return []
        rest = self._converter.flush()
        self._may_end = False
        silence = bytes(2 * (FRAME_SAMPLES - 1))
        return self._hear(b"".join(self._frames.feed(rest + silence)))

    def windows(self) -> list[Piece]:
        """Return the pieces that are complete before the utterance is, and drop their audio."""
        taken = list(self._windows)
        self._windows.clear()
        return taken

    def tail(self) -> Piece | None:
        """Return the speech since the last window, None if there is none."""
        if self._endpoint.speech_start is None or self._end <= max(self._begin, self._heard_until):
            return None
        return self._piece(min(self._end + _TAIL, self._endpoint.position), self._end)

    @property
    def _begin(self) -> int:
        start = min(self._endpoint.speech_start or 0, self._soft_start) - _LEAD
        return max(start, self._origin)

    @property
    def _end(self) -> int:
        return max(self._endpoint.speech_end, self._soft_end)

    def _convert(self, part: Pcm) -> bytes:
        flushed = b""
        if part.format != self._format:
            flushed = self._converter.flush() if self._converter is not None else b""
            self._format = part.format
            self._converter = PcmConverter(part.format)
        assert self._converter is not None
        return flushed + self._converter.feed(part.data)

    def _hear(self, frames: bytes) -> list[Change]:
        changes = []
        probabilities = self._speech.process(frames)
        for number, probability in enumerate(probabilities.tolist()):
            at = 2 * FRAME_SAMPLES * number
            self._audio += frames[at : at + 2 * FRAME_SAMPLES]
            change = self._endpoint.process(
                probability, FRAME_SAMPLES, may_end=self._may_end and self.live
            )
            if change is not None:
                changes.append(change)
            if change in FINAL:
                break
            self._keep(probability)
        return changes

    def _keep(self, probability: float) -> None:
        position = self._endpoint.position
        self._notice_soft(probability, position)
        if self._endpoint.speech_start is None:
            # Nobody has spoken: only a lead is of use.
            self._soft_start = max(self._soft_start, position - _SOFT_SAMPLES)
            self._drop(position - _SOFT_SAMPLES - _LEAD)
            return
        length = position - self._origin
        self._quietest.append((position, probability))
        limits = self._window_settings
        pause = self._endpoint.paused and self._endpoint.silence_seconds >= limits.pause_seconds
        if pause and length >= limits.early_seconds * MODEL_RATE:
            self._cut(position)
        elif length >= _WINDOW:
            recent = [entry for entry in self._quietest if entry[0] > position - _WINDOW // 3]
            self._cut(min(recent, key=lambda entry: entry[1])[0])

    def _notice_soft(self, probability: float, position: int) -> None:
        if probability < _SOFT:
            return
        spoken = self._endpoint.speech_start is not None
        if not spoken and position - self._soft_end > _LEAD:
            self._soft_start = position - FRAME_SAMPLES
        if not spoken or position - self._endpoint.speech_end < _SOFT_SAMPLES:
            self._soft_end = position

    def _cut(self, at: int) -> None:
        spoken_until = min(at, self._end)
        if spoken_until > max(self._begin, self._heard_until):
            self._windows.append(self._piece(min(at, self._end + _TAIL), spoken_until))
        self._heard_until = spoken_until
        self._quietest.clear()
        self._drop(at)

    def _piece(self, end: int, spoken_until: int) -> Piece:
        start = self._begin
        pcm = bytes(self._audio[2 * (start - self._origin) : 2 * (end - self._origin)])
        return Piece(np.ascontiguousarray(to_float(pcm)), start, end, spoken_until)

    def _drop(self, before: int) -> None:
        if before > self._origin:
            del self._audio[: 2 * (before - self._origin)]
            self._origin = before
