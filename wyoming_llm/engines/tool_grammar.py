"""Grammars that keep an answer well-formed: functions that exist, JSON that fits its schema."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wyoming_common.errors import BadRequest
from wyoming_llm.engine import Prompt
from wyoming_llm.engines.llama_runtime import Grammar
from wyoming_llm.engines.schema_bounds import bounded
from wyoming_llm.engines.schema_refs import alone, check_ways, part

_TRIGGER: Final = r"[\s\S]*?(<tool_call>[\s\S]*)"
"""llama.cpp matches the whole output; the grammar is fed from the first group on."""
_MOST_SCHEMA: Final = 200_000
"""Characters of JSON schema"""
_MOST_GRAMMAR: Final = 500_000
"""Characters; several choices inside each other make a large one of a small schema"""


def grammar_of(prompt: Prompt) -> Grammar | None:
    """Return what the answer to `prompt` must look like, None where anything goes.

    Raises BadRequest for a schema that cannot be turned into a grammar.
    """
    choice = prompt.tool_choice if prompt.tools else "none"
    if choice not in ("auto", "none"):
        return Grammar(_calls(_schemas(prompt.tools, choice)))
    if prompt.schema is not None:
        schema = alone(bounded(prompt.schema or {"type": "object"}))
        check_ways(schema)
        return Grammar(_gbnf(json.dumps(schema)))
    if choice == "none":
        return None
    return Grammar(_calls(_schemas(prompt.tools, choice)), _TRIGGER)


def _schemas(tools: Sequence[Mapping[str, Any]], choice: str) -> str:
    schemas = []
    for tool in tools:
        function = tool["function"]
        if choice not in ("auto", "required", function["name"]):
            continue
        schemas.append(
            {
                "type": "object",
                "properties": {
                    "name": {"const": function["name"]},
                    "arguments": function.get("parameters") or {"type": "object"},
                },
                "required": ["name", "arguments"],
            }
        )
    whole = bounded({"anyOf": schemas})
    definitions: dict[str, Any] = {}
    for number, call in enumerate(whole["anyOf"]):
        properties = call["properties"]
        properties["arguments"] = part(f"t{number}", properties["arguments"], definitions)
    whole["$defs"] = definitions
    check_ways(whole)
    return json.dumps(whole)


def _calls(schemas: str) -> str:
    # The schema's own root is one call; the answer is that, between its marks.
    rules = [
        "call ::=" + rule.removeprefix("root ::=") if rule.startswith("root ::=") else rule
        for rule in _gbnf(schemas, ("name", "arguments")).splitlines()
    ]
    root = r'root ::= "<tool_call>" [\n]? call [\n]? "</tool_call>"'
    return "\n".join([root, *rules])


@functools.lru_cache(32)
def _gbnf(schema: str, order: tuple[str, ...] = ()) -> str:
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    if len(schema) > _MOST_SCHEMA:
        raise BadRequest(f"schema: at most {_MOST_SCHEMA} characters, got {len(schema)}")
    try:
        text: str = json_schema_to_gbnf(schema, prop_order=list(order))
    except Exception as err:
        raise BadRequest(f"schema: cannot be followed: {err}") from err
    if len(text) > _MOST_GRAMMAR:
        raise BadRequest("schema: too many choices inside each other")
    return text
