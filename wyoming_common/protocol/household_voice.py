"""The voice of a wake word: an addition to the Wyoming protocol.

A satellite asks speech-to-text by `household-voice`, whose payload is the sound, whether a person
of the household speaks in it, and is answered with `household-voice-found`.
"""

from dataclasses import dataclass
from typing import Final

from wyoming.event import Event, Eventable

_QUESTION: Final = "household-voice"
_ANSWER: Final = "household-voice-found"
MAX_VOICE_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class HouseholdVoice(Eventable):
    """The question; `pcm` is mono s16le at 16 kHz, at most four seconds."""

    pcm: bytes

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _QUESTION

    def event(self) -> Event:
        return Event(_QUESTION, payload=self.pcm)

    @staticmethod
    def from_event(event: Event) -> "HouseholdVoice":
        return HouseholdVoice(event.payload or b"")


@dataclass(frozen=True, slots=True)
class HouseholdVoiceFound(Eventable):
    """The answer; None without voice profiles."""

    found: bool | None

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _ANSWER

    def event(self) -> Event:
        return Event(_ANSWER, {"found": self.found})

    @staticmethod
    def from_event(event: Event) -> "HouseholdVoiceFound":
        found = event.data.get("found")
        return HouseholdVoiceFound(found if isinstance(found, bool) else None)
