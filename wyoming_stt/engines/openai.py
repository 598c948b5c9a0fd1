"""Any server with OpenAI's transcription endpoint: vLLM, speaches, whisper.cpp's, OpenAI's own."""

import io
import wave
from http import HTTPStatus
from typing import Any

import httpx2
import numpy as np

from wyoming_common.errors import BadRequest, ConfigError, ServiceError, TimedOut, Unavailable
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Audio, Request, Task, Transcription
from wyoming_stt.languages import WHISPER

_MOST_PROMPT_WORDS = 40
"""Whisper behind such a server reads 224 tokens of prompt; a name takes up to five."""


class OpenAi:
    """`model` is the server's name for it."""

    def __init__(self, settings: SttSettings, model: str) -> None:
        if not settings.base_url.startswith(("http://", "https://")):
            raise ConfigError(
                "base_url: expected http://HOST:PORT/v1 of the transcription server, "
                f"got '{settings.base_url}'"
            )
        self._url = settings.base_url.rstrip("/")
        self._model = model
        key = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        self._http = httpx2.Client(
            headers=key, timeout=httpx2.Timeout(settings.timeout, connect=5.0)
        )

    @property
    def languages(self) -> tuple[str, ...]:
        return WHISPER

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ("transcribe", "translate")

    def close(self) -> None:
        self._http.close()

    def transcribe(self, audio: Audio, request: Request) -> Transcription:
        """Raises Unavailable, TimedOut, or BadRequest with what the server says."""
        fields = {"model": self._model, "response_format": "json", "temperature": "0"}
        if request.task == "transcribe" and request.language:
            fields["language"] = request.language
        if request.words:
            fields["prompt"] = ", ".join(request.words[:_MOST_PROMPT_WORDS])
        path = "transcriptions" if request.task == "transcribe" else "translations"
        answer = self._post(f"{self._url}/audio/{path}", fields, _wav(audio))
        language = answer.get("language") or request.language
        return Transcription(
            text=str(answer["text"]).strip(), language=str(language) if language else None
        )

    def _post(self, url: str, fields: dict[str, str], wav: bytes) -> dict[str, Any]:
        try:
            response = self._http.post(
                url, data=fields, files={"file": ("speech.wav", wav, "audio/wav")}
            )
        except httpx2.TimeoutException as err:
            raise TimedOut(f"{url} did not answer in time") from err
        except (httpx2.HTTPError, httpx2.InvalidURL) as err:
            raise Unavailable(f"Cannot reach {url}: {err}") from err
        if response.status_code != HTTPStatus.OK:
            raise _refused(url, response)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
            raise Unavailable(f"{url}: expected JSON with a text, got something else")
        return answer


def _refused(url: str, response: httpx2.Response) -> ServiceError:
    told = " ".join(response.text.split())[:200]
    line = f"{url} answered {response.status_code}: {told}"
    overloaded = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)
    if (
        response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        or response.status_code in overloaded
    ):
        return Unavailable(line)
    return BadRequest(line)


def _wav(audio: Audio) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
