"""What a text asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Understood:
    """An intent, its slots, and how its success is said."""

    intent: str
    slots: Mapping[str, Any] = field(default_factory=dict)
    response: str = ""
    """Template of Home Assistant's"""
    language: str = "en"
    refusal: str = ""
    """What is said instead, when it names something that does not exist"""
    words: Mapping[str, Any] = field(default_factory=dict)
    """The slots as they were said, for the response"""
    guessed: bool = False
    """Whether a model chose it"""
