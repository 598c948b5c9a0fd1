"""Signs and formulas of English: what stands between numbers and words."""

import re
from collections.abc import Iterator

from wyoming_tts.text.en import measures, words
from wyoming_tts.text.en.numbers import ALONE, NUMBER, cardinal
from wyoming_tts.text.grammar import Rule, rule, text_before
from wyoming_tts.text.units import SYMBOL_PATTERN, any_of

# ruff: noqa: E501, RUF001 - patterns on one line; signs of formulas

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWERS = {"2": "squared", "3": "cubed"}
_UNIT = rf"(?:\s?(?P<unit>{any_of(measures.UNITS_OF_ENGLISH)}|{SYMBOL_PATTERN})(?![\w²³/]))?"
_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west"}
_COMPASS = r"(?P<side>[NS](?:[NS]?[EW])?|[EW](?:[NS][EW])?)"
_IN_A_NAME = re.compile(r"[A-Za-z]-?[\d.]{1,8}$")
_ASKED = r"(?:(?<=[Ww]hat is )|(?<=[Ww]hat's )|(?<=[Ww]hat’s )|(?<=[Cc]alculate ))"


def formulas() -> Iterator[Rule]:
    """Yield what is read before any number is looked at."""
    yield rule("arrow", "+", r"(?<=[\w)])\s?(?:→|->|=>)\s?(?=\w)", " to ")
    yield rule("arrow", "+", r"(?:→|->|=>)\s?", "")
    yield rule("about", "+", r"[≈~](?=\s?[-−]?\d)", "about ")
    yield rule("plus or minus", "+", r"\s?±\s?", " plus or minus ")
    yield rule("at least", "+", r"\s?(?:>=|≥)\s?(?=[-−]?\d)", " at least ")
    yield rule("at most", "+", r"\s?(?:<=|≤)\s?(?=[-−]?\d)", " at most ")
    yield rule("path", "+", r"(?<=[a-z]{2}) > (?=[A-Z])", ", ")
    yield rule("more", "+", r"(?<=\d)\s?>\s?(?=[-−]?\d)", " is more than ")
    yield rule("more", "+", r"\s?>\s?(?=[-−]?\d)| > (?=[a-z]\b)", " more than ")
    yield rule("less", "+", r"(?<=\d)\s?<\s?(?=[-−]?\d)", " is less than ")
    yield rule("less", "+", r"\s?<\s?(?=[-−]?\d)|\s<\s", " less than ")
    yield rule("angle", "0",
               r"(?P<degrees>\d{1,3})°\s?(?P<minutes>\d{1,2})['′’]\s?(?:(?P<seconds>\d{1,2}(?:\.\d+)?)(?:[\"″”]|''))?\s?(?P<side>[NSEW]\b)?",
               _angle)  # fmt: skip
    yield rule(
        "scientific",
        "0",
        rf"{ALONE}(?P<number>{NUMBER})[eE](?P<sign>[-+−]?)(?P<power>\d{{1,3}})\b{_UNIT}",
        _scientific,
    )
    yield rule("times", "+", r"\s?[×·*]\s?(?=10\s?(?:\^|[⁰-⁹⁻¹²³]))", " times ")
    yield rule(
        "power", "+", rf"(?<=10)\s?\^\s?\(?(?P<power>[-−+]?\d{{1,3}})\)?(?![\w.]){_UNIT}", _power
    )
    yield rule("power", "+", rf"(?<=10)(?P<power>[⁻⁺]?[⁰¹²³⁴-⁹]{{1,4}}){_UNIT}", _power)
    yield rule("power", "+", r"(?<=[\w)])\s?\^\s?\(?(?P<power>[-−+]?\d{1,3})\)?(?![\w.])", _power)
    yield rule(
        "power",
        "+",
        r"(?:(?<=[\d)π])|(?<=\b[a-ln-zA-Z])|(?<=\bm[cv])|(?<=π[a-z]))(?P<power>[⁻⁺]?[⁰¹²³⁴-⁹]{1,4})",
        _power,
    )
    yield rule("root", "+", r"√\s?(?=[\w(])", "the square root of ")
    yield rule("root", "+", r"∛\s?(?=[\w(])", "the cube root of ")
    yield rule("factorial", "+", r"(?<=\d)!(?=\s?[=+/×*÷-])", " factorial")
    yield rule("unequal", "+", r"\s?≠\s?", " is not equal to ")
    yield rule("infinity", "+", r"∞", "infinity")
    yield rule("pi", "a", r"(?<![^\W\d])π", " pi ")
    yield rule(
        "times", "+", r"(?<=[\w)])\s?[×·]\s?(?=[A-Za-z(])|(?<=\))\s?[×·*]\s?(?=[\w(])", " times "
    )
    yield rule("divided", "+", r"(?<=[\w)])\s?÷\s?(?=[\w(])", " divided by ")
    yield rule("plus", "+", r"(?<=[\w)])\s+\+\s+(?=[\w(√])|(?<=\b[a-z])\s\+(?=\d+\s?=)", " plus ")
    yield rule(
        "minus",
        "+",
        r"(?<=[\w)]) [-−–] (?=[\w(][\w.,]{0,20}\)?(?: [-+−–×*/÷] [\w.(]{1,20}){0,8} =)",
        " minus ",
    )
    yield rule(
        "minus",
        "0",
        rf"{_ASKED}(?P<n>\d+(?:\.\d+)?) ?[-−–] ?(?=\d)",
        lambda match: f"{cardinal(match['n'])} minus ",
    )
    yield rule("minus", "+", r"(?<=\d)\s?[-−–]\s?(?=\d+(?:\.\d+)? ?=)", " minus ")
    yield rule("divided", "+", r"(?<=\d) / (?=\d)", " divided by ")
    yield rule("times", "+", r"(?<=\d)\s?\*\s?(?=\d)", " times ")


def signs() -> Iterator[Rule]:
    """Yield signs that mean nothing more particular."""
    yield rule("power", "+", r"(?<=\d)\s?\^\s?(?=\d)", " to the power of ")
    yield rule("plus plus", "+", r"(?<=[A-Za-z])\+\+", " plus plus")
    yield rule("sharp", "+", r"(?<=\b[CFJ])#(?!\w)", " sharp")
    yield rule("dot", "+", r"(?<![\w.])\.(?=[A-Z]{3}\b)", "dot ")
    yield rule("control", "a", r"\bCtrl(?=\+)", "Control")
    yield rule("command", "+", r"⌘\s?", "Command ")
    yield rule("key", "+", r"(?<=[A-Za-z])\+(?=[A-Za-z\d]+\b)", " plus ")
    yield rule("hashtag", "+", r"(?<!\w)#(?=[A-Za-z]+\b(?!-))", "hashtag ")
    yield rule("hash", "+", r"(?<=[a-z])#(?!\w)", " hash")
    yield rule("at", "+", r"(?<=\d)\s?@\s?(?=[\d$€£])|(?<=\d)@(?!\w)", " at ")
    yield rule("at", "+", r"(?<=\w)\s@\s(?=\w)", " at ")
    yield rule("up", "+", r"↑\s?", "up ")
    yield rule("down", "+", r"↓\s?", "down ")
    yield rule("number", "+", r"(?<!\w)#(?=[A-Z0-9])", "number ")
    yield rule("file", "+", rf"(?<=\w)\.(?=(?:{words.FILE_ENDINGS})\b)", " dot ")
    yield rule(
        "compass",
        "a",
        r"(?:(?<=° )|(?<=°)|(?<=°[CF] )|(?<=degrees ))(?P<side>[NSEW])\b",
        _direction,
    )
    yield rule(
        "compass",
        "a",
        rf"(?:(?i:(?<=\bwind )|(?<=\bwinds ))|(?<=\bfrom the )|(?<=km/h )|(?<=mph )|(?<=knots )){_COMPASS}\b",
        _direction,
    )
    yield rule("compass", "a", rf"\b{_COMPASS}(?= winds?\b)", _direction)
    yield rule(
        "times",
        "a+",
        r"(?<=\d)\s?[x×*]\s?(?=\d)|(?<=\d )x(?= \d)|(?<=\d)[x×](?=\s|[.,;!?)]|$)",
        " times ",
    )
    yield rule("equals", "+", r"(?<=[\w)!])\s*=\s*(?=[\w(-])", " equals ")
    yield rule("plus", "+", r"(?<=\d)\s?\+\s?(?=\d)", " plus ")
    yield rule("minus", "+", r"(?<=\d) [-−] (?=\d)", " minus ")
    yield rule("and", "+", r"\s?&\s?(?=\w)", " and ")
    yield rule("plus", "+", r"(?<=\d)\+(?!\d)", " plus")
    yield rule("section", "+", r"§\s?(?=\d)", "section ")
    yield rule("several", "0", r"(?<=[A-Z]-)(\d{1,4})s\b", _several)
    yield rule("percent", "+", r"(?<=[a-z])\s?%|(?<=\d)\s?%", " percent")
    yield rule("dollar", "+", r"(?<=[a-z])\$(?!\w)", " dollar")
    yield rule("dollar", "+", r"\$(?=\d)", "dollar ")
    yield rule("minus", "+", r"(?<![\w)\]%°$€£.,/:])[-−](?=\.?\d)", "minus ")
    yield rule("range", "+", r"(?<=[\d%°])\s?[-–]\s?(?=\d)", _to)
    yield rule("times", "+", r"(?<=\w) [*×] (?=\w)", " times ")
    yield rule("trademark", "+", r"[™®©]", "")


def _scientific(match: re.Match[str]) -> str:
    sign = "minus " if match["sign"] in ("-", "−") else ""
    said = f"{cardinal(match['number'])} times ten to the {sign}{cardinal(match['power'])}"
    return f"{said} {measures.plural(match['unit'])}" if match["unit"] else said


def _power(match: re.Match[str]) -> str | None:
    """ "x²" is squared, "10⁻⁵" is to the minus five."""
    power = match["power"].translate(_SUPERSCRIPTS).replace("−", "-")
    unit = match.groupdict().get("unit")
    rest = f"{measures.plural(unit)} " if unit else ""
    if power in _POWERS:
        return f" {_POWERS[power]} {rest}"
    sign = "minus " if power.startswith("-") else ""
    digits = power.lstrip("+-")
    return f" to the {sign}{cardinal(digits)} {rest}" if digits else None


def _angle(match: re.Match[str]) -> str:
    """Degrees, minutes and seconds of a circle."""
    said = f"{cardinal(match['degrees'])} degrees {cardinal(match['minutes'])} minutes"
    if match["seconds"]:
        said += f" {cardinal(match['seconds'])} seconds"
    return f"{said} {_DIRECTIONS[match['side']]}" if match["side"] else said


def _direction(match: re.Match[str]) -> str:
    """ "N" is north, "NNW" north-northwest."""
    side = match["side"]
    first = f"{_DIRECTIONS[side[0]]}-" if len(side) == 3 else ""
    words_before = " " if match.start() and match.string[match.start() - 1] == "°" else ""
    return f"{words_before}{first}{''.join(_DIRECTIONS[letter] for letter in side[-2:])}"


def _to(match: re.Match[str]) -> str | None:
    """A range, but neither "i7-9700" nor "GPT-3.5-0125"."""
    return None if _IN_A_NAME.search(text_before(match)[-12:]) else " to "


def _several(match: re.Match[str]) -> str:
    """ "B-52s" and "747s"."""
    said = cardinal(match[1])
    return said[:-1] + "ies" if said.endswith("y") else f"{said}s"
