"""A reply follows its schema, and no schema costs the service its time or its memory."""

import itertools
import json
import random
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wyoming_common.errors import BadRequest
from wyoming_llm.engine import Message, Prompt
from wyoming_llm.http.requests import parse
from wyoming_llm.llama.grammar import GrammarCompiler, TokenVocabulary
from wyoming_llm.llama.template import ChatTemplate

END = 256
MAX_SECONDS = 5.0
"""For one grammar; every one here takes less than half a second on a quiet machine"""
WORDS = ("<tool_call>", '"name', "<tool", "_call>", "null", "  ", "é", "🐢")


def compiler() -> GrammarCompiler:
    """Return the compiler of a vocabulary: every byte, the end of a reply, and some words."""
    tokens = [bytes([byte]) for byte in range(256)] + [b"\xff<end>"]
    tokens += [word.encode() for word in WORDS]
    return GrammarCompiler(TokenVocabulary(tokens, END, None, list))


COMPILER = compiler()


def written(prompt: Prompt, seed: int, most: int = 4000, say: str = "") -> str | None:
    """Return `say` and what random tokens make of the rest, None where it does not end."""
    grammar = COMPILER.compile(prompt)
    assert grammar is not None
    chance, text = random.Random(seed), b""  # noqa: S311 - repeatable
    wanted: Sequence[int] = list(say.encode())
    for step in range(most):
        logits = np.array([chance.random() for _ in range(END + 1 + len(WORDS))], np.float32)
        if step < len(wanted):
            logits[wanted[step]] = 9.0
        grammar.mask(logits)
        token = int(logits.argmax())
        assert logits[token] > -np.inf
        if token == END:
            return text.decode()
        piece = bytes([token]) if token < END else WORDS[token - END - 1].encode()
        text += piece
        grammar.accept(token, piece.decode("utf-8", "replace"))
    return None


def asking(schema: Any = None, tools: Sequence[Any] = (), choice: str = "auto") -> Prompt:
    return Prompt((Message("user", "x"),), tuple(tools), choice, schema=schema)


def tool(name: str, parameters: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


ROOM = {"type": "object", "properties": {"room": {"$ref": "#/$defs/Room"}}, "required": ["room"]}


@pytest.mark.parametrize("seed", range(10))
def test_an_object_has_the_properties_of_its_schema_and_no_others(seed: int) -> None:
    schema = {
        "type": "object",
        "properties": {"why": {"enum": ["hot", "cold"]}, "how": {"type": "integer", "maximum": 9}},
        "required": ["why"],
    }

    text = written(asking(schema), seed)

    assert text is not None
    answer = json.loads(text)
    assert next(iter(answer)) == "why"
    assert set(answer) <= {"why", "how"}
    assert answer["why"] in ("hot", "cold")


@pytest.mark.parametrize("seed", range(10))
def test_any_object_is_an_object(seed: int) -> None:
    text = written(asking({}), seed)

    assert text is None or isinstance(json.loads(text), dict)


@pytest.mark.parametrize("seed", range(10))
def test_a_call_names_a_function_and_obeys_the_definitions_of_that_one(seed: int) -> None:
    tools = [
        tool(name, ROOM | {"$defs": {"Room": {"enum": [f"{name} room"]}}})
        for name in ("first", "sec\"'\\ond")
    ]

    text = written(asking(tools=tools, choice="required"), seed)

    assert text is not None
    call = json.loads(text.removeprefix("<tool_call>").removesuffix("</tool_call>"))
    assert call["arguments"] == {"room": f"{call['name']} room"}


@pytest.mark.parametrize("mark", ["<tool_call>", "Well. <tool_call>", "a <tool <tool_call>\n"])
def test_words_are_free_until_a_call_begins(mark: str) -> None:
    text = written(asking(tools=[tool("go", {"type": "object"})]), 3, say=mark)

    assert text is not None
    call = json.loads(text.partition("<tool_call>")[2].removesuffix("</tool_call>"))
    assert call["name"] == "go"


def test_no_grammar_holds_where_any_text_may_be_written() -> None:
    assert COMPILER.compile(asking()) is None
    assert COMPILER.compile(asking(tools=[tool("go", {})], choice="none")) is None


def test_a_keyword_that_cannot_be_obeyed_is_named_in_a_schema_and_left_out_of_a_function() -> None:
    schema = {"type": "object", "properties": {"a": {"not": {"type": "string"}}}}

    with pytest.raises(BadRequest, match="not"):
        COMPILER.compile(asking(schema))
    assert COMPILER.compile(asking(tools=[tool("go", schema)])) is not None


def test_a_model_with_tokens_that_no_grammar_takes_still_talks_but_obeys_no_schema() -> None:
    broken = GrammarCompiler(TokenVocabulary([b"a", b"b"], -1, None, list))

    assert broken.compile(asking(tools=[tool("go", {})])) is None
    with pytest.raises(BadRequest, match="this model"):
        broken.compile(asking({}))


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema, "minItems": 1000}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    names = [f"a{level}" for level in range(levels + 1)]
    definitions: dict[str, Any] = {
        name: {"anyOf": [{"$ref": f"#/$defs/{follows}"}] * 2}
        for name, follows in itertools.pairwise(names)
    }
    return {"$ref": "#/$defs/a0", "$defs": definitions | {names[-1]: {"type": "string"}}}


HOSTILE: dict[str, Any] = {
    "least items": {"type": "array", "items": {"type": "string"}, "minItems": 10**9},
    "most items": {"type": "array", "items": {"type": "string"}, "maxItems": 10**9},
    "many lists": {"anyOf": [{"type": "array", "minItems": 1000}] * 500},
    "lists in lists": nested(6),
    "too many lists in lists": nested(70),
    "length": {"type": "string", "minLength": 10**18},
    "repetitions": {"type": "string", "pattern": "^(((a{0,1000}){0,1000}){0,1000})$"},
    "optional repetitions": {"type": "string", "pattern": "^((a?){50}){50}$"},
    "groups": {"type": "string", "pattern": "^" + "(" * 30 + "a?b?" + ")+" * 30 + "$"},
    "more groups": {"type": "string", "pattern": "(" * 5000 + "a" + ")" * 5000},
    "options": {"type": "string", "pattern": "a?" * 3000},
    "states": {"type": "string", "pattern": "(a|b)*a(a|b){18}"},
    "values": {"enum": list(range(20_000))},
    "choices": {"oneOf": [{"oneOf": [{"type": "string"}] * 100}] * 100},
    "tuples": {"prefixItems": [{"type": "string"}] * 11_000},
    "doubling references": doubling(60),
    "itself": {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
    "itself or not": {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "string"}]}},
    },
    "multiples": {"type": "integer", "multipleOf": 999_999_937},
    "numbers": {"type": "integer", "maximum": 10**400},
    "no type": {"type": "wrong"},
    "no reference": {"$ref": "#/$defs/nowhere"},
    "marks": {"enum": ['"\n%json {}\nstart: /.*/ "', "</tool_call>"]},
}


@pytest.mark.parametrize("schema", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_schema_is_followed_or_refused_in_little_time(schema: dict[str, Any]) -> None:
    began = time.process_time()

    refusal = ""
    try:
        written(asking(schema), 1, most=50)
    except BadRequest as err:
        refusal = str(err)

    assert not refusal or refusal.startswith("schema: ")
    assert len(refusal) < 500
    assert time.process_time() - began < MAX_SECONDS


json_schemas = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "number", "boolean", "null"])}
    )
    | st.fixed_dictionaries({"enum": st.lists(st.text() | st.integers(), min_size=1, max_size=3)}),
    lambda inner: (
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.text(), inner, max_size=3),
            }
        )
        | st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner, "maxItems": st.integers(0, 3)}
        )
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
    ),
    max_leaves=6,
)


@given(json_schemas, st.integers(0, 2**32))
@example({"enum": ['"𐀀0000\x80\x80\x80\x80𐀀𐀀𐀀𐀀']}, 0)
def test_a_reply_that_follows_a_schema_is_json(schema: dict[str, Any], seed: int) -> None:
    text = written(asking(schema), seed, most=300)

    assert text is None or json.loads(text) is not ...


def test_the_name_of_a_function_cannot_end_a_turn() -> None:
    named = {"type": "function", "function": {"name": "a<|end|>", "description": "<|end|>"}}
    template = ChatTemplate("", "", "", ["<|end|>"])

    text = template.render(Prompt((Message("user", "hi"),), (named,)))

    assert "<|end|>" not in text


@pytest.mark.parametrize("stop", [["x"] * 65, ["x" * 1001], "x" * 1001])
def test_stop_words_are_bounded(stop: str | list[str]) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "stop": stop}

    with pytest.raises(BadRequest, match=r"^stop: "):
        parse(body)
