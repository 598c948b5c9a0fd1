"""Factors of the units beside those of pint."""

from fractions import Fraction
from typing import Any

import pint
import pytest

from wyoming_llm.instant.units import FACTORS, SCALES, convert, vocabulary
from wyoming_llm.instant.words import LANGUAGES, words_of

OTHER_NAMES = {
    "duration-year": "year", "volume-fluid-ounce": "floz", "volume-cup": "cup",
    "energy-kilocalorie": "kilocalorie", "mass-tonne": "metric_ton", "mass-ounce": "ounce",
    "volume-gallon": "gallon", "temperature-celsius": "degC", "temperature-fahrenheit": "degF",
    "temperature-kelvin": "kelvin", "length-light-year": "light_year", "speed-knot": "knot",
    "length-nautical-mile": "nautical_mile", "speed-mile-per-hour": "mile / hour",
    "speed-kilometer-per-hour": "kilometer / hour", "speed-meter-per-second": "meter / second",
    "energy-kilowatt-hour": "kilowatt_hour", "digital-megabit": "megabit",
}  # fmt: skip
OWN_DEFINITIONS = {
    "duration-year", "duration-month", "duration-century", "duration-decade", "area-acre",
}  # fmt: skip
"""pint has Julian years and the acre of the United States' survey"""
REGISTRY: Any = pint.UnitRegistry()


def name_of(unit: str) -> str:
    if unit in OTHER_NAMES:
        return OTHER_NAMES[unit]
    name = unit.partition("-")[2]
    for power in ("square", "cubic"):
        if name.startswith(f"{power}-"):
            return f"{name.partition('-')[2]} ** {2 if power == 'square' else 3}"
    return name


@pytest.mark.parametrize("kind", FACTORS)
def test_factors_are_those_of_pint(kind: str) -> None:
    units = [unit for unit in FACTORS[kind] if unit not in OWN_DEFINITIONS]
    for unit in units:
        for into in units:
            ours = convert(Fraction(7), unit, into)
            assert ours is not None
            theirs = REGISTRY.Quantity(7, name_of(unit)).to(name_of(into)).magnitude
            assert float(ours) == pytest.approx(theirs, rel=1e-9), (unit, into)


@pytest.mark.parametrize("unit", SCALES)
@pytest.mark.parametrize("into", SCALES)
def test_temperatures_are_those_of_pint(unit: str, into: str) -> None:
    ours = convert(Fraction(21), unit, into)

    assert ours is not None
    theirs = REGISTRY.Quantity(21, name_of(unit)).to(name_of(into)).magnitude
    assert float(ours) == pytest.approx(theirs)


def test_units_of_different_quantities_are_not_converted() -> None:
    assert convert(Fraction(1), "length-meter", "mass-gram") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_the_common_units(language: str) -> None:
    words = words_of(language)
    assert words is not None

    named = set(vocabulary(words).values())

    assert {"length-meter", "mass-gram", "duration-hour", "temperature-celsius"} <= named
