"""Facts of the CLDR: currencies, languages and capitals of countries, the order of weekdays."""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml
from babel import Locale
from babel.languages import get_official_languages
from babel.numbers import get_currency_name, get_territory_currencies

from wyoming_llm.instant import saying
from wyoming_llm.instant.places import ARTICLE, place_key
from wyoming_llm.instant.reading import match
from wyoming_llm.instant.words import LanguageWords, months, weekdays

_ANY = r".{2,40}?"


def answer(said: str, words: LanguageWords) -> str | None:
    """Return the fact that `said` asks for, None for other text and unknown countries."""
    table = words.section("territories")
    if found := match(table["ask_currency"], said, place=_ANY):
        return _currency(found["place"], words)
    if found := match(table["ask_language"], said, place=_ANY):
        return _languages(found["place"], words)
    if found := match(table["ask_capital"], said, place=_ANY):
        return capital(_territory(found["place"], words), words)
    return _neighbour(said, words)


def capital(territory: str, words: LanguageWords) -> str | None:
    """Return the capital of a country, None for one with several, or an unknown one."""
    table = capitals()
    if (zone := table["zones"].get(territory)) is not None:
        known = words.locale.time_zones.get(zone, {}).get("city")
        city = str(known or zone.rpartition("/")[2].replace("_", " "))
        return city.replace("\u00ad", "").partition(" (")[0]
    names = table["translated"].get(territory, {})
    name = names.get(words.code, names.get("en")) or table["names"].get(territory)
    return None if name is None else str(name)


@functools.cache
def capitals() -> Mapping[str, Any]:
    """Return the table of capitals, see languages/capitals.yaml."""
    file = resources.files("wyoming_llm.instant") / "languages" / "capitals.yaml"
    table: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return table


def _currency(place: str, words: LanguageWords) -> str | None:
    territory = _territory(place, words)
    codes = get_territory_currencies(territory) if territory else []
    names = [get_currency_name(code, locale=words.locale) for code in codes]
    return saying.several(names, words) if names else None


def _languages(place: str, words: LanguageWords) -> str | None:
    territory = _territory(place, words)
    if not territory:
        return None
    codes = get_official_languages(territory) or get_official_languages(territory, de_facto=True)
    names = [words.locale.languages[code] for code in codes if code in words.locale.languages]
    return saying.several(names, words) if names else None


def _territory(place: str, words: LanguageWords) -> str:
    known = territories(words)
    keys = (place_key(place), place_key(ARTICLE.sub("", place)))
    return next((known[key] for key in keys if key in known), "")


@functools.cache
def territories(words: LanguageWords) -> Mapping[str, str]:
    """Return the ISO 3166 codes of countries by their names, in English and the own language."""
    names = {
        place_key(name): code
        for locale in (Locale("en"), words.locale)
        for code, name in locale.territories.items()
        if code.isalpha()
    }
    aliases: Mapping[str, str] = words.section("territories")["aliases"]
    return names | {place_key(name): code for name, code in aliases.items()}


def _neighbour(said: str, words: LanguageWords) -> str | None:
    """Return the month or weekday that comes after or before another."""
    table, locale = words.section("territories"), words.locale
    for key, step in (("ask_after", 1), ("ask_before", -1)):
        by_name = months(words)
        if found := match(table[key], said, name="|".join(by_name)):
            return str(
                locale.months["stand-alone"]["wide"][(by_name[found["name"]] - 1 + step) % 12 + 1]
            )
        by_day = weekdays(words)
        if found := match(table[key], said, name="|".join(by_day)):
            return str(locale.days["stand-alone"]["wide"][(by_day[found["name"]] + step) % 7])
    return None
