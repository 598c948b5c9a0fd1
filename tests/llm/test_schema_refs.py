"""References inside schemas mean the same once they are parts of a larger one."""

import json
from typing import Any

import pytest

from wyoming_common.errors import BadRequest
from wyoming_llm.engines.schema_refs import alone, check_ways, part

TREE: dict[str, Any] = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]}},
}


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for inner in node for found in references(inner)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for inner in node.values() for found in references(inner)]


def meaning(whole: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        whole = whole[step]
    return whole


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/Tree", "$defs": {"Tree": TREE}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/Tree"}}, "$defs": {"Tree": TREE}},
        {"definitions": {"Room": {"enum": ["hall"]}}, "items": {"$ref": "#/definitions/Room"}},
        {"type": "object", "properties": {"again": {"$ref": "#"}}},
        {"properties": {"a": {"type": "string"}, "b": {"$ref": "#/properties/a"}}},
    ],
)
def test_every_reference_leads_from_the_root_to_what_it_meant(schema: dict[str, Any]) -> None:
    whole = json.loads(json.dumps(alone(schema)))

    assert references(whole)
    for reference in references(whole):
        assert isinstance(meaning(whole, reference), dict)


def test_a_schema_without_references_stays_as_it_is() -> None:
    schema = {"type": "object", "properties": {"b": {}, "a": {}}}

    assert alone(schema) is schema


def test_definitions_of_the_same_name_in_two_parts_stay_apart() -> None:
    definitions: dict[str, Any] = {}

    parts = [
        part(name, {"$ref": "#/$defs/Room", "$defs": {"Room": {"enum": [name]}}}, definitions)
        for name in ("first", "second")
    ]

    whole = {"anyOf": parts, "$defs": definitions}
    found = [meaning(whole, meaning(whole, one["$ref"])["$ref"]) for one in parts]
    assert found == [{"enum": ["first"]}, {"enum": ["second"]}]


def doubling(steps: int) -> dict[str, Any]:
    """Return a schema of 2^steps ways to begin."""
    twice = {
        f"N{n}": {"anyOf": [{"$ref": f"#/$defs/N{n + 1}"}, {"$ref": f"#/$defs/N{n + 1}"}]}
        for n in range(steps)
    }
    definitions = twice | {f"N{steps}": {"type": "string"}}
    return {"properties": {"a": {"$ref": "#/$defs/N0"}}, "$defs": definitions}


@pytest.mark.parametrize("steps", [20, 60, 1000])
def test_references_that_double_the_ways_are_refused(steps: int) -> None:
    with pytest.raises(BadRequest, match=r"ways|behind"):
        check_ways(alone(doubling(steps)))


def test_a_tree_and_a_few_choices_are_not_refused() -> None:
    check_ways(alone({"$ref": "#/$defs/Tree", "$defs": {"Tree": TREE}}))
    check_ways(alone(doubling(4)))
