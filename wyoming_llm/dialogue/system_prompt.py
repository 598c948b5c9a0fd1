"""System prompt, rendered for each conversation."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from wyoming_common.errors import ConfigError

DEFAULT: Final = (
    "You are the voice assistant of a home{% if place %} in {{ place }}{% endif %}. "
    "What you write is read aloud: answer in one or two short, plain sentences, in the language "
    "of the question, without lists or symbols. Say so when you do not know something. "
    "You cannot switch devices or see what state they are in: say so when you are asked to."
    "{% if area %} You are in the {{ area }}.{% endif %}"
    "{% if speaker %} You are talking to {{ speaker }}.{% endif %} It is {{ time }} on {{ date }}."
)
"""The time comes last, so that the KV cache of the rest can be reused."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Place and time of a conversation."""

    now: datetime
    place: str = ""
    area: str = ""
    """Room of the satellite"""
    language: str = ""
    speaker: str = ""
    """The person who speaks"""


class SystemPrompt:
    """Renders the system prompt. Raises ConfigError for a template that is broken or missing."""

    def __init__(self, template: str) -> None:
        source = template or DEFAULT
        if source.startswith("@"):
            try:
                source = Path(source[1:]).expanduser().read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as err:
                raise ConfigError(f"system_prompt: cannot read {source[1:]}: {err}") from err
        try:
            self._template = ImmutableSandboxedEnvironment().from_string(source)
            self.render(Surroundings(datetime.now().astimezone()))
        except (TemplateError, ArithmeticError, TypeError) as err:
            raise ConfigError(f"system_prompt: {err}") from err

    def render(self, around: Surroundings) -> str:
        """Return the system prompt of one conversation."""
        return self._template.render(
            time=around.now.strftime("%H:%M"),
            date=around.now.strftime("%A, %d %B %Y"),
            place=around.place,
            area=around.area,
            language=around.language,
            speaker=around.speaker,
        ).strip()

    def shared_prefix(self, around: Surroundings) -> str:
        """Return the prefix that all conversations share, for a prefill."""
        one = self.render(around)
        later = datetime(1999, 1, 9, 1, 59, tzinfo=around.now.tzinfo)
        other = self.render(Surroundings(later, around.place, "?", around.language, "?"))
        size = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
        return one[:size]
