"""OpenAI engine: a server with OpenAI's transcription API (vLLM, speaches, whisper.cpp, OpenAI)."""

import io
import json
import wave

import numpy as np

from wyoming_common.errors import Unavailable
from wyoming_common.http.openai_client import OpenAiClient, form, quoted
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Audio, Task, Transcription, TranscriptionRequest
from wyoming_stt.text.cleanup import MAX_PROMPT_NAMES
from wyoming_stt.text.languages import WHISPER

_MAX_ANSWER_BYTES = 4 * 1024 * 1024


class OpenAi:
    """One model of a server; `model` is its name there."""

    def __init__(self, settings: SttSettings) -> None:
        self._settings = settings
        self._server = OpenAiClient(settings.base_url, settings.api_key, settings.timeout)

    def load(self) -> None:
        """Do nothing: the model is where the server is."""

    def close(self) -> None:
        self._server.close()

    @property
    def languages(self) -> tuple[str, ...]:
        return WHISPER

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ("transcribe", "translate")

    def transcribe(self, audio: Audio, request: TranscriptionRequest) -> Transcription:
        """Raises Unavailable, TimedOut, or BadRequest with the server's message."""
        fields = {
            "model": self._settings.model[0],
            "response_format": "json",
            "temperature": "0",
        }
        if request.task == "transcribe" and request.language:
            fields["language"] = request.language
        if request.words:
            fields["prompt"] = ", ".join(request.words[:MAX_PROMPT_NAMES])
        path = "transcriptions" if request.task == "transcribe" else "translations"
        data = form(fields, "speech.wav", _wav(audio), "audio/wav")
        with self._server.post(f"audio/{path}", data=data) as response:
            body = response.text(_MAX_ANSWER_BYTES)
        text, language = parse_answer(response.url, response.content_type, body)
        return Transcription(text=text, language=language or request.language)

    def score(self, *_: object) -> None:
        return None


def parse_answer(url: str, content_type: str, body: str) -> tuple[str, str | None]:
    """Return text and language of a transcription in any form that servers use.

    These are OpenAI's `json` and `verbose_json`, segments without a whole text, and plain text.
    Raises Unavailable with the server's message for an error that was sent as a success.
    """
    body = body.strip()
    try:
        answer = json.loads(body)
    except ValueError as err:
        if content_type != "text/plain":
            raise Unavailable(f"{url}: expected JSON with a text, got '{quoted(body)}'") from err
        answer = body
    if not isinstance(answer, dict):
        answer = {"segments": answer} if isinstance(answer, list) else {"text": answer}
    if error := answer.get("error"):
        message = error.get("message") if isinstance(error, dict) else error
        raise Unavailable(f"{url} answered with an error: {message!s:.200}")
    text = answer["text"] if isinstance(answer.get("text"), str) else _join(answer.get("segments"))
    if text is None:
        raise Unavailable(f"{url}: expected JSON with a text, got '{quoted(body)}'")
    language = answer.get("language")
    return text.strip(), language if language in WHISPER else None


def _join(segments: object) -> str | None:
    """Return the text of a list of segments, None if it is not one."""
    if not isinstance(segments, list):
        return None
    texts = [segment.get("text") for segment in segments if isinstance(segment, dict)]
    spoken = [text.strip() for text in texts if isinstance(text, str)]
    return " ".join(spoken) if len(spoken) == len(segments) else None


def _wav(audio: Audio) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
