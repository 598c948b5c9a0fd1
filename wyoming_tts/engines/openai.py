"""OpenAI engine: a server with OpenAI's speech API, whose PCM or WAV is streamed."""

from collections.abc import Iterator, Sequence

import numpy as np

from wyoming_common.errors import ConfigError
from wyoming_common.http.openai_client import OpenAiClient
from wyoming_tts.config import TtsSettings
from wyoming_tts.engine import Phrase, Voice
from wyoming_tts.synthesis.audio_stream import decoded

_RATE = 24_000
"""Hz; `response_format: pcm` is mono s16le at this rate.
https://platform.openai.com/docs/api-reference/audio/createSpeech"""
_VOICES = "alloy,ash,ballad,coral,echo,fable,nova,onyx,sage,shimmer,verse"
_LANGUAGES = ("en_US", "de_DE", "es_ES", "fr_FR", "it_IT", "ja_JP", "nl_NL", "pl_PL", "pt_BR",
              "ru_RU", "zh_CN")  # fmt: skip
_MODEL = "tts-1"
_MAX_SILENCE_SECONDS = 60.0


class OpenAiEngine:
    """`--base-url`, `--model`, `--api-key`; `--voice` names one or, by commas, several."""

    def __init__(self, settings: TtsSettings) -> None:
        if not settings.base_url:
            raise ConfigError("base-url: the openai engine needs one, e.g. http://HOST:8880/v1")
        self._settings = settings
        self._names = [name.strip() for name in (settings.voice or _VOICES).split(",")]
        self._server = OpenAiClient(settings.base_url, settings.api_key, _MAX_SILENCE_SECONDS)

    def load(self) -> None:
        """Do nothing: the model is where the server is."""

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

    def can_open(self, voice: str) -> bool:  # noqa: ARG002
        return False

    def synthesize(self, phrase: Phrase) -> Iterator[bytes]:
        """Raises Unavailable, TimedOut, or BadRequest with the server's own words."""
        request = {
            "model": self._settings.model or _MODEL,
            "input": phrase.text,
            "voice": phrase.voice,
            "response_format": "pcm",
            "speed": min(max(1 / phrase.length, 0.25), 4.0),
            "stream_format": "audio",
        }
        with self._server.post("audio/speech", json=request) as response:
            content_type = response.headers.get("Content-Type", "")
            audio = decoded(response.pieces(), content_type, _RATE, _RATE, response.url)
            yield from audio if phrase.volume == 1.0 else _scaled(audio, phrase.volume)

    def close(self) -> None:
        """Close the connections to the server."""
        self._server.close()


def _scaled(pieces: Iterator[bytes], volume: float) -> Iterator[bytes]:
    """Yield s16le samples times `volume`."""
    for piece in pieces:
        loud = np.frombuffer(piece, "<i2").astype(np.float32) * volume
        yield np.clip(loud, -32768, 32767).astype("<i2").tobytes()
