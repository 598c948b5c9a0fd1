"""Phonetic search: the sentences of a grammar that sound most like a transcript.

The transcript is aligned with the templates by dynamic programming over its sounds (weighted edit
distance, as in "Approximate matching of regular expressions", Myers and Miller, 1989). Costs are
min-plus: a part of a template maps the vector of costs "the first j sounds are consumed" to the
same vector behind it. Templates that begin alike share a prefix tree, whose branches are left where
even their best cost is too high; the nearest templates are then aligned once more, with history.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from wyoming_stt.home_sentences.grammar import (
    Choice,
    FreeWords,
    Literal,
    Node,
    SentenceGrammar,
    Series,
    Slot,
    Template,
    has_free_words,
    max_sounds,
)
from wyoming_stt.home_sentences.phonetics import (
    SpokenWord,
    confusion_costs,
    omission_costs,
    plain,
    sounds_of,
    spell,
    spoken_words,
)

Costs = NDArray[np.float32]
Indices = NDArray[np.int64]
_Layer = tuple[Indices, Indices, Literal | FreeWords, Slot | Choice | None]

_MAX_ALIGNED: Final = 16
"""Templates that are aligned with history, the nearest ones"""
_MAX_SHARES: Final = (0.05, 0.4, 0.65)
"""Distance up to which sentences are searched, as a share of the transcript; the next one only if
the nearest sentence is not known yet with all its rivals"""
_MAX_SAME_COST: Final = 0.2
"""Distance of a sentence that sounds the same: it needs no rivals"""
_MAX_LEAD: Final = 3.0
"""Distance behind the nearest sentence from which others are of no interest"""
_MAX_SLOT_VALUES: Final = 8
"""Values of a slot that are aligned, the ones that fit the transcript best"""
_MAX_SHORT_COST: Final = 3.0
"""Distance up to which the last of these shares is searched, for transcripts of few sounds"""
_FREE_COST: Final = np.float32(0.05)
"""Cost of each sound of free words, so that they take in no words of the template"""
_MEAN_OMISSION_COST: Final = np.float32(0.5)
_MIN_VARIED_SOUNDS: Final = 3
"""Sounds of a word for which the other words of a choice are considered"""
_MAX_PREFIX_SHARE: Final = 0.08
"""Distance of a beginning that counts as said, and by which the whole sentence is farther"""
_MAX_TRANSCRIPT_SOUNDS: Final = 160
"""Commands are not longer."""
_SPELLING_COST: Final = np.float32(0.02)
"""Cost of a word that the transcript spells otherwise: it decides between words of one sound"""
_MIN_TOTAL: Final = 0.1
"""Distance, at least, that a share is a part of"""
_INFINITE: Final = np.float32(1e6)


@dataclass(frozen=True, slots=True)
class NearSentence:
    """A sentence of the home, and its distance from a transcript."""

    text: str
    cost: float
    """Weighted edits of sounds"""
    intent: str
    share: float
    """`cost` as a share of the cost of leaving out the whole transcript, free words excepted"""
    values: tuple[str, ...] = ()
    """Names, numbers and other values in it, in their order"""
    is_guessed: bool = False
    """Whether the transcript has nothing at all in the place of one of its values"""

    def means(self, other: "NearSentence") -> bool:
        """Return whether both ask for the same, in other words perhaps."""
        return (self.intent, self.values) == (other.intent, other.values)


@dataclass(frozen=True, slots=True)
class Nearest:
    """Result of a search."""

    sentences: list[NearSentence]
    """The nearest first"""
    prefix_share: float
    """Distance of the nearest beginning of a longer sentence, as a share of the transcript; words
    of courtesy make none longer"""

    @property
    def is_open(self) -> bool:
        """Whether the transcript is the beginning of a sentence that must go on."""
        whole = self.sentences[0].share if self.sentences else 1.0
        return self.prefix_share <= _MAX_PREFIX_SHARE < whole - self.prefix_share


class PhoneticSearch:
    """Finds near sentences in one grammar. Blocking: 10 to 50 ms a transcript of a command."""

    def __init__(self, grammar: SentenceGrammar) -> None:
        self._index = _Index.of(grammar)

    @property
    def language(self) -> str:
        """Code of the language of the sentences."""
        return self._index.grammar.language

    def nearest(self, text: str, count: int = 8) -> Nearest:
        """Return the `count` sentences that sound most like `text`."""
        words = spoken_words(text, self.language)
        sounds = "".join(word.sounds for word in words)
        if not sounds or len(sounds) > _MAX_TRANSCRIPT_SOUNDS or not self._index.grammar.literals:
            return Nearest([], 1.0)
        return _Alignment(self._index, words, sounds).nearest(count)


@dataclass(frozen=True, slots=True)
class _Index:
    """The literals of a grammar in numbers, and the prefix tree of its templates."""

    grammar: SentenceGrammar
    tree: "_Branch"
    alphabet: str
    codes: NDArray[np.int16]
    """Sounds of each literal as positions in the alphabet, -1 behind its end, [literal, sound]"""
    omissions: Costs
    """Cost of leaving out each sound of the alphabet"""
    flat: frozenset[Choice]
    """Choices between literals alone"""

    @classmethod
    def of(cls, grammar: SentenceGrammar) -> Self:
        alphabet = grammar.alphabet
        number = {char: number for number, char in enumerate(alphabet)}
        longest = max((len(literal.sounds) for literal in grammar.literals), default=0)
        codes = np.full((len(grammar.literals), longest), -1, np.int16)
        for row, literal in enumerate(grammar.literals):
            codes[row, : len(literal.sounds)] = [number[char] for char in literal.sounds]
        flat = frozenset(_flat_choices(template.node for template in grammar.templates))
        tree = _prefix_tree(grammar)
        return cls(grammar, tree, alphabet, codes, omission_costs(alphabet), flat)


@dataclass(slots=True)
class _Branch:
    """A node of the prefix tree: the parts that may follow, and the templates that end here."""

    children: dict[Node, "_Branch"] = field(default_factory=dict)
    templates: list[int] = field(default_factory=list)
    reach: int = 0
    """Sounds of the longest way on from here"""


def _prefix_tree(grammar: SentenceGrammar) -> _Branch:
    tree = _Branch()
    for number, template in enumerate(grammar.templates):
        branch = tree
        for part in _flat_parts(template.node):
            branch = branch.children.setdefault(part, _Branch())
        branch.templates.append(number)
    _measure(tree)
    return tree


def _measure(branch: _Branch) -> int:
    lengths = [max_sounds(part) + _measure(child) for part, child in branch.children.items()]
    branch.reach = max(lengths, default=0)
    return branch.reach


def _flat_choices(nodes: Iterable[Node]) -> Iterator[Choice]:
    for node in nodes:
        if isinstance(node, Series | Choice):
            if all(isinstance(part, Literal | Slot | FreeWords) for part in node.parts):
                if isinstance(node, Choice):
                    yield node
            else:
                yield from _flat_choices(node.parts)


def _parts(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Series | Choice) else ()


def _flat_parts(node: Node) -> Iterator[Node]:
    if isinstance(node, Series):
        for part in node.parts:
            yield from _flat_parts(part)
    else:
        yield node


class _Alignment:
    """One transcript against the grammar."""

    def __init__(self, index: _Index, words: list[SpokenWord], sounds: str) -> None:
        self._index = index
        self._words = words
        self._length = len(sounds)
        self._grammar = index.grammar
        self._confusions = confusion_costs(index.alphabet, sounds)
        self._left_out = np.concatenate([[0], np.cumsum(omission_costs(sounds))]).astype(np.float32)
        self._bounds = self._lower_bounds()
        self._joined: dict[Node, tuple[Costs, Costs]] = {}
        self._matrices: dict[Literal, Costs] = {}
        self._prefixes: dict[Literal, Costs] = {}
        self._prefix_cost = 1e3
        self._notes_prefixes = True
        self._limit = 0.0
        self._free = self._free_matrix()
        self._prefix_limit = _MAX_PREFIX_SHARE * float(self._left_out[-1])
        self._remaining = np.arange(self._length, -1, -1)
        self._node_bounds: dict[Node, float] = {}
        self._rests: dict[int, float] = {}
        self._spellings = _spelled_places(words, index.grammar.language)
        self._extra: dict[Slot, tuple[Literal, ...]] = {}
        self._layers: list[_Layer] = []

    def nearest(self, count: int) -> Nearest:
        """Align the templates, and the nearest ones again with history."""
        total = float(self._left_out[-1])
        start = np.full(self._length + 1, _INFINITE, np.float32)
        start[0] = 0.0
        costs: dict[int, float] = {}
        for share in _MAX_SHARES:
            self._limit = min(share * total, max(_MAX_SHARES[1] * total, _MAX_SHORT_COST))
            self._walk(self._index.tree, start, costs)
            nearest_cost = min(costs.values(), default=_INFINITE)
            if nearest_cost <= max(_MAX_SAME_COST, self._limit - _MAX_LEAD):
                break
        found: dict[str, NearSentence] = {}
        best = min(costs.values(), default=0.0)
        for number in sorted(costs, key=costs.__getitem__)[:_MAX_ALIGNED]:
            if costs[number] > best + _MAX_LEAD:
                break
            template = self._grammar.templates[number]
            for near in self._align(template):
                if near.text not in found or found[near.text].cost > near.cost:
                    found[near.text] = near
        nearest = sorted(found.values(), key=lambda one: one.cost)[:count]
        return Nearest(nearest, self._prefix_cost / total)

    def _walk(
        self, branch: _Branch, costs: Costs, found: dict[int, float], *, fixed: bool = True
    ) -> None:
        """Note the cost of every template below `branch` that is within the limit.

        `fixed` tells whether no free words came before: any speech would be a beginning with them.
        """
        if branch.templates and costs[-1] <= self._limit:
            found.update(dict.fromkeys(branch.templates, float(costs[-1])))
            self._limit = min(self._limit, float(costs[-1]) + _MAX_LEAD)
        least = float(costs.min())
        # The most promising branch comes first: what it finds bounds the others.
        ranked = (
            sorted(
                (self._bound(part) + self._rest(child), number, part, child)
                for number, (part, child) in enumerate(branch.children.items())
            )
            if len(branch.children) > 1
            else [(0.0, 0, *one) for one in branch.children.items()]
        )
        for rest, _, part, child in ranked:
            if self._is_hopeless(least, rest):
                continue
            self._notes_prefixes = keeps = fixed and not has_free_words(part)
            behind = self._follow(part, costs)
            # Sounds beyond the longest sentence of this branch are left out.
            beyond = np.maximum(self._remaining - child.reach, 0)
            if (behind + _MEAN_OMISSION_COST * beyond).min() <= self._limit:
                self._walk(child, behind, found, fixed=keeps)

    def _follow(self, node: Node, costs: Costs) -> Costs:
        """Return the costs behind `node`, given those before it."""
        match node:
            case Series():
                for part in node.parts:
                    costs = self._follow(part, costs)
                    if costs.min() > self._limit:
                        break
                return costs
            case Choice() if node not in self._index.flat:
                least = float(costs.min())
                ways = [
                    self._follow(part, costs)
                    for part in node.parts
                    if not self._is_hopeless(least, self._bound(part))
                ]
                ways += [costs] if node.optional else []
                return np.minimum.reduce(ways) if ways else np.full_like(costs, _INFINITE)
            case Literal() if not node.sounds:
                return costs
        matrix, prefix = self._join(node)
        if self._notes_prefixes and node is not self._grammar.courtesy:
            begun = min(float(costs[-1]), float((costs + prefix).min()))
            self._prefix_cost = min(self._prefix_cost, begun)
        return np.asarray((matrix + costs[:, np.newaxis]).min(axis=0))

    def _is_hopeless(self, cost: float, rest: float) -> bool:
        """Return whether nothing of interest is behind `cost` if `rest` follows at least."""
        return cost + rest > self._limit and cost > self._prefix_limit

    def _rest(self, branch: _Branch) -> float:
        """Return the least cost of what follows in `branch`, each part where it fits best."""
        known = self._rests.get(id(branch))
        if known is None:
            known = 0.0 if branch.templates else 1e3
            for part, child in branch.children.items():
                known = min(known, self._bound(part) + self._rest(child))
            self._rests[id(branch)] = known
        return known

    def _bound(self, node: Node) -> float:
        known = self._node_bounds.get(node)
        if known is None:
            match node:
                case Literal():
                    known = self._literal_bound(node)
                case Slot():
                    known = min(map(self._literal_bound, self._slot_values(node)), default=1e3)
                case FreeWords():
                    known = 0.0
                case Series():
                    known = sum(map(self._bound, node.parts))
                case Choice():
                    known = 0.0 if node.optional else min(map(self._bound, node.parts))
            self._node_bounds[node] = known
        return known

    def _join(self, node: Node) -> tuple[Costs, Costs]:
        """Return the matrix of a literal or of a choice between literals, and the prefix costs."""
        if isinstance(node, Literal):
            matrix = self._matrix(node)
            return matrix, self._prefixes[node]
        if isinstance(node, FreeWords):
            return self._free, np.full(self._length + 1, _INFINITE, np.float32)
        if node not in self._joined:
            optional = isinstance(node, Choice) and node.optional
            values: Sequence[Node]
            values = self._slot_values(node) if isinstance(node, Slot) else _parts(node)
            pairs = [self._join(value) for value in values]
            size = self._length + 1
            matrix = np.full((size, size), _INFINITE, np.float32)
            np.fill_diagonal(matrix, 0.0 if optional else _INFINITE)
            prefix = np.full(size, _INFINITE, np.float32)
            self._joined[node] = (
                np.minimum.reduce([matrix, *(one for one, _ in pairs)]),
                np.minimum.reduce([prefix, *(one for _, one in pairs)]),
            )
        return self._joined[node]

    def _free_matrix(self) -> Costs:
        """Return the cost of taking sounds i to j for free words, [i, j]: words are not divided."""
        size = self._length + 1
        ends = np.cumsum([0, *(len(word.sounds) for word in self._words)])
        costs = np.full((size, size), _INFINITE, np.float32)
        first, last = np.triu_indices(len(ends), 1)
        costs[ends[first], ends[last]] = _FREE_COST * (ends[last] - ends[first])
        return costs

    def _lower_bounds(self) -> dict[Literal, float]:
        """Return the cost of each literal where it fits the transcript best."""
        codes = self._index.codes
        costs = np.zeros((len(codes), self._length + 1), np.float32)
        for column in range(codes.shape[1]):
            rows = np.flatnonzero(codes[:, column] >= 0)
            costs[rows] = self._step(costs[rows], codes[rows, column])
        best = costs.min(axis=1)
        return dict(zip(self._grammar.literals, best.tolist(), strict=True))

    def _step(self, costs: Costs, codes: NDArray[np.int16]) -> Costs:
        """Return the costs behind one more sound of each row, shape [rows, length + 1]."""
        omissions = self._index.omissions[codes][:, np.newaxis]
        after = costs + omissions
        np.minimum(after[..., 1:], costs[..., :-1] + self._confusions[codes], out=after[..., 1:])
        return self._leave_out(after)

    def _leave_out(self, costs: Costs) -> Costs:
        """Return the costs if sounds of the transcript may be left out as well."""
        relative = costs - self._left_out
        return np.asarray(np.minimum.accumulate(relative, axis=-1) + self._left_out, np.float32)

    def _literal_bound(self, literal: Literal) -> float:
        known = self._bounds.get(literal)
        if known is None:
            matrix = self._matrix(literal)
            known = self._bounds[literal] = float(matrix.min())
        return known

    def _slot_values(self, slot: Slot) -> tuple[Literal, ...]:
        """Return the values of a slot that fit the transcript best."""
        if slot not in self._extra:
            values = list(slot.values)
            if slot.numbers is not None:
                values += self._numbers_in(slot.numbers)
            values.sort(key=lambda one: self._literal_bound(one) - 0.01 * len(one.sounds))
            self._extra[slot] = tuple(values[:_MAX_SLOT_VALUES])
        return self._extra[slot]

    def _numbers_in(self, numbers: range) -> Iterator[Literal]:
        for word in self._words:
            if word.text.isdecimal() and len(word.text) < 7 and int(word.text) in numbers:
                language = self._grammar.language
                yield Literal(word.text, sounds_of(spell(int(word.text), language)[0], language))

    def _matrix(self, literal: Literal) -> Costs:
        """Return the cost of taking sounds i to j of the transcript for `literal`, [i, j]."""
        if literal not in self._matrices:
            alphabet = self._index.alphabet
            size = self._length + 1
            start = self._left_out[np.newaxis, :] - self._left_out[:, np.newaxis]
            costs = np.where(np.tri(size, k=-1, dtype=bool), _INFINITE, start).astype(np.float32)
            spoken = spoken_words(literal.text, self._grammar.language)
            ends = set(accumulate(len(word.sounds) for word in spoken))
            others = sum(plain(word.text) not in self._spellings for word in spoken)
            prefix = np.full(size, _INFINITE)
            for number, char in enumerate(literal.sounds, 1):
                code = alphabet.find(char)
                if code < 0:
                    costs = costs + np.float32(1)
                else:
                    costs = self._step(costs, np.full(size, code, np.int16))
                if number in ends and number < len(literal.sounds):
                    prefix = np.minimum(prefix, costs[:, -1])
            # Of words of one sound, the one is preferred that stands at this very place.
            single = len(spoken) == 1 and not others
            costs = costs + _SPELLING_COST * (1 if single else others)
            for begin, end in self._spellings[plain(spoken[0].text)] if single else ():
                costs[begin, end] -= _SPELLING_COST
            self._matrices[literal], self._prefixes[literal] = costs, prefix
        return self._matrices[literal]

    def _align(self, template: Template) -> Iterator[NearSentence]:
        """Yield the nearest sentence of a template, and those with one other word or value."""
        self._layers = []
        start = np.full(self._length + 1, _INFINITE, np.float32)
        start[0] = 0.0
        costs, history = self._run(template.node, start, np.full(len(start), -1))
        cost = float(costs[-1])
        if cost >= 1e3:
            return
        spans = list(self._trace(int(history[-1])))[::-1]
        literals = [span.literal for span in spans]
        free = sum(self._left_out[one.end] - self._left_out[one.begin] for one in spans if one.free)
        # Free words may take in the whole transcript.
        total = max(float(self._left_out[-1] - free), _MIN_TOTAL)
        guessed = any(one.is_value and not one.free and one.begin == one.end for one in spans)

        def near(said: Sequence[Literal], distance: float) -> NearSentence:
            pairs = zip(spans, said, strict=True)
            values = tuple(one.text for span, one in pairs if span.is_value)
            text = _write([one.text for one in said])
            return NearSentence(text, distance, template.intent, distance / total, values, guessed)

        yield near(literals, cost)
        for number, span in enumerate(spans):
            for other in self._others(span):
                if other != span.literal:
                    more = self._replacement_cost(spans, number, other)
                    yield near([*literals[:number], other, *literals[number + 1 :]], cost + more)

    def _others(self, span: "_Span") -> Iterator[Literal]:
        """Yield what else may have been said in a span; articles and endings do not matter."""
        match span.slot:
            case Slot() if span.slot.is_varied:
                yield from self._slot_values(span.slot)
            case Choice() if len(span.literal.sounds) >= _MIN_VARIED_SOUNDS:
                for part in span.slot.parts:
                    if isinstance(part, Literal) and len(part.sounds) >= _MIN_VARIED_SOUNDS:
                        yield part

    def _replacement_cost(self, spans: list["_Span"], number: int, other: Literal) -> float:
        """Return the extra cost of `other` in a span, whose borders may move into its neighbours.

        A better value may begin with sounds that were left out beside the one it replaces.
        """
        span, size = spans[number], self._length + 1
        before = [one for one in spans[:number] if one.begin < one.end][-1:]
        after = [one for one in spans[number + 1 :] if one.begin < one.end][:1]
        before = [one for one in before if not one.free]
        after = [one for one in after if not one.free]
        first, last = span.begin, span.end
        left, right = np.full(size, _INFINITE), np.full(size, _INFINITE)
        left[span.begin] = right[span.end] = 0.0
        if before:
            first = before[0].begin
            left = self._matrix(before[0].literal)[first]
        if after:
            last = after[0].end
            right = self._matrix(after[0].literal)[:, last]
        own = self._matrix(span.literal)[span.begin, span.end]
        old = left[span.begin] + own + right[span.end]
        area = slice(first, last + 1)
        new = left[area, np.newaxis] + self._matrix(other)[area, area] + right[np.newaxis, area]
        return float(new.min() - old)

    def _run(self, node: Node, costs: Costs, history: Indices) -> tuple[Costs, Indices]:
        """Return costs and history behind `node`, given those before it."""
        match node:
            case Literal() | FreeWords():
                return self._apply(node, None, costs, history)
            case Slot():
                ways = [self._apply(one, node, costs, history) for one in self._slot_values(node)]
                return _best(ways, costs, history, optional=False)
            case Series():
                for part in node.parts:
                    costs, history = self._run(part, costs, history)
                return costs, history
            case Choice():
                ways = [
                    self._apply(part, node, costs, history)
                    if isinstance(part, Literal)
                    else self._run(part, costs, history)
                    for part in node.parts
                ]
                return _best(ways, costs, history, optional=node.optional)

    def _apply(
        self,
        literal: Literal | FreeWords,
        slot: Slot | Choice | None,
        costs: Costs,
        history: Indices,
    ) -> tuple[Costs, Indices]:
        positions = np.arange(len(costs))
        if isinstance(literal, FreeWords) or literal.sounds:
            sums = costs[:, np.newaxis] + self._join(literal)[0]
            starts = sums.argmin(axis=0)
            costs = sums[starts, positions]
        else:
            starts = positions
        layer = len(self._layers)
        self._layers.append((starts, history, literal, slot))
        return costs, layer * len(costs) + positions

    def _trace(self, history: int) -> Iterator["_Span"]:
        """Yield every span of the best alignment, the last one first."""
        size = self._length + 1
        while history >= 0:
            layer, end = divmod(history, size)
            starts, before, literal, slot = self._layers[layer]
            begin = int(starts[end])
            if isinstance(literal, FreeWords):
                yield _Span(
                    begin, end, Literal(self._words_between(begin, end), ""), None, free=True
                )
            else:
                yield _Span(begin, end, literal, slot)
            history = int(before[begin])

    def _words_between(self, begin: int, end: int) -> str:
        """Return the words of the transcript whose sounds are `begin` to `end`."""
        ends = list(accumulate(len(word.sounds) for word in self._words))
        inside = [word for word, last in zip(self._words, ends, strict=True) if begin < last <= end]
        return " ".join(word.text for word in inside)


@dataclass(frozen=True, slots=True)
class _Span:
    """Sounds `begin` to `end` of the transcript, and the literal that they are taken for."""

    begin: int
    end: int
    literal: Literal
    slot: Slot | Choice | None
    """The list or the choice that the literal comes from"""
    free: bool = False
    """Whether these are free words"""

    @property
    def is_value(self) -> bool:
        """Whether the meaning of the sentence depends on the literal."""
        return self.free or (isinstance(self.slot, Slot) and self.slot.is_varied)


def _spelled_places(words: Sequence[SpokenWord], language: str) -> dict[str, list[tuple[int, int]]]:
    """Return where each word of a transcript lies in its sounds, elided articles by themselves."""
    places: dict[str, list[tuple[int, int]]] = {}
    begin = 0
    for word in words:
        end = begin + len(word.sounds)
        places.setdefault(plain(word.text), []).append((begin, end))
        head, mark, _ = word.text.replace("\u2019", "'").partition("'")
        if mark:
            behind = begin + len(sounds_of(head, language))
            places.setdefault(plain(head), []).append((begin, behind))
        begin = end
    return places


def _write(texts: list[str]) -> str:
    return " ".join("".join(texts).split())


def _best(
    ways: list[tuple[Costs, Indices]], costs: Costs, history: Indices, *, optional: bool
) -> tuple[Costs, Indices]:
    """Return the cheapest of `ways` for each position; `optional` adds the way through nothing.

    Of equal costs the first way is taken, and nothing last, so that spaces are kept.
    """
    ways = [*ways, *([(costs, history)] if optional else [])]
    best = np.full_like(costs, _INFINITE)
    for other_costs, other_history in ways:
        better = other_costs < best
        best = np.where(better, other_costs, best)
        history = np.where(better, other_history, history)
    return best, history
