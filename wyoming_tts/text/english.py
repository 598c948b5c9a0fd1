"""English as it is read aloud: what stands for other words is written out.

The rules run in order, longest reading first: a date is no fraction, a price is no number.
"""

import re

from wyoming_tts.text import english_more as more
from wyoming_tts.text import english_numbers as numbers
from wyoming_tts.text import english_words as words
from wyoming_tts.text.english_addresses import ADDRESSES
from wyoming_tts.text.english_amounts import AMOUNTS, RATES
from wyoming_tts.text.english_dates import DATES_DAY_FIRST, DATES_MONTH_FIRST
from wyoming_tts.text.english_numbers import ENGLISH, NUMBER
from wyoming_tts.text.english_signs import FORMULAS, SIGNS
from wyoming_tts.text.rules import any_of, rewrite, rules


def read_english(text: str, language: str = "en_US") -> str:
    """Return `text` with numbers, signs and abbreviations written out as words."""
    dates = DATES_MONTH_FIRST if language.endswith(("US", "en")) else DATES_DAY_FIRST
    for part in (
        ADDRESSES,
        dates,
        FORMULAS,
        RATES,
        AMOUNTS,
        _NUMBERS,
        SIGNS,
        _PLAIN_NUMBERS,
        _ABBREVIATIONS,
    ):
        text = rewrite(text, part)
    return text


def _abbreviation(match: re.Match[str]) -> str:
    if match[1] in words.TIME_ZONES:
        return match[0]
    said = words.ABBREVIATIONS[match[1].lower()]
    # Where the full stop ends the sentence as well, the sentence keeps it.
    return f"{said}." if match.end() == len(match.string) else said


def _spoons(match: re.Match[str]) -> str:
    return "tablespoons" if match[1] == "tb" else "teaspoons"


def _initials(match: re.Match[str]) -> str:
    return ".".join(match[0])


_NUMBERS = rules(
    (r"\b9/11\b", "nine eleven"),
    (r"\b50-50\b", "fifty fifty"),
    (r"(?<![\w.-])\d+(?:-\d+){2,}\b(?!-)", numbers.grouped),
    (r"(?<![\d:.])(\d{1,3}):(\d{1,3})(?![\d:])", more.ratio),
    (r"\b(\d+(?:st|nd|rd|th)) St\b\.?(?!\w)", r"\1 Street"),
    (r"(?<=\d)/(\d{1,2})(?:rds?|ths?|nds?)\b", r"/\1"),
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
        rf"(?i:\b(?P<word>{any_of(words.COUNTED_BY_ROMAN)}) )(?P<roman>[IVXL]+)\b(?![.'’]\w)",  # noqa: RUF001
        more.roman,
    ),
    (
        r"\b(?P<word>[A-Z][a-z]+) (?P<roman>[IVX]{2,}|[IVXLC]{3,})\b(?!\.\w)",
        more.roman,
    ),
    (
        (
            rf"\b(?P<word>(?i:{any_of(more.ROYAL)})) (?P<roman>[IVX])\b"
            r"(?=\s(?:of|was|ruled|and)\b|[,;.!?'’)]|$)"  # noqa: RUF001
        ),
        more.roman,
    ),
    (r"(?i)\b(?:no|nr)\. ?(?=\d)|№ ?(?=\d)|(?<!\w)#(?=\d)", "number "),
    (r"\b[vV](?:er)?\.? ?(?=\d+\.\d)", "version "),
    (r"(?<=\d)-?(alpha|beta|rc|dev|pre|b)\.?(\d{1,3})\b", r" \1 \2"),
    (
        r"(?P<word>\b[Vv]ersion )(?P<number>\d{1,4}\.[1-9]\d)\b(?![.\d])",
        lambda match: f"{match['word']}{numbers.read_version(match['number'])}",
    ),
    (r"\b\d+(?:\.\d+){2,}\b", lambda match: numbers.read_version(match[0])),
    (
        rf"(?<![\w.])(?P<number>{NUMBER})(?P<scale>[kK]|bn|tn|mln|mn|M(?=\s[a-z]|[.,;:!?)]|$)|(?<=\.\d)[BT]|(?<=\.\d\d)[BT])(?![\w/])",
        more.scaled,
    ),
    (rf"(?<![\w.-])({NUMBER})\s?(?:–|—|-)\s?({NUMBER})(?![\w-])", numbers.span),  # noqa: RUF001
)
_PLAIN_NUMBERS = rules(
    (
        (
            r"\b(?:[A-Za-z]+\d+(?:\.\d+)?|(?<!\d\.)\d+\.\d+[A-Za-z]+|(?<!\d\.)\d+[A-Za-z]+)"
            r"[A-Za-z0-9]*\b"
        ),
        numbers.mixed,
    ),
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
_ABBREVIATIONS = rules(
    (r"\b([A-Z][a-z]+) Dr\b\.?(?=[,;!?)]|$| [a-z])", r"\1 Drive"),
    (r"(?i)\brev\. (?=(?:zero|one|two|three|four|five|six|seven|eight|nine|ten)\b)", "revision "),
    (r"(?<=[a-z] )(t|tb)sp\b\.?", _spoons),
    (r"\bpp\. ?(?=[a-z])", "pages "),
    (r"\bp\. ?(?=[a-z])", "page "),
    (rf"(?i)\b({any_of(words.ABBREVIATIONS)})\.(?=[\s,;:)]|$)", _abbreviation),
    (
        rf"(?<=[a-z] )({any_of(words.STREETS)})\b(?=[,;)]|$| [A-Z]{{1,2}}\b)",
        lambda match: words.STREETS[match[1]],
    ),
    (r"\b([A-Z][a-z]+|first|second|third|[a-z-]+th) St\b\.?(?! [A-Z])", r"\1 Street"),
    (r"\bSt\.?(?= [A-Z][a-z])", "Saint"),
    (r"(?i)\bw/o\b", "without"),
    (r"(?i)\bw/\s?(?=\w)", "with "),
    (r"\b(and|either)/or\b", r"\1 or"),
    (r"(?<=[A-Z])/(?=[A-Z])", " "),
    (r"(?<![\w/.~])([A-Za-z]+)/([A-Za-z]+)(?![\w/])", r"\1 or \2"),
    (rf"\b(?:{words.INITIALISMS})\b", _initials),
)
