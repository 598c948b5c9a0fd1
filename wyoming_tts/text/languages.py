"""Grammars and sentence boundaries by language."""

from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from babel.dates import get_day_names, get_month_names

from wyoming_tts.text import de, en, es, fr, it, nl
from wyoming_tts.text.cldr_grammar import CldrGrammar
from wyoming_tts.text.language_words import words_of
from wyoming_tts.text.numbers import speller
from wyoming_tts.text.sentences import NO_BOUNDARIES, Boundaries
from wyoming_tts.text.units import locale_of

_WRITTEN: dict[str, type[CldrGrammar]] = {
    "de": de.German, "es": es.Spanish, "fr": fr.French, "it": it.Italian, "nl": nl.Dutch,
}  # fmt: skip
"""Languages with a folder of their own; CLDR's numbers and units serve the others."""
_BOUNDARIES = {
    "de": de.BOUNDARIES, "en": en.BOUNDARIES, "es": es.BOUNDARIES, "fr": fr.BOUNDARIES,
    "it": it.BOUNDARIES, "nl": nl.BOUNDARIES, "": en.BOUNDARIES,
}  # fmt: skip
_ORDINAL_STOP = words_of("bs cs da et fi fo hr hu is lb lv nb nn no pl sk sl sr sv tr")
"""Other languages that write ordinals with a full stop"""
_ABBREVIATIONS = words_of(
    "kl ca dr prof nr tel min max st bl a f.eks t.ex bl.a osv tj tzn np itd itp ul inż mgr sr sra "
    "av r pág núm tab obr č hod tis mil mld např atd tzv"
)
"""Abbreviations of other languages, few and common"""


class Reader(Protocol):
    """Writes out what is not a word."""

    def read(self, text: str) -> str: ...


@lru_cache(maxsize=16)
def grammar_of(language: str) -> Reader | None:
    """Return the grammar of "de_AT" or "de"; None for a language that CLDR has no numbers for."""
    base = language.partition("_")[0]
    if base in ("en", ""):
        return en.English(language)
    locale, numbers = locale_of(language), speller(language)
    if locale is None or not numbers.known:
        return None
    return _WRITTEN.get(base, CldrGrammar)(locale, numbers)


@lru_cache(maxsize=16)
def boundaries_of(language: str) -> Boundaries:
    """Return what full stops mean in "de_AT" or "de"."""
    base = language.replace("-", "_").partition("_")[0]
    known = _BOUNDARIES.get(base)
    if known is not None:
        return replace(known, before_numbers=known.before_numbers | _short_weekdays(base))
    if locale_of(language) is None:
        return NO_BOUNDARIES
    return Boundaries(abbreviations=_ABBREVIATIONS, ordinal_stop=base in _ORDINAL_STOP)


def _short_weekdays(base: str) -> frozenset[str]:
    """Return "sam" and "lun", which stand before the day of a month."""
    names = get_day_names("abbreviated", locale=locale_of(base or "en"))
    return frozenset(name.rstrip(".").lower() for name in names.values())


@lru_cache(maxsize=16)
def months_of(language: str) -> frozenset[str]:
    """Return the names of the months, as they stand after a day, in lower case."""
    locale = locale_of(language or "en")
    if locale is None:
        return frozenset()
    return frozenset(
        name.rstrip(".").lower()
        for width in ("wide", "abbreviated")
        for name in get_month_names(width, "format", locale).values()
    )
