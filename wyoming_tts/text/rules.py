"""Rules that rewrite text: each a pattern and what a match is read as."""

import re
from collections.abc import Callable, Iterable

Read = Callable[[re.Match[str]], str]
Rules = tuple[tuple[re.Pattern[str], Read | str], ...]


def rules(*given: tuple[str, Read | str]) -> Rules:
    return tuple((re.compile(pattern), read) for pattern, read in given)


def any_of(names: Iterable[str]) -> str:
    """Return a pattern that matches one of `names`, the longest that fits."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def rewrite(text: str, given: Rules) -> str:
    """Apply the rules in order, each to all of the text."""
    for pattern, read in given:
        text = pattern.sub(read, text)
    return text
