"""Protocol of language engines, with the types of their prompts and replies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function call that the model asks for."""

    id: str
    name: str
    arguments: str
    """A JSON object"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Input of one reply."""

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    """OpenAI function tools"""
    tool_choice: str = "auto"
    """auto, none, required, or the name of the one function to call"""
    conversation: str = ""
    """Id of the conversation, whose KV cache an engine keeps at hand; "" for none"""
    schema: Mapping[str, Any] | None = None
    """JSON schema that the answer must follow; {} is any JSON object, None any text"""
    thinking: bool = False
    """Whether a reasoning model may think first"""
    client: str = ""
    """Client that sent the prompt: its prefixes are reused for no other client"""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters; None takes the engine's own value."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    repeat_penalty: float | None = None
    """Above 1, recent tokens become less likely"""
    stop: tuple[str, ...] = ()
    frequency_penalty: float | None = None
    """Subtracted from a token's logit for each time that it was written, -2 to 2"""
    presence_penalty: float | None = None
    """Subtracted once from the logit of a token that was written, -2 to 2"""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one reply."""

    prompt: int = 0
    cached: int = 0
    """Tokens of the prompt that were in the KV cache"""
    completion: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of a reply. An empty one says only that work goes on."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    """stop, length or tool_calls, in the last step only"""
    usage: Usage = field(default_factory=Usage)
    """Filled in the last step only"""


class LlmEngine(Protocol):
    """Generates replies. One thread uses it, except for `model`, which is cheap.

    The constructor takes `LlmSettings`, reads settings only and raises ConfigError.
    """

    @property
    def model(self) -> str:
        """Name of the model for clients."""
        ...

    @property
    def prompt_limit(self) -> int:
        """Tokens that a prompt and its reply may hold together."""
        ...

    def load(self) -> None:
        """Load the model. Raises UnknownModel, ModelError, DownloadError, NoSpace."""
        ...

    def count(self, text: str) -> int:
        """Return how many tokens `text` takes, exactly or estimated."""
        ...

    def reply(self, prompt: Prompt, sampling: Sampling) -> Iterator[Delta]:
        """Yield the reply as it is generated, in short steps; closing the iterator cancels it.

        Raises TooLarge for a prompt that does not fit, BadRequest for a schema that cannot be
        obeyed, Unavailable when a server is gone.
        """
        ...

    def read(self, prompt: Prompt) -> Iterator[None]:
        """Prefill `prompt` in short steps, so that a later reply starts sooner.

        Without a conversation it is the service's own prefix, reused for every client.
        """
        ...

    def settle(self) -> None:
        """Do what can wait until the engine is idle, such as saving prefixes to disk."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...
