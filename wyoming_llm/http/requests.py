"""OpenAI's chat completion requests, checked.

https://platform.openai.com/docs/api-reference/chat/create
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wyoming_common.errors import BadRequest
from wyoming_llm.engine import Message, Prompt, Sampling, ToolCall

_MOST_MESSAGES: Final = 2000
_MOST_TOOLS: Final = 256
_MOST_STOPS: Final = 64
"""Each is looked for at every token; OpenAI takes 4"""
_LONGEST_STOP: Final = 1000
"""Characters"""


class _Loose(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Function(_Loose):
    name: str = Field(min_length=1, max_length=256)
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tool(_Loose):
    type: Literal["function"] = "function"
    function: _Function


class _Called(_Loose):
    name: str
    arguments: str | dict[str, Any] = "{}"


class _Call(_Loose):
    id: str = ""
    function: _Called


class _Part(_Loose):
    type: str
    text: str = ""


class _Said(_Loose):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


class _Format(_Loose):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None


class _StreamOptions(_Loose):
    include_usage: bool = False


class _Body(_Loose):
    model: str = ""
    messages: list[_Said] = Field(min_length=1, max_length=_MOST_MESSAGES)
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    tools: list[_Tool] | None = Field(None, max_length=_MOST_TOOLS)
    tool_choice: str | dict[str, Any] | None = None
    response_format: _Format | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    repeat_penalty: float | None = Field(None, gt=0, le=2)
    seed: int | None = None
    stop: str | list[str] | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    user: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    # What we cannot do is refused where it would change the answer, not left out in silence.
    n: int | None = Field(None, ge=1, le=1)
    logprobs: Literal[False] | None = None
    top_logprobs: Literal[0] | None = None
    logit_bias: dict[str, float] | None = Field(None, max_length=0)
    modalities: list[Literal["text"]] | None = None
    functions: list[Any] | None = Field(None, max_length=0)
    web_search_options: None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request, in our words."""

    prompt: Prompt
    sampling: Sampling
    stream: bool
    usage: bool
    """Whether a stream ends with the tokens it took"""


def parse(content: Any) -> ChatRequest:
    """Check a request. Raises BadRequest, which names what is wrong."""
    try:
        body = _Body.model_validate(content)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadRequest(f"{where}: {first['msg']}, got {first['input']!r:.80}") from err
    tools = tuple(tool.model_dump(exclude_none=True) for tool in body.tools or ())
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    if len(stop) > _MOST_STOPS or any(len(word) > _LONGEST_STOP for word in stop):
        raise BadRequest(f"stop: at most {_MOST_STOPS} texts of {_LONGEST_STOP} characters")
    thinking = bool((body.chat_template_kwargs or {}).get("enable_thinking", False))
    prompt = Prompt(
        tuple(_message(said) for said in body.messages),
        tools,
        _choice(body.tool_choice, tools),
        schema=_schema(body.response_format),
        thinking=thinking,
    )
    sampling = Sampling(
        max_tokens=body.max_completion_tokens or body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        seed=body.seed,
        repeat_penalty=body.repeat_penalty,
        stop=stop,
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
    )
    usage = bool(body.stream_options and body.stream_options.include_usage)
    return ChatRequest(prompt, sampling, bool(body.stream), usage)


def body_schema(ref_template: str) -> dict[str, Any]:
    """Return the JSON schema of a request."""
    return _Body.model_json_schema(ref_template=ref_template)


def _message(said: _Said) -> Message:
    content = said.content or ""
    if not isinstance(content, str):
        for part in content:
            if part.type not in ("text", "input_text", "refusal"):
                raise BadRequest(f"messages: expected parts of type text, got {part.type!r:.40}")
        content = "".join(part.text for part in content)
    calls = tuple(
        ToolCall(call.id, call.function.name, _text_of(call.function.arguments))
        for call in said.tool_calls or ()
    )
    match said.role:
        case "developer":
            return Message("system", content)
        case "function":
            return Message("tool", content)
        case role:
            return Message(role, content, calls, said.tool_call_id or "")


def _text_of(arguments: str | Mapping[str, Any]) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _choice(choice: str | dict[str, Any] | None, tools: tuple[dict[str, Any], ...]) -> str:
    if choice is None:
        return "auto"
    named: Any = choice
    if isinstance(choice, dict):
        function = choice.get("function")
        named = function.get("name") if isinstance(function, dict) else None
    names = {tool["function"]["name"] for tool in tools}
    allowed = {"auto", "none"} | ({"required"} if tools else set()) | names
    if not isinstance(named, str) or named not in allowed:
        expected = "auto, none, required" if tools else "auto or none, as there are no tools,"
        raise BadRequest(
            f"tool_choice: expected {expected} or one of {', '.join(sorted(names)) or 'them'}, "
            f"got {choice!r:.80}"
        )
    return named


def _schema(wanted: _Format | None) -> Mapping[str, Any] | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {}
    schema = (wanted.json_schema or {}).get("schema")
    if not isinstance(schema, dict):
        raise BadRequest("response_format: expected a JSON schema in json_schema.schema")
    return schema
