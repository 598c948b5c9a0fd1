"""What a language model is, and what goes in and out of one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called."""

    id: str
    name: str
    arguments: str
    """JSON"""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything the model reads before it answers."""

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    """OpenAI function tools"""
    tool_choice: str = "auto"
    """auto, none, required, or the name of the one function to call"""
    conversation: str = ""
    """Whose turn this is: engines keep what they have read of a conversation at hand."""
    schema: Mapping[str, Any] | None = None
    """JSON schema that the answer must follow; {} is any JSON object."""
    thinking: bool = False
    """Whether a reasoning model may think first."""
    client: str = ""
    """Whose words these are: that the model has read them shortens no other client's wait."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the answer is drawn; None is the engine's own."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    repeat_penalty: float | None = None
    """Above 1, words said lately become less likely"""
    stop: tuple[str, ...] = ()
    frequency_penalty: float | None = None
    """What each time that a word was said takes from its chance, -2 to 2 (logits)"""
    presence_penalty: float | None = None
    """What it takes that it was said at all"""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens counted for one answer."""

    prompt: int = 0
    cached: int = 0
    """Of these, how many needed no reading"""
    completion: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """A step of an answer. An empty one says only that work goes on."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    """stop, length or tool_calls in the last one"""
    usage: Usage = field(default_factory=Usage)
    """Filled in the last one"""


class LlmEngine(Protocol):
    """Answers a prompt. One thread uses it, except for `model`, which is cheap."""

    @property
    def model(self) -> str:
        """Name of the model as clients see it."""
        ...

    @property
    def prompt_limit(self) -> int:
        """Tokens that a prompt and its answer may hold together."""
        ...

    def load(self) -> None:
        """Make ready to answer. Raises UnknownModel, ModelError, DownloadError, NoSpace."""
        ...

    def count(self, text: str) -> int:
        """Return how many tokens `text` takes, at least about."""
        ...

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        """Yield the answer as it is generated, every step short: closing the iterator cancels.

        Raises TooLarge for a prompt that does not fit, Unavailable when a server is gone.
        """
        ...

    def read(self, prompt: Prompt) -> Iterator[None]:
        """Read `prompt` in short steps without answering, so that a later reply starts sooner.

        Without a conversation it is the service's own, and any client's reply may start with it.
        """
        ...

    def settle(self) -> None:
        """Do what can wait until nobody waits: write to disk what was read."""
        ...

    def close(self) -> None:
        """Give back what the model holds."""
        ...
