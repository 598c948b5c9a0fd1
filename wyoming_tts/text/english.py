"""English as it is read aloud: what stands for other words is written out.

The rules run in order, longest reading first: a date is no fraction, a price is no number.
"""

import re
from collections.abc import Callable
from functools import partial

from wyoming_tts.text import english_more as more
from wyoming_tts.text import english_numbers as numbers
from wyoming_tts.text import english_words as words
from wyoming_tts.text.calendar import read_date, read_time
from wyoming_tts.text.english_numbers import ENGLISH, NUMBER
from wyoming_tts.text.units import CURRENCIES, CURRENCY_CODES, SYMBOL_PATTERN

Read = Callable[[re.Match[str]], str]
Rules = tuple[tuple[re.Pattern[str], Read | str], ...]


def read_english(text: str, language: str = "en_US") -> str:
    """Return `text` with numbers, signs and abbreviations written out as words."""
    dates = _DATES_MONTH_FIRST if language.endswith(("US", "en")) else _DATES_DAY_FIRST
    for rules in (
        _ADDRESSES,
        dates,
        _RATES,
        _AMOUNTS,
        _NUMBERS,
        _SIGNS,
        _PLAIN_NUMBERS,
        _ABBREVIATIONS,
    ):
        for pattern, read in rules:
            text = pattern.sub(read, text)
    return text


def _address(match: re.Match[str]) -> str:
    """ "https://www.example.com/a-b" is "example dot com slash a dash b"."""
    text = re.sub(r"^(?:[a-z]+://)?(?:www\.)?", "", match[0], flags=re.IGNORECASE)
    tail = re.search(r"[.,;:!?)]*$", text)
    end = tail[0] if tail else ""
    text = text.removesuffix(end).split("?")[0].split("#")[0].rstrip("/")
    for sign, word in words.ADDRESS_SIGNS.items():
        text = text.replace(sign, f" {word} ")
    return " ".join(text.split()) + end


def _abbreviation(match: re.Match[str]) -> str:
    said = words.ABBREVIATIONS[match[1].lower()]
    # Where the full stop ends the sentence as well, the sentence keeps it.
    return f"{said}." if match.end() == len(match.string) else said


def _spoons(match: re.Match[str]) -> str:
    return "tablespoons" if match[1] == "tb" else "teaspoons"


def _initials(match: re.Match[str]) -> str:
    return ".".join(match[0])


def _rules(*rules: tuple[str, Read | str]) -> Rules:
    return tuple((re.compile(pattern), read) for pattern, read in rules)


def _any(names: object) -> str:
    assert isinstance(names, dict | frozenset)
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_MONTH = _any(words.MONTHS)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)"
_TIME_RANGE = (
    r"(?i)\b(\d{1,2}(?::\d\d)?\s?(?:[ap]\.?m\b\.?)?)\s?[-–—]\s?"  # noqa: RUF001
    r"(?=\d{1,2}(?::\d\d\b|(?::\d\d)?\s?[ap]\.?m\b))"
)
_SCALE = r"(?P<scale>\s?(?:thousand|million|billion|trillion|bn|[kKMmB](?![A-Za-z]))\b)?"

_ADDRESSES = _rules(
    (r"(?i)(?:https?://|www\.)[^\s<>\"]+", _address),
    (r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b", _address),
    (rf"(?i)\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{words.TOP_DOMAINS})\b(?:/\S*)?", _address),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?\b", numbers.internet_address),
    (
        (
            r"(?i)\b(?P<word>(?:dial|call|text|zip(?: code)?|postal code|postcode|pin|passcode|"
            r"extension|ext\.?|flight [A-Z]{2}) )(?P<digits>\d{3,6})\b(?![.,:/-]\d)(?! [a-z]+s\b)"
        ),
        more.digits_after,
    ),
    (
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?|1[ .-])?\(\d{2,5}\)[ .-]?\d{2,4}(?:[ .-]\d{2,4})+\b",
        numbers.phone,
    ),
    (r"(?<![\w.])\+\d{1,3}(?:[ .-]?\d{2,5}){2,5}\b", numbers.phone),
    (r"(?<![\w.-])(?:1[.-])?\d{3}([.-])\d{3}\1\d{4}\b", numbers.phone),
    (r"(?<![\w.-])(?:1 )?\d{3} \d{3} \d{4}\b", numbers.phone),
    (r"(?<![\w.-])\d{3}-\d{4}\b(?!-)", numbers.phone),
    (r"(?<![\w.-])0\d{2,4}[ /-]\d{3,}(?:[ -]?\d{2,})*\b", numbers.phone),
)


def _dates(*, day_first: bool) -> Rules:
    date: Read = partial(read_date, speller=ENGLISH, day_first=day_first)
    time: Read = partial(read_time, speller=ENGLISH)
    return _rules(
        (rf"\b{_WEEKDAY}\.?(?=,? (?:{_MONTH})\b)", lambda match: words.WEEKDAYS[match[1]]),
        (_TIME_RANGE, r"\1 to "),
        (r"\b(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?:T(?=\d)|\b(?!-))", date),
        (
            (
                r"(?:(?<=\bby )|(?<=\bon )|(?<=\buntil )|(?<=\bsince )|(?<=\bdue )|(?<=\bbefore ))"
                r"(?P<first>\d{1,2})/(?P<second>\d{1,2})\b(?![/\d]| (?:of|cup|inch|mile))"
            ),
            date,
        ),
        (
            (
                r"(?<![\w/.])(?P<first>\d{1,2})(?P<mark>[/.])(?P<second>\d{1,2})(?P=mark)"
                r"(?P<year>\d{4}|\d{2})\b(?![/\d])"
            ),
            date,
        ),
        (
            (
                rf"\b(?P<name>{_MONTH})\.? {_DAY}(?:\s?[-–]\s?(?P<until>\d{{1,2}})"  # noqa: RUF001
                r"(?:st|nd|rd|th)?)?(?:,? (?P<year>\d{4}))?\b(?![:.,]\d)"
            ),
            date,
        ),
        (
            (
                rf"\b(?P<the>[Tt]he )?{_DAY}(?P<of> of)? (?P<name>{_MONTH})\b\.?"
                rf"(?:,? (?P<year>\d{{4}}))?\b"
            ),
            date,
        ),
        (rf"\b(?P<name>{_MONTH})\.? (?P<year>\d{{4}})\b", date),
        (
            (
                r"(?i)\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?"
                r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?|\b|(?=Z\b))(?P<zulu>Z\b)?"
            ),
            time,
        ),
        (
            r"(?i)\b(?P<hour>1[0-2]|0?[1-9])\.(?P<minute>[0-5]\d)\s?(?P<half>[ap])\.?m\b\.?",
            time,
        ),
        (r"(?i)\b(?P<hour>1[0-2]|0?[1-9])\s?(?P<half>[ap])\.?m\b\.?", time),
    )


_DATES_DAY_FIRST = _dates(day_first=True)
_DATES_MONTH_FIRST = _dates(day_first=False)

_MONEY = _any(CURRENCIES)
_OWN_UNIT = _any(more.UNITS_OF_ENGLISH)
_RATES = _rules(
    (r"(?<![\w)])\+(?=\d)", "plus "),
    (r"(?<=[$€£])\.(?=\d)", "0."),
    (r"(?<=%)\s?[-–]\s?(?=\d)", " to "),  # noqa: RUF001
    (r"\b(\d{1,2})h ?(\d{1,2})(?:m|min)?\b(?![\w.])", r"\1 h \2 min"),
    (r"(?<=\d{2})[x×](?=\d{2})", " by "),  # noqa: RUF001
    (r"\b(\d+)/(?=\d+ ?mmHg)", r"\1 over "),
    (
        (
            rf"(?P<amount>\d)(?P<gap>\s?)(?P<unit>{SYMBOL_PATTERN}|{_OWN_UNIT}|[a-z]{{2,12}})?"
            rf"/(?P<per>{more.PER_UNIT})(?![\w/²³])"
        ),
        more.per,
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
            rf"(?<![\w.])(?:(?P<below>[-−])?(?P<low>{NUMBER})\s?(?:-|–|—|to)\s?)?(?P<sign>[-−])?(?P<number>{NUMBER})"  # noqa: RUF001
            rf"[\s-]?(?P<unit>{_OWN_UNIT})(?![\w²³/])"
        ),
        more.measure,
    ),
    (r"(?<=°)([CF])?\s?[-–]\s?(?=\d)", r"\1 to "),  # noqa: RUF001
)

_AMOUNTS = _rules(
    (rf"(?<=\d)\s?[-–—]\s?(?=(?:{_MONEY})\d)", " to "),  # noqa: RUF001
    (
        (
            rf"(?P<sign>{_MONEY})(?P<low>{NUMBER})\s?[-–—]\s?(?P<amount>{NUMBER})"  # noqa: RUF001
            rf"(?![\d-]){_SCALE}"
        ),
        numbers.money,
    ),
    (rf"(?P<sign>{_MONEY})\s?(?P<amount>{NUMBER}){_SCALE}", numbers.money),
    (
        rf"\b(?P<amount>{NUMBER}){_SCALE}\s?(?P<sign>[€£¥₹]|(?:{_any(CURRENCY_CODES)})\b)",
        numbers.money,
    ),
    (r"\b(?P<amount>\d+)\s?¢", numbers.cents),
    (r"(?<![\w.,])['’]?(?P<year>1[1-9]\d0|20\d0|[2-9]0)['’]?s\b", numbers.decade),  # noqa: RUF001
    (r"\b(?P<feet>\d+)['′] ?(?P<inches>\d+)(?:[\"″]|'')?", numbers.feet_and_inches),  # noqa: RUF001
    (
        (
            rf"\b(?P<number>{NUMBER})(?:[\"″]|[ -]inch(?:es)?\b|(?<=\d)in\b|"
            r"(?P<short> in\b)(?:\.(?=\s[a-z])|(?=[.,;:!?)]|$)))"
        ),
        numbers.inches,
    ),
    (
        (
            rf"(?<![\w.])(?:(?P<below>[-−])?(?P<low>{NUMBER})\s?(?:-|–|—|to)\s?)?(?P<sign>[-−])?(?P<number>{NUMBER})"  # noqa: RUF001
            rf"[\s-]?(?P<unit>{SYMBOL_PATTERN})(?![\w²³])"
        ),
        numbers.measure,
    ),
)
_NUMBERS = _rules(
    (r"\b9/11\b", "nine eleven"),
    (r"\b50-50\b", "fifty fifty"),
    (r"(?<![\w.-])\d+(?:-\d+){2,}\b(?!-)", numbers.phone),
    (r"(?<![\d:.])(\d{1,3}):(\d{1,3})(?![\d:])", more.ratio),
    (r"\b(\d+(?:st|nd|rd|th)) St\b\.?(?!\w)", r"\1 Street"),
    (
        r"\b(?P<number>\d+(?:\.\d+)?)[eE](?P<sign>[-+−]?)(?P<power>\d{1,3})\b",  # noqa: RUF001
        more.scientific,
    ),
    (
        (
            r"(?<![\w/.])(?:(?P<whole>\d{1,3}) )?(?P<over>\d{1,2})/"
            r"(?P<under>[2-9]|1[0-6]|20|32|64|100)\b(?![/\d])"
        ),
        numbers.fraction,
    ),
    (r"(?<![\w/.])(\d{1,3})/(\d{1,3})\b(?![/\d])", numbers.slashed),
    (r"(?<=\d)\s?(?P<sign>[½⅓⅔¼¾⅛])", lambda match: f" and {words.VULGAR[match['sign']]}"),
    (r"(?P<sign>[½⅓⅔¼¾⅛])", lambda match: words.VULGAR[match["sign"]]),
    (r"(?i)\b(?P<number>\d{1,3}(?:,\d{3})*|\d+)(?:st|nd|rd|th)\b", numbers.ordinal),
    (
        rf"(?i:\b(?P<word>{_any(words.COUNTED_BY_ROMAN)}) )(?P<roman>[IVXL]+)\b(?![.'’]\w)",  # noqa: RUF001
        more.roman,
    ),
    (
        r"\b(?P<word>[A-Z][a-z]+) (?P<roman>[IVX]{2,}|[IVXLC]{3,})\b(?!\.\w)",
        more.roman,
    ),
    (
        (
            rf"\b(?P<word>(?i:{_any(more.ROYAL)})) (?P<roman>[IVX])\b"
            r"(?=\s(?:of|was|ruled|and)\b|[,;.!?'’)]|$)"  # noqa: RUF001
        ),
        more.roman,
    ),
    (r"(?i)\b(?:no|nr)\. ?(?=\d)|№ ?(?=\d)|(?<!\w)#(?=\d)", "number "),
    (r"\b[vV](?:er)?\.? ?(?=\d+\.\d)", "version "),
    (r"\b\d+(?:\.\d+){2,}\b", numbers.dotted),
    (r"\b(\d+)[kK]\b", r"\1 thousand"),
    (rf"(?<![\w.-])({NUMBER})\s?(?:–|—|-)\s?({NUMBER})(?![\w-])", numbers.span),  # noqa: RUF001
)
_SIGNS = _rules(
    (r"(?<=\d)\s?\^\s?(?=\d)", " to the power of "),
    (r"(?<=[A-Za-z])\+\+", " plus plus"),
    (r"\b([CFJ])#(?!\w)", r"\1 sharp"),
    (r"(?<![\w.])\.(?=[A-Z]{3}\b)", "dot "),
    (r"\bCtrl(?=\+)", "Control"),
    (r"(?<=[A-Za-z])\+(?=[A-Za-z\d]+\b)", " plus "),
    (r"(?<!\w)@(?=\w)", "at "),
    (r"(?<!\w)#(?=[A-Za-z])", "hashtag "),
    (rf"(?<=\w)\.(?=(?:{words.FILE_ENDINGS})\b)", " dot "),
    (r"(\bdegrees(?: Celsius| Fahrenheit)? )([NSEW])\b", more.direction),
    (r"(?<=\d)\s?[x×*]\s?(?=\d)|(?<=\d)[x×](?=\s)", " times "),  # noqa: RUF001
    (r"(?<=\d)\s?÷\s?(?=\d)", " divided by "),
    (r"(?<=[\w)])\s?=\s?(?=[\w(-])", " equals "),
    (r"(?<=\d)\s?\+\s?(?=\d)", " plus "),
    (r"(?<=\d) [-−] (?=\d)", " minus "),  # noqa: RUF001
    (r"[≈~](?=\s?\d)", "about "),
    (r"±\s?", "plus or minus "),
    (r"\s?(?:>=|≥)\s?(?=\d)", " at least "),
    (r"\s?(?:<=|≤)\s?(?=\d)", " at most "),
    (r"\s?>\s?(?=\d)", " more than "),
    (r"\s?<\s?(?=\d)|\s<\s", " less than "),
    (r"\s?(?:→|->|=>)\s?", " to "),
    (r"\s?&\s?(?=\w)", " and "),
    (r"(?<=\d)\+(?!\d)", " plus"),
)
_PLAIN_NUMBERS = _rules(
    (r"\b(?:[A-Za-z]+\d+(?:\.\d+)?|\d+[A-Za-z]+)[A-Za-z0-9]*\b", numbers.mixed),
    (
        (
            r"(?:(?<=\b[Ii]n )|(?<=\b[Yy]ear ))1\d{3}\b(?![,.]\d)"
            r"|(?<![\w.,-])(?:19|20)\d\d(?![\w%]|[,.]\d)"
        ),
        numbers.year,
    ),
    (r"(?<![\w.])\.(\d+)", lambda match: f"point {ENGLISH.digits(match[1])}"),
    (r"(?<![\w.,])0\d+\b(?!\.\d)|(?<![\w.,])\d{8,}\b(?!\.\d)", numbers.digits),
    (rf"(?:(?<![\w.])(?P<sign>[-−]))?(?P<number>{NUMBER})", numbers.plain),  # noqa: RUF001
)
_ABBREVIATIONS = _rules(
    (r"\b([A-Z][a-z]+) Dr\b\.?(?=[,;!?)]|$| [a-z])", r"\1 Drive"),
    (r"(?i)\brev\. (?=(?:zero|one|two|three|four|five|six|seven|eight|nine|ten)\b)", "revision "),
    (r"(?<=[a-z] )(t|tb)sp\b\.?", _spoons),
    (r"\bpp\. ?(?=[a-z])", "pages "),
    (r"\bp\. ?(?=[a-z])", "page "),
    (rf"(?i)\b({_any(words.ABBREVIATIONS)})\.(?=[\s,;:)]|$)", _abbreviation),
    (r"\b([A-Z][a-z]+|first|second|third|[a-z-]+th) St\b\.?(?! [A-Z])", r"\1 Street"),
    (r"\bSt\.?(?= [A-Z][a-z])", "Saint"),
    (r"(?i)\bw/o\b", "without"),
    (r"(?i)\bw/\s?(?=\w)", "with "),
    (r"\band/or\b", "and or"),
    (r"(?<=[A-Z])/(?=[A-Z])", " "),
    (r"(?<![\w/.~])([A-Za-z]+)/([A-Za-z]+)(?![\w/])", r"\1 or \2"),
    (rf"\b(?:{words.INITIALISMS})\b", _initials),
)
