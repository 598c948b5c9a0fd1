"""Wyoming events of speech-to-text, on one connection."""

import asyncio
import logging
from enum import Enum, auto
from typing import Any, Final

from wyoming.asr import (
    Transcribe,
    Transcript,
    TranscriptChunk,
    TranscriptStart,
    TranscriptStop,
)
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import SelectProgram

from wyoming_common.audio.pcm import MODEL_RATE, PcmFormat, to_float
from wyoming_common.errors import BadAudio, BadRequest, Refused, TooLarge
from wyoming_common.net.context import ConnectionContext
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.protocol.household_voice import (
    MAX_VOICE_SECONDS,
    HouseholdVoice,
    HouseholdVoiceFound,
)
from wyoming_common.protocol.interim_transcript import InterimTranscript
from wyoming_common.protocol.learn_voice import LearnVoice
from wyoming_common.protocol.spoken_by import SPEAKER, SpokenBy, WhoSpoke
from wyoming_stt.decoding.local_agreement import LocalAgreement
from wyoming_stt.decoding.utterance import UtteranceRecognizer
from wyoming_stt.service import SttService

_LOGGER = logging.getLogger(__name__)

_MAX_LESSON_CHARACTERS: Final = 4000
"""Of a transcript that names a sample"""


class RequestState(Enum):
    """State of the request on a connection."""

    IDLE = auto()
    """No request yet; the first audio makes one."""
    OPEN = auto()
    """A recogniser waits for its first audio."""
    LISTENING = auto()
    """Audio arrives."""
    ANSWERING = auto()
    """The audio is complete, the transcript is not sent yet."""
    ANSWERED = auto()
    """The transcript or an error is sent. Audio is ignored until the next request."""
    REFUSED = auto()
    """`transcribe` was refused. Its audio is ignored, `audio-start` included."""


class SttHandler(ServiceHandler):
    """One connection: `transcribe`, `audio-start`, `audio-chunk`..., `audio-stop`.

    `transcribe` and `audio-start` may be left out. The transcript may come before `audio-stop`;
    what arrives after it is ignored until the next utterance begins.
    """

    stage = "stt"

    def __init__(
        self,
        service: SttService,
        context: ConnectionContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(context, reader, writer)
        self._service = service
        self._program = 0
        self._wanted = Transcribe()
        self._state = RequestState.IDLE
        self._recognizer: UtteranceRecognizer | None = None
        self._utterance = object()
        self._seconds = 0.0
        self._agreement = LocalAgreement()
        self._streaming = False

    @property
    def unfinished(self) -> bool:
        """Whether more audio is awaited."""
        return self._state in (RequestState.OPEN, RequestState.LISTENING)

    async def on_request(self, event: Event) -> None:
        if AudioChunk.is_type(event.type):
            await self._take_audio(AudioChunk.from_event(event))
        elif Transcribe.is_type(event.type):
            await self._take_request(event)
        elif AudioStart.is_type(event.type):
            start = AudioStart.from_event(event)
            PcmFormat(start.rate, start.width, start.channels)
            await self._start_audio()
        elif AudioStop.is_type(event.type):
            await self._stop_audio()
        elif SelectProgram.is_type(event.type):
            self._program = self._service.select(SelectProgram.from_event(event).name)
        else:
            await self._on_voice_request(event)

    async def _on_voice_request(self, event: Event) -> None:
        """Handle an event that is about who speaks."""
        if WhoSpoke.is_type(event.type):
            await self.write_event(self._spoken_by(event).event())
        elif LearnVoice.is_type(event.type):
            await self.start(self._teach(_lesson_step(event)))
        elif HouseholdVoice.is_type(event.type):
            await self.start(self._find_voice(HouseholdVoice.from_event(event).pcm))
        else:
            _LOGGER.debug("Ignored %s", event.type)

    def _spoken_by(self, event: Event) -> SpokenBy:
        text = event.data.get("text")
        if not isinstance(text, str):
            raise BadRequest(f"{event.type}: text: expected a text, got {text!r:.40}")
        last = event.data.get("last") is True
        return SpokenBy(self._service.spoken.find(text, last=last))

    async def _teach(self, asked: LearnVoice) -> None:
        if not (self.is_same_user or await self._service.may_teach(self.context.peer)):
            raise Refused(
                "Voices are learned for a conversation service of the same user on this machine, "
                "for the conversation app beside this one, or at an address of --voice-teachers"
            )
        await self.write_event((await self._service.teach(asked)).event())

    async def _find_voice(self, pcm: bytes) -> None:
        if len(pcm) % 2 or not 0 < len(pcm) <= MAX_VOICE_SECONDS * 2 * MODEL_RATE:
            raise BadAudio(
                f"household-voice: expected mono s16le at 16 kHz, at most {MAX_VOICE_SECONDS:g} s"
            )
        found = await self._service.may_wake(to_float(pcm))
        await self.write_event(HouseholdVoiceFound(found).event())

    async def _take_request(self, event: Event) -> None:
        await self._end_request()
        self._state = RequestState.REFUSED
        self._wanted = _transcribe(event)
        # Opened now, so that an error is sent before the client sends its audio.
        await self._open()

    async def _start_audio(self) -> None:
        if self._state is RequestState.REFUSED:
            self._state = RequestState.ANSWERED
            self._wanted = Transcribe()
        elif self._state is not RequestState.OPEN:
            await self._end_request()
            self._state = RequestState.ANSWERED
            await self._open()

    async def _open(self) -> None:
        """Open a recogniser for the request. The state stays as it is if that fails."""
        program = self._service.select(self._wanted.name) if self._wanted.name else self._program
        self._seconds = 0.0
        self._agreement = LocalAgreement()
        self._streaming = False
        recognizer = self._service.recognizer(
            self._wanted, program, self._send_partial, self._send_tentative
        )
        self._recognizer = recognizer
        self._utterance = object()
        self._state = RequestState.OPEN
        await self.start(self._answer(recognizer))

    async def _awaiting_audio(self) -> UtteranceRecognizer | None:
        """Return the recogniser that audio is for, None if it is to be ignored."""
        if self._state is RequestState.IDLE:
            self._state = RequestState.ANSWERED
            await self._open()
        return self._recognizer if self.unfinished else None

    async def _take_audio(self, chunk: AudioChunk) -> None:
        recognizer = await self._awaiting_audio()
        if recognizer is None:
            return
        self._state = RequestState.LISTENING
        try:
            pcm_format = PcmFormat(chunk.rate, chunk.width, chunk.channels)
            self._seconds += pcm_format.seconds(len(chunk.audio))
            if self._seconds > self.limits.audio_seconds:
                raise TooLarge(f"At most {self.limits.audio_seconds:g} s of audio in one utterance")
        except (BadAudio, TooLarge):
            # One error is sent, however much more of such audio follows.
            await self.stop_job()
            self._state = RequestState.ANSWERED
            raise
        step = pcm_format.frame_bytes * pcm_format.rate
        for start in range(0, len(chunk.audio), step):
            await recognizer.feed(chunk.audio[start : start + step], pcm_format)

    async def _stop_audio(self) -> None:
        recognizer = await self._awaiting_audio()
        if recognizer is not None:
            self._state = RequestState.ANSWERING
            await recognizer.stop()
        elif self._state is RequestState.REFUSED:
            self._state = RequestState.ANSWERED

    async def _end_request(self) -> None:
        if not self.unfinished and self._job is not None:
            # Its audio is complete: a client may send the next utterance before it reads.
            await asyncio.wait([self._job])
        await self.stop_job()
        self._recognizer = None

    async def _answer(self, recognizer: UtteranceRecognizer) -> None:
        try:
            transcription = await recognizer.run()
        finally:
            self._state = RequestState.ANSWERED
            self.telemetry.count("wasted_ms", round(1000 * recognizer.wasted_seconds))
        _LOGGER.debug("Transcript: %s", transcription.text)
        self._service.keep_for_lesson(transcription.text, recognizer.speech)
        if self._service.partials:
            await self._send_chunk(self._agreement.finish(transcription.text))
            if self._streaming:
                await self.write_event(TranscriptStop().event())
        await self.write_event(
            Transcript(
                text=transcription.text,
                language=transcription.language,
                context=self._context(recognizer, transcription.text),
            ).event()
        )
        await recognizer.learn()

    def _context(self, recognizer: UtteranceRecognizer | None, text: str) -> dict[str, Any] | None:
        """Return the context of a transcript: that of the request, with the speaker if known."""
        if recognizer is None or (speaker := recognizer.speaker) is None:
            return self._wanted.context
        self._service.spoken.add(text, speaker, self._utterance)
        return {**(self._wanted.context or {}), SPEAKER: speaker}

    async def _send_partial(self, text: str) -> None:
        await self._send_chunk(self._agreement.update(text))

    async def _send_tentative(self, text: str) -> None:
        speaker = self._recognizer.speaker if self._recognizer is not None else None
        context = None if speaker is None else {SPEAKER: speaker}
        if text and speaker is not None:
            self._service.spoken.add(text, speaker, self._utterance)
        await self.write_event(InterimTranscript(text, self._wanted.language, context).event())

    async def _send_chunk(self, text: str) -> None:
        if not text:
            return
        if not self._streaming:
            self._streaming = True
            await self.write_event(TranscriptStart(language=self._wanted.language).event())
        await self.write_event(TranscriptChunk(text=text).event())


def _lesson_step(event: Event) -> LearnVoice:
    asked = LearnVoice.from_event(event)
    for given in (asked.lesson, asked.name, asked.text):
        if not isinstance(given, str) or len(given) > _MAX_LESSON_CHARACTERS:
            raise BadRequest(f"{event.type}: expected texts, got {given!r:.40}")
    return asked


def _transcribe(event: Event) -> Transcribe:
    wanted = Transcribe.from_event(event)
    for name in ("transcript_names", "transcript_terms"):
        given = getattr(wanted, name)
        if given is not None and not (
            isinstance(given, list) and all(isinstance(word, str) for word in given)
        ):
            raise BadRequest(f"{name}: expected a list of texts, got {given!r:.40}")
    for name in ("name", "language"):
        given = getattr(wanted, name)
        if given is not None and not isinstance(given, str):
            raise BadRequest(f"{name}: expected a text, got {given!r:.40}")
    return wanted
