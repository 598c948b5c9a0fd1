"""Voice lessons: the conversation service has speech-to-text learn a voice, or forget one.

Additions to the Wyoming protocol. `learn-voice` names a step of a lesson, and is answered with
`voice-learning`. A lesson is known by an id that the asker has chosen; speech-to-text ends it by
itself when no step comes. Each sample is the voice of an utterance that was transcribed since the
lesson began, named by its transcript: no audio is sent.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wyoming.event import Event, Eventable

_QUESTION: Final = "learn-voice"
_ANSWER: Final = "voice-learning"


class LessonStep(StrEnum):
    """A step of a lesson."""

    BEGIN = "begin"
    """Begin to learn the voice of `name`."""
    SAMPLE = "sample"
    """Take the voice that said `text`."""
    SAVE = "save"
    """Make the profile of the samples."""
    END = "end"
    """Drop the lesson."""
    FORGET = "forget"
    """Delete the profile of `name`; needs no lesson."""


class LessonState(StrEnum):
    """Result of a step."""

    READY = "ready"
    """Samples may come."""
    KNOWN = "known"
    """Samples may come, and `name` has a profile, which only the same voice may replace."""
    BAD_NAME = "bad-name"
    TAKEN = "taken"
    """The sample counts."""
    UNCLEAR = "unclear"
    """Too little speech, too soft or clipped, or it cannot be told who said the text."""
    NOT_THEIRS = "not-theirs"
    """`name` has a profile of another voice."""
    SEVERAL = "several"
    """The samples are of several people."""
    LIKE_ANOTHER = "like-another"
    """The voice is too like that of the profile of `name`, another person."""
    SAVED = "saved"
    FORGOTTEN = "forgotten"
    UNKNOWN = "unknown"
    """There is no such profile."""
    ENDED = "ended"
    """There is no such lesson, or no longer."""
    UNAVAILABLE = "unavailable"
    """Voices cannot be learned: no model, or no folder that can be written."""


@dataclass(frozen=True, slots=True)
class LearnVoice(Eventable):
    """A step of the lesson with an id."""

    step: LessonStep
    lesson: str = ""
    name: str = ""
    text: str = ""

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _QUESTION

    def event(self) -> Event:
        return Event(
            _QUESTION,
            {"step": self.step, "lesson": self.lesson, "name": self.name, "text": self.text},
        )

    @staticmethod
    def from_event(event: Event) -> "LearnVoice":
        data = event.data
        return LearnVoice(
            LessonStep(data["step"]),
            data.get("lesson") or "",
            data.get("name") or "",
            data.get("text") or "",
        )


@dataclass(frozen=True, slots=True)
class VoiceLearning(Eventable):
    """The result of a step, and the name that is meant."""

    state: LessonState
    name: str = ""

    @staticmethod
    def is_type(event_type: str) -> bool:
        return event_type == _ANSWER

    def event(self) -> Event:
        return Event(_ANSWER, {"state": self.state, "name": self.name})

    @staticmethod
    def from_event(event: Event) -> "VoiceLearning":
        return VoiceLearning(LessonState(event.data["state"]), event.data.get("name") or "")
