"""Dice, coins and random numbers."""

import random
import re
from fractions import Fraction
from typing import Final

from wyoming_llm.instant import saying
from wyoming_llm.instant.reading import match
from wyoming_llm.instant.words import LanguageWords

_MAX_DICE: Final = 20
_COUNT: Final = r"\d{1,9}"


def answer(said: str, words: LanguageWords, chance: random.Random) -> str | None:
    """Return what fell, None where `said` asks for no chance."""
    table = words.section("chance")
    if re.fullmatch(table["coin"], said):
        return words.phrase(chance.choice(["heads", "tails"]))
    if re.fullmatch(table["die"], said):
        return str(chance.randint(1, 6))
    if found := match(table["dice"], said, n=_COUNT):
        many = min(int(found["n"]), _MAX_DICE)
        return saying.several([str(chance.randint(1, 6)) for _ in range(many)], words)
    found = match(table["sided"], said, n=_COUNT) or match(
        table["number"], said, a=_COUNT, b=_COUNT
    )
    if found:
        low, high = sorted((int(found.get("a", 1)), int(found.get("b") or found["n"])))
        return saying.number(Fraction(chance.randint(low, high)), words)
    return None
