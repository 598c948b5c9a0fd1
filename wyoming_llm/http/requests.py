"""Chat completion requests of OpenAI's interface, validated.

https://platform.openai.com/docs/api-reference/chat/create
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from wyoming_common.errors import BadRequest
from wyoming_llm.engine import Message, Prompt, Sampling, ToolCall

_MAX_MESSAGES: Final = 2000
_MAX_TOOLS: Final = 256
_MAX_STOPS: Final = 64
"""Each is looked for at every token; OpenAI takes 4"""
_MAX_STOP_CHARACTERS: Final = 1000


class _Loose(BaseModel):
    """Ignores what it does not know, and takes null for a value that is not set."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


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
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    """Place of the schema for llama.cpp's server and others, for json_object too"""


class _StreamOptions(_Loose):
    include_usage: bool = False


class _Body(_Loose):
    model: str = ""
    messages: list[_Said] = Field(min_length=1, max_length=_MAX_MESSAGES)
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    tools: list[_Tool] | None = Field(None, max_length=_MAX_TOOLS)
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Format | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    repeat_penalty: float | None = Field(None, gt=0, le=2)
    seed: int | None = None
    stop: str | list[str] | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    user: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    # Schemas, where other servers take them
    json_schema: dict[str, Any] | None = None
    guided_json: dict[str, Any] | None = None
    structured_outputs: dict[str, Any] | None = None
    format: Literal["json"] | dict[str, Any] | None = None
    # An option that cannot be obeyed is refused where it would change the answer.
    grammar: None = None
    guided_choice: None = None
    guided_grammar: None = None
    guided_regex: None = None
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
    parallel: bool = True
    """Whether several tools may be called at once"""


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
    if len(stop) > _MAX_STOPS or any(len(word) > _MAX_STOP_CHARACTERS for word in stop):
        raise BadRequest(f"stop: at most {_MAX_STOPS} texts of {_MAX_STOP_CHARACTERS} characters")
    thinking = bool((body.chat_template_kwargs or {}).get("enable_thinking", False))
    prompt = Prompt(
        tuple(_message(said) for said in body.messages),
        tools,
        _choice(body.tool_choice, tools),
        schema=_schema(body),
        thinking=thinking,
    )
    sampling = Sampling(
        max_tokens=_limit(body.max_completion_tokens) or _limit(body.max_tokens),
        temperature=body.temperature,
        top_p=body.top_p,
        seed=body.seed,
        repeat_penalty=body.repeat_penalty,
        stop=stop,
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
    )
    usage = bool(body.stream_options and body.stream_options.include_usage)
    parallel = body.parallel_tool_calls is not False
    return ChatRequest(prompt, sampling, bool(body.stream), usage, parallel)


def body_schema(ref_template: str) -> dict[str, Any]:
    """Return the JSON schema of a request."""
    schema = _Body.model_json_schema(ref_template=ref_template)
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, value in part.get("properties", {}).items():
            if name not in part.get("required", ()):
                part["properties"][name] = {"anyOf": [value, {"type": "null"}]}
    return schema


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


def _limit(tokens: int | None) -> int | None:
    """Return a limit of tokens; many clients send -1 for no limit."""
    return tokens if tokens is not None and tokens > 0 else None


def _schema(body: _Body) -> Mapping[str, Any] | None:
    """Return the schema of the answer, {} for any JSON object, None for any text."""
    formats = [_schema_of_format(body.response_format), body.json_schema, body.guided_json]
    if body.structured_outputs is not None:
        formats.append(_schema_of_structured(body.structured_outputs))
    if body.format is not None:
        formats.append({} if body.format == "json" else dict(body.format))
    wanted = [schema for schema in formats if schema is not None]
    if any(schema != wanted[0] for schema in wanted):
        raise BadRequest("response_format: expected one schema, got several different ones")
    return wanted[0] if wanted else None


def _schema_of_format(wanted: _Format | None) -> dict[str, Any] | None:
    if wanted is None or wanted.type == "text":
        return None
    schema = wanted.schema_ or (wanted.json_schema or {}).get("schema")
    if schema is None and wanted.type == "json_object":
        return {}
    if not isinstance(schema, dict):
        raise BadRequest("response_format: expected a JSON schema in json_schema.schema")
    return schema


def _schema_of_structured(wanted: Mapping[str, Any]) -> dict[str, Any]:
    schema = wanted.get("json")
    if not isinstance(schema, dict) or len(wanted) > 1:
        raise BadRequest("structured_outputs: expected a JSON schema in json, and nothing else")
    return schema
