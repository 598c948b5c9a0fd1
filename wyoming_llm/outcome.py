"""What a turn comes to."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Say:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Fail:
    """The turn ends without success; `text` says so to a person."""

    text: str


@dataclass(frozen=True, slots=True)
class Intent:
    """The client shall do this."""

    name: str
    slots: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    """What it says then, a template of Home Assistant's"""


Outcome = Say | Fail | Intent
