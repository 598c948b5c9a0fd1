"""Semiotic classification in one pass: at each token, the first rule that accepts it reads it.

The way of Kestrel (https://doi.org/10.1017/S1351324914000175) and NeMo text processing: text is
split into tokens, each is classified in its context (date, time, money, measure, ...) and written
out. A rule sees the text as it was written, never what another rule has made of it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Read = Callable[[re.Match[str]], str | None]
"""Returns the words for a match, None for one that is of another class after all."""

_LETTERS = r"[^\W\d_⁰¹²³⁴-⁹½⅓⅔¼¾⅛⅜⅝⅞]+"
MAX_CONTEXT_CHARACTERS = 240
"""Context of a rule around its match; the bound makes the time linear in the length of a text"""
_PLAIN = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})*|\s+|\d+(?:[.,:]\d+)*|.", re.DOTALL)  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Rule:
    """One semiotic class: where it begins, what it looks like, and how it is read."""

    name: str
    starts: str
    """"0" with a digit, "a" with a letter, "+" with any other character; several of them"""
    pattern: re.Pattern[str]
    read: Read


def rule(name: str, starts: str, pattern: str, read: Read | str) -> Rule:
    """Return a rule; a `read` that is text is a template of `re.Match.expand`."""
    if isinstance(read, str):
        template = read

        def expand(match: re.Match[str]) -> str:
            return match.expand(template)

        read = expand
    return Rule(name, starts, re.compile(pattern), read)


def text_before(match: re.Match[str]) -> str:
    """Return up to `MAX_CONTEXT_CHARACTERS` characters before a match."""
    return match.string[max(0, match.start() - MAX_CONTEXT_CHARACTERS) : match.start()]


def text_after(match: re.Match[str]) -> str:
    """Return up to `MAX_CONTEXT_CHARACTERS` characters after a match."""
    return match.string[match.end() : match.end() + MAX_CONTEXT_CHARACTERS]


class Grammar:
    """Rules in order of precedence. Takes time in proportion to the length of the text."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        every = tuple(rules)
        self._rules = {start: tuple(one for one in every if start in one.starts) for start in "0a+"}

    def read(self, text: str) -> str:
        """Return `text` with every token that a rule accepts written out."""
        said: list[str] = []
        at = 0
        while at < len(text):
            first = text[at]
            if first.isspace():
                end = at + 1
                while end < len(text) and text[end].isspace():
                    end += 1
                # A rule may begin with the space before its sign.
                found = self._token(text, at, "+") if end - at == 1 else None
                said.append(text[at:end] if found is None else found[0])
                at = end if found is None else found[1]
                continue
            start = "0" if first.isdecimal() else "a" if first.isalpha() else "+"
            found = self._token(text, at, start)
            if found is None:
                plain = _PLAIN.match(text, at)
                assert plain is not None
                found = plain[0], plain.end()
            said.append(found[0])
            at = found[1]
        return "".join(said)

    def _token(self, text: str, at: int, start: str) -> tuple[str, int] | None:
        for one in self._rules[start]:
            match = one.pattern.match(text, at)
            if match is not None and match.end() > at:
                words = one.read(match)
                if words is not None:
                    return words, match.end()
        return None
