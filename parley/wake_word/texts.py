"""Other speech: words of a language, from Home Assistant's sentences and from CLDR's names."""

import random
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from home_assistant_intents import get_intents

_TEMPLATE = re.compile(r"\{[^}]*\}|<[^>]*>")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_MIN_WORDS = 50


@cache
def common_words(language: str) -> frozenset[str]:
    """Return the words with which a home is asked, which people say anyway."""
    return _words(_texts(get_intents(language) or {}))


@cache
def vocabulary(language: str) -> tuple[str, ...]:
    """Return the words that are known of a language, sorted; few or none for a rare one."""
    texts: list[str] = []
    try:
        locale = Locale.parse(language, sep="-" if "-" in language else "_")
    except (UnknownLocaleError, ValueError):
        pass
    else:
        for names in (locale.territories, locale.languages, locale.currencies):
            texts.extend(names.values())
    return tuple(sorted(common_words(language) | _words(texts)))


def sentence(language: str, rng: random.Random, most: int = 9) -> str:
    """Return random words of a language, of English where too few are known, as one sentence."""
    words = vocabulary(language)
    if len(words) < _MIN_WORDS:
        words = vocabulary("en")
    chosen = [rng.choice(words) for _ in range(rng.randint(3, most))]
    if len(chosen) > 5:
        chosen[2] += ","
    return " ".join(chosen)


def _words(texts: Iterable[str]) -> frozenset[str]:
    words = {word.lower() for text in texts for word in _WORD.findall(_TEMPLATE.sub(" ", text))}
    return frozenset(word for word in words if 1 < len(word) < 20)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
