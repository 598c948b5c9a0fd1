"""Word lists and patterns of the instant answers, one YAML file a language."""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import yaml
from babel import Locale
from unicode_rbnf import FormatPurpose, RbnfEngine

LANGUAGES: Final = ("de", "en", "es", "fr", "it", "nl")
_SPACES: Final = re.compile("[\\s\u00ad-]+")


@dataclass(frozen=True, slots=True, eq=False)
class LanguageWords:
    """Patterns and phrases of one language."""

    code: str
    locale: Locale
    table: Mapping[str, Any]

    def phrase(self, key: str, **values: str) -> str:
        """Return a sentence of the language, filled in."""
        return str(self.table["phrases"][key]).format(**values)

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a part of the table."""
        found: Mapping[str, Any] = self.table[name]
        return found


@functools.cache
def words_of(code: str) -> LanguageWords | None:
    """Return the words of a language by its code (de-AT is de), None for other languages."""
    base = code.replace("_", "-").partition("-")[0].lower()
    if base not in LANGUAGES:
        return None
    file = resources.files("wyoming_llm.instant") / "languages" / f"{base}.yaml"
    return LanguageWords(base, Locale.parse(base), yaml.safe_load(file.read_text(encoding="utf-8")))


@functools.cache
def small_numbers(code: str) -> Mapping[str, int]:
    """Return the numbers below 100 and the hundreds by their written-out forms."""
    engine = RbnfEngine.for_language(code)
    numbers = [*range(100), *range(100, 1000, 100)]
    if code == "it":
        # A vowel is dropped before otto and ottanta: centottanta.
        numbers += [hundreds + rest for hundreds in numbers[100:] for rest in (8, *range(80, 90))]
    forms = {
        joined(form.lower()): number
        for number in reversed(numbers)
        for form in engine.format_number(number).text_by_ruleset.values()
    }
    # The French plural is dropped before another number: quatre-vingts, quatre-vingt mille.
    before_another = {joined("quatre-vingt"): 80} if code == "fr" else {}
    return forms | before_another


@functools.cache
def ordinals(code: str) -> Mapping[str, int]:
    """Return the days of a month by their written-out ordinals."""
    engine = RbnfEngine.for_language(code)
    forms: dict[str, int] = {}
    for number in range(1, 32):
        said = engine.format_number(number, FormatPurpose.ORDINAL).text_by_ruleset
        forms |= {form.lower(): number for form in said.values() if not form.isdecimal()}
    return forms


@functools.cache
def denominators(code: str) -> Mapping[str, int]:
    """Return the denominators from three on by their names: third, fifths, Achtel, tiers."""
    words = words_of(code)
    own: dict[str, int] = dict(words.section("arithmetic")["denominators"]) if words else {}
    forms = {form: number for form, number in ordinals(code).items() if number > 2}
    if code == "de":
        return {f"{form}l": number for form, number in forms.items() if form.endswith("e")} | own
    plurals = {f"{form}s": number for form, number in forms.items()} if code == "en" else {}
    return forms | plurals | own


def joined(text: str) -> str:
    """Return `text` without spaces, hyphens and accents, as `small_numbers` has its forms."""
    letters = unicodedata.normalize("NFD", _SPACES.sub("", text).replace("ß", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def months(words: LanguageWords) -> Mapping[str, int]:
    """Return the months by their names."""
    return _named(words.locale.months)


def weekdays(words: LanguageWords) -> Mapping[str, int]:
    """Return the weekdays by their names; Monday is 0."""
    return _named(words.locale.days)


def _named(forms: Mapping[str, Any]) -> Mapping[str, int]:
    def every() -> Iterator[tuple[str, int]]:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in forms[context][width].items():
                    yield name.lower().rstrip("."), number

    return dict(every())
