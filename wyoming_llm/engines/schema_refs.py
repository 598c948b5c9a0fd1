"""References inside JSON schemas, so that llama-cpp-python's converter can follow them.

It finds what a reference means from the root of the whole alone, not inside what a reference at
the root names, and calls the rule of a grammar by the reference's last part.
"""

import functools
import json
from collections.abc import Mapping
from typing import Any, Final

from wyoming_common.errors import BadRequest

_DEFINITIONS: Final = ("$defs", "definitions")
_CHOICES: Final = ("anyOf", "oneOf")
_NAME: Final = "$ref"
_MOST_WAYS: Final = 2000
_DEEPEST: Final = 64
"""References that lead to references"""


def alone(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema with a root of its own."""
    definitions: dict[str, Any] = {}
    root = part("answer", schema, definitions)
    return {"anyOf": [root], "$defs": definitions} if definitions else schema


def part(name: str, schema: Mapping[str, Any], definitions: dict[str, Any]) -> Mapping[str, Any]:
    """Return `schema` as a part of a larger one, whose `definitions` take in its own."""
    dumped = json.dumps(schema)
    if f'"{_NAME}"' not in dumped:
        return schema
    moved = json.loads(dumped, object_hook=functools.partial(_moved, name))
    for key in _DEFINITIONS:
        known = moved.pop(key, None)
        for own, meaning in (known if isinstance(known, dict) else {}).items():
            definitions[f"{name}-{own}"] = meaning
    definitions[name] = moved
    return {_NAME: f"#/$defs/{name}"}


def _moved(name: str, node: dict[str, Any]) -> dict[str, Any]:
    """Point a reference in `node` of the schema `name` to where its meaning is moved."""
    reference = node.get(_NAME)
    if not isinstance(reference, str) or not reference.startswith("#"):
        return node
    for key in _DEFINITIONS:
        if reference.startswith(start := f"#/{key}/"):
            return node | {_NAME: f"#/$defs/{name}-{reference.removeprefix(start)}"}
    return node | {_NAME: f"#/$defs/{name}{reference.removeprefix('#')}"}


def check_ways(schema: Mapping[str, Any]) -> None:
    """Raise BadRequest where a value may begin in too many ways: llama.cpp follows all at once.

    References that lead to several others double them with every step.
    """
    _Ways(schema.get("$defs") or {}).of(schema, 0)


class _Ways:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._known: dict[str, int] = {}

    def of(self, node: Any, depth: int) -> int:
        """Return in how many ways a value of the schema `node` may begin, about."""
        if isinstance(node, list):
            return max((self.of(inner, depth) for inner in node), default=1)
        if not isinstance(node, Mapping):
            return 1
        if isinstance(reference := node.get(_NAME), str):
            return self._behind(reference, depth + 1)
        for key in node.keys() - set(_CHOICES):
            self.of(node[key], depth)
        choices = (node[key] for key in _CHOICES if isinstance(node.get(key), list))
        ways = sum(self.of(choice, depth) for several in choices for choice in several)
        if ways > _MOST_WAYS:
            raise BadRequest(f"schema: a value may begin in more than {_MOST_WAYS} ways")
        return max(1, ways)

    def _behind(self, reference: str, depth: int) -> int:
        if depth > _DEEPEST:
            raise BadRequest(f"schema: more than {_DEEPEST} references behind each other")
        name = reference.removeprefix("#/$defs/").partition("/")[0]
        if name not in self._known:
            self._known[name] = 1  # what leads to itself is counted once
            self._known[name] = self.of(self._definitions.get(name), depth)
        return self._known[name]
