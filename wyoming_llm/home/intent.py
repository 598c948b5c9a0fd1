"""Results of recognition: a command with its targets, an answer, a question back, a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wyoming_common.home_assistant.home import Entity


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do with one entity, or with none (timers)."""

    intent: str
    """Home Assistant's name of it; DOMAIN.SERVICE for a service"""
    target: Entity | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    deed: str = ""
    """The name that people have for it: on, off, open, unlock, set, louder, ..."""
    value: str = ""
    """The value that is set, as it is said"""
    kind: str = ""
    """The kind of the target, where things of other kinds have its name"""

    @property
    def called(self) -> str:
        """The name of the target as it is said, "" without a target."""
        if self.target is None:
            return ""
        return f"{self.target.name} ({self.kind})" if self.kind else self.target.name

    @property
    def is_service(self) -> bool:
        """Whether it is a service call and not an intent."""
        return "." in self.intent


@dataclass(frozen=True, slots=True)
class Command:
    """Actions to perform, every target resolved."""

    actions: tuple[Action, ...]
    language: str = "en"
    response: str = ""
    """Template of Home Assistant's for what is said; "" where our own words say it"""
    words: Mapping[str, Any] = field(default_factory=dict)
    """The slots as they were said, for the response"""
    guessed: bool = False
    """Whether a model chose it"""
    delayed: tuple[Action, ...] = ()
    """Actions that a timer performs at its end"""


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers to a question back."""

    names: tuple[str, ...]
    command: Command


@dataclass(frozen=True, slots=True)
class Question:
    """A question back: which of several things is meant."""

    text: str
    options: tuple[Option, ...]
    every: Command | None = None
    """The command of the answer "all of them"."""
    is_yes_or_no: bool = False
    """Whether a yes is an answer, and means `every`"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question, found in the states."""

    text: str
    about: tuple[str, ...] = ()
    """Ids of the entities that it is about: "it" in the next turn"""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A question that a service of Home Assistant answers."""

    service: str
    targets: tuple[Entity, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    day: int | None = None
    """Days from today that are asked for, None for any"""
    about: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for which nothing is done."""

    text: str


Result = Command | Question | Answer | Lookup | Refusal
