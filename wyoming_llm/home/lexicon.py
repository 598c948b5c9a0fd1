"""Lexicon of one language: the roles that words play in commands and questions about a home.

Own words are files in `wyoming_llm/languages/grammar`, as hassil templates; words for device
classes and colors come from the lists of home-assistant-intents, numbers from unicode-rbnf.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import yaml
from hassil.parse_expression import parse_sentence
from hassil.sample import sample_expression
from unicode_rbnf import RbnfEngine

from wyoming_llm.languages import grammar
from wyoming_llm.languages.intents_fallback import content_of

_TOKEN: Final = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:['-][^\W\d_]+)*'?|°[cf]?|%|[,;.]")
_ELISION: Final = re.compile(
    r"\b((?:qu|[dlmtsnjc]|un|dell|all|nell|sull|dall|quest|quell|mezz|c)')(?=\w)"
)
PUNCTUATION: Final = (",", ";", ".", "%", "'")
"""Tokens that part clauses, or are not said"""
_MAX_PHRASE_WORDS: Final = 8
_MAX_NUMBER_WORD: Final = 100
_PACKAGE_LISTS: Final = {"color": "color", "color_temperature_names": "color_temperature"}


@dataclass(frozen=True, slots=True)
class Role:
    """A part that a phrase can play."""

    kind: str
    """deed, one, many, attribute, unit, value, in, to, by, and, except, all, ..."""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrases of a language and their roles."""

    code: str
    phrases: Mapping[tuple[str, ...], tuple[Role, ...]]
    mass: frozenset[str]
    """Phrases for a kind that mean all of it: "the light" of a room"""
    spoken_states: Mapping[str, str]
    vocabulary: frozenset[str] = frozenset()
    """Every word of a phrase"""

    def roles(self, tokens: Sequence[str]) -> tuple[Role, ...]:
        """Return the roles of a phrase, () for an unknown one."""
        return self.phrases.get(tuple(tokens), ())

    def matches(self, tokens: Sequence[str], start: int) -> Iterator[tuple[int, tuple[Role, ...]]]:
        """Yield length and roles of the known phrases at `start`, the longest first."""
        for length in range(min(_MAX_PHRASE_WORDS, len(tokens) - start), 0, -1):
            if roles := self.phrases.get(tuple(tokens[start : start + length])):
                yield length, roles

    def without_hesitations(self, text: str) -> str:
        """Return `text` without "uh" and "um", nor the commas around them."""
        return _hesitations(self.code).sub(" ", text)

    def is_idiom(self, tokens: Sequence[str]) -> bool:
        """Whether all of `tokens` is a saying that is not about the home: "what is going on"."""
        end = len(tokens)
        while end and (tokens[end - 1] in PUNCTUATION or self._idles(tokens[end - 1])):
            end -= 1
        return any(role.kind == "idioms" for role in self.roles(tokens[:end]))

    def _idles(self, token: str) -> bool:
        return any(role.kind in ("skip", "here", "hesitations") for role in self.roles((token,)))

    def noun(self, kind: str) -> str:
        """Return the word for one of a kind, "" for a kind without a word."""
        word = next((key for key, roles in self.phrases.items() if Role("one", kind) in roles), ())
        said = " ".join(word)
        return said.capitalize() if self.code == "de" else said

    def state(self, value: str) -> str:
        """Return a state as people say it."""
        return self.spoken_states.get(value, value.replace("_", " "))


def codes() -> list[str]:
    """Return the languages that have a lexicon."""
    return sorted(
        path.name.removesuffix(".yaml")
        for path in files(grammar).iterdir()
        if path.name.endswith(".yaml")
    )


def lexicon(code: str) -> Lexicon | None:
    """Return the lexicon of a language ("de", "de-CH"), None for one without."""
    plain = re.split(r"[-_]", code.lower())[0]
    return _load(plain) if plain in codes() else None


@functools.cache
def _hesitations(code: str) -> re.Pattern[str]:
    known = _load(code).phrases.items()
    words = [k[0] for k, roles in known if any(role.kind == "hesitations" for role in roles)]
    every = "|".join(map(re.escape, words))
    return re.compile(rf"(?i)(?:,\s*)?(?<![\w'-])(?:{every})(?![\w'-])(?:\s*(?:,|\.{{2,}}|…))?")


def tokenize(text: str) -> list[str]:
    """Return the words, numbers and signs of `text`, in small letters."""
    plain = unicodedata.normalize("NFC", text.casefold()).replace("\u2019", "'")
    plain = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", plain)
    return _TOKEN.findall(_ELISION.sub(r"\1 ", plain))


@functools.cache
def _load(code: str) -> Lexicon:
    text = files(grammar).joinpath(f"{code}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    phrases: dict[tuple[str, ...], dict[Role, None]] = {}
    for role, template in (*_own_words(content), *_package_words(code)):
        for phrase in _expanded(template):
            phrases.setdefault(tuple(tokenize(phrase)), {})[role] = None
    _add_covers(phrases, code)
    _add_numbers(phrases, code)
    mass = frozenset(" ".join(tokenize(p)) for p in _expanded(str(content["mass"])))
    spoken = {str(key): str(value) for key, value in content["spoken_states"].items()}
    vocabulary = frozenset(word for key in phrases for word in key)
    frozen = {key: tuple(roles) for key, roles in phrases.items()}
    return Lexicon(code, frozen, mass, spoken, vocabulary)


_Phrases = dict[tuple[str, ...], dict[Role, None]]


def _own_words(content: Mapping[str, Any]) -> Iterator[tuple[Role, str]]:
    """Yield roles and templates of the file of a language."""
    for kind, words in content.items():
        if kind in ("mass", "spoken_states"):
            continue
        if isinstance(words, dict):
            yield from ((Role(kind, value), str(templates)) for value, templates in words.items())
        else:
            yield Role(kind), str(words)


def _package_words(code: str) -> Iterator[tuple[Role, str]]:
    """Yield colors, and color temperatures by their names."""
    lists = content_of(code).get("lists", {})
    for name, kind in _PACKAGE_LISTS.items():
        for value in lists.get(name, {}).get("values", ()):
            yield Role(kind, value["out"]), value["in"]


def _add_covers(phrases: _Phrases, code: str) -> None:
    """Add the package's words for classes of covers that have no role yet."""
    for value in content_of(code).get("lists", {}).get("cover_classes", {}).get("values", ()):
        for out in value["out"] if isinstance(value["out"], list) else [value["out"]]:
            for phrase in _expanded(value["in"]):
                roles = phrases.setdefault(tuple(tokenize(phrase)), {})
                if not any(role.kind in ("one", "many") for role in roles):
                    roles[Role("one", out)] = None


def _add_numbers(phrases: _Phrases, code: str) -> None:
    """Add number words; "one" only where the word is nothing else."""
    for number, word in _number_words(code):
        known = phrases.setdefault(tuple(tokenize(word)), {})
        if number > 1 or not known:
            known[Role("number", number)] = None


def _expanded(templates: str) -> Iterator[str]:
    for template in templates.split(";"):
        if template.strip():
            yield from sample_expression(parse_sentence(template.strip()).expression)


def _number_words(code: str) -> Iterator[tuple[int, str]]:
    engine = RbnfEngine.for_language(code)
    for number in range(_MAX_NUMBER_WORD + 1):
        for word in set(engine.format_number(number).text_by_ruleset.values()):
            if not any(letter.isdigit() for letter in word):
                yield number, word.replace("\u00ad", "")
    yield from _HUNDREDS.get(code, ())


_HUNDREDS: Final[Mapping[str, Sequence[tuple[int, str]]]] = {
    "en": [(100, "a hundred")],
    "de": [(100, "hundert")],
}
