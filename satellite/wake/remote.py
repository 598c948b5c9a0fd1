"""A Wyoming wake word service in place of an engine of our own."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Self

from wyoming.audio import AudioChunk, AudioStart
from wyoming.wake import Detect, Detection

from satellite.link import Link, check_uri
from wyoming_common.audio import MODEL_RATE
from wyoming_common.errors import ServiceError

_LOGGER = logging.getLogger(__name__)

_MOST_WAITING = 200
"""Frames of 10 ms that wait for a slow line; the oldest are dropped."""
_SECONDS = 5.0
_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0)


class RemoteWakeWords:
    """Streams the microphone to the service, and comes back to it when it goes away.

    `words` empty lets the service choose. Runs inside its `async with` block.
    """

    frame_samples = 160
    lag_seconds = 0.25

    def __init__(self, uri: str, words: Sequence[str], tls: ssl.SSLContext | None = None) -> None:
        check_uri("wake-uri", uri)
        self._tls = tls
        self._uri = uri
        self._words = list(words)
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._any = asyncio.Event()
        self._heard: deque[str] = deque(maxlen=1)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def scores(self) -> Mapping[str, float]:
        """Empty: services report words, not scores."""
        return {}

    def process(self, frame: bytes) -> str | None:
        """Queue a frame; return the word that the service has reported, if it has."""
        self._waiting.append(frame)
        self._any.set()
        return self._heard.popleft() if self._heard else None

    def reset(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        self._heard.clear()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                async with Link("wake word", self._uri, _SECONDS, self._tls) as link:
                    failures = 0
                    await self._listen(link)
            except ServiceError as err:
                pause = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)]
                failures += 1
                _LOGGER.warning("%s; again in %g s", err, pause)
                await asyncio.sleep(pause)

    async def _listen(self, link: Link) -> None:
        await link.send(Detect(names=self._words or None).event(), _SECONDS)
        await link.send(AudioStart(MODEL_RATE, 2, 1).event(), _SECONDS)
        sending = asyncio.create_task(self._send(link))
        try:
            while True:
                event = await link.receive(None, "wake word")
                if Detection.is_type(event.type):
                    self._heard.append(Detection.from_event(event).name or "wake")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, link: Link) -> None:
        sent = 0
        while True:
            await self._any.wait()
            self._any.clear()
            pcm = b"".join(self._waiting)
            self._waiting.clear()
            milliseconds = sent * 1000 // MODEL_RATE
            chunk = AudioChunk(MODEL_RATE, 2, 1, pcm, timestamp=milliseconds)
            sent += len(pcm) // 2
            await link.send(chunk.event(), _SECONDS)
