"""Grammars that hold a reply to the functions that exist, or to a JSON schema, by llguidance.

https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from wyoming_common.errors import BadRequest
from wyoming_llm.engine import Prompt

_LOGGER = logging.getLogger(__name__)

CALL_START: Final = "<tool_call>"
_CALL_END: Final = "</tool_call>"
_MAX_SCHEMA_CHARACTERS: Final = 200_000
_MAX_DEPTH: Final = 64
"""Objects and lists inside each other"""
_MAX_ITEMS: Final = 1000
"""Items of a list: each is written out in the grammar. A larger maximum is never reached"""
_MAX_ITEMS_IN_ALL: Final = 20_000
_OPEN: Final = frozenset({"additionalProperties", "patternProperties", "allOf"})
"""Keywords of objects that say themselves whether there may be other properties"""
_LIMITS: Final = LLParserLimits(
    max_items_in_row=2000,
    initial_lexer_fuel=1_000_000,
    step_lexer_fuel=200_000,
    step_max_items=50_000,
    max_lexer_states=50_000,
    max_grammar_size=200_000,
    verbose_errors=False,
)
"""Bounds of llguidance: a schema of a few bytes may otherwise cost minutes or gigabytes. 50,000
states of the lexer are 100 MB at most."""
_COMPACT: Final = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
}
"""JSON as json.dumps writes it: a small model that may write any white space writes it forever"""

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TokenVocabulary:
    """Tokens of a model, as llguidance wants them (its TokenizerWrapper)."""

    tokens: Sequence[bytes]
    """Text of each token; that of a control token begins with the byte 0xff"""
    eos_token_id: int
    bos_token_id: int | None
    tokenize: Callable[[bytes], list[int]]
    special_token_ids: tuple[int, ...] = ()
    is_tokenizer_wrapper: bool = True

    def __call__(self, text: bytes | str) -> list[int]:
        return self.tokenize(text.encode() if isinstance(text, str) else text)


class ReplyGrammar:
    """Restricts the tokens of one reply, from its beginning or from the mark of a call on."""

    def __init__(self, tokenizer: LLTokenizer, grammar: str, *, from_call: bool) -> None:
        self._tokenizer = tokenizer
        self._matcher = LLMatcher(tokenizer, grammar, log_level=0, limits=_LIMITS)
        self._written = ""
        self._waits = from_call
        self._check()

    def mask(self, logits: Logits) -> None:
        """Make every token impossible that may not come next. Raises BadRequest."""
        if self._waits:
            return
        allowed = np.frombuffer(self._matcher.compute_logit_bias(), np.uint8)
        self._check()
        logits[: len(allowed)][allowed == 0] = -np.inf
        logits[len(allowed) :] = -np.inf

    def accept(self, token: int, text: str) -> None:
        """Take the token that was drawn, and its text."""
        if not self._waits:
            self._matcher.consume_token(token)
            self._check()
            return
        self._written = (self._written + text)[-len(CALL_START) - len(text) :]
        _, mark, behind = self._written.partition(CALL_START)
        if mark:
            self._waits = False
            self._matcher.consume_tokens(self._tokenizer.tokenize_str(CALL_START + behind))
            self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            problem = " ".join(self._matcher.get_error().split())
            raise BadRequest(f"schema: cannot be followed: {problem:.300}")


class GrammarCompiler:
    """Compiles the grammars of prompts for the model with this vocabulary."""

    def __init__(self, vocabulary: TokenVocabulary) -> None:
        self._tokenizer: LLTokenizer | None = None
        try:
            self._tokenizer = LLTokenizer(vocabulary, len(vocabulary.tokens))  # type: ignore[arg-type]
        except Exception as err:  # noqa: BLE001 - a model whose tokens it does not take still talks
            _LOGGER.warning("No grammars for this model: %.200s", err)

    def compile(self, prompt: Prompt) -> ReplyGrammar | None:
        """Return the grammar of the answer to `prompt`, None where any text may be written.

        Raises BadRequest for a schema that cannot be followed.
        """
        choice = prompt.tool_choice if prompt.tools else "none"
        if choice not in ("auto", "none"):
            return self._calls(prompt.tools, choice, from_call=False)
        if prompt.schema is not None:
            schema = _prepared(prompt.schema or {"type": "object"}, lenient=False)
            return self._grammar(f"start: %json {schema}", from_call=False)
        if choice == "none" or self._tokenizer is None:
            return None
        return self._calls(prompt.tools, choice, from_call=True)

    def _calls(
        self, tools: Sequence[Mapping[str, Any]], choice: str, *, from_call: bool
    ) -> ReplyGrammar:
        rules, names = [], []
        for number, tool in enumerate(tools):
            function = tool["function"]
            if choice not in ("auto", "required", function["name"]):
                continue
            # Each schema is a rule of its own, so that what its references mean stays apart.
            schema = _prepared(function.get("parameters") or {"type": "object"}, lenient=True)
            name = json.dumps(json.dumps(function["name"]))
            rules += [
                f'call{number}: "{{\\"name\\": " {name} ", \\"arguments\\": " args{number} "}}"',
                f"args{number}: %json {schema}",
            ]
            names.append(f"call{number}")
        start = f'start: "{CALL_START}" /\\n?/ ({" | ".join(names)}) /\\n?/ "{_CALL_END}"'
        return self._grammar("\n".join([start, *rules]), from_call=from_call)

    def _grammar(self, rules: str, *, from_call: bool) -> ReplyGrammar:
        if self._tokenizer is None:
            raise BadRequest("schema: the tokens of this model cannot be held to a grammar")
        grammar = f"%llguidance {{}}\n{rules}\n"
        return ReplyGrammar(self._tokenizer, grammar, from_call=from_call)


def _prepared(schema: Mapping[str, Any], *, lenient: bool) -> str:
    """Return `schema` as JSON with our options.

    `lenient` leaves out keywords that cannot be obeyed. Raises BadRequest for what is too large.
    """
    options = _COMPACT | {"lenient": lenient}
    text = json.dumps(_Preparation().schema(schema) | {"x-guidance": options})
    if len(text) > _MAX_SCHEMA_CHARACTERS:
        raise BadRequest(f"schema: at most {_MAX_SCHEMA_CHARACTERS} characters, got {len(text)}")
    return text


class _Preparation:
    """Closes the objects of one schema, and bounds what llguidance would write out item by item."""

    def __init__(self) -> None:
        self._items = 0

    def schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return a schema whose objects have no other properties than the named ones."""
        return dict(self._value(schema, 0))

    def _value(self, value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise BadRequest(f"schema: at most {_MAX_DEPTH} objects and lists inside each other")
        if isinstance(value, list):
            return [self._value(inner, depth + 1) for inner in value]
        if not isinstance(value, Mapping):
            return value
        kept = {
            key: self._value(inner, depth + 1)
            for key, inner in value.items()
            if not (key == "maxItems" and _is_over(inner, _MAX_ITEMS))
        }
        for key in ("minItems", "maxItems"):
            self._count(key, kept.get(key))
        if isinstance(kept.get("properties"), dict) and not _OPEN.intersection(kept):
            kept["additionalProperties"] = False
        return kept

    def _count(self, key: str, items: Any) -> None:
        if _is_over(items, _MAX_ITEMS):
            raise BadRequest(f"schema: {key}: at most {_MAX_ITEMS}, got {items!r:.40}")
        self._items += items if isinstance(items, int) else 0
        if self._items > _MAX_ITEMS_IN_ALL:
            raise BadRequest(f"schema: minItems and maxItems: at most {_MAX_ITEMS_IN_ALL} in all")


def _is_over(value: Any, maximum: int) -> bool:
    return isinstance(value, int | float) and value > maximum
