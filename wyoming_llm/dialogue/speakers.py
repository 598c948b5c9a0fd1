"""The speaker of a turn: what the client says, or speech-to-text is asked.

Defends against T10 of docs/threat-model.md.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from math import inf
from typing import Any, Final, Protocol

from wyoming_common.discovery.apps import AppsBeside
from wyoming_common.protocol.spoken_by import GUEST, SPEAKER, SpokenBy, WhoSpoke
from wyoming_llm.dialogue.speech_to_text import FAILURES, SPEECH_TO_TEXT, ask

_LOGGER = logging.getLogger(__name__)

_MAX_SECONDS: Final = 0.5
_MAX_NAME_CHARACTERS: Final = 64
_SEARCH_INTERVAL_SECONDS: Final = 60.0
_MAX_SEARCH_SECONDS: Final = 0.1
"""Time that a turn waits for a search, which goes on without it"""


class Speakers(Protocol):
    """Tells who speaks."""

    async def of(self, text: str, context: dict[str, Any], *, last: bool) -> str:
        """Return the person who said a text, "" for a guest, or where that is not known.

        `last`: the text is acted on now, and the next turn with the same words is another one.
        """
        ...


class ClaimedSpeakers:
    """Takes the speaker from the context of the client."""

    async def of(self, text: str, context: dict[str, Any], *, last: bool) -> str:  # noqa: ARG002
        return _person(context.get(SPEAKER))


class AskedSpeakers:
    """Asks the speech-to-text service at `uri`, and ignores what clients say."""

    def __init__(self, uri: str, seconds: float = _MAX_SECONDS) -> None:
        self._uri = uri
        self._seconds = seconds

    async def of(self, text: str, context: dict[str, Any], *, last: bool) -> str:  # noqa: ARG002
        question = WhoSpoke(text, last).event()
        try:
            answer = await ask(self._uri, question, SpokenBy.is_type, self._seconds)
            return _person(answer.data.get(SPEAKER))
        except FAILURES as err:
            _LOGGER.warning(
                "Speech-to-text at %s could not be asked who spoke: %s",
                self._uri,
                str(err) or "no answer",
            )
            return ""


class FoundSpeakers:
    """Asks the speech-to-text app beside this one, once it has been found.

    Until then clients are believed, as where no speech-to-text service is known; afterwards they
    are not, also while the app does not run.
    """

    def __init__(self, apps: AppsBeside, clock: Callable[[], float] = time.monotonic) -> None:
        self._apps = apps
        self._clock = clock
        self._was_found = False
        self._search: asyncio.Task[None] | None = None
        self._search_at = -inf

    async def of(self, text: str, context: dict[str, Any], *, last: bool) -> str:
        """Return the person who said a text, "" for a guest, or where that is not known."""
        if not self._was_found:
            await self._look()
        if not self._was_found:
            return await ClaimedSpeakers().of(text, context, last=last)
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                uri = await self._apps.uri(SPEECH_TO_TEXT)
        except TimeoutError:
            uri = ""
        return await AskedSpeakers(uri).of(text, context, last=last) if uri else ""

    async def _look(self) -> None:
        """Search now and then, and wait a little for it."""
        if self._clock() >= self._search_at:
            self._search_at = self._clock() + _SEARCH_INTERVAL_SECONDS
            self._search = asyncio.create_task(self._find())
            await asyncio.wait([self._search], timeout=_MAX_SEARCH_SECONDS)

    async def _find(self) -> None:
        self._was_found = bool(await self._apps.uri(SPEECH_TO_TEXT))


def _person(name: object) -> str:
    known = isinstance(name, str) and name != GUEST and len(name) <= _MAX_NAME_CHARACTERS
    return str(name) if known else ""


def speakers_of(uri: str, apps: AppsBeside | None = None) -> Speakers:
    """Return how the setting `speech_to_text`, or else an app beside this one, tells speakers."""
    if uri:
        return AskedSpeakers(uri)
    if apps is not None and apps.may_have(SPEECH_TO_TEXT):
        return FoundSpeakers(apps)
    return ClaimedSpeakers()
