"""The speaker of a turn: what the client says, or speech-to-text is asked.

Defends against T10 of docs/threat-model.md.
"""

import logging
from typing import Any, Final, Protocol

from wyoming_common.protocol.spoken_by import GUEST, SPEAKER, SpokenBy, WhoSpoke
from wyoming_llm.dialogue.speech_to_text import FAILURES, ask

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


def _person(name: object) -> str:
    known = isinstance(name, str) and name != GUEST and len(name) <= _MAX_NAME_CHARACTERS
    return str(name) if known else ""


def speakers_of(uri: str) -> Speakers:
    """Return how the setting `speech_to_text` tells speakers."""
    return AskedSpeakers(uri) if uri else ClaimedSpeakers()
