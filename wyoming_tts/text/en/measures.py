"""Measures of English: a number, or a range of them, and a unit."""

import re
from decimal import Decimal

from wyoming_tts.text.en import words
from wyoming_tts.text.en.numbers import ENGLISH, cardinal, fraction, number_or_year, value
from wyoming_tts.text.grammar import text_after, text_before
from wyoming_tts.text.units import RATES, SYMBOL_PATTERN, UNITS, locale_of, unit_phrase

_LOCALE = locale_of("en")
_ONE = Decimal(1)

UNITS_OF_ENGLISH = {
    "fps": ("frame per second", "frames per second"),
    "bpm": ("beat per minute", "beats per minute"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "mmHg": ("millimeter of mercury", "millimeters of mercury"),
    "dB": ("decibel", "decibels"), "dpi": ("dot per inch", "dots per inch"),
    "tsp": ("teaspoon", "teaspoons"), "tbsp": ("tablespoon", "tablespoons"),
    "Tsp": ("teaspoon", "teaspoons"), "Tbsp": ("tablespoon", "tablespoons"),
    "TBSP": ("tablespoon", "tablespoons"), "TSP": ("teaspoon", "teaspoons"),
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
    "pt": ("pint", "pints"), "pts": ("pint", "pints"), "atm": ("atmosphere", "atmospheres"),
    "bbl": ("barrel", "barrels"), "ozs": ("ounce", "ounces"), "gal": ("gallon", "gallons"),
    "qt": ("quart", "quarts"),
    "kn": ("knot", "knots"), "nmi": ("nautical mile", "nautical miles"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Kbps": ("kilobit per second", "kilobits per second"),
    "Mb/s": ("megabit per second", "megabits per second"),
    "Gb/s": ("gigabit per second", "gigabits per second"),
    "bps": ("bit per second", "bits per second"), "px": ("pixel", "pixels"),
    "MP": ("megapixel", "megapixels"), "BTU": ("B T U", "B T Us"), "AU": ("A U", "A U"),
    "inHg": ("inch of mercury", "inches of mercury"),
    "μg": ("microgram", "micrograms"), "μm": ("micrometer", "micrometers"),
    "μs": ("microsecond", "microseconds"), "µs": ("microsecond", "microseconds"),
}  # fmt: skip
"""Units that CLDR has no plain name for, to one and many."""
_LENGTHS = {
    "ft": ("foot", "feet"), "in": ("inch", "inches"), "yd": ("yard", "yards"),
    "mi": ("mile", "miles"), "mm": ("millimeter", "millimeters"), "m": ("meter", "meters"),
    "cm": ("centimeter", "centimeters"), "km": ("kilometer", "kilometers"),
}  # fmt: skip
"""Units behind "square" and "cubic", one and many"""
_PER = {
    "mo": "month", "yr": "year", "hr": "hour", "h": "hour", "min": "minute", "sec": "second",
    "s": "second", "km": "kilometer", "m": "meter", "m²": "square meter", "m2": "square meter",
    "m³": "cubic meter", "m3": "cubic meter", "l": "liter", "L": "liter", "dl": "deciliter",
    "dL": "deciliter", "ml": "milliliter", "mL": "milliliter", "kg": "kilogram", "lb": "pound",
    "gal": "gallon", "kWh": "kilowatt hour", "sqft": "square foot", "g": "gram", "d": "day",
    "wk": "week", "ft²": "square foot", "cm²": "square centimeter", "GB": "gigabyte",
    "in²": "square inch", "in2": "square inch", "cm³": "cubic centimeter", "mol": "mole",
    "ft³": "cubic foot", "in³": "cubic inch", "ha": "hectare", "Hz": "hertz",
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
_ELECTRIC = re.compile(r" (?:fuse|breaker|circuit|charger|current|supply|outlet|socket|plug)")
_OPEN_QUOTE = re.compile(r"(?:^|[\s(\[])\"[^\"]*$")
"""A quotation that the next quotation mark closes"""
_PLACES_CUT_SHORT = {"apt": "apartment", "no": "number"}
_NOUN = re.compile(r" ([a-z]{2,})\b")
_RATED = re.compile(rf"[\d$€£]\s?(?:[kKMBT]|bn|{SYMBOL_PATTERN}|[a-zA-Z]{{2,12}})?$")
"""A number and its unit, of which a rate may be told"""
BARE_UNITS = {
    "km/h": "kilometers per hour", "kWh": "kilowatt hours", "mph": "miles per hour",
    "m/s": "meters per second", "m²": "square meters", "°C": "degrees Celsius",
    "Mbps": "megabits per second", "Gbps": "gigabits per second",
    "°F": "degrees Fahrenheit", "MWh": "megawatt hours", "mmHg": "millimeters of mercury",
}  # fmt: skip
"""Units that stand without a number."""


def per(match: re.Match[str]) -> str | None:
    """ "$5/month" is "$5 per month"; a rate stands behind a number and its unit alone."""
    if not _RATED.search(text_before(match)[-20:]):
        return None
    return f" per {_PER.get(match['per'], match['per'])}"


def duration(match: re.Match[str]) -> str:
    """ "2h30m"."""
    hours, minutes = int(match["hours"]), int(match["minutes"])
    assert _LOCALE is not None
    said = unit_phrase(Decimal(hours), cardinal(match["hours"]), "h", _LOCALE)
    return f"{said} {unit_phrase(Decimal(minutes), cardinal(match['minutes']), 'min', _LOCALE)}"


def by(match: re.Match[str]) -> str:
    """ "3x3" is "three by three"."""
    return f"{number_or_year(match['n'])} by "


def feet(match: re.Match[str]) -> str:
    return f"{cardinal(match['n'])} feet"


def degrees(match: re.Match[str]) -> str:
    assert _LOCALE is not None
    number = match["number"]
    return unit_phrase(value(number), cardinal(number), f"°{match['unit'].strip()}", _LOCALE)


def over(match: re.Match[str]) -> str:
    return f"{cardinal(match[1])} over "


def place(match: re.Match[str]) -> str:
    word = _PLACES_CUT_SHORT.get(match["word"].lower().rstrip("."), match["word"])
    return f"{word} {cardinal(match['number'])} {match['letter'].upper()}"


def number_sign(match: re.Match[str]) -> str:
    """ "#5" is counted, "#4452-A" is spelled."""
    number, letter = match["number"], match["letter"]
    said = ENGLISH.digits(number) if len(number) > 3 or letter else cardinal(number)
    return f"number {said}" + (f" {letter}" if letter else "")


def letter_k(match: re.Match[str]) -> str | None:
    """ "4K" is a resolution, "a 5K run" a race."""
    race = re.match(r"\s(?:run|race|walk|jog)", text_after(match))
    if match["number"] in ("10", "16") and not race:
        return None
    return f"{cardinal(match['number'])} K"


def stones(match: re.Match[str]) -> str:
    return f"{cardinal(match['stones'])} stone "


def part_of(match: re.Match[str]) -> str | None:
    """ "3/4 cup" is "three quarters of a cup"."""
    unit = {"tsp": "teaspoon", "tbsp": "tablespoon"}.get(match["unit"], match["unit"])
    whole = f"{cardinal(match['whole'])} and " if match["whole"] else ""
    article = "an" if unit[0] in "aeiou" or unit == "hour" else "a"
    over, under = int(match["over"]), int(match["under"])
    if over >= under:
        return None
    many = "inches" if unit == "inch" else f"{unit}s"
    if (over, under) == (1, 2):
        return f"{whole}a half {many}" if whole else f"half {article} {unit}"
    name = "quarter" if under == 4 else ENGLISH.ordinal(under)
    said = f"{ENGLISH.cardinal(over)} {name}{'' if over == 1 else 's'}"
    if whole and over == 1:
        said = f"a {name}" if name[0] not in "aeiou" else f"an {name}"
    return f"{whole}{said} {many}" if whole else f"{said} of {article} {unit}"


def other_case(match: re.Match[str]) -> str | None:
    """Read a unit that is written in capitals or small letters throughout."""
    usual = {unit.lower(): unit for unit in reversed([*UNITS, *RATES])}
    usual.update({"kg": "kg", "kb": "KB", "mb": "MB", "gb": "GB", "tb": "TB", "mm": "mm",
                  "ml": "ml",
                  "kgs": "kg", "kms": "km", "cms": "cm", "gms": "g", "mls": "ml"})  # fmt: skip
    assert _LOCALE is not None
    number = value(match["number"])
    said = ("minus " if match["sign"] else "") + ENGLISH.cardinal(number)
    if match["low"]:
        said = f"{cardinal(match['low'])} to {said}"
    return unit_phrase(number, said, usual[match["unit"].lower()], _LOCALE) or None


def measure_of_english(match: re.Match[str]) -> str:
    one, many = UNITS_OF_ENGLISH[match["unit"]]
    many = one if qualifies(match) else many
    number = match["number"]
    said = ("minus " if match["sign"] else "") + cardinal(number)
    if match["low"]:
        said = f"{cardinal(match['low'])} to {said}"
    return f"{said} {one if number == '1' and not match['low'] else many}"


def millions(match: re.Match[str]) -> str | None:
    """ "100 million kg"."""
    name = plural(match["unit"])
    return f"{cardinal(match['number'])} {match['scale']} {name}" if name else None


def measure(match: re.Match[str]) -> str | None:
    """ "5-10 km" is "five to ten kilometers"."""
    number = value(match["number"])
    number = -number if match["sign"] else number
    said = ENGLISH.cardinal(number)
    if match["low"]:
        said = f"{cardinal(match['low'])} to {said}"
    assert _LOCALE is not None
    if (
        match["gap"] == "-"
        and match["unit"] == "A"
        and not _ELECTRIC.match(match.string, match.end())
    ):
        return None  # "Room 5-A"
    of_noun = qualifies(match) and number > 1
    return unit_phrase(_ONE if of_noun else number, said, match["unit"], _LOCALE) or None


def mixed_measure(match: re.Match[str]) -> str | None:
    """ "1½ km" is "one and a half kilometers"."""
    said = f"{cardinal(match['number'])} and {words.VULGAR[match['sign']]}"
    assert _LOCALE is not None
    return unit_phrase(Decimal(2), said, match["unit"], _LOCALE) or None


def squared(match: re.Match[str]) -> str:
    """ "3 square ft" is "three square feet"."""
    one, many = _LENGTHS[match["unit"]]
    said = f"{cardinal(match['low'])} to " if match["low"] else ""
    name = one if qualifies(match) or match["number"] == "1" else many
    return f"{said}{cardinal(match['number'])} {match['power']} {name}"


def part_of_one(match: re.Match[str]) -> str:
    """ "¼ tsp" is "a quarter teaspoon"."""
    unit = match["unit"]
    assert _LOCALE is not None
    known = UNITS_OF_ENGLISH.get(unit)
    name = known[0] if known else unit_phrase(_ONE, "", unit, _LOCALE).strip()
    return f"{words.VULGAR[match['sign']]} {name or unit}"


def plural(unit: str) -> str:
    """Return the name of several of a unit, "" where it has none."""
    if unit in UNITS_OF_ENGLISH:
        return UNITS_OF_ENGLISH[unit][1]
    assert _LOCALE is not None
    return unit_phrase(Decimal(2), "", unit, _LOCALE).strip()


def inches(match: re.Match[str]) -> str | None:
    if match["quote"] == '"' and _OPEN_QUOTE.search(
        text_before(match) + match.string[match.start()]
    ):
        return None
    following = re.match(r"[ -]([a-zA-Z]+|\dK)", text_after(match))
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
