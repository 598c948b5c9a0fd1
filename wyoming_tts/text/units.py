"""Names of units and currencies by CLDR (Babel), in every language it knows."""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal
from babel.units import UnknownUnitError, format_unit

UNITS = {
    "%": "concentr-percent", "‰": "concentr-permille", "ppm": "concentr-permillion",
    "°C": "temperature-celsius", "℃": "temperature-celsius", "°F": "temperature-fahrenheit",
    "℉": "temperature-fahrenheit", "°": "angle-degree",
    "mm": "length-millimeter", "cm": "length-centimeter", "m": "length-meter",
    "km": "length-kilometer", "µm": "length-micrometer", "nm": "length-nanometer",
    "″": "length-inch", "mi": "length-mile", "ft": "length-foot", "yd": "length-yard",
    "km/h": "speed-kilometer-per-hour", "kmh": "speed-kilometer-per-hour",
    "kph": "speed-kilometer-per-hour", "m/s": "speed-meter-per-second",
    "mph": "speed-mile-per-hour",
    "mg": "mass-milligram", "g": "mass-gram", "kg": "mass-kilogram", "lb": "mass-pound",
    "lbs": "mass-pound", "oz": "mass-ounce", "µg": "mass-microgram",
    "ml": "volume-milliliter", "mL": "volume-milliliter", "cl": "volume-centiliter",
    "dl": "volume-deciliter", "l": "volume-liter", "L": "volume-liter",
    "m²": "area-square-meter", "m2": "area-square-meter", "km²": "area-square-kilometer",
    "m³": "volume-cubic-meter", "m3": "volume-cubic-meter", "ha": "area-hectare",
    "W": "power-watt", "kW": "power-kilowatt", "MW": "power-megawatt", "hp": "power-horsepower",
    "kWh": "energy-kilowatt-hour", "J": "energy-joule", "kJ": "energy-kilojoule",
    "kcal": "energy-kilocalorie", "cal": "energy-calorie",
    "V": "electric-volt", "A": "electric-ampere", "mA": "electric-milliampere",
    "Ω": "electric-ohm",
    "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz",
    "hPa": "pressure-hectopascal", "kPa": "pressure-kilopascal", "Pa": "pressure-pascal",
    "mbar": "pressure-millibar", "bar": "pressure-bar",
    "psi": "pressure-pound-force-per-square-inch",
    "d": "duration-day", "μm": "length-micrometer", "μg": "mass-microgram",
    "cm²": "area-square-centimeter",
    "ft²": "area-square-foot", "cm³": "volume-cubic-centimeter",
    "km³": "volume-cubic-kilometer", "hl": "volume-hectoliter",
    "GW": "power-gigawatt", "mW": "power-milliwatt", "km2": "area-square-kilometer",
    "mol": "concentr-mole", "kn": "speed-knot",
    "bit": "digital-bit", "kB": "digital-kilobyte", "KB": "digital-kilobyte",
    "MB": "digital-megabyte", "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "Mbit": "digital-megabit", "Gbit": "digital-gigabit",
    "ms": "duration-millisecond", "s": "duration-second", "sec": "duration-second",
    "min": "duration-minute", "mins": "duration-minute", "h": "duration-hour",
    "hr": "duration-hour", "hrs": "duration-hour", "lx": "light-lux", "lm": "light-lumen",
}  # fmt: skip
"""Symbol to the unit's name in CLDR. Inches are missing: "in" is a word."""
RATES = {"Mbps": "Mbit", "Gbps": "Gbit", "Mbit/s": "Mbit", "Gbit/s": "Gbit", "MB/s": "MB",
         "GB/s": "GB", "kB/s": "kB"}  # fmt: skip
"""Units by the second that CLDR has no name for."""
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW",
              "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "฿": "THB", "₫": "VND",
              "R$": "BRL", "A$": "AUD", "C$": "CAD", "CA$": "CAD", "US$": "USD", "us$": "USD",
              "AU$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "MX$": "MXN", "Mex$": "MXN",
              "mex$": "MXN", "₡": "CRC", "₧": "ESP", "₱": "PHP", "₦": "NGN", "₲": "PYG",
              "Rs": "INR", "rs": "INR"}  # fmt: skip
CURRENCY_CODES = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "INR", "JPY",
     "KRW", "MXN", "NOK", "NZD", "PLN", "RON", "RUB", "SEK", "TRY", "UAH", "USD", "ZAR", "ARS",
     "CLP", "COP", "UYU", "CRC", "BOB",
     "DOP", "GTQ", "HNL", "NIO", "PYG", "VES", "TTD", "SGD", "TWD", "PHP", "IDR", "MYR", "THB",
     "KZT", "BGN", "ISK", "RSD", "EGP", "NGN", "KES", "AED", "SAR", "QAR", "KWD", "ILS", "VND"}
)  # fmt: skip


@lru_cache(maxsize=16)
def locale_of(language: str) -> Locale | None:
    """Return Babel's locale for "de_AT" or "de"; None for a language it does not know."""
    for name in (language, language.partition("_")[0]):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return None


def unit_phrase(number: Decimal, words: str, symbol: str, locale: Locale) -> str:
    """Return `words`, which say `number`, with the unit after them; "" for an unknown one."""
    name = UNITS.get(RATES.get(symbol, symbol))
    if name is None:
        return ""
    try:
        phrase = format_unit(number, name, length="long", format=_PLAIN, locale=locale)
    except UnknownUnitError:
        return ""
    if name in phrase:
        # Babel gives the unit's key where a locale inherits its pattern.
        known = _INHERITED.get((locale.language, name))
        return f"{words} {known}" if known else ""
    phrase = phrase.replace(_written(number, locale), words)
    if symbol in RATES:
        phrase += f" {_per_second(locale)}"
    return phrase


def unit_name(symbol: str, locale: Locale) -> str:
    """Return the name of one unit, or its symbol where it has none."""
    return unit_phrase(Decimal(1), "", symbol, locale).strip() or symbol


def currency_phrase(number: Decimal, words: str, code: str, locale: Locale) -> str:
    """Return `words`, which say `number`, with the currency's name beside them."""
    phrase = format_currency(
        number, code, _PLAIN, locale=locale, format_type="name", currency_digits=False
    )
    return phrase.replace(_written(number, locale), words)


_INHERITED = {("nl", "duration-hour"): "uur"}
_PLAIN = "0.##########"


def _written(number: Decimal, locale: Locale) -> str:
    return format_decimal(number, _PLAIN, locale=locale)


def _per_second(locale: Locale) -> str:
    rate = format_unit(1, "speed-meter-per-second", length="long", locale=locale)
    metre = format_unit(1, "length-meter", length="long", locale=locale)
    return rate.removeprefix(metre).strip() if rate.startswith(metre) else ""


def any_of(names: Iterable[str]) -> str:
    """Return a pattern that matches one of `names`, the longest that fits."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


SYMBOLS = (*UNITS, *RATES)
SYMBOL_PATTERN = any_of(SYMBOLS)
