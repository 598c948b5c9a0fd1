"""Second stage at the wake word: speech-to-text tells whether the voice is of the household."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Final, Protocol, Self

from satellite.wyoming.link import Link, check_uri
from wyoming_common.errors import ServiceError
from wyoming_common.protocol.household_voice import HouseholdVoice, HouseholdVoiceFound

_LOGGER = logging.getLogger(__name__)

WAKE_VOICE_SECONDS: Final = 1.0
"""Sound up to the report of a wake word in which the voice is looked for"""
MAX_ANSWER_SECONDS: Final = 0.4
"""Time after which a wake word counts without an answer"""


class WakeVoices(Protocol):
    """Judges the voices of wake words."""

    def judge(self, pcm: bytes, then: Callable[[bool], None]) -> None:
        """Call `then` soon with whether the voice in mono s16le PCM at 16 kHz may wake."""
        ...


class RemoteWakeVoices:
    """Asks the speech-to-text service at `uri`, for each wake word; an async context.

    A voice may wake unless the service says that it is a stranger's: without voice profiles, and
    while the service is away or slow, everyone's may.
    """

    def __init__(
        self,
        uri: str,
        tls: ssl.SSLContext | None = None,
        seconds: float = MAX_ANSWER_SECONDS,
    ) -> None:
        check_uri("wake-voices", uri)
        self._uri = uri
        self._tls = tls
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def judge(self, pcm: bytes, then: Callable[[bool], None]) -> None:
        """Ask, and forget the question before."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._judge(pcm, then))

    async def _judge(self, pcm: bytes, then: Callable[[bool], None]) -> None:
        found: bool | None = None
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._ask(pcm)
        except (ServiceError, TimeoutError) as err:
            _LOGGER.warning("The voice of a wake word is not known: %s", str(err) or "no answer")
        then(found is not False)

    async def _ask(self, pcm: bytes) -> bool | None:
        async with Link(
            "speech-to-text --wake-voices", self._uri, self._seconds, self._tls
        ) as link:
            await link.send(HouseholdVoice(pcm).event(), self._seconds)
            while True:
                event = await link.receive(self._seconds, "voice")
                if HouseholdVoiceFound.is_type(event.type):
                    return HouseholdVoiceFound.from_event(event).found
