"""Transcription of speech segments, also speculatively at a pause that may end the turn."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from wyoming_common.model_thread import ModelThread
from wyoming_stt.audio.segmenter import SpeechSegment
from wyoming_stt.endpointing.completeness import PauseEvidence, closing_probability
from wyoming_stt.engine import Audio, SttEngine, Transcription, TranscriptionRequest
from wyoming_stt.home_sentences.correction import Correction, correct
from wyoming_stt.home_sentences.sentences import HomeSentences
from wyoming_stt.text.cleanup import strip_annotations
from wyoming_stt.text.names import name_corrector

_MAX_COMMAND_SAMPLES = 15 * 16_000
"""Longer speech is not compared with the sentences of the home."""
_MAX_SHORT_SAMPLES = 5 * 16_000
_MIN_LIKELIHOOD = -1.75
"""Mean log probability of a token: 12 short commands for which Whisper found no speech have at
least -1.67, most of what it invents from noise in such a language has less than -2."""
_MIN_CERTAIN_SECONDS = 0.25
"""Certain speech in a segment of up to that length which is written down although the recogniser
heard none: Whisper takes short words for silence in languages that it knows less well. Of 44
recordings of noise none has more than 0.1 s; longer segments may be singing."""
_MIN_UNCERTAIN_LIKELIHOOD = -1.5
"""Least mean log probability of a token where the detector was never certain of speech: with
tiny.en a bark has -1.67, and spoken commands that are written rightly in a kitchen at 0 dB have
-1.28 or more."""
_MAX_WASTED_SHARE = 0.3
"""Seconds of dropped decoding per second of audio, beyond `_FREE_WASTED_SECONDS`."""
_FREE_WASTED_SECONDS = 1.0
_MAX_QUEUED_DECODES = 4
"""Requests at the model from which on nothing is decoded that may be dropped."""


def transcribe(
    engine: SttEngine,
    audio: Audio,
    request: TranscriptionRequest,
    sentences: HomeSentences,
    *,
    certain_seconds: float | None = None,
) -> Transcription:
    """Return the text of a segment as the service sends it. Blocking. Raises ServiceError.

    `certain_seconds` is how long the voice detector was certain of speech in it, None where that
    is not known.
    """
    transcription = engine.transcribe(audio, request)
    text = strip_annotations(transcription.text)
    others = list(transcription.alternatives)
    likelihood = 0.0 if transcription.likelihood is None else transcription.likelihood
    if certain_seconds is not None and len(audio) <= _MAX_SHORT_SAMPLES:
        surely_spoken = certain_seconds >= _MIN_CERTAIN_SECONDS
        if not text and others and surely_spoken and likelihood >= _MIN_LIKELIHOOD:
            text, *others = [strip_annotations(other) for other in others]
        elif text and not certain_seconds and likelihood < _MIN_UNCERTAIN_LIKELIHOOD:
            text, others = "", [text, *others]
    search = sentences.search(transcription.language or request.language)
    is_command = request.task == "transcribe" and len(audio) <= _MAX_COMMAND_SAMPLES
    correction = Correction(text, None)
    if search is not None and (text or others) and is_command:
        correction = correct(
            search, text, lambda texts: engine.score(audio, texts, request), others
        )
    replaced = correction.text != text
    return replace(
        transcription,
        text=correction.text if replaced else name_corrector(request.words).correct(text),
        alternatives=(),
        heard=(text or others[0]) if replaced else None,
        margin=correction.margin,
        stage=correction.stage,
    )


@dataclass
class DecodeStats:
    """Time that the models of a service have spent decoding, in seconds."""

    total_seconds: float = 0.0
    used_seconds: float = 0.0
    """Part whose text was sent; the rest was decoded at pauses after which speech went on, or
    for partial transcripts"""


@dataclass(frozen=True, slots=True)
class DecodedSegment:
    """Text of a speech segment, and the model's time for it in seconds."""

    transcription: Transcription
    seconds: float


class SpeculativeDecode:
    """The decode of one segment, and the tasks that wait for its text."""

    def __init__(self, segment: SpeechSegment, decode: asyncio.Task[DecodedSegment]) -> None:
        self.segment = segment
        self._decode = decode
        self.followers: list[asyncio.Task[None]] = []
        """Tasks that end with this decode: they are cancelled when it is dropped"""
        self.evidence: PauseEvidence | None = None
        """Evidence of this pause, None before it is judged"""
        self.judgements = 0
        """Times that the turn model has been asked about this pause"""
        self.judging: asyncio.Task[None] | None = None
        """The last of these requests"""

    async def result(self) -> DecodedSegment:
        """Wait for the text; cancelling the caller leaves the decode running."""
        return await asyncio.shield(self._decode)

    async def drop(self) -> None:
        """Cancel the decode and its followers, and wait for their end."""
        tasks: list[asyncio.Task[DecodedSegment] | asyncio.Task[None]] = [
            self._decode,
            *self.followers,
        ]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        # Retrieved, so that asyncio does not report the failure of a decode that is not used.
        if not self._decode.cancelled():
            self._decode.exception()


class SpeculativeDecoder:
    """Owns the decodes of one utterance, at most one of them speculative at a time."""

    def __init__(
        self,
        model: ModelThread[SttEngine],
        request: TranscriptionRequest,
        sentences: HomeSentences,
        stats: DecodeStats,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._request = request
        self._sentences = sentences
        self._stats = stats
        self._clock = clock
        self._decoded_seconds = 0.0
        self._used_seconds = 0.0
        self.current: SpeculativeDecode | None = None

    @property
    def idle(self) -> bool:
        """Whether the model has nothing to do."""
        return self.current is None and not self._model.waiting

    @property
    def wasted_seconds(self) -> float:
        """Time of the model for decodes of which no text was sent."""
        return self._decoded_seconds - self._used_seconds

    def may_start(self, segment: SpeechSegment) -> bool:
        """Whether one more decode that may be dropped is within its share of the model."""
        allowed = _FREE_WASTED_SECONDS + _MAX_WASTED_SHARE * segment.end / 16_000
        return self.wasted_seconds <= allowed and self._model.waiting < _MAX_QUEUED_DECODES

    async def start(self, segment: SpeechSegment) -> SpeculativeDecode:
        """Decode `segment` instead of the current one, in a task."""
        await self.drop()
        self.current = SpeculativeDecode(segment, asyncio.create_task(self.decode(segment)))
        return self.current

    async def drop(self) -> None:
        """End the speculative decode, if there is one."""
        current, self.current = self.current, None
        if current is not None:
            await current.drop()

    async def finish(self, segment: SpeechSegment) -> tuple[Transcription, bool]:
        """Return the text of the utterance's last segment, and whether it was speculated right."""
        current = self.current
        if current is not None and current.segment.speech_end >= segment.speech_end:
            return self.use(await current.result()), True
        await self.drop()
        return self.use(await self.decode(segment)), False

    async def closing(self, decode: SpeculativeDecode, text: str) -> float | None:
        """Return the probability that the recogniser closes `text` with a full stop or the like.

        None without scores, or while others wait for the model. Raises ServiceError.
        """
        if self._model.waiting:
            return None

        def run(engine: SttEngine) -> float | None:
            return closing_probability(
                text, lambda texts: engine.score(decode.segment.audio, texts, self._request)
            )

        return await self._model.call(run)

    def use(self, decoded: DecodedSegment) -> Transcription:
        """Count `decoded` as sent to the client, and return its text."""
        self._used_seconds += decoded.seconds
        self._stats.used_seconds += decoded.seconds
        return decoded.transcription

    async def decode(self, segment: SpeechSegment) -> DecodedSegment:
        """Return the text of `segment`. Raises ServiceError."""

        def run(engine: SttEngine) -> DecodedSegment:
            began = self._clock()
            try:
                transcription = transcribe(
                    engine,
                    segment.audio,
                    self._request,
                    self._sentences,
                    certain_seconds=segment.certain_seconds,
                )
                return DecodedSegment(transcription, self._clock() - began)
            finally:
                # Counted in the thread, because a decode that is dropped runs to its end.
                seconds = self._clock() - began
                self._decoded_seconds += seconds
                self._stats.total_seconds += seconds

        return await self._model.call(run)
