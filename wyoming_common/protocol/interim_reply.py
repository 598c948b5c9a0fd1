"""Interim reply: the beginning of a reply, and its sound, before it is certain what was asked.

Additions to the Wyoming protocol. The conversation service sends `handled-tentative` to clients
that ask for it by `transcript-tentative` with the context {"tentative": true}; a client passes the
text on by `synthesize-tentative` to text-to-speech, which begins to synthesise it. Nothing of it is
heard unless the `transcript` that follows has the same words. Other programs ignore both.
"""

from dataclasses import dataclass
from typing import Any, Final

from wyoming.event import Event, Eventable

WANTS_INTERIM_REPLY: Final = "tentative"
"""Key in the context of `transcript-tentative` that asks for the event."""
_REPLY: Final = "handled-tentative"
_SPEECH: Final = "synthesize-tentative"


@dataclass(frozen=True, slots=True)
class InterimReply(Eventable):
    """The beginning of the reply, if `transcript` is all that is asked."""

    transcript: str
    text: str
    """The reply so far, from its beginning."""
    whole: bool = False
    """Whether nothing follows."""

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _REPLY

    def event(self) -> Event:
        data = {"transcript": self.transcript, "text": self.text, "whole": self.whole}
        return Event(_REPLY, data)

    @staticmethod
    def from_event(event: Event) -> "InterimReply":
        data = event.data
        return InterimReply(data["transcript"], data["text"], bool(data.get("whole")))


@dataclass(frozen=True, slots=True)
class InterimSpeech(Eventable):
    """The text that will probably be spoken. An empty text takes it back."""

    text: str
    """The beginning of the text, each time from its start."""
    whole: bool = False
    """Whether nothing follows."""
    voice: dict[str, Any] | None = None
    """As in `synthesize`."""

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _SPEECH

    def event(self) -> Event:
        data: dict[str, Any] = {"text": self.text, "whole": self.whole}
        if self.voice is not None:
            data["voice"] = self.voice
        return Event(_SPEECH, data)

    @staticmethod
    def from_event(event: Event) -> "InterimSpeech":
        data = event.data
        return InterimSpeech(data["text"], bool(data.get("whole")), data.get("voice"))
