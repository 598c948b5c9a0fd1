"""Interim transcript: the text at a pause that may or may not be the end of an utterance.

An addition to the Wyoming protocol. Speech-to-text sends it to clients that ask for it by
`transcribe` with the context {"tentative": true}; a client passes it on to the conversation
service, which begins a speculative reply. Other programs ignore the event.
"""

from dataclasses import dataclass
from typing import Any, Final

from wyoming.event import Event, Eventable

WANTS_INTERIM: Final = "tentative"
"""Key in the context of `transcribe` that asks for the event."""
_TYPE: Final = "transcript-tentative"


@dataclass(frozen=True, slots=True)
class InterimTranscript(Eventable):
    """The text so far, "" when speech goes on. A `transcript` follows in any case."""

    text: str
    language: str | None = None
    context: dict[str, Any] | None = None

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _TYPE

    def event(self) -> Event:
        data: dict[str, Any] = {"text": self.text}
        if self.language is not None:
            data["language"] = self.language
        if self.context is not None:
            data["context"] = self.context
        return Event(_TYPE, data)

    @staticmethod
    def from_event(event: Event) -> "InterimTranscript":
        data = event.data
        return InterimTranscript(data["text"], data.get("language"), data.get("context"))
