"""Grammar of what can be said in one home: sentence templates over its names, compiled.

Templates have Home Assistant's form (https://github.com/home-assistant/hassil). A compiled grammar
is a graph of nodes that share their parts; it is never expanded into sentences. Of the templates
with free words only those are used that have other words around them ("add ... to my list"): any
speech would fit the others.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from wyoming_common.home_assistant.home import Home
from wyoming_stt.home_sentences.phonetics import sounds_of, spell, spell_half

_LOGGER = logging.getLogger(__name__)

_MAX_RULE_DEPTH: Final = 16
_MAX_PERMUTED: Final = 3
"""Parts of a permutation that are tried in every order"""
_MAX_RANGE_VALUES: Final = 201
"""Longer ranges of numbers hold only the numbers of the transcript"""
_MIN_FIXED_SOUNDS: Final = 8
"""Sounds that the shortest sentence of a template with free words has beside them"""
_MAX_GLUED: Final = 16
"""Forms of a word that is put together of pieces"""
_NAMED_LISTS: Final = ("name", "area", "floor")


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """Text of a template or of a value, and its sounds. A grammar holds each once."""

    text: str
    sounds: str


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A list of values, one of which is said."""

    values: tuple[Literal, ...]
    numbers: range | None = None
    """Range of numbers of which only those in the transcript are considered"""
    is_varied: bool = True
    """Whether a sentence with another value has another meaning"""


@dataclass(frozen=True, slots=True, eq=False)
class FreeWords:
    """Any words: they stay as they were recognised."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Parts said one after the other."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Parts of which one is said, or none if it is optional."""

    parts: tuple["Node", ...]
    optional: bool = False


Node = Literal | Slot | FreeWords | Series | Choice


@dataclass(frozen=True, slots=True)
class Template:
    """One compiled sentence template."""

    node: Node
    intent: str
    max_sounds: int
    """Length of its longest sentence"""


@dataclass
class SentenceGrammar:
    """The sentences of one language in one home."""

    language: str
    templates: list[Template] = field(default_factory=list)
    literals: list[Literal] = field(default_factory=list)
    """Every literal of the templates and values"""
    courtesy: Node | None = None
    """Words that may stand before and behind any sentence ("please")"""

    @property
    def alphabet(self) -> str:
        """All sounds of the literals."""
        return "".join(sorted({char for literal in self.literals for char in literal.sounds}))


ENDLESS: Final = 10_000


def compile_grammar(
    content: Mapping[str, Any], home: Home, language: str, names: Sequence[str] = ()
) -> SentenceGrammar:
    """Compile `content` (intents, lists and expansion_rules of hassil) for the names of `home`.

    `names` are names of things of any kind. Blocking: about a second for a large home. Templates
    with mistakes are left out.
    """
    return _Compiler(content, home, language, names).compile()


class _Compiler:
    def __init__(
        self, content: Mapping[str, Any], home: Home, language: str, names: Sequence[str]
    ) -> None:
        self._names = names
        self._literals: dict[tuple[str, str], Literal] = {}
        self._content = content
        self._home = home
        self._grammar = SentenceGrammar(language)
        self._rules: dict[tuple[str, frozenset[str]], Node | None] = {}
        self._nodes: dict[tuple[object, ...], Series | Choice] = {}
        self._slots: dict[object, Slot | FreeWords | None] = {}
        self._domains: frozenset[str] = frozenset()
        self._polite: Node | None = None

    def compile(self) -> SentenceGrammar:
        self._polite = self._grammar.courtesy = self._skip_words()
        for intent, entry in self._content.get("intents", {}).items():
            for data in entry.get("data", ()):
                self._domains = _domains(data.get("requires_context", {}))
                local = data.get("expansion_rules", {}), data.get("lists", {})
                for text in data.get("sentences", ()):
                    self._add(text, intent, *local)
        return self._grammar

    def _skip_words(self) -> Node | None:
        """Return the words that may stand before and behind any sentence ("please")."""
        values = [
            self._intern(f" {literal.text} ", literal.sounds)
            for text in self._content.get("skip_words", ())
            for literal in self._expand(str(text))
        ]
        return Choice((Slot(tuple(values), is_varied=False),), optional=True) if values else None

    def _add(
        self, text: str, intent: str, rules: Mapping[str, str], lists: Mapping[str, Any]
    ) -> None:
        try:
            node = self._node(parse_sentence(text).expression, 0, rules, lists)
        except (ParseError, ValueError, RecursionError) as err:
            _LOGGER.debug("Sentence '%s' is left out: %s", text, err)
            return
        if node is not None:
            fits = not has_free_words(node) or _is_specific(node)
            if max_sounds(node) and fits:
                whole = node
                if self._polite is not None:
                    whole = Series((self._polite, node, self._polite))
                self._grammar.templates.append(Template(whole, intent, max_sounds(whole)))

    def _node(
        self,
        expression: Expression,
        depth: int,
        rules: Mapping[str, str],
        lists: Mapping[str, Any],
    ) -> Node | None:
        """Return the node of `expression`, None if nothing of this home fits it."""
        if depth > _MAX_RULE_DEPTH:
            raise ValueError("its rules refer to each other")
        match expression:
            case TextChunk():
                return self._literal(expression.original_text)
            case ListReference():
                return self._slot(expression.list_name, lists)
            case RuleReference():
                return self._rule(expression.rule_name, depth, rules, lists)
            case Alternative():
                parts = [self._node(item, depth, rules, lists) for item in expression.items]
                optional = expression.is_optional or any(_is_empty(part) for part in parts)
                kept = tuple(part for part in parts if part is not None and not _is_empty(part))
                return self._choice(kept, optional=optional) if kept or optional else None
            case Permutation():
                nodes = [self._node(item, depth, rules, lists) for item in expression.items]
                return self._permute([self._literal(" ") if _is_empty(n) else n for n in nodes])
            case Group():
                nodes = [self._node(item, depth, rules, lists) for item in expression.items]
                return self._series(nodes)
        raise ValueError(f"unknown expression {expression}")

    def _series(self, parts: Sequence[Node | None]) -> Node | None:
        kept = [part for part in parts if not _is_empty(part)]
        if any(part is None for part in kept):
            return None
        nodes = tuple(self._glued([part for part in kept if part is not None]))
        if len(nodes) == 1:
            return nodes[0]
        return self._nodes.setdefault((Series, *nodes), Series(nodes))

    def _glued(self, parts: Sequence[Node]) -> list[Node]:
        """Return `parts` with the pieces of one word joined ("auvent[s]"): it sounds as a whole."""
        glued: list[Node] = []
        for part in parts:
            before, behind = _endings(glued[-1]) if glued else (), _endings(part)
            if (
                0 < len(before) * len(behind) <= _MAX_GLUED
                and all(text and not text[-1].isspace() for text in before)
                and not any(text[:1].isspace() for text in behind)
            ):
                texts = dict.fromkeys(one + other for one in before for other in behind)
                glued[-1] = self._choice(tuple(map(self._literal, texts)))
            else:
                glued.append(part)
        return glued

    def _choice(self, parts: tuple[Node, ...], *, optional: bool = False) -> Node:
        if len(parts) == 1 and not optional:
            return parts[0]
        return self._nodes.setdefault((Choice, optional, *parts), Choice(parts, optional))

    def _permute(self, parts: list[Node | None]) -> Node | None:
        if len(parts) > _MAX_PERMUTED:
            return self._series(parts)
        orders = [self._series(order) for order in _orders(parts)]
        kept = tuple(order for order in orders if order is not None)
        return self._choice(kept) if kept else None

    def _rule(
        self, name: str, depth: int, rules: Mapping[str, str], lists: Mapping[str, Any]
    ) -> Node | None:
        key = (name, self._domains) if not rules and not lists else None
        if key is not None and key in self._rules:
            return self._rules[key]
        text = rules.get(name) or self._content.get("expansion_rules", {}).get(name)
        if text is None:
            raise ValueError(f"no expansion rule '{name}'")
        node = self._node(parse_sentence(str(text)).expression, depth + 1, rules, lists)
        if key is not None:
            self._rules[key] = node
        return node

    def _literal(self, text: str) -> Literal:
        return self._intern(text, sounds_of(text, self._grammar.language))

    def _intern(self, text: str, sounds: str) -> Literal:
        literal = self._literals.get((text, sounds))
        if literal is None:
            literal = self._literals[text, sounds] = Literal(text, sounds)
            self._grammar.literals.append(literal)
        return literal

    def _slot(self, name: str, lists: Mapping[str, Any]) -> Slot | FreeWords | None:
        domains = self._domains if name == "name" else frozenset()
        key = (name, domains, id(lists.get(name)))
        if key not in self._slots:
            self._slots[key] = self._make_slot(name, lists)
        return self._slots[key]

    def _make_slot(self, name: str, lists: Mapping[str, Any]) -> Slot | FreeWords | None:
        if name in _NAMED_LISTS:
            names = _names(self._home, name, self._domains)
            names += self._names if name == "name" else ()
            return Slot(tuple(dict.fromkeys(map(self._literal, names)))) if names else None
        content = lists.get(name) or self._content.get("lists", {}).get(name)
        if content is None:
            raise ValueError(f"no list '{name}'")
        if content.get("wildcard"):
            return FreeWords()
        if (numbers := content.get("range")) is not None:
            return self._numbers(numbers)
        texts = [
            value if isinstance(value, str) else str(value["in"]) for value in content["values"]
        ]
        values = [literal for text in texts for literal in self._expand(text)]
        return Slot(tuple(dict.fromkeys(values))) if values else None

    def _numbers(self, content: Mapping[str, Any]) -> Slot:
        numbers = range(int(content["from"]), int(content["to"]) + 1, int(content.get("step", 1)))
        if len(numbers) > _MAX_RANGE_VALUES:
            return Slot((), numbers)
        values: list[Literal] = []
        for number in numbers:
            values += self._number(str(number), spell(number, self._grammar.language))
            if content.get("fractions") == "halves":
                half = spell_half(number, self._grammar.language)
                values += self._number(f"{number}.5", half)
        return Slot(tuple(dict.fromkeys(values)))

    def _number(self, digits: str, spoken: Iterable[str]) -> Iterator[Literal]:
        for words in spoken:
            yield self._intern(digits, sounds_of(words, self._grammar.language))

    def _expand(self, text: str) -> Iterator[Literal]:
        """Yield the texts of a value, which may itself be a small template."""
        for sentence in _sentences(parse_sentence(text).expression):
            yield self._literal(" ".join(sentence.split()))


def _endings(node: Node) -> tuple[str, ...]:
    """Return the texts of a literal or a choice between literals, () for other nodes."""
    match node:
        case Literal():
            return (node.text,)
        case Choice():
            texts = [part.text for part in node.parts if isinstance(part, Literal)]
            if len(texts) == len(node.parts):
                return (*texts, *([""] if node.optional else []))
    return ()


def max_sounds(node: Node) -> int:
    """Return the length of the longest sentence of `node`."""
    match node:
        case Literal():
            return len(node.sounds)
        case Slot():
            return max((len(value.sounds) for value in node.values), default=0) or ENDLESS
        case FreeWords():
            return ENDLESS
        case Series():
            return sum(map(max_sounds, node.parts))
        case Choice():
            return max(map(max_sounds, node.parts), default=0)


def min_sounds(node: Node) -> int:
    """Return the length of the shortest sentence of `node`, free words left out."""
    match node:
        case Literal():
            return len(node.sounds)
        case Slot():
            return min((len(value.sounds) for value in node.values), default=1)
        case FreeWords():
            return 0
        case Series():
            return sum(map(min_sounds, node.parts))
        case Choice():
            return 0 if node.optional else min(map(min_sounds, node.parts), default=0)


def has_free_words(node: Node) -> bool:
    """Return whether any words may be said somewhere in `node`."""
    if isinstance(node, Series | Choice):
        return any(map(has_free_words, node.parts))
    return isinstance(node, FreeWords)


def _is_specific(node: Node) -> bool:
    """Return whether the free words of `node` stand between enough others."""
    outside = not _may_begin_free(node) and not _may_begin_free(node, reverse=True)
    return outside and min_sounds(node) >= _MIN_FIXED_SOUNDS


def _may_begin_free(node: Node, *, reverse: bool = False) -> bool:
    match node:
        case Series():
            for part in reversed(node.parts) if reverse else node.parts:
                if _may_begin_free(part, reverse=reverse):
                    return True
                if min_sounds(part) > 0:
                    return False
            return False
        case Choice():
            return any(_may_begin_free(part, reverse=reverse) for part in node.parts)
    return isinstance(node, FreeWords)


def _domains(context: Mapping[str, Any]) -> frozenset[str]:
    wanted = context.get("domain", ())
    if isinstance(wanted, Mapping):
        wanted = wanted.get("value", ())
    return frozenset([wanted] if isinstance(wanted, str) else wanted)


def _names(home: Home, kind: str, domains: frozenset[str]) -> list[str]:
    if kind == "name":
        return [
            name
            for entity in home.entities.values()
            if not domains or entity.domain in domains
            for name in entity.names
        ]
    places = home.areas if kind == "area" else home.floors
    return [name for place in places.values() for name in place.names]


def _is_empty(node: Node | None) -> bool:
    return isinstance(node, Literal) and not node.text


def _orders(parts: list[Node | None]) -> Iterator[list[Node | None]]:
    if len(parts) < 2:
        yield parts
    for number, part in enumerate(parts):
        if len(parts) >= 2:
            for rest in _orders(parts[:number] + parts[number + 1 :]):
                yield [part, *rest]


def _sentences(expression: Expression) -> Iterator[str]:
    match expression:
        case TextChunk():
            yield expression.original_text
        case Alternative():
            for item in expression.items:
                yield from _sentences(item)
        case Group():
            texts = [""]
            for item in expression.items:
                texts = [text + more for text in texts for more in _sentences(item)]
            yield from texts
        case _:
            raise ValueError("a value may not refer to rules or lists")
