"""Signs and formulas of English: what stands between numbers and words."""

import re

from wyoming_tts.text import english_more as more
from wyoming_tts.text import english_words as words
from wyoming_tts.text.english_numbers import NUMBER, cardinal
from wyoming_tts.text.rules import rules

# ruff: noqa: E501, RUF001 - patterns on one line; signs of formulas

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_POWERS = {"2": "squared", "3": "cubed"}


def _power(match: re.Match[str]) -> str:
    """ "x²" is squared, "10⁻⁵" is to the minus five."""
    power = match["power"].translate(_SUPERSCRIPTS).replace("−", "-")
    if power in _POWERS:
        return f" {_POWERS[power]} "
    sign = "minus " if power.startswith("-") else ""
    digits = power.lstrip("+-")
    return f" to the {sign}{cardinal(digits)} " if digits else match[0]


def _subscript(match: re.Match[str]) -> str:
    return match[0].translate(_SUBSCRIPTS)


def _degrees(match: re.Match[str]) -> str:
    """Degrees, minutes and seconds of a circle."""
    said = f"{cardinal(match['degrees'])} degrees {cardinal(match['minutes'])} minutes"
    if match["seconds"]:
        said += f" {cardinal(match['seconds'])} seconds"
    return f"{said} {match['side']}" if match["side"] else said


def _plural(match: re.Match[str]) -> str:
    """ "B-52s" and "747s"."""
    said = cardinal(match[1])
    return said[:-1] + "ies" if said.endswith("y") else f"{said}s"


FORMULAS = rules(
    (r"\s?(?:→|->|=>)\s?", " to "),
    (r"[≈~](?=\s?[-−]?\d)", "about "),
    (r"±\s?", "plus or minus "),
    (r"\s?(?:>=|≥)\s?(?=[-−]?\d)", " at least "),
    (r"\s?(?:<=|≤)\s?(?=[-−]?\d)", " at most "),
    (r"(?<=[a-z]{2}) > (?=[A-Z])", ", "),
    (r"\s?>\s?(?=[-−]?\d)| > (?=[a-z]\b)", " more than "),
    (r"\s?<\s?(?=[-−]?\d)|\s<\s", " less than "),
    (r"[₀-₉]+", _subscript),
    (
        (
            r"(?P<degrees>\d{1,3})°\s?(?P<minutes>\d{1,2})['′’]\s?"
            r"(?:(?P<seconds>\d{1,2}(?:\.\d+)?)(?:[\"″”]|''))?\s?(?P<side>[NSEW]\b)?"
        ),
        _degrees,
    ),
    (r"(\bdegrees(?: [a-z -]+ (?:minutes|seconds))? )(?P<side>[NSEW])\b", more.direction),
    (
        rf"\b(?P<number>{NUMBER})(?:[eE](?P<sign>[-+−]?)(?P<power>\d{{1,3}}))\b",
        more.scientific,
    ),
    (r"\s?[×·*]\s?(?=10\s?(?:\^|[⁰-⁹⁻¹²³]))", " times "),
    (r"(?<=[\w)])\s?\^\s?\(?(?P<power>[-−+]?\d{1,3})\)?(?![\w.])", _power),
    (r"(?:(?<=[\d)π])|(?<=\b[a-ln-zA-Z])|(?<=\bm[cv])|(?<=π[a-z]))(?P<power>[⁻⁺]?[⁰¹²³⁴-⁹]+)", _power),
    (r"√\s?(?=[\w(])", "the square root of "),
    (r"∛\s?(?=[\w(])", "the cube root of "),
    (r"(?<=\d)!(?=\s?[=+/×*÷-])", " factorial"),
    (r"\s?≠\s?", " is not equal to "),
    (r"∞", "infinity"),
    (r"(?<![^\W\d])π", " pi "),
    (r"(?<=[\w)])\s?[×·]\s?(?=[A-Za-z(])|(?<=\))\s?[×·*]\s?(?=[\w(])", " times "),
    (r"(?<=[\w)])\s?÷\s?(?=[\w(])", " divided by "),
    (r"(?<=\d)([xyz])(?= [-+=])", r" \1"),
    (r"(?<=[\w)])\s+\+\s+(?=[\w(√])", " plus "),
    (r"(?<=[\w)]) [-−–] (?=[\w(][\w.,]*\)?(?: [-+−–×*/÷] [\w.(]+)* =)", " minus "),
    (r"(?i)(?:(?<=what is )|(?<=what's )|(?<=what’s )|(?<=calculate ))(\d+(?:\.\d+)?) ?[-−–] ?(?=\d)",
     r"\1 minus "),
    (r"(?<=\d)[-−–](?=\d+(?:\.\d+)? ?=)", " minus "),
    (r"(?<=\d) / (?=\d)", " divided by "),
)  # fmt: skip
"""Before anything else looks at the numbers."""

SIGNS = rules(
    (r"(?<=\d)\s?\^\s?(?=\d)", " to the power of "),
    (r"(?<=[A-Za-z])\+\+", " plus plus"),
    (r"\b([CFJ])#(?!\w)", r"\1 sharp"),
    (r"(?<![\w.])\.(?=[A-Z]{3}\b)", "dot "),
    (r"\bCtrl(?=\+)", "Control"),
    (r"⌘\s?", "Command "),
    (r"(?<=[A-Za-z])\+(?=[A-Za-z\d]+\b)", " plus "),
    (r"(?<!\w)@(?=\w)", "at "),
    (r"(?<!\w)#(?=[A-Za-z]+\b(?!-))", "hashtag "),
    (r"(?<!\w)#(?=[A-Z0-9])", "number "),
    (rf"(?<=\w)\.(?=(?:{words.FILE_ENDINGS})\b)", " dot "),
    (r"(\bdegrees(?: Celsius| Fahrenheit)? )(?P<side>[NSEW])\b", more.direction),
    (rf"(?i:(?<=\bwind )|(?<=\bwinds )|(?<=per hour )|(?<=knots )){more.COMPASS}\b",
     more.direction),
    (rf"(?<=\bfrom the ){more.COMPASS}\b", more.direction),
    (rf"\b{more.COMPASS}(?= winds?\b)", more.direction),
    (r"(?<=\d)\s?[x×*]\s?(?=\d)|(?<=\d)[x×](?=\s|[.,;!?)]|$)", " times "),
    (r"(?<=[\w)])\s*=\s*(?=[\w(-])", " equals "),
    (r"(?<=\d)\s?\+\s?(?=\d)", " plus "),
    (r"(?<=\d) [-−] (?=\d)", " minus "),
    (r"\s?&\s?(?=\w)", " and "),
    (r"(?<=\d)\+(?!\d)", " plus"),
    (r"§\s?(?=\d)", "section "),
    (r"(?<=[A-Z]-)(\d+)s\b", _plural),
    (r"(?<=[a-z])\s?%", " percent"),
    (r"[™®©]", ""),
)  # fmt: skip
