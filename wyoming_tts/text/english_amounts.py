"""Rates, prices and measures of English, found in text."""

from wyoming_tts.text import english_measures as measures
from wyoming_tts.text import english_more as more
from wyoming_tts.text import english_numbers as numbers
from wyoming_tts.text.english_numbers import NUMBER
from wyoming_tts.text.rules import any_of, rules
from wyoming_tts.text.units import CURRENCIES, CURRENCY_CODES, SYMBOL_PATTERN

# ruff: noqa: E501, RUF001 - patterns on one line; dashes of ranges

_SCALE = (
    r"(?P<scale>\s?(?:thousand|million|billion|trillion|mln|mn|bn|tn|"
    r"[kKmMBT](?![A-Za-z]))\b)?"
)
_MONEY = any_of(CURRENCIES)
_CODES = any_of(CURRENCY_CODES)
_OWN_UNIT = any_of(measures.UNITS_OF_ENGLISH)
_BARE = any_of(measures.BARE_UNITS)
_PER = rf"(?P<per>{measures.PER_UNIT})(?![\w/²³])"
_VULGAR = "[½⅓⅔¼¾⅛]"
_STOP = r"(?:(?<=[A-Za-z])\.(?=\s+[a-z]))?"
"""The full stop of an abbreviated unit, where the sentence goes on."""
_QUANTITY = (
    rf"(?<![\w.])(?<![A-Za-z]-)(?:(?P<below>[-−])?(?P<low>{NUMBER})\s?(?:-|–|—|to)\s?)?"
    rf"(?P<sign>[-−])?(?P<number>{NUMBER})(?P<gap>[\s-]?)"
)

RATES = rules(
    (r"(?<![\w)])\+(?=\d)", "plus "),
    (rf"(?<![\w)])[-−](?=(?:{_MONEY})\d)", "minus "),
    (rf"~(?=(?:{_MONEY})\d)", "about "),
    (r"(?<=[$€£])\.(?=\d)", "0."),
    (r"(?<=%)\s?[-–]\s?(?=\d)", " to "),
    (r"\b(\d{1,2})h ?(\d{1,2})(?:m|min)?\b(?!\w|\.\d)", r"\1 h \2 min"),
    (r"(?<=\d{2})[x×](?=\d{2}(?![⁰¹²³⁴-⁹^]))", " by "),
    (r"(?<=\d)\s?[x×]\s?(?=\d+(?:\.\d+)?\s?(?:mm|cm|m|km|in|ft)\b)", " by "),
    (r"(?<=\d)['′](?=\s?[x×]\s?\d| (?:tall|long|wide|high|deep)\b)", " ft"),
    (r"(?<![\w.])([-−]?\d{2,3}(?:\.\d+)?)([CF])\b(?!-)", r"\1°\2"),
    (r"\b(\d+)/(?=\d+ ?mmHg)", r"\1 over "),
    (rf"(?P<amount>\d)(?P<gap>\s?)(?P<unit>[kKMBT]|bn)/{_PER}", measures.per),
    (
        (
            rf"(?P<amount>\d)(?P<gap>\s?)(?P<unit>{SYMBOL_PATTERN}|{_OWN_UNIT}|[a-z]{{2,12}})?"
            rf"/{_PER}"
        ),
        measures.per,
    ),
    (
        (
            r"(?i)\b(?P<word>apartment|apt\.?|unit|gate|seat|room|flat|row|suite|platform|terminal|"
            r"exit|bus|class|grade|line|block|building|number|no\.) (?P<number>\d{1,4})"
            r"(?P<letter>[A-H])\b"
        ),
        more.place,
    ),
    (
        r"\b(?P<number>\d+)K (?=TV|video|res|displ|monitor|screen|stream|HDR|UHD|proj|camera)",
        lambda match: f"{numbers.cardinal(match['number'])} K ",
    ),
    (
        (
            r"(?<![\w/.])(?:(?P<whole>\d{1,3}) )?(?P<over>\d{1,2})/(?P<under>[2-9]|1[0-6]) "
            r"(?P<unit>cup|tsp|tbsp|teaspoon|tablespoon|mile|inch|pound|hour|pint|gallon|ounce)\b"
        ),
        more.part_of,
    ),
    (
        (
            r"(?<![\w/.])(?:(?P<whole>\d{1,3})[ -])?(?P<over>\d{1,2})/"
            r"(?P<under>[2-9]|1[0-6]|32|64)[\"″”]"
        ),
        measures.inch_fraction,
    ),
    (
        rf"(?<![\w.])(?P<number>\d+)\s?(?P<sign>{_VULGAR})\s?(?P<unit>{SYMBOL_PATTERN})(?![\w²³])",
        measures.mixed_measure,
    ),
    (
        rf"(?P<power>times ten to the [a-z -]+?)\s?\b(?P<unit>{SYMBOL_PATTERN})(?![\w²³/])",
        measures.scientific_measure,
    ),
    (rf"{_QUANTITY}(?P<unit>{_OWN_UNIT})(?![\w²³/]){_STOP}", measures.measure_of_english),
    (r"(?<=°)([CF])?\s?[-–]\s?(?=\d)", r"\1 to "),
)

AMOUNTS = rules(
    (rf"(?<=\d)\s?[-–—]\s?(?=(?:{_MONEY})\d)", " to "),
    (
        (
            rf"(?P<sign>{_MONEY})(?P<low>{NUMBER})\s?[-–—]\s?(?P<amount>{NUMBER})"
            rf"(?![\d-]){_SCALE}"
        ),
        numbers.money,
    ),
    (rf"(?P<sign>{_MONEY}|\b(?:{_CODES})(?=\s?\d))\s?(?P<amount>{NUMBER}){_SCALE}", numbers.money),
    (
        rf"\b(?P<amount>{NUMBER}){_SCALE}\s?(?P<sign>[€£¥₹]|(?:{_CODES})\b)",
        numbers.money,
    ),
    (r"\b(?P<amount>\d+)\s?¢", numbers.cents),
    (r"(?<![\w.,])['’]?(?P<word>)(?P<year>1[1-9]\d0|20\d0)(?P<also>)['’]?s\b", numbers.decade),
    (
        (
            r"(?i:['’]|\b(?P<word>the |early |late |mid |early-|late-|mid-))(?P<year>[2-9]0)['’]?s\b"
            r"|(?<![\w.,])(?P<also>[2-9]0)(?:['’]s\b|s(?= (?:music|hits|songs?|style|fashion|movies?)\b))"
        ),
        numbers.decade,
    ),
    (r"(?<!\w)['’](?=\d\d\b(?!['’]))", ""),
    (r"\b(?P<feet>\d+)['′] ?(?P<inches>\d+)(?:[\"″]|'')?", numbers.feet_and_inches),
    (r"(?<=\bft )(?P<low>)(?P<number>\d+) (?P<short>in)\b", measures.inches),
    (
        (
            rf"(?:(?<![\w.])(?P<low>{NUMBER})\s?[-–—]\s?)?\b(?P<number>{NUMBER})"
            r"(?:[\"″]|[ -]inch(?:es)?\b|(?<=\d)in\b|"
            r"(?P<short> in\b)(?:\.(?=\s[a-z])|(?=[.,;:!?)]|$)))"
        ),
        measures.inches,
    ),
    (rf"{_QUANTITY}(?P<unit>{SYMBOL_PATTERN})(?![\w²³]){_STOP}", measures.measure),
    (rf"(?P<per>\bper )?(?<![\w/])(?P<unit>{_BARE})(?![\w/²³])", measures.bare_unit),
)
