"""Sums, percentages and parts in words, computed exactly."""

import functools
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Final

from wyoming_llm.instant import saying
from wyoming_llm.instant.reading import NUMBER, match
from wyoming_llm.instant.words import LanguageWords, denominators, ordinals

_MAX_EXPONENT: Final = 100
_MAX_RESULT: Final = Fraction(10**15)
"""A greater result is not said"""
_MAX_TOKENS: Final = 40
_DATES_AND_PHRASES: Final = re.compile(r"\d+/\d+")
"""24/7 and 9/11 are no sums; where a quotient is meant, people say so"""

Token = str | Fraction


class NotArithmetic(ValueError):
    """The tokens are no expression."""


class ZeroDivision(ValueError):
    """A divisor is zero."""


def answer(said: str, words: LanguageWords) -> str | None:
    """Return the result of an expression that is all of `said`, None for other text."""
    if _DATES_AND_PHRASES.search(said):
        return None
    amount = _money(said, words)
    if amount is None:
        return _share(said, words) or _by_verb(said, words) or _expression(said, words)
    without, currency = amount
    found = answer(without, words)
    return f"{found} {currency}" if found is not None and found[-1].isdecimal() else found


def _expression(said: str, words: LanguageWords) -> str | None:
    table = words.section("arithmetic")
    text = re.sub(rf"^(?:{table['ask']})", "", said)
    text = re.sub(rf"(?:{table['tail']})$", "", text).rstrip(" =")
    tokens = list(_tokens(text, words))
    if not 1 < len(tokens) <= _MAX_TOKENS or "" in tokens:
        return None
    try:
        result = _Parser(tokens).result()
    except NotArithmetic:
        return None
    except ZeroDivision:
        return words.phrase("zero")
    return saying.number(result, words) if abs(result) <= _MAX_RESULT else None


def _money(said: str, words: LanguageWords) -> tuple[str, str] | None:
    """Return `said` without the currency of one amount, and the currency; None for several."""
    currency = words.section("arithmetic")["currency"]
    amounts = re.findall(rf"(?<=\d) ?({currency})(?!\w)", said)
    if len(amounts) != 1:
        return None
    return re.sub(rf"(?<=\d) ?(?:{currency})(?!\w)", "", said), amounts[0]


def _share(said: str, words: LanguageWords) -> str | None:
    found = match(words.section("arithmetic")["share"], said, a=NUMBER, b=NUMBER)
    if found is None:
        return None
    whole = Fraction(found["b"])
    if not whole:
        return words.phrase("zero")
    share = saying.number(100 * Fraction(found["a"]) / whole, words)
    return f"{share}%" if words.code == "en" else f"{share} %"


_VERBS: Final[Mapping[str, Callable[[Fraction, Fraction], Fraction]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "off": lambda a, b: a * (100 - b) / 100,
    "%": lambda a, b: a * b / 100,
    "^2": lambda a, _: a * a,
    "^3": lambda a, _: a * a * a,
}


def _by_verb(said: str, words: LanguageWords) -> str | None:
    """Return the result of a verb with two numbers: subtract 5 from 20."""
    for verb, pattern in words.section("arithmetic")["verbs"].items():
        found = match(pattern, said, a=NUMBER, b=NUMBER)
        if found is None:
            continue
        a, b = Fraction(found["a"]), Fraction(found.get("b", "0"))
        if verb == "/" and not b:
            return words.phrase("zero")
        result = _VERBS[verb](a, b)
        return saying.number(result, words) if abs(result) <= _MAX_RESULT else None
    return None


_OPERATORS: Final = (
    ("percent_of", "%of"), ("percent", "%"), ("cubed", "^3"), ("squared", "^2"), ("power", "^"),
    ("cube_root", "root3"), ("root", "root"), ("over", "/"), ("times", "*"), ("plus", "+"),
    ("minus", "-"),
)  # fmt: skip


def _tokens(text: str, words: LanguageWords) -> Iterator[Token]:
    """Yield numbers and operators; "" for what is neither."""
    table = words.section("arithmetic")
    article = rf"(?:(?:{table['article']}) ?)?" if "article" in table else ""
    while text := text.lstrip():
        if (part := _part(text, words)) is not None:
            found, value = part
            yield value
            yield "*"
        elif (raised := _ordinal_power(text, words)) is not None:
            found, exponent = raised
            yield "^"
            yield exponent
        elif (number := re.match(rf"{article}(\d+(?:\.\d+)?)(?!\w)", text)) is not None:
            found = number
            yield Fraction(number[1])
        else:
            operator, symbol = _operator(text, table)
            yield symbol
            if operator is None:
                return
            found = operator
        text = text[found.end() :]


def _part(text: str, words: LanguageWords) -> tuple[re.Match[str], Fraction] | None:
    """Return the part or the multiple that `text` begins with: half of, two fifths of, twice."""
    for pattern, value in words.section("arithmetic")["parts"].items():
        if (found := re.match(rf"(?:{pattern})(?!\w)", text)) is not None:
            return found, Fraction(value)
    if (found := _fractions(words).match(text)) is not None:
        return found, Fraction(int(found["n"] or 1), denominators(words.code)[found["d"]])
    return None


@functools.cache
def _fractions(words: LanguageWords) -> re.Pattern[str]:
    """Return the pattern of "two fifths of"."""
    names = "|".join(sorted(denominators(words.code), key=len, reverse=True))
    one, of = words.section("units")["one"], words.section("arithmetic")["of"]
    return re.compile(rf"(?:(?P<n>\d+)|(?:{one})) (?P<d>{names}) (?:{of})(?!\w)")


def _ordinal_power(text: str, words: LanguageWords) -> tuple[re.Match[str], Fraction] | None:
    """Return the power that `text` begins with: to the fifth power."""
    pattern = words.section("arithmetic").get("ordinal_power")
    if pattern is None:
        return None
    names = ordinals(words.code)
    filled = pattern.replace("{n}", f"(?P<n>{'|'.join(sorted(names, key=len, reverse=True))})")
    found = re.match(rf"(?:{filled})(?!\w)", text)
    return (found, Fraction(names[found["n"]])) if found is not None else None


def _operator(text: str, table: Mapping[str, str]) -> tuple[re.Match[str] | None, str]:
    """Return the operator that `text` begins with, and where it stands."""
    for symbol in "+-()/":
        if text.startswith(symbol):
            return re.match(re.escape(symbol), text), symbol
    for name, symbol in _OPERATORS:
        found = re.match(rf"(?:{table[name]})(?!\w)", text)
        if found is not None:
            return found, symbol
    return None, ""


class _Parser:
    """Recursive descent: sums of products of powers of numbers."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._operators = sum(isinstance(token, str) for token in tokens)

    def result(self) -> Fraction:
        value = self._sum()
        if self._at != len(self._tokens) or not self._operators:
            raise NotArithmetic
        return value

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *symbols: str) -> str | None:
        token = self._peek()
        if isinstance(token, str) and token in symbols:
            self._at += 1
            return token
        return None

    def _sum(self) -> Fraction:
        value = self._product()
        while (sign := self._take("+", "-")) is not None:
            other = self._product()
            if self._take("%"):
                # 50 plus 20 percent adds a part of the 50.
                other = value * other / 100
            value = value + other if sign == "+" else value - other
        return value

    def _product(self) -> Fraction:
        value = self._power()
        while (sign := self._take("*", "/", "%of")) is not None:
            other = self._power()
            if sign == "*":
                value *= other
            elif sign == "%of":
                value *= other / 100
            elif other:
                value /= other
            else:
                raise ZeroDivision
        return value

    def _power(self) -> Fraction:
        if self._take("-"):
            return -self._power()
        if self._take("root"):
            return _root(self._power())
        if self._take("root3"):
            return _cube_root(self._power())
        value = self._atom()
        while (sign := self._take("^2", "^3", "^")) is not None:
            exponent = Fraction(int(sign[1])) if len(sign) > 1 else self._power()
            value = _raised(value, exponent)
        return value

    def _atom(self) -> Fraction:
        token = self._peek()
        self._at += 1
        if isinstance(token, Fraction):
            return token
        if token == "(":  # noqa: S105 - a bracket
            value = self._sum()
            if self._take(")"):
                return value
        raise NotArithmetic


def _raised(value: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT or abs(value) > _MAX_RESULT:
        raise NotArithmetic
    if not value and exponent < 0:
        raise ZeroDivision
    return Fraction(value ** int(exponent))


def _root(value: Fraction) -> Fraction:
    """Return the square root; what is no square, to 20 decimals."""
    if value < 0:
        raise NotArithmetic
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom)
    scale = 10**20
    return Fraction(math.isqrt(value.numerator * scale * scale // value.denominator), scale)


def _cube_root(value: Fraction) -> Fraction:
    """Return the cube root; what is no cube, to 20 decimals."""
    sign = -1 if value < 0 else 1
    top, bottom = _whole_cube_root(abs(value.numerator)), _whole_cube_root(value.denominator)
    if top**3 == abs(value.numerator) and bottom**3 == value.denominator:
        return Fraction(sign * top, bottom)
    scale = 10**20
    return Fraction(
        sign * _whole_cube_root(abs(value.numerator) * scale**3 // value.denominator), scale
    )


def _whole_cube_root(value: int) -> int:
    """Return the greatest whole number whose cube is at most `value`, by Newton's method."""
    guess = 1 << -(-value.bit_length() // 3)
    while guess:
        better = (2 * guess + value // (guess * guess)) // 3
        if better >= guess:
            return guess
        guess = better
    return 0
