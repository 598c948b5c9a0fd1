"""What a person may have said: a transcript at a pause that need not be the end.

An addition to the Wyoming protocol. Speech-to-text sends it to clients that ask for it by
`transcribe` with the context {"tentative": true}; a client passes it on to the conversation
service, which begins its reply in secret. Whatever does not know the event ignores it.
"""

from dataclasses import dataclass
from typing import Any, Final

from wyoming.event import Event, Eventable

TENTATIVE: Final = "tentative"
"""The key in the context of `transcribe`"""
_TYPE: Final = "transcript-tentative"


@dataclass(frozen=True, slots=True)
class Tentative(Eventable):
    """All that was said so far; "" when the person goes on. `transcript` follows in any case."""

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
    def from_event(event: Event) -> "Tentative":
        data = event.data
        return Tentative(data["text"], data.get("language"), data.get("context"))
