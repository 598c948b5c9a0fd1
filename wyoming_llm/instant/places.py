"""The time in other places: cities and countries by their names in six languages."""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import yaml
from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_time

from wyoming_llm.instant import saying
from wyoming_llm.instant.reading import match
from wyoming_llm.instant.words import LanguageWords

_ANY: Final = r".{2,40}?"
ARTICLE: Final = re.compile(
    r"^(?:the|der|die|den|dem|das|le|la|les|l'|el|los|las|de|het|il|lo|gli|i) ?(?=\w)"
)


def answer(said: str, words: LanguageWords, now: datetime) -> str | None:
    """Return the time in another place, None for other text and unknown places."""
    table = words.section("places")
    if found := match(table["ask_time"], said, place=_ANY):
        return _times(_moments(found["place"], words, now), now, words)
    if found := match(table["ask_day"], said, place=_ANY):
        there = _moments(found["place"], words, now)
        return format_date(there[0], "full", locale=words.locale) if len(there) == 1 else None
    if found := match(table["ask_difference"], said, place=_ANY, place2=_ANY):
        first = _moments(found["place"], words, now)
        second = _moments(found["place2"], words, now) if "place2" in found else [now]
        if len(first) == len(second) == 1:
            minutes = abs(_offset(first[0]) - _offset(second[0])).total_seconds() / 60
            return saying.measure(Fraction(round(minutes), 60), "duration-hour", words)
    return None


def _times(there: Sequence[datetime], now: datetime, words: LanguageWords) -> str | None:
    """Return the time in a place; a country with several has the first and the last of them."""
    if not there:
        return None
    if len(there) == 1:
        return _time(there[0], now, words)
    first, last = (_time(moment, now, words) for moment in (there[0], there[-1]))
    return words.phrase("between", first=first, last=last)


def _time(there: datetime, now: datetime, words: LanguageWords) -> str:
    said = format_time(there, "short", locale=words.locale).replace("\u202f", " ")
    if there.date() == now.date():
        return said
    day = format_date(there, "EEEE", locale=words.locale)
    return words.phrase("day_and_time", time=said, day=day)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)


def _moments(place: str, words: LanguageWords, now: datetime) -> list[datetime]:
    """Return now in a place, once for each of its offsets, the westernmost first."""
    if re.fullmatch(words.section("places")["here"], place):
        return [now]
    there = [now.astimezone(ZoneInfo(zone)) for zone in _zones(place, words)]
    moments = {_offset(moment): moment for moment in there}
    return [moments[offset] for offset in sorted(moments)]


def _zones(place: str, words: LanguageWords) -> tuple[str, ...]:
    known = zones_of_places(words)
    for name in (place_key(place), place_key(ARTICLE.sub("", place))):
        if name in known:
            return known[name]
        # A city and its country: Paris, France.
        parts = name.split(" ")
        for at in range(1, len(parts)):
            city, country = " ".join(parts[:at]), " ".join(parts[at:])
            if city in known and set(known[city]) & set(known.get(country, ())):
                return known[city]
    return ()


@functools.cache
def zones_of_places(words: LanguageWords) -> Mapping[str, tuple[str, ...]]:
    """Return the zones of every place by its name; a country may have several."""
    places: dict[str, tuple[str, ...]] = {}
    for locale in (Locale("en"), words.locale):
        for name, zones in _countries(locale):
            places[place_key(name)] = zones
        for name, zone in _cities(locale):
            places.setdefault(place_key(name), (zone,))
    file = resources.files("wyoming_llm.instant") / "languages" / "cities.yaml"
    for zone, names in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        places |= {place_key(name): (zone,) for name in names}
    return places


def _countries(locale: Locale) -> Iterator[tuple[str, tuple[str, ...]]]:
    zones: dict[str, list[str]] = {}
    known = available_timezones()
    for zone, territory in get_global("zone_territories").items():
        if zone in known and territory != "001":
            zones.setdefault(territory, []).append(zone)
    for territory, found in zones.items():
        if name := locale.territories.get(territory):
            yield name, tuple(found)


def _cities(locale: Locale) -> Iterator[tuple[str, str]]:
    for zone in sorted(available_timezones()):
        region, _, rest = zone.partition("/")
        if not rest or region in {"Etc", "SystemV", "US", "Canada", "Brazil", "Mexico", "Chile"}:
            continue
        yield rest.rpartition("/")[2].replace("_", " "), zone
        info = locale.time_zones.get(zone)
        if info is not None and "city" in info:
            yield info["city"], zone


def place_key(name: str) -> str:
    """Return the name of a place in lower case, without accents and punctuation."""
    letters = unicodedata.normalize("NFD", name.casefold())
    kept = "".join(letter for letter in letters if letter.isalnum() or letter == " ")
    return " ".join(kept.split())
