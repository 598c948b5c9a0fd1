"""Normalisation of a question: lower case, no politeness, numbers in words turned into digits."""

import functools
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from wyoming_llm.instant.words import LanguageWords, joined, small_numbers

NUMBER: Final = r"-?\d+(?:\.\d+)?"
MAX_CHARACTERS: Final = 200
"""A longer text is no question of this kind"""
_MAX_SPAN: Final = 12
"""LanguageWords of one number"""
_EDGES: Final = ' \t\n?!.,;:…¿¡"“”„»«'
_SYMBOLS: Final = re.compile(r"\s*([%\u00d7÷*=]|(?<=\d)\s*[+](?=\s*\d))\s*")


def plain(text: str, words: LanguageWords) -> str:
    """Return `text` in lower case, without punctuation at its edges and without politeness."""
    table = words.table
    said = " ".join(text.replace("’", "'").lower().split()).strip(_EDGES)  # noqa: RUF001
    before = re.compile(rf"^(?:{table['polite']})\b,?\s*")
    after = re.compile(rf",?\s+(?:{table['after']})$")
    while (shorter := after.sub("", before.sub("", said, count=1), count=1)) != said:
        said = shorter.strip(_EDGES)
    return said


def with_digits(said: str, words: LanguageWords) -> str:
    """Return a plain text with every number as digits, and a decimal point as a full stop."""
    if words.code == "en":
        said = re.sub(r"\ba (?=(?:hundred|thousand|million|billion)\b)", "1 ", said)
    spaced = " ".join(_SYMBOLS.sub(r" \1 ", _grouped(said, words)).split())
    tokens = list(_read(spaced.split(" "), words))
    point = "|".join(map(re.escape, words.table["decimal"]))
    return re.sub(
        rf"\b(\d+) (?:{point}) (\d+(?: \d)*)\b",
        lambda found: f"{found[1]}.{found[2].replace(' ', '')}",
        " ".join(tokens),
    )


def match(pattern: str, said: str, **groups: str) -> dict[str, str] | None:
    """Return what the `{names}` of a pattern stand for in `said`, None where it does not fit.

    `groups` has the regular expression of each name, without groups of its own that capture. A
    name may occur in several alternatives.
    """
    compiled, names = _compiled(pattern, tuple(sorted(groups.items())))
    found = compiled.fullmatch(said)
    if found is None:
        return None
    pairs = zip(names, found.groups(), strict=True)
    return {name: value for name, value in pairs if value is not None}


@functools.lru_cache(maxsize=1024)
def _compiled(
    pattern: str, groups: tuple[tuple[str, str], ...]
) -> tuple[re.Pattern[str], list[str]]:
    known, names = dict(groups), []

    def group(found: re.Match[str]) -> str:
        names.append(found[1])
        return f"({known[found[1]]})"

    filled = re.sub(r"\{(\w+)\}", group, pattern)
    return re.compile(filled), names


def _grouped(said: str, words: LanguageWords) -> str:
    """Return `said` with thousands unseparated, and a full stop before decimals."""
    if words.table["comma_groups"]:
        return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", said)
    said = re.sub(r"(?<=\d)[.\u00a0\u202f ](?=\d{3}(?!\d))", "", said)
    return re.sub(r"(?<=\d),(?=\d)", ".", said)


def _read(tokens: Sequence[str], words: LanguageWords) -> Iterator[str]:
    at = 0
    while at < len(tokens):
        for end in range(min(len(tokens), at + _MAX_SPAN), at, -1):
            number = _number(tokens[at:end], words)
            if number is not None:
                yield str(number)
                at = end
                break
        else:
            yield tokens[at]
            at += 1


def _number(tokens: Sequence[str], words: LanguageWords) -> int | None:
    inner, apart = words.table["joined"], words.table["apart"]
    if tokens[0] in inner or tokens[-1] in inner or any("," in token for token in tokens):
        return None
    scales = {form for _, form in _scales(words)}
    for before, token in pairwise(tokens):
        # "Between twenty and five" holds two numbers, "a hundred and five" one.
        if token in apart or (token in inner and before not in scales):
            return None
    text = joined("".join(token for token in tokens if token not in inner))
    if text.isdecimal():
        return int(text) if len(tokens) == 1 else None
    return _value(text, words.code, frozenset(_scales(words)))


def _scales(words: LanguageWords) -> Iterator[tuple[int, str]]:
    for scale, forms in words.table["scales"].items():
        for form in forms:
            yield scale, joined(form)


@functools.lru_cache(maxsize=4096)
def _value(text: str, code: str, scales: frozenset[tuple[int, str]]) -> int | None:
    """Return the number that a word is, None for other text."""
    small = small_numbers(code)
    if text in small:
        return small[text]
    for scale, form in sorted(scales, key=lambda one: (-one[0], -len(one[1]))):
        before, found, after = text.partition(form)
        if not found:
            continue
        many = 1 if not before else _count(before, code, scales)
        rest = 0 if not after else _value(after, code, scales)
        if many is not None and rest is not None and many < 1000 and rest < scale:
            return many * scale + rest
    # Hundreds of their own: quinientos cuarenta.
    for form, number in small.items():
        if number >= 100 and number % 100 == 0 and text.startswith(form):
            rest = _value(text[len(form) :], code, scales)
            if rest is not None and 0 < rest < 100:
                return number + rest
    return None


def _count(before: str, code: str, scales: frozenset[tuple[int, str]]) -> int | None:
    """Return how many of a scale there are; digits may stand before it: 3 million."""
    return int(before) if before.isdecimal() else _value(before, code, scales)
