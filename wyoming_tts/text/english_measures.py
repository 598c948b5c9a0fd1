"""Measures of English: a number, or a range of them, and a unit."""

import re
from decimal import Decimal

from wyoming_tts.text import english_words as words
from wyoming_tts.text.english_numbers import ENGLISH, cardinal, fraction, value
from wyoming_tts.text.units import RATES, UNITS, locale_of, unit_phrase

_LOCALE = locale_of("en")
_ONE = Decimal(1)

UNITS_OF_ENGLISH = {
    "fps": ("frame per second", "frames per second"),
    "bpm": ("beat per minute", "beats per minute"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "mmHg": ("millimeter of mercury", "millimeters of mercury"),
    "dB": ("decibel", "decibels"), "dpi": ("dot per inch", "dots per inch"),
    "tsp": ("teaspoon", "teaspoons"), "tbsp": ("tablespoon", "tablespoons"),
    "µF": ("microfarad", "microfarads"), "μF": ("microfarad", "microfarads"),
    "kΩ": ("kiloohm", "kiloohms"), "MΩ": ("megohm", "megohms"), "mV": ("millivolt", "millivolts"),
    "mAh": ("milliampere hour", "milliampere hours"), "Ah": ("ampere hour", "ampere hours"),
    "Wh": ("watt hour", "watt hours"), "MWh": ("megawatt hour", "megawatt hours"),
    "GW": ("gigawatt", "gigawatts"), "VA": ("volt-ampere", "volt-amperes"),
    "mW": ("milliwatt", "milliwatts"), "kV": ("kilovolt", "kilovolts"),
    "m/s²": ("meter per second squared", "meters per second squared"),
    "m/s2": ("meter per second squared", "meters per second squared"),
    "sq ft": ("square foot", "square feet"), "sq m": ("square meter", "square meters"),
    "sq mi": ("square mile", "square miles"), "cu ft": ("cubic foot", "cubic feet"),
    "ft²": ("square foot", "square feet"), "mi²": ("square mile", "square miles"),
    "cm²": ("square centimeter", "square centimeters"),
    "km2": ("square kilometer", "square kilometers"),
    "cm³": ("cubic centimeter", "cubic centimeters"), "cc": ("C C", "C C"),
    "ns": ("nanosecond", "nanoseconds"), "pp": ("percentage point", "percentage points"),
    "GWh": ("gigawatt hour", "gigawatt hours"), "TWh": ("terawatt hour", "terawatt hours"),
    "Nm": ("newton meter", "newton meters"), "mmol": ("millimole", "millimoles"),
    "ppb": ("part per billion", "parts per billion"),
    "mm²": ("square millimeter", "square millimeters"),
    "mpg": ("mile per gallon", "miles per gallon"), "fl oz": ("fluid ounce", "fluid ounces"),
    "gal": ("gallon", "gallons"), "qt": ("quart", "quarts"),
    "kn": ("knot", "knots"), "nmi": ("nautical mile", "nautical miles"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Kbps": ("kilobit per second", "kilobits per second"),
    "bps": ("bit per second", "bits per second"), "px": ("pixel", "pixels"),
    "MP": ("megapixel", "megapixels"), "BTU": ("B T U", "B T Us"), "AU": ("A U", "A U"),
    "inHg": ("inch of mercury", "inches of mercury"),
    "μg": ("microgram", "micrograms"), "μm": ("micrometer", "micrometers"),
    "μs": ("microsecond", "microseconds"), "µs": ("microsecond", "microseconds"),
}  # fmt: skip
"""Units that CLDR has no plain name for, to one and many."""
_PER = {
    "mo": "month", "yr": "year", "hr": "hour", "h": "hour", "min": "minute", "sec": "second",
    "s": "second", "km": "kilometer", "m": "meter", "m²": "square meter", "m2": "square meter",
    "m³": "cubic meter", "m3": "cubic meter", "l": "liter", "L": "liter", "dl": "deciliter",
    "dL": "deciliter", "ml": "milliliter", "mL": "milliliter", "kg": "kilogram", "lb": "pound",
    "gal": "gallon", "kWh": "kilowatt hour", "sqft": "square foot", "g": "gram", "d": "day",
    "wk": "week", "ft²": "square foot", "cm²": "square centimeter", "GB": "gigabyte",
    "oz": "ounce", "mi": "mile", "kW": "kilowatt", "MB": "megabyte",
}  # fmt: skip
_PER_WORDS = (
    "month year week day night hour minute second person mile gallon liter pound kilogram "
    "kilometer meter unit item user seat serving"
)
PER_UNIT = "|".join(
    sorted(
        map(
            re.escape,
            (
                *_PER,
                *_PER_WORDS.split(),
            ),
        ),
        key=len,
        reverse=True,
    )
)  # fmt: skip
_BESIDE_WORDS = """
    of in at from per and or to on for with by is was are were away ago left later more less
    before after until than as the a an each every long tall high wide deep thick old apart
"""
_BESIDE = frozenset(_BESIDE_WORDS.split())
"""Words after which a unit is no part of a noun: "a 5 km run", but "a 5 km or so"."""
_ARTICLE = re.compile(r"(?i)\b(?:an?|another|this|each|every) $")
_NOUN = re.compile(r" ([a-z]{2,})\b")
BARE_UNITS = {
    "km/h": "kilometers per hour", "kWh": "kilowatt hours", "mph": "miles per hour",
    "m/s": "meters per second", "m²": "square meters", "°C": "degrees Celsius",
    "°F": "degrees Fahrenheit", "MWh": "megawatt hours", "mmHg": "millimeters of mercury",
}  # fmt: skip
"""Units that stand without a number."""


def per(match: re.Match[str]) -> str:
    """ "$5/month" is "$5 per month"; a rate that has a name of its own stays."""
    unit, below = match["unit"] or "", match["per"]
    if f"{unit}/{below}" in UNITS or f"{unit}/{below}" in (*RATES, *UNITS_OF_ENGLISH):
        return match[0]
    return f"{match['amount']}{match['gap']}{unit} per {_PER.get(below, below)}"


def measure_of_english(match: re.Match[str]) -> str:
    one, many = UNITS_OF_ENGLISH[match["unit"]]
    many = one if qualifies(match) else many
    number = match["number"]
    said = ("minus " if match["sign"] else "") + cardinal(number)
    if match["low"]:
        sign = "minus " if match["below"] else ""
        said = f"{sign}{cardinal(match['low'])} to {said}"
    return f"{said} {one if number == '1' and not match['low'] else many}"


def measure(match: re.Match[str]) -> str:
    """ "5-10 km" is "five to ten kilometers"."""
    number = value(match["number"])
    number = -number if match["sign"] else number
    said = ENGLISH.cardinal(number)
    if match["low"]:
        sign = "minus " if match["below"] else ""
        said = f"{sign}{cardinal(match['low'])} to {said}"
    assert _LOCALE is not None
    of_noun = qualifies(match) and number > 1
    return unit_phrase(_ONE if of_noun else number, said, match["unit"], _LOCALE) or match[0]


def mixed_measure(match: re.Match[str]) -> str:
    """ "1½ km" is "one and a half kilometers"."""
    said = f"{cardinal(match['number'])} and {words.VULGAR[match['sign']]}"
    assert _LOCALE is not None
    return unit_phrase(Decimal(2), said, match["unit"], _LOCALE) or match[0]


def scientific_measure(match: re.Match[str]) -> str:
    """A unit behind a power of ten, which was written out before."""
    assert _LOCALE is not None
    said = unit_phrase(Decimal(2), "", match["unit"], _LOCALE).strip()
    return f"{match['power']} {said}" if said else match[0]


def inches(match: re.Match[str]) -> str:
    following = re.match(r"[ -]([a-zA-Z]+)", match.string[match.end() :])
    before_noun = following and following[1] not in ("of", "and", "or", "to", "in", "by", "on")
    many = match["number"] != "1" and (match["short"] or not before_noun)
    said = f"{cardinal(match['low'])} to " if match["low"] else ""
    return f"{said}{cardinal(match['number'])} inch{'es' if many else ''}"


def inch_fraction(match: re.Match[str]) -> str:
    return f"{fraction(match)} inch"


def qualifies(match: re.Match[str]) -> bool:
    """Whether a measure belongs to the noun after it: "a 12 oz can", "your 10-min timer"."""
    noun = _NOUN.match(match.string, match.end())
    if noun is None or noun[1] in _BESIDE:
        return False
    article = _ARTICLE.search(match.string[max(0, match.start() - 9) : match.start()])
    return bool(article or match["gap"] == "-" or noun[1] in ("timer", "alarm"))


def bare_unit(match: re.Match[str]) -> str:
    """ "in km/h"; after "per" there is one of them."""
    unit = match["unit"]
    if match["per"]:
        return f"per {_PER.get(unit, BARE_UNITS[unit])}"
    return BARE_UNITS[unit]
