"""Instant answers: sums, units, dates, places, spelling and chance, without a model.

An ordered list of recognisers, each of which reads a whole question or returns None: a text that
merely contains "minutes" or "degrees" stays with the model. Exact, pure and within milliseconds.
"""

import random
from collections.abc import Callable
from datetime import datetime

from wyoming_llm.instant import arithmetic, chance, dates, places, spelling, territories, units
from wyoming_llm.instant.reading import MAX_CHARACTERS, plain, with_digits
from wyoming_llm.instant.words import LanguageWords, denominators, ordinals, small_numbers, words_of

__all__ = ["InstantAnswers"]


class InstantAnswers:
    """Answers what can be computed, in English, German, French, Spanish, Dutch and Italian."""

    def __init__(self, chooser: random.Random | None = None) -> None:
        self._chooser = chooser or random.SystemRandom()

    def answer(self, text: str, language: str, now: datetime) -> str | None:
        """Return the answer to `text` in its language, None where it is no such question.

        `now` is the local time with its zone.
        """
        words = words_of(language)
        if words is None or len(text) > MAX_CHARACTERS:
            return None
        said = plain(text, words)
        if (spelled := spelling.answer(said, words)) is not None:
            return spelled
        digits = with_digits(said, words)
        for recognise in self._recognisers(digits, words, now):
            if (found := recognise()) is not None:
                return found
        return None

    def warm_up(self, language: str) -> None:
        """Load the words of a language, so that its first question takes no longer than others."""
        if (words := words_of(language)) is not None:
            small_numbers(words.code)
            ordinals(words.code)
            denominators(words.code)
            units.vocabulary(words)
            places.zones_of_places(words)
            territories.territories(words)
            territories.capitals()

    def _recognisers(
        self, digits: str, words: LanguageWords, now: datetime
    ) -> tuple[Callable[[], str | None], ...]:
        return (
            lambda: chance.answer(digits, words, self._chooser),
            lambda: arithmetic.answer(digits, words),
            lambda: units.answer(digits, words),
            lambda: dates.answer(digits, words, now),
            lambda: places.answer(digits, words, now),
            lambda: territories.answer(digits, words),
        )
