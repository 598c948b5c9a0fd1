"""English that is read by what stands beside it: rates, ranges, rooms, kings, formulas."""

import re

from wyoming_tts.text.english_numbers import ENGLISH, cardinal
from wyoming_tts.text.roman import roman_value

_ROYAL = (
    "king queen pope emperor tsar henry louis elizabeth charles george edward william richard "
    "james john paul pius benedict gregory leo francis philip alexander catherine nicholas ivan "
    "frederick napoleon ferdinand alfonso ramesses ptolemy mary robert harald gustav christian "
    "leopold wilhelm otto urban innocent clement sixtus julius xerxes darius mehmed umberto "
    "carlos felipe pedro haakon olav constantine theodosius margrethe carl albert"
)
ROYAL = frozenset(_ROYAL.split())
"""After these a Roman number is an ordinal; after other names it is counted."""
_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west"}
COMPASS = r"(?P<side>[NS](?:[NS]?[EW])?|[EW](?:[NS][EW])?)"
SCALED = {"k": "thousand", "K": "thousand", "M": "million", "mn": "million", "mln": "million",
          "B": "billion", "bn": "billion", "tn": "trillion", "T": "trillion"}  # fmt: skip


def scaled(match: re.Match[str]) -> str:
    """ "7.9bn", "1.5M": a letter behind the number that is so many times more."""
    return f"{cardinal(match['number'])} {SCALED[match['scale']]}"


def roman(match: re.Match[str]) -> str:
    """ "Henry VIII" is the eighth, "Chapter VIII" and "Rocky IV" are counted."""
    number = roman_value(match["roman"])
    if not number:
        return match[0]
    if match["word"].lower() in ROYAL:
        return f"{match['word']} the {ENGLISH.ordinal(number)}"
    return f"{match['word']} {ENGLISH.cardinal(number)}"


def place(match: re.Match[str]) -> str:
    return f"{match['word']} {cardinal(match['number'])} {match['letter'].upper()}"


def ratio(match: re.Match[str]) -> str:
    return f"{cardinal(match[1])} to {cardinal(match[2])}"


def scientific(match: re.Match[str]) -> str:
    sign = "minus " if match["sign"] in ("-", "−") else ""  # noqa: RUF001
    return f"{cardinal(match['number'])} times ten to the {sign}{cardinal(match['power'])}"


def direction(match: re.Match[str]) -> str:
    """ "N" is north, "NNW" north-northwest."""
    side = match["side"]
    before = match[0].removesuffix(side)
    first = f"{_DIRECTIONS[side[0]]}-" if len(side) == 3 else ""
    return f"{before}{first}{''.join(_DIRECTIONS[letter] for letter in side[-2:])}"


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
