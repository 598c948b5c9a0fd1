"""Any OpenAI-compatible speech server: POST /audio/speech, PCM streamed back."""

from collections.abc import Iterator, Sequence

import httpx2
import numpy as np

from wyoming_common.errors import BadRequest, ConfigError, ServiceError, TimedOut, Unavailable
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase, Voice

_RATE = 24_000
"""Hz; what `response_format: pcm` means, mono s16le.
https://platform.openai.com/docs/api-reference/audio/createSpeech"""
_VOICES = "alloy,ash,ballad,coral,echo,fable,nova,onyx,sage,shimmer,verse"
_LANGUAGES = ("en_US", "de_DE", "es_ES", "fr_FR", "it_IT", "ja_JP", "nl_NL", "pl_PL", "pt_BR",
              "ru_RU", "zh_CN")  # fmt: skip
_MODEL = "tts-1"
_TIMEOUT = httpx2.Timeout(60.0, connect=5.0)


class OpenAiEngine:
    """`--base-url`, `--model`, `--api-key`; `--voice` names one or, by commas, several."""

    def __init__(self, settings: TtsSettings) -> None:
        if not settings.base_url:
            raise ConfigError("base-url: the openai engine needs one, e.g. http://HOST:8880/v1")
        self._settings = settings
        self._names = [name.strip() for name in (settings.voice or _VOICES).split(",")]
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        self._client = httpx2.Client(headers=headers, timeout=_TIMEOUT)

    @property
    def default(self) -> str:
        return self._names[0]

    def voices(self) -> Sequence[Voice]:
        url = self._settings.base_url
        return [Voice(name, _LANGUAGES, attribution="openai", url=url) for name in self._names]

    def identity(self, voice: str) -> str:
        return f"{self._settings.base_url} {voice}"

    def fetch(self, voice: str) -> None:
        """Do nothing: voices are where the server is."""

    def sample_rate(self, voice: str) -> int:  # noqa: ARG002 - they all have the same
        return _RATE

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        """Raises Unavailable, TimedOut, or ServiceError with the server's own words."""
        request = {
            "model": self._settings.model or _MODEL,
            "input": phrase.text,
            "voice": phrase.voice,
            "response_format": "pcm",
            "speed": min(max(1 / phrase.length, 0.25), 4.0),
            "stream_format": "audio",
        }
        url = f"{self._settings.base_url.rstrip('/')}/audio/speech"
        try:
            with self._client.stream("POST", url, json=request) as response:
                if response.status_code >= 400:
                    response.read()
                    raise _refused(response)
                yield from _samples(response.iter_bytes(), phrase.volume)
        except httpx2.TimeoutException as err:
            raise TimedOut(f"{url}: no answer in time") from err
        except (httpx2.HTTPError, httpx2.InvalidURL) as err:
            raise Unavailable(f"{url}: {str(err) or type(err).__name__}") from err

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()


def _refused(response: httpx2.Response) -> ServiceError:
    said = " ".join(response.text.split())[:200] or response.reason_phrase
    kind = BadRequest if response.status_code in (400, 404, 422) else Unavailable
    return kind(f"{response.url} answered {response.status_code}: {said}")


def _samples(pieces: Iterator[bytes], volume: float) -> Iterator[bytes]:
    """Yield whole samples, times `volume`."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        rest = data[len(data) & ~1 :]
        data = data[: len(data) & ~1]
        if volume != 1.0:
            loud = np.frombuffer(data, "<i2").astype(np.float32) * volume
            data = np.clip(loud, -32768, 32767).astype("<i2").tobytes()
        if data:
            yield data
