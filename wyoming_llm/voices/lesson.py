"""State machine of a voice lesson: a conversation by which a voice is learned, or forgotten.

    NAME --name--> BEGINNING --known--> REPLACING --yes--> SENTENCES --five--> SAVING --> over
                             --ready----------------------^
    FORGETTING --yes--> DELETING --> over

No clock, no I/O. An input is what the person says, or the result of a step that speech-to-text has
carried out; each returns the next step to ask of it, or the line to say. Every line but the last is
a question, so that the satellite listens on.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from wyoming_common.protocol.learn_voice import LessonState, LessonStep, VoiceLearning
from wyoming_llm.home.confirmation import Reply

SENTENCES: Final = 5
"""Samples that make a profile"""
_MAX_TRIES: Final = 2
"""Times that a name or one sentence is asked for"""


class Phase(Enum):
    """The input that a lesson waits for."""

    NAME = auto()
    BEGINNING = auto()
    REPLACING = auto()
    SENTENCES = auto()
    TAKING = auto()
    SAVING = auto()
    FORGETTING = auto()
    DELETING = auto()
    OVER = auto()


_LAST_LINES: Final = {
    (Phase.TAKING, LessonState.NOT_THEIRS): "not_theirs",
    (Phase.SAVING, LessonState.NOT_THEIRS): "not_theirs",
    (Phase.SAVING, LessonState.SEVERAL): "several",
    (Phase.SAVING, LessonState.LIKE_ANOTHER): "like_another",
    (Phase.SAVING, LessonState.UNCLEAR): "unclear",
    (Phase.SAVING, LessonState.SAVED): "learned",
    (Phase.DELETING, LessonState.FORGOTTEN): "forgotten",
    (Phase.DELETING, LessonState.UNKNOWN): "unknown",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """Have speech-to-text carry out a step."""

    step: LessonStep
    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Say a line; `over` is the last one."""

    key: str
    name: str = ""
    question: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the person, as far as a lesson is concerned."""

    text: str
    name: str = ""
    """The name in them, "" for none"""
    reply: Reply = Reply.OTHER
    leaves: bool = False
    """Whether they end the lesson: a cancel, a command, another language, silence"""
    speaker: str = ""
    """The person of the household who says them, "" for a guest"""


class VoiceLesson:
    """One lesson. `reserved` are names that are learned elsewhere, in lower case."""

    def __init__(self, reserved: Collection[str] = ()) -> None:
        self._reserved = reserved
        self._name = ""
        self._taken = 0
        self._tries = 0
        self.phase = Phase.NAME

    def learn(self, name: str) -> Ask | Line:
        """Begin to learn a voice; "" is no name yet."""
        return self._begin(name) if name else Line("name")

    def forget(self, speaker: str) -> Line:
        """Begin to forget the voice of the person who asks for it."""
        if not speaker:
            return self._over("unknown")
        self._name, self.phase = speaker, Phase.FORGETTING
        return Line("forget", speaker)

    def heard(self, said: Said) -> Ask | Line:
        """Take what the person says next."""
        match self.phase:
            case Phase.FORGETTING:
                return self._forgetting(said)
            case _ if said.leaves:
                return self._over("stopped")
            case Phase.NAME:
                return self._begin(said.name) if said.name else self._name_again()
            case Phase.REPLACING if said.reply is Reply.YES:
                return self._first_question()
            case Phase.SENTENCES:
                self.phase = Phase.TAKING
                return Ask(LessonStep.SAMPLE, self._name, said.text)
            case _:
                return self._over("kept")

    def told(self, result: VoiceLearning) -> Ask | Line:
        """Take the result of the step that was asked for."""
        if self.phase is Phase.BEGINNING:
            return self._begun(result)
        if (last := _LAST_LINES.get((self.phase, result.state))) is not None:
            return self._over(last, result.name)
        match self.phase, result.state:
            case Phase.TAKING, LessonState.TAKEN:
                return self._next_question()
            case Phase.TAKING, LessonState.UNCLEAR:
                return self._question_again()
            case _:
                return self._over("unavailable")

    def _begun(self, result: VoiceLearning) -> Line:
        match result.state:
            case LessonState.READY if result.name.casefold() in self._reserved:
                return self._over("reserved", result.name)
            case LessonState.READY:
                self._name = result.name
                return self._first_question()
            case LessonState.KNOWN:
                self._name, self.phase = result.name, Phase.REPLACING
                return Line("replace", self._name)
            case LessonState.BAD_NAME:
                self.phase = Phase.NAME
                return self._name_again()
            case _:
                return self._over("unavailable")

    def _begin(self, name: str) -> Ask:
        self._name, self.phase = name, Phase.BEGINNING
        return Ask(LessonStep.BEGIN, name)

    def _name_again(self) -> Line:
        self._tries += 1
        return Line("name_again") if self._tries < _MAX_TRIES else self._over("no_name")

    def _first_question(self) -> Line:
        self._tries = 0
        self.phase = Phase.SENTENCES
        return Line("begin", self._name)

    def _next_question(self) -> Ask | Line:
        self._taken += 1
        self._tries = 0
        if self._taken == SENTENCES:
            self.phase = Phase.SAVING
            return Ask(LessonStep.SAVE, self._name)
        self.phase = Phase.SENTENCES
        return Line("next", self._name, self._taken)

    def _question_again(self) -> Line:
        self._tries += 1
        if self._tries == _MAX_TRIES:
            return self._over("unclear")
        self.phase = Phase.SENTENCES
        return Line("again", self._name, self._taken)

    def _forgetting(self, said: Said) -> Ask | Line:
        # A bare "yes" is too short to be recognised; that of another person does not count.
        theirs = said.speaker.casefold() in ("", self._name.casefold())
        if said.leaves or said.reply is not Reply.YES or not theirs:
            return self._over("kept")
        self.phase = Phase.DELETING
        return Ask(LessonStep.FORGET, self._name)

    def _over(self, key: str, name: str = "") -> Line:
        self.phase = Phase.OVER
        return Line(key, name or self._name, over=True)
