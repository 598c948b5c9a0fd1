"""Outcomes of a turn."""

from dataclasses import dataclass, field
from typing import Any

from wyoming_llm.engine import Prompt


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Fail:
    """End of a turn without success, with an apology for the user."""

    text: str


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent that the client is asked to execute."""

    name: str
    slots: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    """Template of the response, in Home Assistant's syntax"""


Outcome = Say | Fail | Intent


@dataclass(frozen=True, slots=True)
class Foresight:
    """The probable outcome of a turn, found without doing, asking or remembering anything."""

    talk: bool = False
    """Whether it is nothing to do with the home, so that the model replies"""
    says: str = ""
    """The answer if everything goes as expected, "" where that is not known"""
    choice: Prompt | None = None
    """The prompt by which the model will choose an action of the home"""
