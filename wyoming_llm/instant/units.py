"""Conversions between units, by their exact definitions; names are those of the CLDR."""

import functools
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final, Literal

from babel import Locale
from babel.units import format_unit

from wyoming_llm.instant import saying
from wyoming_llm.instant.reading import NUMBER, match
from wyoming_llm.instant.words import LanguageWords

_INCH: Final = Fraction("0.0254")
_POUND: Final = Fraction("0.45359237")
_GALLON: Final = Fraction("3.785411784")
"""Of the United States, in litres; an imperial one has 4.54609"""

FACTORS: Final[Mapping[str, Mapping[str, Fraction]]] = {
    "length": {
        "length-kilometer": Fraction(1000), "length-meter": Fraction(1),
        "length-decimeter": Fraction(1, 10), "length-centimeter": Fraction(1, 100),
        "length-millimeter": Fraction(1, 1000), "length-micrometer": Fraction(1, 10**6),
        "length-inch": _INCH, "length-foot": 12 * _INCH, "length-yard": 36 * _INCH,
        "length-mile": 63360 * _INCH, "length-nautical-mile": Fraction(1852),
        "length-light-year": Fraction(9460730472580800),
    },
    "mass": {
        "mass-tonne": Fraction(1000), "mass-kilogram": Fraction(1), "mass-gram": Fraction(1, 1000),
        "mass-milligram": Fraction(1, 10**6), "mass-pound": _POUND, "mass-ounce": _POUND / 16,
        "mass-stone": 14 * _POUND,
    },
    "time": {
        "duration-century": Fraction(100 * 31556952), "duration-decade": Fraction(10 * 31556952),
        "duration-year": Fraction(31556952), "duration-month": Fraction(31556952, 12),
        "duration-week": Fraction(604800), "duration-day": Fraction(86400),
        "duration-hour": Fraction(3600), "duration-minute": Fraction(60),
        "duration-second": Fraction(1), "duration-millisecond": Fraction(1, 1000),
    },
    "volume": {
        "volume-cubic-meter": Fraction(1000), "volume-hectoliter": Fraction(100),
        "volume-liter": Fraction(1), "volume-deciliter": Fraction(1, 10),
        "volume-centiliter": Fraction(1, 100), "volume-milliliter": Fraction(1, 1000),
        "volume-cubic-centimeter": Fraction(1, 1000), "volume-gallon": _GALLON,
        "volume-quart": _GALLON / 4, "volume-pint": _GALLON / 8, "volume-cup": _GALLON / 16,
        "volume-fluid-ounce": _GALLON / 128, "volume-tablespoon": _GALLON / 256,
        "volume-teaspoon": _GALLON / 768,
    },
    "area": {
        "area-square-kilometer": Fraction(10**6), "area-hectare": Fraction(10**4),
        "area-square-meter": Fraction(1), "area-square-centimeter": Fraction(1, 10**4),
        "area-square-mile": (63360 * _INCH) ** 2, "area-acre": 43560 * (12 * _INCH) ** 2,
        "area-square-foot": (12 * _INCH) ** 2, "area-square-inch": _INCH**2,
    },
    "speed": {
        "speed-kilometer-per-hour": Fraction(1000, 3600), "speed-meter-per-second": Fraction(1),
        "speed-mile-per-hour": 63360 * _INCH / 3600, "speed-knot": Fraction(1852, 3600),
    },
    "digital": {
        "digital-terabyte": Fraction(8 * 10**12), "digital-gigabyte": Fraction(8 * 10**9),
        "digital-megabyte": Fraction(8 * 10**6), "digital-kilobyte": Fraction(8000),
        "digital-byte": Fraction(8), "digital-megabit": Fraction(10**6),
        "digital-bit": Fraction(1),
    },
    "energy": {
        "energy-kilowatt-hour": Fraction(3600000), "energy-joule": Fraction(1),
        "energy-kilojoule": Fraction(1000), "energy-calorie": Fraction("4.184"),
        "energy-kilocalorie": Fraction(4184),
    },
    "power": {
        "power-kilowatt": Fraction(1000), "power-watt": Fraction(1),
        "power-megawatt": Fraction(10**6),
    },
    "pressure": {
        "pressure-bar": Fraction(10**5), "pressure-pascal": Fraction(1),
        "pressure-hectopascal": Fraction(100), "pressure-kilopascal": Fraction(1000),
        "pressure-millibar": Fraction(100), "pressure-atmosphere": Fraction(101325),
    },
}  # fmt: skip
"""By kind: how much of the kind's own unit each one is (international definitions)."""
SCALES: Final[Mapping[str, tuple[Fraction, Fraction]]] = {
    "temperature-celsius": (Fraction(1), Fraction("273.15")),
    "temperature-fahrenheit": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
    "temperature-kelvin": (Fraction(1), Fraction(0)),
}
"""Temperatures: kelvins a degree, and the kelvins of 0"""
_METRIC_KITCHEN: Final[Mapping[str, Fraction]] = {
    "volume-cup": Fraction(1, 4), "volume-tablespoon": Fraction(15, 1000),
    "volume-teaspoon": Fraction(5, 1000),
}  # fmt: skip
"""Litres of the measures of kitchens outside the United States"""
_LENGTHS: Final[tuple[Literal["long", "short"], ...]] = ("long", "short")
_AMBIGUOUS: Final = frozenset({"in", "a", "b", "pt", "st", "t", "c", "d", "j", "s", "min"})
"""Short names that are words as well"""
_MULTIPLE: Final = "*"
_WEIGHTY: Final = {"de": {"mass-pound"}, "nl": {"mass-pound"}}
"""Names that mean something else in daily life: a German Pfund has 500 g"""


def answer(said: str, words: LanguageWords) -> str | None:
    """Return the result of a conversion that is all of `said`, None for other text."""
    section, names = words.section("units"), vocabulary(words)
    for spoken, amount in section["amounts"].items():
        said = re.sub(spoken, amount, said)
    any_name = "|".join(map(re.escape, names))
    number = rf"(?:minus )?{NUMBER}|{section['one']}"
    for pattern in section["ask"]:
        found = match(pattern, said, n=number, **{"from": any_name, "to": any_name})
        if found is None:
            continue
        given = found["n"].replace("minus ", "-")
        many = Fraction(given) if re.fullmatch(NUMBER, given) else Fraction(1)
        into = names[found["to"]]
        result = convert(many, names[found["from"]], into, metric_kitchen=words.code != "en")
        if result is not None and _MULTIPLE in into:
            return f"{saying.number(result, words)} {found['to']}"
        if result is not None:
            return saying.measure(result, into, words)
    return None


def convert(
    many: Fraction, unit: str, into: str, *, metric_kitchen: bool = False
) -> Fraction | None:
    """Return `many` of a unit in another one, None where they measure different things.

    A unit is a CLDR name, or a multiple of one: "mass-gram*500".
    """
    unit, _, times = unit.partition(_MULTIPLE)
    into, _, part = into.partition(_MULTIPLE)
    many = many * Fraction(times or 1) / Fraction(part or 1)
    if unit in SCALES and into in SCALES:
        (degree, zero), (other, other_zero) = SCALES[unit], SCALES[into]
        return (many * degree + zero - other_zero) / other
    for kind in FACTORS.values():
        if unit in kind and into in kind:
            known = {**kind, **_METRIC_KITCHEN} if metric_kitchen else kind
            return many * known[unit] / known[into]
    return None


@functools.cache
def vocabulary(words: LanguageWords) -> Mapping[str, str]:
    """Return the CLDR names of the units by what they are called, the longest first."""
    names = dict(_names(words))
    for unit, called in words.section("units")["names"].items():
        names |= dict.fromkeys(called, unit)
    return {name: names[name] for name in sorted(names, key=len, reverse=True)}


def _names(words: LanguageWords) -> Iterator[tuple[str, str]]:
    """Yield what the CLDR calls each unit: in full, in the plural, and for short."""
    locales = [words.locale, *([Locale("en", "GB")] if words.code == "en" else [])]
    units = [*SCALES, *(unit for kind in FACTORS.values() for unit in kind)]
    for unit in units:
        if unit in _WEIGHTY.get(words.code, ()):
            continue
        for locale in locales:
            for length in _LENGTHS:
                for pattern in _patterns(locale, unit, length):
                    name = pattern.replace("{0}", "").strip().lower()
                    if name and name not in _AMBIGUOUS and not name.isdecimal():
                        yield name, unit


def _patterns(locale: Locale, unit: str, length: Literal["long", "short"]) -> Iterator[str]:
    for many in (1, 2, 5):
        said = format_unit(many, unit, length=length, locale=locale)
        if unit in said:
            return
        yield said.replace("\u00a0", " ").replace(str(many), "{0}", 1)
