"""Speakers: the person who said a transcript, as speech-to-text recognised the voice.

Additions to the Wyoming protocol. `transcript` and `transcript-tentative` carry the speaker in
their context where there are voice profiles. Home Assistant does not pass it on: the conversation
service may ask speech-to-text by `who-spoke`, which is answered with `spoken-by`.
"""

from dataclasses import dataclass
from typing import Final

from wyoming.event import Event, Eventable

SPEAKER: Final = "speaker"
"""Key in the context of a transcript: name of a voice profile, or GUEST."""
GUEST: Final = "guest"
"""Name of a speaker whom no profile fits"""
_QUESTION: Final = "who-spoke"
_ANSWER: Final = "spoken-by"


@dataclass(frozen=True, slots=True)
class WhoSpoke(Eventable):
    """Question for the speaker of a text that was transcribed within the last half minute."""

    text: str
    last: bool = False
    """Whether the text is acted on now: it is forgotten with the answer."""

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _QUESTION

    def event(self) -> Event:
        return Event(_QUESTION, {"text": self.text, "last": self.last})

    @staticmethod
    def from_event(event: Event) -> "WhoSpoke":
        return WhoSpoke(event.data["text"], event.data.get("last") is True)


@dataclass(frozen=True, slots=True)
class SpokenBy(Eventable):
    """The answer: a speaker, None for another text, or without profiles."""

    speaker: str | None

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _ANSWER

    def event(self) -> Event:
        return Event(_ANSWER, {SPEAKER: self.speaker})

    @staticmethod
    def from_event(event: Event) -> "SpokenBy":
        return SpokenBy(event.data.get(SPEAKER))
