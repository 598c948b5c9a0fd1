"""Recognition of one utterance: queued audio, segmentation, decoding at pauses, transcription."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from wyoming_common.audio.endpointing import EndpointEvent
from wyoming_common.audio.pcm import MODEL_RATE, PcmFormat
from wyoming_common.errors import ServiceError
from wyoming_common.model_thread import ModelThread
from wyoming_common.telemetry.trace import current_span
from wyoming_stt.audio.audio_queue import AudioQueue, PcmChunk
from wyoming_stt.audio.segmenter import SegmenterSnapshot, SpeechSegment, SpeechSegmenter
from wyoming_stt.audio.vad import VadModel
from wyoming_stt.decoding.transcribe import DecodeStats, SpeculativeDecode, SpeculativeDecoder
from wyoming_stt.endpointing.completeness import PauseEvidence
from wyoming_stt.endpointing.smart_turn import TurnModel
from wyoming_stt.engine import Audio, SttEngine, Transcription, TranscriptionRequest
from wyoming_stt.home_sentences.sentences import HomeSentences, NoHomeSentences
from wyoming_stt.speakers.household import Household, SpeakerListener

_LOGGER = logging.getLogger(__name__)

_MIN_QUIET_SECONDS = 0.12
"""Silence after soft speech within a pause from which on the pause is decoded again, with it."""
JUDGED_SECONDS = (0.18, 0.31)
"""Silence after which the turn model is asked, and asked again: most ends that it takes for pauses
at first sound like ends by then."""
_MIN_PARTIAL_SAMPLES = 16_000
"""New speech that makes a partial transcript worth its decode."""


@dataclass(frozen=True, slots=True)
class UtteranceModels:
    """The model threads that the utterances of one program share."""

    model: ModelThread[SttEngine]
    vad: ModelThread[VadModel]
    turn: ModelThread[TurnModel] | None
    """Judges pauses; None leaves that to silence and words."""
    stats: DecodeStats
    sentences: HomeSentences = field(default_factory=NoHomeSentences)
    clock: Callable[[], float] = time.monotonic
    """Seconds, steady"""
    reloads: bool = False
    """Whether the model may be out of memory, and loads while its user still speaks"""
    household: Household | None = None
    """Tells who speaks; None leaves that open"""


class UtteranceRecognizer:
    """Takes the audio of one utterance, decodes it at pauses, and ends with the transcription.

    At a pause the speech so far is decoded in full. If the pause is the end of the turn, the
    text is there already; if speech goes on, the decode is dropped.
    """

    def __init__(
        self,
        request: TranscriptionRequest,
        segmenter: Callable[[VadModel], SpeechSegmenter],
        models: UtteranceModels,
        on_partial: Callable[[str], Awaitable[None]] | None = None,
        on_interim: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`on_partial` receives the text so far, now and then. `on_interim` receives at a pause
        the transcription if it were the end of the turn, and "" if speech goes on.
        """
        self._request = request
        self._make_segmenter = segmenter
        self._models = models
        self._on_partial = on_partial
        self._on_tentative = on_interim
        self._tentative_text = ""
        self._queue = AudioQueue()
        self._completed: list[Transcription] = []
        self._decoder = SpeculativeDecoder(
            models.model, request, models.sentences, models.stats, models.clock
        )
        self._partial: asyncio.Task[None] | None = None
        self._partial_end = 0
        self._first_sample: int | None = None
        """Begin of the first segment that is complete"""
        self._voice: SpeakerListener | None = None
        self._speech: list[Audio] | None = None
        """All speech so far, where a voice lesson is open"""
        self._seconds = 0.0
        """Audio so far"""

    @property
    def speaker(self) -> str | None:
        """Name of the speaker, `guest` for an unknown one; None where there are no profiles."""
        return self._voice.speaker if self._voice is not None else None

    @property
    def speech(self) -> Audio | None:
        """The speech of the utterance, where a voice lesson was open as it began."""
        return np.concatenate(self._speech) if self._speech else None

    @property
    def wasted_seconds(self) -> float:
        """Time of the model for decodes of which no text was sent."""
        return self._decoder.wasted_seconds

    async def feed(self, data: bytes, pcm_format: PcmFormat) -> None:
        """Queue audio; waits while the queue is full."""
        await self._queue.put(PcmChunk(data, pcm_format, self._models.clock()))

    async def stop(self) -> None:
        """Mark the end of the audio."""
        await self._queue.close()

    async def run(self) -> Transcription:
        """Return the transcription once the turn has ended or `stop` was called.

        Raises ServiceError.
        """
        segmenter = await self._models.vad.call(self._make_segmenter)
        loading = asyncio.create_task(self._load_model()) if self._models.reloads else None
        if self._models.household is not None:
            self._voice = self._models.household.listener()
            self._speech = [] if self._models.household.lesson_speech.wanted else None
        try:
            segment = await self._listen(segmenter)
            self._keep_speech(segment)
            if self._voice is not None and segment is not None:
                self._voice.hear_last(segment)
            await self._stop_partial()
            transcription = await self._finish(segment)
            if self._voice is not None:
                await self._voice.decided()
            return transcription
        finally:
            if self._voice is not None:
                await self._voice.aclose()
            await self._queue.close()
            await self._stop_partial()
            await self._decoder.drop()
            if loading is not None:
                loading.cancel()
                await asyncio.wait([loading])

    async def _listen(self, segmenter: SpeechSegmenter) -> SpeechSegment | None:
        """Segment audio until the turn or the audio ends; returns the last segment."""
        while chunks := await self._queue.get():
            self._seconds += sum(chunk.format.seconds(len(chunk.data)) for chunk in chunks)
            wanted = self._wants_partial or self._wants_voice
            feed = partial(segmenter.feed, chunks, with_open_segment=wanted)
            snapshot = await self._segment(segmenter, feed)
            if snapshot.final:
                silence = snapshot.silence_seconds if snapshot.live else 0.0
                current_span().ready(at=self._models.clock() - silence)
                return snapshot.open_segment
        return (await self._segment(segmenter, segmenter.finish)).open_segment

    def _keep_speech(self, segment: SpeechSegment | None) -> None:
        if self._speech is not None and segment is not None:
            self._speech.append(segment.audio[: segment.speech_end - segment.start])

    async def _load_model(self) -> None:
        try:
            await self._models.model.call(lambda engine: engine.load())
        except ServiceError as err:
            _LOGGER.debug("The model did not load ahead of its use: %s", err)

    async def _segment(
        self, segmenter: SpeechSegmenter, step: Callable[[], SegmenterSnapshot]
    ) -> SegmenterSnapshot:
        snapshot = await self._models.vad.call(lambda _: step())
        for segment in snapshot.completed:
            if self._first_sample is None:
                self._first_sample = segment.start
            self._keep_speech(segment)
            await self._decoder.drop()
            self._completed.append(self._decoder.use(await self._decoder.decode(segment)))
        if EndpointEvent.RESUMED in snapshot.changes:
            await self._decoder.drop()
            await self._send_tentative("")
        if self._voice is not None and snapshot.open_segment is not None:
            self._voice.hear(snapshot.open_segment, self._seconds)
        if snapshot.live and snapshot.open_segment is not None:
            if snapshot.paused:
                await self._use_pause(segmenter, snapshot, snapshot.open_segment)
            else:
                self._start_partial(snapshot.open_segment)
        return snapshot

    async def _use_pause(
        self, segmenter: SpeechSegmenter, snapshot: SegmenterSnapshot, segment: SpeechSegment
    ) -> None:
        decode = self._decoder.current
        begins = EndpointEvent.PAUSED in snapshot.changes and decode is None
        # Speech that dies away softly outlasts the frame at which the pause was noticed.
        outdated = decode is not None and decode.segment.speech_end < segment.speech_end
        quiet = snapshot.quiet_seconds >= _MIN_QUIET_SECONDS
        if (begins or (outdated and quiet)) and self._decoder.may_start(segment):
            decode = await self._decoder.start(segment)
            if self._on_tentative is not None:
                decode.followers.append(asyncio.create_task(self._follow_tentative(decode)))
        if decode is not None:
            self._judge(segmenter, decode, snapshot)
        elif EndpointEvent.PAUSED in snapshot.changes:
            # Nothing more may be decoded in vain: the length alone tells how long to wait.
            await self._weigh(segmenter, self._first_evidence(segment))

    def _judge(
        self, segmenter: SpeechSegmenter, decode: SpeculativeDecode, snapshot: SegmenterSnapshot
    ) -> None:
        """Begin to tell the segmenter how complete the turn is, as the evidence comes in."""
        segment, count = snapshot.open_segment, decode.judgements
        if segment is None or count == len(JUDGED_SECONDS):
            return
        if snapshot.silence_seconds < JUDGED_SECONDS[count]:
            return
        if decode.judging is not None and not decode.judging.done():
            return
        decode.judgements += 1
        if decode.evidence is None:
            decode.evidence = self._first_evidence(segment)
            decode.followers.append(asyncio.create_task(self._judge_words(segmenter, decode)))
        audio = segment.audio if count == 0 else np.concatenate([segment.audio, segment.pause])
        if self._models.turn is not None and decode.evidence.wants_sound:
            judged = self._judge_sound(segmenter, decode.evidence, self._models.turn, audio)
            decode.judging = asyncio.create_task(judged)
            decode.followers.append(decode.judging)

    def _first_evidence(self, segment: SpeechSegment) -> PauseEvidence:
        begin = segment.start if self._first_sample is None else self._first_sample
        return PauseEvidence(self._request.language, (segment.end - begin) / MODEL_RATE)

    async def _judge_sound(
        self,
        segmenter: SpeechSegmenter,
        evidence: PauseEvidence,
        turn: ModelThread[TurnModel],
        audio: Audio,
    ) -> None:
        try:
            evidence.sound = await turn.call(lambda model: model.completeness(audio))
            await self._weigh(segmenter, evidence)
        except ServiceError as err:
            _LOGGER.debug("The sound of a pause could not be judged: %s", err)

    async def _judge_words(self, segmenter: SpeechSegmenter, decode: SpeculativeDecode) -> None:
        evidence = decode.evidence
        assert evidence is not None
        try:
            said = (await decode.result()).transcription
            evidence.language = said.language or evidence.language
            evidence.text, evidence.stage = said.text, said.stage
            await self._weigh(segmenter, evidence)
            evidence.closing = await self._decoder.closing(decode, said.heard or said.text)
            if evidence.closing is not None:
                await self._weigh(segmenter, evidence)
            if self._on_partial is not None:
                await self._on_partial(self._so_far(said))
        except ServiceError as err:
            _LOGGER.debug("The words before a pause could not be judged: %s", err)

    async def _weigh(self, segmenter: SpeechSegmenter, evidence: PauseEvidence) -> None:
        opinion = evidence.completeness
        if opinion is not None:
            await self._models.vad.call(lambda _: segmenter.judge(opinion))

    async def _follow_tentative(self, decode: SpeculativeDecode) -> None:
        try:
            await self._send_tentative(self._so_far((await decode.result()).transcription))
        except ServiceError as err:
            _LOGGER.debug("No tentative transcript: %s", err)

    async def _send_tentative(self, text: str) -> None:
        if self._on_tentative is not None and text != self._tentative_text:
            self._tentative_text = text
            await self._on_tentative(text)

    async def learn(self) -> None:
        """Let the speaker's profile follow the voice; for after the transcript."""
        if self._voice is not None:
            await self._voice.learn()

    @property
    def _wants_voice(self) -> bool:
        return self._voice is not None and self._voice.wants(self._seconds)

    @property
    def _wants_partial(self) -> bool:
        running = self._partial is not None and not self._partial.done()
        return self._on_partial is not None and not running and self._decoder.idle

    def _start_partial(self, segment: SpeechSegment) -> None:
        """Decode the speech so far for a partial transcript, while the model has time."""
        if self._wants_partial and segment.end - self._partial_end >= _MIN_PARTIAL_SAMPLES:
            self._partial_end = segment.end
            self._partial = asyncio.create_task(self._send_partial(segment))

    async def _send_partial(self, segment: SpeechSegment) -> None:
        assert self._on_partial is not None
        try:
            decoded = await self._decoder.decode(segment)
            await self._on_partial(self._so_far(decoded.transcription))
        except ServiceError as err:
            _LOGGER.debug("No partial transcript: %s", err)

    async def _stop_partial(self) -> None:
        if self._partial is not None:
            self._partial.cancel()
            await asyncio.wait([self._partial])

    def _so_far(self, last: Transcription) -> str:
        return _join([*self._completed, last]).text

    async def _finish(self, segment: SpeechSegment | None) -> Transcription:
        if segment is not None:
            transcription, speculated = await self._decoder.finish(segment)
            if speculated:
                current_span().note(decoded_at_pause=True)
            self._completed.append(transcription)
        self._note_sentences()
        return _join(self._completed)

    def _note_sentences(self) -> None:
        """Tell the trace what was heard where sentences of the home took its place."""
        margins = [one.margin for one in self._completed if one.margin is not None]
        if margins:
            current_span().note(sentence_margin=round(min(margins), 1))
        if any(one.heard is not None for one in self._completed):
            heard = [one.text if one.heard is None else one.heard for one in self._completed]
            current_span().quote(heard=" ".join(heard))


def _join(parts: list[Transcription]) -> Transcription:
    text = " ".join(part.text for part in parts if part.text)
    language = next((part.language for part in parts if part.language), None)
    return Transcription(text=text, language=language)
