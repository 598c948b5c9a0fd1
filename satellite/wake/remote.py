"""Wake word engine that is a Wyoming service."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Self

from wyoming.audio import AudioChunk, AudioStart
from wyoming.wake import Detect, Detection

from satellite.wyoming.link import Link, check_uri
from wyoming_common.audio.pcm import MODEL_RATE
from wyoming_common.backoff import Backoff
from wyoming_common.errors import ServiceError

_LOGGER = logging.getLogger(__name__)

_MAX_WAITING_FRAMES = 200
"""Frames of 10 ms that wait for a slow connection; the oldest are dropped."""
_TIMEOUT_SECONDS = 5.0
_MAX_RETRY_SECONDS = 10.0


class RemoteWakeWords:
    """Streams the microphone to the service, and reconnects when it goes away.

    Without `words` the service chooses. Runs inside its `async with` block.
    """

    frame_samples = 160
    lag_seconds = 0.25

    def __init__(self, uri: str, words: Sequence[str], tls: ssl.SSLContext | None = None) -> None:
        check_uri("wake-uri", uri)
        self._tls = tls
        self._uri = uri
        self._words = list(words)
        self._waiting: deque[bytes] = deque(maxlen=_MAX_WAITING_FRAMES)
        self._any_waiting = asyncio.Event()
        self._detected: deque[str] = deque(maxlen=1)

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

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Empty, as `scores`."""
        return {}

    def process(self, frame: bytes) -> str | None:
        """Queue a frame; return the word that the service has reported, or None."""
        self._waiting.append(frame)
        self._any_waiting.set()
        return self._detected.popleft() if self._detected else None

    def reset(self) -> None:
        """Forget the frames that wait."""
        self._waiting.clear()
        self._detected.clear()

    async def _run(self) -> None:
        backoff = Backoff(max_seconds=_MAX_RETRY_SECONDS)
        while True:
            try:
                async with Link("wake word", self._uri, _TIMEOUT_SECONDS, self._tls) as link:
                    backoff.reset()
                    await self._listen(link)
            except ServiceError as err:
                pause = backoff.next()
                _LOGGER.warning("%s; next attempt in %g s", err, pause)
                await asyncio.sleep(pause)

    async def _listen(self, link: Link) -> None:
        await link.send(Detect(names=self._words or None).event(), _TIMEOUT_SECONDS)
        await link.send(AudioStart(MODEL_RATE, 2, 1).event(), _TIMEOUT_SECONDS)
        sending = asyncio.create_task(self._send(link))
        try:
            while True:
                event = await link.receive(None, "wake word")
                if Detection.is_type(event.type):
                    self._detected.append(Detection.from_event(event).name or "wake")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, link: Link) -> None:
        sent = 0
        while True:
            await self._any_waiting.wait()
            self._any_waiting.clear()
            pcm = b"".join(self._waiting)
            self._waiting.clear()
            milliseconds = sent * 1000 // MODEL_RATE
            chunk = AudioChunk(MODEL_RATE, 2, 1, pcm, timestamp=milliseconds)
            sent += len(pcm) // 2
            await link.send(chunk.event(), _TIMEOUT_SECONDS)
