"""English that is read by what stands beside it: rates, ranges, rooms, kings, formulas."""

import re

from wyoming_tts.text.english_numbers import ENGLISH, cardinal
from wyoming_tts.text.units import RATES, UNITS

_ROYAL = (
    "king queen pope emperor tsar henry louis elizabeth charles george edward william richard "
    "james john paul pius benedict gregory leo francis philip alexander catherine nicholas ivan "
    "frederick napoleon ferdinand alfonso ramesses ptolemy mary robert harald gustav christian "
    "leopold wilhelm otto urban innocent clement sixtus julius xerxes darius mehmed umberto "
    "carlos felipe pedro haakon olav constantine theodosius margrethe carl albert"
)
ROYAL = frozenset(_ROYAL.split())
"""After these a Roman number is an ordinal; after other names it is counted."""
_ROMAN = re.compile(r"(?=.)(C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_DIGITS_OF_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}

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
    "cm²": ("square centimeter", "square centimeters"), "km2": ("square kilometer",) * 2,
    "cm³": ("cubic centimeter", "cubic centimeters"), "cc": ("C C", "C C"),
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
_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west"}
_SECOND_UNIT = re.compile(r"[^\s\d]*$")


def per(match: re.Match[str]) -> str:
    """ "$5/month" is "$5 per month"; a rate that has a name of its own stays."""
    unit, below = match["unit"] or "", match["per"]
    if f"{unit}/{below}" in UNITS or f"{unit}/{below}" in (*RATES, *UNITS_OF_ENGLISH):
        return match[0]
    return f"{match['amount']}{match['gap']}{unit} per {_PER.get(below, below)}"


def measure(match: re.Match[str]) -> str:
    one, many = UNITS_OF_ENGLISH[match["unit"]]
    number = match["number"]
    said = ("minus " if match["sign"] else "") + cardinal(number)
    if match["low"]:
        sign = "minus " if match["below"] else ""
        said = f"{sign}{cardinal(match['low'])} to {said}"
    return f"{said} {one if number == '1' and not match['low'] else many}"


def roman(match: re.Match[str]) -> str:
    """ "Henry VIII" is the eighth, "Chapter VIII" and "Rocky IV" are counted."""
    number = roman_value(match["roman"])
    if not number:
        return match[0]
    if match["word"].lower() in ROYAL:
        return f"{match['word']} the {ENGLISH.ordinal(number)}"
    return f"{match['word']} {ENGLISH.cardinal(number)}"


def roman_value(text: str) -> int:
    """Return the value of a Roman number up to 399, 0 for other letters."""
    if not _ROMAN.fullmatch(text):
        return 0
    digits = [_DIGITS_OF_ROMAN[letter] for letter in text]
    return sum(
        -one if one < following else one
        for one, following in zip(digits, [*digits[1:], 0], strict=True)
    )


def digits_after(match: re.Match[str]) -> str:
    """ "Dial 911", "zip code 90210": the digits one by one."""
    return f"{match['word']}{ENGLISH.digits(match['digits'])}"


def place(match: re.Match[str]) -> str:
    return f"{match['word']} {cardinal(match['number'])} {match['letter'].upper()}"


def ratio(match: re.Match[str]) -> str:
    return f"{cardinal(match[1])} to {cardinal(match[2])}"


def scientific(match: re.Match[str]) -> str:
    sign = "minus " if match["sign"] in ("-", "−") else ""  # noqa: RUF001
    return f"{cardinal(match['number'])} times ten to the {sign}{cardinal(match['power'])}"


def direction(match: re.Match[str]) -> str:
    return f"{match[1]}{_DIRECTIONS[match[2]]}"


def part_of(match: re.Match[str]) -> str:
    """ "3/4 cup" is "three quarters of a cup"."""
    unit = {"tsp": "teaspoon", "tbsp": "tablespoon"}.get(match["unit"], match["unit"])
    whole = f"{cardinal(match['whole'])} and " if match["whole"] else ""
    article = "an" if unit[0] in "aeiou" or unit == "hour" else "a"
    over, under = int(match["over"]), int(match["under"])
    if over >= under:
        return match[0]
    if (over, under) == (1, 2):
        return f"{whole}a half {unit}s" if whole else f"half {article} {unit}"
    name = "quarter" if under == 4 else ENGLISH.ordinal(under)
    said = f"{ENGLISH.cardinal(over)} {name}{'' if over == 1 else 's'}"
    return f"{whole}{said} {unit}s" if whole else f"{said} of {article} {unit}"
