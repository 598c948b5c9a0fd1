"""The speaker of a turn: what the client says, or speech-to-text is asked.

Defends against T10 of docs/threat-model.md.
"""

import asyncio
import logging
from typing import Any, Final, Protocol

from wyoming.event import async_read_event, async_write_event

from wyoming_common.errors import ServiceError
from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import GuardedReader
from wyoming_common.protocol.spoken_by import GUEST, SPEAKER, SpokenBy, WhoSpoke

_LOGGER = logging.getLogger(__name__)

_MAX_SECONDS: Final = 0.5
_MAX_NAME_CHARACTERS: Final = 64


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
        try:
            async with asyncio.timeout(self._seconds):
                return _person(await self._ask(text, last=last))
        except (OSError, ServiceError, TimeoutError, asyncio.IncompleteReadError) as err:
            _LOGGER.warning(
                "Speech-to-text at %s could not be asked who spoke: %s",
                self._uri,
                str(err) or "no answer",
            )
            return ""

    async def _ask(self, text: str, *, last: bool) -> object:
        scheme, _, place = self._uri.partition("://")
        if scheme == "unix":
            source, writer = await asyncio.open_unix_connection(place)
        else:
            host, _, port = place.rpartition(":")
            source, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        try:
            reader = GuardedReader(source, Limits())
            await async_write_event(WhoSpoke(text, last).event(), writer)
            while (event := await async_read_event(reader)) is not None:
                if SpokenBy.is_type(event.type):
                    return event.data.get(SPEAKER)
            return None
        finally:
            writer.close()


def _person(name: object) -> str:
    known = isinstance(name, str) and name != GUEST and len(name) <= _MAX_NAME_CHARACTERS
    return str(name) if known else ""


def speakers_of(uri: str) -> Speakers:
    """Return how the setting `speech_to_text` tells speakers."""
    return AskedSpeakers(uri) if uri else ClaimedSpeakers()
