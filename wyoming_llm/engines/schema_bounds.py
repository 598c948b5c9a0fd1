"""Which JSON schemas can be followed: a grammar of a few bytes may cost minutes, or the process.

llama.cpp unrolls repetitions, follows every alternative at once, and recurses without a bound.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from wyoming_common.errors import BadRequest

_DEEPEST: Final = 32
"""Schemas inside each other"""
_MOST_PARTS: Final = 10_000
"""Objects, lists and values of a schema in all"""
_MOST_ALTERNATIVES: Final = 2000
"""Values and schemas to choose from, in all: 1,000 in one place take 0.7 s for a token"""
_MOST_TIMES: Final = 1000
"""Repetitions of an item or a character"""
_MOST_PATTERN: Final = 500
"""Parts of a pattern, repetitions unrolled"""
_LEAST: Final = ("minItems", "minLength")
_MOST: Final = ("maxItems", "maxLength")
_CHOICES: Final = ("anyOf", "oneOf", "enum", "type")
_REPEATED: Final = re.compile(r"\{(\d{1,9})?(,)?(\d{1,9})?\}|[*+?]")
_PART: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]?|.", re.DOTALL)


def bounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` as far as a grammar can follow it: a maximum that is too large is left out.

    Raises BadRequest for a schema that is too large, too deep, or repeats too much.
    """
    return _Bounds().schema(schema)


class _Bounds:
    def __init__(self) -> None:
        self._parts = 0
        self._alternatives = 0

    def schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        kept = self._value(schema, 0)
        return dict(kept)

    def _value(self, value: Any, depth: int) -> Any:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise BadRequest(f"schema: at most {_MOST_PARTS} objects, lists and values")
        if depth > 2 * _DEEPEST:
            raise BadRequest(f"schema: at most {_DEEPEST} schemas inside each other")
        if isinstance(value, Mapping):
            return {
                key: self._value(inner, depth + 1)
                for key, inner in value.items()
                if self._follows(key, inner)
            }
        if isinstance(value, list):
            return [self._value(inner, depth + 1) for inner in value]
        return value

    def _follows(self, key: str, value: Any) -> bool:
        """Count what `key` costs; false for one that is left out."""
        number = isinstance(value, int | float)
        if key in _LEAST and number and value > _MOST_TIMES:
            raise BadRequest(f"schema: {key}: at most {_MOST_TIMES}, got {value!r:.40}")
        if key in _MOST and number:
            return bool(value <= _MOST_TIMES)
        if key in _CHOICES and isinstance(value, list):
            self._alternatives += len(value)
            if self._alternatives > _MOST_ALTERNATIVES:
                raise BadRequest(f"schema: at most {_MOST_ALTERNATIVES} alternatives in all")
        if key == "pattern" and isinstance(value, str) and _unrolled(value) > _MOST_PATTERN:
            raise BadRequest(
                f"schema: pattern: at most {_MOST_PATTERN} parts with what is repeated"
            )
        return True


def _unrolled(pattern: str) -> int:
    """Return how many parts `pattern` has when its repetitions are written out, about."""
    sizes, last, at = [0], 0, 0
    while at < len(pattern):
        times = _REPEATED.match(pattern, at)
        if times is not None:
            # The part is counted once already.
            sizes[-1] += last * (_times(times) - 1)
            last, at = last * _times(times), times.end()
            continue
        part = _PART.match(pattern, at)
        assert part is not None
        at = part.end()
        if part[0] == "(":
            sizes.append(0)
        elif part[0] == ")" and len(sizes) > 1:
            last = max(1, sizes.pop())
            sizes[-1] += last
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


def _times(found: re.Match[str]) -> int:
    numbers = [int(number) for number in (found[1], found[3]) if number]
    # What comes once or more often is written twice: once, and as what may follow.
    return max([1, *numbers]) + (found[0] == "+" or found[0].endswith(",}"))
