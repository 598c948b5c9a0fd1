"""Clause parser: every word of an utterance gets a role, or the utterance is not parsed.

A clause has deeds ("turn", "on"), values ("50", "percent"), attributes ("brightness") and noun
phrases ("the kitchen light"). A word that no lexicon knows belongs to a noun phrase, and a noun
phrase must be explained by what exists in the home: so no word is ever left out.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from wyoming_llm.home.lexicon import Lexicon, Role
from wyoming_llm.home.targets import Index, NounPhrase, NounWord

_MAX_TOKENS: Final = 40
_MAX_READINGS: Final = 128
_PLACES: Final = ("here", "house", "floors", "outside", "upstairs", "downstairs")
_IGNORED: Final = ("skip", "in", "conditions", "if_words")
_ELSEWHERE: Final = ("delays", "off_list", "storeys", "weekdays", "remaining",
                     "lasting", "at_time", "until_time", "clock", "reminders", "timer_changes",
                     "hesitations", "idioms")  # fmt: skip
"""Roles that other recognisers know, and a clause does not"""
_LIGHTS: Final = ("deed", "light")
_COLLECTED: Final = ("deed", "attribute", "question", "state", "comparisons")
_QUANTIFIERS: Final = ("all", "any", "both", "everything")
_MARKS: Final = ("to", "by", "steps", "not")
_VALUES: Final = ("level", "color", "color_temperature", "mode")
_PLURAL_KINDS: Final = {
    "values": "value", "levels": "level", "attributes": "attribute", "units": "unit",
    "deeds": "deed", "questions": "question", "states": "state", "modes": "mode",
    "complaints": "complaint",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segment:
    """A phrase of the utterance with one role."""

    tokens: tuple[str, ...]
    kind: str
    value: Any = None
    many: bool = False
    mass: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """One reading of a clause, in which every word has its part."""

    deeds: frozenset[str] = frozenset()
    phrases: tuple[NounPhrase, ...] = ()
    excluded: tuple[NounPhrase, ...] = ()
    number: float | None = None
    unit: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """A color, a color temperature, a level or a mode by its kind"""
    attributes: frozenset[str] = frozenset()
    by: bool = False
    """Whether the number is a difference"""
    to: bool = False
    """Whether the number is said to be the end"""
    step: bool = False
    questions: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    negated: bool = False
    every: bool = False
    comparisons: tuple[str, ...] = ()
    asks_any: bool = False
    """Whether a word says "any", and is no article"""
    complains: bool = False
    """Whether the deed is a remedy: "it is too dark in here\""""


def parse(tokens: Sequence[str], index: Index, *, asks: bool) -> Iterator[Clause]:
    """Yield the readings of a clause, the likeliest first; `asks` takes it for a question."""
    if not tokens or len(tokens) > _MAX_TOKENS:
        return
    choices = [_readings(options, asks=asks) for options in _spans(tokens, index)]
    for combination in itertools.islice(itertools.product(*choices), _MAX_READINGS):
        clause = _clause(combination)
        if clause is not None:
            yield clause


def _spans(tokens: Sequence[str], index: Index) -> Iterator[list[Segment]]:
    """Yield for each phrase, from left to right, what it can be."""
    lexicon = index.lexicon
    start = 0
    begins = True
    while start < len(tokens):
        length, roles = next(
            (
                match
                for match in lexicon.matches(tokens, start)
                if any(role.kind not in _ELSEWHERE for role in match[1])
            ),
            (1, ()),
        )
        named = index.name_at(tokens, start)
        if named >= length and named > 1:
            length, roles = named, ()
        for part in range(1, length):
            before = lexicon.roles(tokens[start : start + part])
            if before and index.name_at(tokens, start + part) > length - part:
                # "The house mode" holds a name, and not "the house".
                length, roles = part, before
                break
        said = tuple(tokens[start : start + length])
        follows = tokens[start + length] if start + length < len(tokens) else ""
        options = [*_options(said, roles, lexicon, follows, first=start == 0, named=named > 1)]
        if {"skip"} == {option.kind for option in options} and index.is_in_name(said):
            # "The right one": a word that is idle elsewhere is a part of a name here.
            options.insert(0, Segment(said, "word"))
        if not begins and len(options) > 1:
            # "Turn left at the light": only at the beginning it is a verb.
            options = [one for one in options if (one.kind, one.value) != _LIGHTS]
        begins = begins and any(option.kind == "skip" for option in options)
        yield options
        start += length


def _options(  # noqa: C901
    said: tuple[str, ...],
    roles: Sequence[Role],
    lexicon: Lexicon,
    follows: str,
    *,
    first: bool,
    named: bool,
) -> Iterator[Segment]:
    if said[0] in ",;.":
        yield Segment(said, "and")
        return
    if named or not roles:
        number = _number(said[0])
        yield Segment(said, "word") if number is None or named else Segment(said, "number", number)
        if number is not None and not named:
            yield Segment(said, "word")
        return
    mass = " ".join(said) in lexicon.mass
    only_any = not any(role.kind == "skip" for role in roles)
    spans = [
        Segment(
            said,
            _PLURAL_KINDS.get(role.kind, role.kind),
            only_any if role.kind == "any" else role.value,
            role.kind == "many",
            mass,
        )
        for role in roles
        if role.kind not in _ELSEWHERE
    ] or [Segment(said, "word")]
    before_value = follows[:1].isdigit() or any(
        role.kind in ("number", "values", "levels", "modes") for role in lexicon.roles((follows,))
    )

    def order(span: Segment) -> int:
        if span.kind in ("to", "by"):
            return 0 if before_value else 9
        if span.kind == "state":
            return 1
        if span.kind in ("one", "many"):
            return 3 if first else 1
        if span.kind in ("skip", "in"):
            return 4
        return 2

    if any(span.kind == "number" and span.value == 1 for span in spans) and not any(
        role.kind in ("units", "time") for role in lexicon.roles((follows,))
    ):
        yield Segment(said, "skip")  # "the right one"
    yield from sorted(spans, key=order)
    if any(
        span.kind in ("attribute", "mode", "level", "value", "state", "number") for span in spans
    ):
        yield Segment(said, "word")


def _readings(options: Sequence[Segment], *, asks: bool) -> list[Segment]:
    """Return the readings of a phrase that a question, or a command, can have."""
    wrong = ("deed", "complaint") if asks else ("question", "state", "comparisons")
    fitting = [span for span in options if span.kind not in wrong]
    return fitting or [Segment(options[0].tokens, "word")]


def _number(token: str) -> float | None:
    try:
        return float(token.replace(",", "."))
    except ValueError:
        return None


def _clause(segments: Sequence[Segment]) -> Clause | None:
    """Return what the segments say together, None where they contradict each other."""
    reading = _Reading()
    previous = ""
    for segment in segments:
        if not reading.take(segment, previous):
            return None
        if segment.kind != "skip":
            previous = segment.kind
    return reading.clause()


@dataclass(slots=True)
class _Phrase:
    """A noun phrase that is being read."""

    words: list[NounWord] = field(default_factory=list)
    every: bool = False
    any_of: bool = False
    both: bool = False
    pronoun: bool = False
    everything: bool = False

    def quantify(self, kind: str) -> None:
        """Take "all", "any", "both" or "everything"."""
        self.every = self.every or kind != "both"
        self.any_of = self.any_of or kind == "any"
        self.both = self.both or kind == "both"
        self.everything = self.everything or kind == "everything"

    def whole(self) -> NounPhrase | None:
        """Return the phrase, None for an empty one."""
        if not (self.words or self.every or self.both or self.pronoun):
            return None
        return NounPhrase(
            tuple(self.words), self.every, self.any_of, self.both, self.pronoun, self.everything
        )


@dataclass(slots=True)
class _Reading:
    """A clause that is being read, segment by segment."""

    said: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _COLLECTED})
    values: dict[str, Any] = field(default_factory=dict)
    number: float | None = None
    unit: str = ""
    seen: set[str] = field(default_factory=set)
    """Kinds of segments without a value"""
    phrases: list[NounPhrase] = field(default_factory=list)
    excluded: list[NounPhrase] = field(default_factory=list)
    current: _Phrase = field(default_factory=_Phrase)

    def take(self, segment: Segment, previous: str) -> bool:
        """Take the next segment; return False where it cannot follow."""
        kind = segment.kind
        if kind == "deed":
            return self._take_deed(str(segment.value), previous)
        if kind == "complaint":
            self.seen.add(kind)
            self.said["deed"].append(str(segment.value))
            return len(self.said["deed"]) == 1
        if kind == "time" and self.number is not None and not self.unit:
            self.unit = str(segment.value)
            return previous == "number"
        if kind in ("number", "value", "unit"):
            return self._take_amount(segment, previous)
        if kind in _VALUES:
            self.values[kind] = segment.value
            return len(self.values) == 1
        self._take_mark(segment)
        return kind not in ("conditions", "if_words")

    def _take_mark(self, segment: Segment) -> None:
        """Take a segment that can stand anywhere."""
        kind = segment.kind
        if kind in _COLLECTED:
            self.said[kind].append(str(segment.value))
        elif kind in _QUANTIFIERS:
            self.seen.add("every" if kind != "both" else kind)
            if kind == "any" and segment.value:
                self.seen.add("asks_any")
            self.current.quantify(kind)
        elif kind == "pronoun":
            self.current.pronoun = True
        elif kind in ("and", "but", "except"):
            self._end_phrase()
            # "All lights but the hall's"
            self.seen.add("except" if kind == "but" and "every" in self.seen else kind)
        elif kind in _MARKS:
            self.seen.add(kind)
        elif kind not in _IGNORED:
            self.current.words.append(_word(segment))

    def _take_deed(self, deed: str, previous: str) -> bool:
        known = self.said["deed"]
        if (known and previous == "and") or (deed == "turn" and deed in known):
            # A second verb begins another clause.
            return False
        known.append(deed)
        return True

    def _take_amount(self, segment: Segment, previous: str) -> bool:
        if segment.kind == "unit":
            self.unit = str(segment.value)
            if self.unit == "degree" and self.number is None and previous not in _QUANTIFIERS:
                self.number = 1.0  # "down a degree"
                return True
            return previous in ("number", "value")
        if self.number is not None:
            return False
        self.number = float(segment.value)
        self.unit = "percent" if segment.kind == "value" else ""
        return True

    def _end_phrase(self) -> None:
        phrase = self.current.whole()
        if phrase is not None:
            (self.excluded if "except" in self.seen else self.phrases).append(phrase)
        self.current = _Phrase()

    def clause(self) -> Clause | None:
        """Return the whole clause."""
        self._end_phrase()
        if "by" in self.seen and self.number is None:
            return None
        phrases, questions = _distributed(self.phrases), tuple(self.said["question"])
        if "are" in questions:
            phrases = tuple(_in_plural(phrase) for phrase in phrases)
            questions = tuple("is" if one == "are" else one for one in questions)
        return Clause(
            deeds=frozenset(self.said["deed"]),
            phrases=phrases,
            excluded=tuple(self.excluded),
            number=self.number,
            unit=self.unit,
            values=self.values,
            attributes=frozenset(self.said["attribute"]),
            by="by" in self.seen,
            to="to" in self.seen,
            step="steps" in self.seen,
            questions=questions,
            states=tuple(self.said["state"]),
            negated="not" in self.seen,
            every="every" in self.seen,
            comparisons=tuple(self.said["comparisons"]),
            asks_any="asks_any" in self.seen,
            complains="complaint" in self.seen,
        )


def _word(segment: Segment) -> NounWord:
    if segment.kind in _PLACES:
        return NounWord(segment.tokens, place=segment.kind)
    if segment.kind in ("one", "many"):
        return NounWord(segment.tokens, str(segment.value), segment.many, segment.mass)
    return NounWord(segment.tokens)


def _in_plural(phrase: NounPhrase) -> NounPhrase:
    """Return what a verb in the plural is about, where the noun does not show it: "Fenster"."""
    words = (replace(word, many=True) if word.kind else word for word in phrase.words)
    return replace(phrase, words=tuple(words))


def _distributed(phrases: Sequence[NounPhrase]) -> tuple[NounPhrase, ...]:
    """Return the phrases; "both" before two of them says nothing about each."""
    if len(phrases) > 1 and phrases[0].both:
        return (replace(phrases[0], both=False), *phrases[1:])
    return tuple(phrases)
