"""Prices, rates and measures of English."""

from collections.abc import Iterator

from wyoming_tts.text.en import measures, numbers, words
from wyoming_tts.text.en.numbers import ALONE, NUMBER
from wyoming_tts.text.grammar import Rule, rule
from wyoming_tts.text.units import CURRENCIES, CURRENCY_CODES, SYMBOL_PATTERN, SYMBOLS, any_of

# ruff: noqa: E501, RUF001 - patterns on one line; dashes of ranges

_SCALE = (
    r"(?P<scale>\s?(?:thousand|million|billion|trillion|mln|mn|bn|tn|"
    r"[kKmMBTb](?![A-Za-z]))\b)?"
)
_MONEY = any_of(CURRENCIES)
_CODES = any_of(CURRENCY_CODES)
_OWN_UNIT = any_of(measures.UNITS_OF_ENGLISH)
_BARE = any_of(measures.BARE_UNITS)
_VULGAR = f"[{''.join(words.VULGAR)}]"
_EUROPEAN = r"\d{1,3}(?:\.\d{3})+,\d\d(?!\d)|\d{1,3}(?:\.\d{3}){2,}(?![\d.])|\d+,\d\d(?!\d)"
_STOP = r"(?:(?<=[A-Za-z])\.(?=\s+[a-z]))?"
"""The full stop of an abbreviated unit, where the sentence goes on."""
_QUANTITY = (
    rf"(?:{ALONE}|(?<=\d[x×]))(?<![A-Za-z]-)(?:(?P<low>{NUMBER})\s?(?:(?P<same>{SYMBOL_PATTERN}|{_OWN_UNIT})"
    rf"(?=\s?(?:-|–|—|to)\s?[-−]?{NUMBER}[\s-]?(?P=same)(?!\w)))?\s?(?:-|–|—|to)\s?(?P<sign>[-−])?)?"
    rf"(?P<number>{NUMBER})(?P<gap>[\s-]?)"
)
_LONG_UNITS = any_of(
    {one for one in (*measures.UNITS_OF_ENGLISH, *SYMBOLS) if len(one) > 1 and one != "in"}
)
_MILLIONS = (
    rf"{ALONE}(?P<number>{NUMBER}) (?P<scale>thousand|million|billion|trillion) "
    rf"(?P<unit>{_LONG_UNITS})(?![\w²³])"
)
_TENS = {"10": "tens", "100": "hundreds", "1000": "thousands"}
_PLACES = (
    "apartment|apt\\.?|unit|gate|seat|room|flat|row|suite|platform|terminal|exit|bus|class|grade|"
    "line|block|building|number|no\\.|stop|track|locker|stall|bay|hall|section|table|shelf|aisle|lane"
)


def amounts() -> Iterator[Rule]:
    """Yield prices, rates and measures, the more particular first."""
    yield from _signs_before()
    yield from _particular()
    yield from _money()
    yield from _decades()
    yield from _lengths()
    yield rule("measure", "0", _MILLIONS, measures.millions)
    yield rule(
        "measure",
        "0",
        rf"{_QUANTITY}(?P<unit>{_OWN_UNIT})(?![\w²³]){_STOP}",
        measures.measure_of_english,
    )
    yield rule(
        "measure", "0", rf"{_QUANTITY}(?P<unit>{SYMBOL_PATTERN})(?![\w²³]){_STOP}", measures.measure
    )
    yield rule("measure", "0", rf"{_QUANTITY}(?P<power>square|cubic) (?P<unit>ft|in|yd|mi|cm|mm|km|m)\b{_STOP}",
               measures.squared)  # fmt: skip
    yield rule(
        "measure",
        "0",
        rf"{_QUANTITY}(?P<unit>KG|KM|CM|MM|ML|mbps|gbps|mhz|ghz|khz|hz|kwh|kw|kb|mb|gb|tb|kgs|kms|cms|gms|mls)\b",
        measures.other_case,
    )
    yield rule(
        "unit", "a+", rf"(?P<per>\bper )?(?<![\w/])(?P<unit>{_BARE})(?![\w/²³])", measures.bare_unit
    )


def _signs_before() -> Iterator[Rule]:
    yield rule("plus", "+", r"(?<![\w)])\+(?=\d)", "plus ")
    yield rule("minus", "+", rf"(?<![\w)])[-−](?=(?:{_MONEY})\.?\d)", "minus ")
    yield rule("about", "+", rf"~(?=(?:{_MONEY})\d)", "about ")
    yield rule(
        "range",
        "+",
        r"(?<=%)\s?[-–]\s?(?=\d)|(?<=°)\s?[-–]\s?(?=\d)|(?<=°[CF])\s?[-–]\s?(?=\d)",
        " to ",
    )
    yield rule(
        "per",
        "+",
        rf"(?<=[\w$€£%²³])/(?P<per>{measures.PER_UNIT})(?![\w/²³])(?:\.(?=\s[a-z]))?",
        measures.per,
    )


def _particular() -> Iterator[Rule]:
    yield rule(
        "duration",
        "0",
        r"\b(?P<hours>\d{1,2})h ?(?P<minutes>\d{1,2})(?:m|min)?\b(?!\w|\.\d)",
        measures.duration,
    )
    yield rule(
        "by",
        "0",
        rf"{ALONE}(?P<n>{NUMBER})\s?[x×]\s?(?=\d+(?:\.\d+)?\s?(?:mm|cm|m|m²|m2|km|in|ft)\b)",
        measures.by,
    )
    yield rule(
        "by",
        "0",
        rf"(?:{ALONE}|(?<=\d[x×]))(?P<n>\d+(?:\.\d+)?)[x×](?=\d+(?:\.\d+)?(?:[x×]\d|(?![\w⁰¹²³⁴-⁹^]|\s?=)))",
        measures.by,
    )
    yield rule(
        "feet",
        "0",
        rf"{ALONE}(?P<n>{NUMBER})['′](?=\s?[x×]\s?\d| (?:tall|long|wide|high|deep)\b)",
        measures.feet,
    )
    yield rule(
        "degrees",
        "0",
        r"(?<![\w.])(?P<number>\d{2,3}(?:\.\d+)?)(?P<unit>[CF]|(?<=\.\d) C| F)\b(?![-'’])",
        measures.degrees,
    )
    yield rule("by", "+", r"(?<=[cmk]m|\dm|ft|in)\s?[x×]\s?(?=\d)", " by ")
    yield rule("pressure", "0", r"\b(\d{2,3})/(?=\d+ ?mmHg)", measures.over)
    yield rule(
        "place",
        "a",
        rf"(?i)\b(?P<word>{_PLACES}) (?P<number>\d{{1,4}})(?P<mark>-?)(?P<letter>[A-Z])\b(?!['’])",
        measures.place,
    )
    yield rule(
        "serial",
        "+",
        r"(?<!\w)#\s?(?P<number>\d{1,12})(?:-(?P<letter>[A-Z]{1,3}))?\b(?![.,]\d)",
        measures.number_sign,
    )
    yield rule("K", "0", r"(?<![\w.,$€£])(?P<number>[24568]|10|16)K\b(?!\s(?:users|people|followers|downloads|stars|views|subscribers|miles|dollars|euros|votes|members|likes|lines|words|tokens|visitors|copies|steps))",
               measures.letter_k)  # fmt: skip
    yield rule("part", "0",
               r"(?<![\w/.])(?:(?P<whole>\d{1,3}) )?(?P<over>\d{1,2})/(?P<under>[2-9]|1[0-6]) "
               r"(?P<unit>cup|tsp|tbsp|teaspoon|tablespoon|mile|inch|pound|hour|pint|gallon|ounce)(?P<many>e?s)?\b",
               measures.part_of)  # fmt: skip
    yield rule(
        "inches",
        "0",
        r"(?<![\w/.])(?:(?P<whole>\d{1,3})[ -])?(?P<over>\d{1,2})/(?P<under>[2-9]|1[0-6]|32|64)[\"″”]",
        measures.inch_fraction,
    )
    yield rule("measure", "0", rf"(?<![\w.])(?P<number>\d+)\s?(?P<sign>{_VULGAR})\s?(?P<unit>{SYMBOL_PATTERN})(?![\w²³])",
               measures.mixed_measure)  # fmt: skip
    yield rule("part", "+", rf"(?P<sign>{_VULGAR})\s?(?P<unit>{_OWN_UNIT}|{SYMBOL_PATTERN})(?![\w²³]){_STOP}",
               measures.part_of_one)  # fmt: skip
    yield rule(
        "stone", "0", r"(?<![\w.])(?P<stones>\d{1,2}) st (?=\d{1,2} lbs?\b)", measures.stones
    )


def _money() -> Iterator[Rule]:
    number = rf"(?:{_EUROPEAN}|{NUMBER}|\.\d+)"
    yield rule("range", "+", rf"(?<=\d)\s?[-–—]\s?(?=(?:{_MONEY})\d)", " to ")
    yield rule(
        "money",
        "+a",
        rf"(?P<sign>{_MONEY})(?P<low>{NUMBER})\s?[-–—]\s?(?P<amount>{NUMBER})(?![\d-]){_SCALE}",
        numbers.money,
    )
    yield rule(
        "money",
        "+a",
        rf"(?<!\w)(?P<sign>{_MONEY}|(?:{_CODES})(?=\s?\d))\s?(?P<amount>{number}){_SCALE}",
        numbers.money,
    )
    yield rule("money", "a", rf"\bUS (?P<sign>\$)\s?(?P<amount>{number}){_SCALE}",
               lambda match: f"US {numbers.money(match)}")  # fmt: skip
    yield rule(
        "money",
        "0",
        rf"{ALONE}(?P<amount>{_EUROPEAN}|{NUMBER}){_SCALE}\s?(?P<sign>[€£¥₹]|(?:{_CODES})\b|\$(?![\w$]))",
        numbers.money,
    )
    yield rule("money", "0", rf"{ALONE}(?P<amount>\d+)\s?¢", numbers.cents)


def _decades() -> Iterator[Rule]:
    yield rule(
        "decade",
        "0+",
        r"(?<![\w.,])['’]?(?P<word>)(?P<year>1[1-9]\d0|20\d0)(?P<also>)['’]?s\b",
        numbers.decade,
    )
    yield rule(
        "decade",
        "0a+",
        r"(?i:['’]|\b(?P<word>the |early |late |mid |early-|late-|mid-))(?P<year>[2-9]0)['’]?s\b"
        r"|(?<![\w.,])(?P<also>[2-9]0)(?:['’]s\b|s(?= (?:music|hits|songs?|style|fashion|movies?)\b))",
        numbers.decade,
    )
    yield rule(
        "decade",
        "0",
        r"(?P<word>)(?:(?<=\d0s-)|(?<=\d0s – )|(?<=\d0s – ))(?P<year>[1-9]0)(?P<also>)s\b",
        numbers.decade,
    )
    yield rule(
        "tens", "0", r"(?<![\w.,$€£])(?P<n>10{1,3})s of\b", lambda match: f"{_TENS[match['n']]} of"
    )
    yield rule("decade", "+", r"(?<!\w)['’](?P<word>)(?P<year>[01]0)(?P<also>)s\b", numbers.decade)
    yield rule("range", "+", r"(?<=\d0s)\s?[-–]\s?(?=['’]?(?:\d\d)?\d0)", " to ")
    yield rule("year", "+", r"(?<!\w)['’](?=\d\d\b(?!['’]))", "")


def _lengths() -> Iterator[Rule]:
    yield rule(
        "feet",
        "0",
        r"\b(?P<feet>\d{1,2})['′] ?(?P<inches>\d{1,2})(?:[\"″]|''|(?!\d))",
        numbers.feet_and_inches,
    )
    yield rule(
        "inches",
        "0",
        r"(?<=\bft )(?P<low>)(?P<number>\d+)(?P<quote>) (?P<short>in)\b",
        measures.inches,
    )
    yield rule(
        "inches",
        "0",
        rf"(?:(?<![\w.])(?P<low>{NUMBER})\s?[-–—]\s?)?(?:(?<![\w.])|(?<=\d[x×]))(?P<number>{NUMBER})"
        r"(?:(?P<quote>[\"″])|[ -]inch(?:es)?\b|(?<=\d)in\b|(?P<short> in\b)(?:\.(?=\s[a-z])|(?=[.,;:!?)]|$)))",
        measures.inches,
    )
