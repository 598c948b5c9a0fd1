"""Transcription of one speech segment: cleaned and corrected to what the home knows."""

from dataclasses import replace

from wyoming_stt.engine import Audio, SttEngine, Transcription, TranscriptionRequest
from wyoming_stt.home_sentences.correction import Correction, correct
from wyoming_stt.home_sentences.sentences import HomeSentences
from wyoming_stt.text.cleanup import strip_annotations
from wyoming_stt.text.names import name_corrector

_MAX_COMMAND_SAMPLES = 15 * 16_000
"""Longer speech is not compared with the sentences of the home."""


def transcribe(
    engine: SttEngine, audio: Audio, request: TranscriptionRequest, sentences: HomeSentences
) -> Transcription:
    """Return the text of a segment as the service sends it. Blocking. Raises ServiceError."""
    transcription = engine.transcribe(audio, request)
    text = strip_annotations(transcription.text)
    search = sentences.search(transcription.language or request.language)
    is_command = request.task == "transcribe" and len(audio) <= _MAX_COMMAND_SAMPLES
    correction = Correction(text, None)
    others = transcription.alternatives
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
