import json
from typing import Any

import pytest

from wyoming_common.errors import BadRequest
from wyoming_llm.engine import Message, Prompt
from wyoming_llm.engines.schema_bounds import bounded
from wyoming_llm.engines.template import ChatTemplate
from wyoming_llm.http.requests import parse

HONEST: list[dict[str, Any]] = [
    {"type": "object", "properties": {"room": {"type": "string", "maxLength": 255}}},
    {"type": "array", "items": {"enum": [f"light {n}" for n in range(300)]}, "maxItems": 500},
    {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    {"type": "string", "pattern": r"^(\d{1,3}\.){3}\d{1,3}$"},
    {"type": "object", "properties": {"pattern": {"type": "string"}, "type": {"enum": ["a"]}}},
    {"anyOf": [{"type": "integer"}, {"$ref": "#/$defs/x"}], "$defs": {"x": {"type": "string"}}},
]


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize("schema", HONEST)
def test_a_schema_that_means_well_is_followed_as_it_is(schema: dict[str, Any]) -> None:
    assert bounded(schema) == schema


@pytest.mark.parametrize("key", ["maxItems", "maxLength"])
def test_a_maximum_that_nobody_reaches_is_left_out(key: str) -> None:
    assert bounded({"type": "array", key: 10**9}) == {"type": "array"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}, "minItems": 100_000},
        {"type": "string", "minLength": 10**9},
        {"type": "string", "pattern": "^(((a{0,1000}){0,1000}){0,1000})$"},
        {"type": "string", "pattern": "^((a?){50}){50}$"},
        {"type": "string", "pattern": "^" + "(" * 30 + "a?b?" + ")+" * 30 + "$"},
        {"type": "string", "pattern": "^" + "(" * 30 + "a" + "){1,}" * 30 + "$"},
        {"type": "string", "pattern": "a?" * 3000},
        {"enum": list(range(20_000))},
        {"oneOf": [{"oneOf": [{"type": "string"}] * 100}] * 100},
        {"prefixItems": [{"type": "string"}] * 11_000},
        nested(70),
        nested(100_000),
    ],
    ids=lambda schema: json.dumps(schema)[:40] if "items" not in schema else "items",
)
def test_a_schema_that_costs_minutes_or_the_process_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match=r"^schema: "):
        bounded(schema)


def test_what_a_function_is_called_cannot_end_a_turn() -> None:
    tool = {"type": "function", "function": {"name": "a<|end|>", "description": "<|end|>"}}
    template = ChatTemplate("", "", "", ["<|end|>"])

    text = template.render(Prompt((Message("user", "hi"),), (tool,)))

    assert "<|end|>" not in text


@pytest.mark.parametrize("stop", [["x"] * 65, ["x" * 1001], "x" * 1001])
def test_what_is_looked_for_at_every_token_is_bounded(stop: str | list[str]) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "stop": stop}

    with pytest.raises(BadRequest, match=r"^stop: "):
        parse(body)
