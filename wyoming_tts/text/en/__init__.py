"""English grammar, American and British.

The order of the classes: what is said sign by sign, dates and times, formulas, prices and measures,
numbers with a meaning of their own, signs, plain numbers, abbreviations.
"""

import re
from collections.abc import Iterator

from wyoming_tts.text.en import numbers, words
from wyoming_tts.text.en.addresses import addresses
from wyoming_tts.text.en.amounts import amounts
from wyoming_tts.text.en.dates import dates
from wyoming_tts.text.en.numbers import ALONE, ENGLISH, NUMBER
from wyoming_tts.text.en.signs import formulas, signs
from wyoming_tts.text.grammar import Grammar, Rule, rule, text_after, text_before
from wyoming_tts.text.numbers import roman_value
from wyoming_tts.text.sentences import Boundaries
from wyoming_tts.text.units import any_of

# ruff: noqa: E501, RUF001 - patterns on one line; dashes of ranges

_ROYAL_WORDS = (
    "king queen pope emperor tsar henry louis elizabeth charles george edward william richard "
    "james john paul pius benedict gregory leo francis philip alexander catherine nicholas ivan "
    "frederick napoleon ferdinand alfonso ramesses ptolemy mary robert harald gustav christian "
    "leopold wilhelm otto urban innocent clement sixtus julius xerxes darius mehmed umberto "
    "carlos felipe pedro haakon olav constantine theodosius margrethe carl albert"
)
_ROYAL = frozenset(_ROYAL_WORDS.split())
"""After these a Roman number is an ordinal; after other names it is counted."""
_SCALED = {"k": "thousand", "K": "thousand", "M": "million", "mn": "million", "mln": "million",
           "B": "billion", "bn": "billion", "tn": "trillion", "T": "trillion"}  # fmt: skip
_PRONOUNS = "He|She|It|They|We|You|I|His|Her|The|A|An|Is|Are|Was|This|That|There|And|But|What|When|Where|Who|Why|How"
_COUNTED = any_of(words.NUMBERED.split())
_VULGAR = "".join(words.VULGAR)


class English(Grammar):
    """Day first in British English, month first in American."""

    def __init__(self, language: str) -> None:
        self._day_first = not language.endswith(("US", "en")) and language != ""
        super().__init__(self._classes())

    def _classes(self) -> Iterator[Rule]:
        yield from addresses()
        yield from dates(day_first=self._day_first)
        yield from formulas()
        yield from amounts()
        yield from _numbers()
        yield from signs()
        yield from _plain_numbers()
        yield from _abbreviations()


def _numbers() -> Iterator[Rule]:
    yield rule("name", "0", r"\b9/11\b", "nine eleven")
    yield rule("name", "0", r"\b50-50\b", "fifty fifty")
    yield rule("name", "0", r"\b401\(k\)", "four oh one K")
    yield rule("groups", "0", r"(?<![\w.-])\d+(?:-\d+){2,}\b(?!-)", numbers.grouped)
    yield rule(
        "groups",
        "0",
        r"(?<![\w.-])(?!(?:1[1-9]|20)\d\d-(?:1[1-9]|20)\d\d\b)\d{4}-\d{4}\b(?!-)",
        numbers.phone,
    )
    yield rule("ratio", "0", r"(?<![\d:.])(\d{1,3}(?:\.\d{1,2})?):(\d{1,3})(?![\d:])", _ratio)
    yield rule("street", "0", r"\b(?P<number>\d{1,3})(?:st|nd|rd|th) St\b\.?(?!\w)",
               lambda match: f"{numbers.ordinal(match)} Street")  # fmt: skip
    yield rule("fraction", "0",
               r"(?<![\w/.])(?:(?P<whole>\d{1,3}) )?(?P<over>\d{1,2})\s?/\s?(?P<under>[2-9]|1[0-6]|20|32|64|100)(?:rds?|ths?|nds?)?\b(?![/\d])",
               numbers.fraction)  # fmt: skip
    yield rule("rating", "0", r"(?<![\w/.])(\d(?:\.\d)?)/(\d{1,3})(?= (?:stars?|points?|rating)\b)|(?<![\w/.])(\d{1,2}\.\d)/(\d{1,3})\b(?![/\d])",
               lambda match: f"{numbers.cardinal(match[1] or match[3])} out of {numbers.cardinal(match[2] or match[4])}")  # fmt: skip
    yield rule("fraction", "0", r"(?<![\w/.])(\d{1,6})/(\d{1,6})\b(?![/\d])", numbers.slashed)
    yield rule("slashes", "0", r"(?<![\w/.])\d+(?:/\d+){1,4}\b(?!/)",
               lambda match: ", ".join(map(numbers.cardinal, match[0].split("/"))))  # fmt: skip
    yield rule(
        "fraction",
        "+",
        rf"(?<=\d)\s?(?P<sign>[{_VULGAR}])",
        lambda match: f" and {words.VULGAR[match['sign']]}",
    )
    yield rule(
        "fraction", "+", rf"(?P<sign>[{_VULGAR}])", lambda match: words.VULGAR[match["sign"]]
    )
    yield rule(
        "ordinal",
        "0",
        r"(?i)\b(?P<number>\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:st|nd|rd|th| (?:(?<=1 )st|(?<=2 )nd|(?<=3 )rd|th)(?=\s[a-z]|[,;.!?)]|$))\b(?P<to>\s?[-–]\s?(?=\d{1,4}(?:st|nd|rd|th)\b))?",
        _ordinal,
    )
    yield rule(
        "roman",
        "a",
        rf"(?i:\b(?P<word>{any_of(words.COUNTED_BY_ROMAN)}) )(?P<roman>[IVXL]+)\b(?![.'’]\w)",
        _roman,
    )
    yield rule("roman", "a", r"\b(?P<roman>[IVX]{1,5})(?= (?:century|centuries)\b)",
               lambda match: ENGLISH.ordinal(roman_value(match["roman"])) if roman_value(match["roman"]) else None)  # fmt: skip
    yield rule(
        "war",
        "a",
        r"\bWWI(?P<more>I?)\b",
        lambda match: f"World War {'two' if match['more'] else 'one'}",
    )
    yield rule("times", "a", r"(?<![\w.-])[xX](?=\d{1,3}(?![\w.,=²³]))", "times ")
    yield rule(
        "roman", "a", r"\b(?P<word>[A-Z][a-z]+) (?P<roman>[IVX]{2,}|[IVXLC]{3,})\b(?!\.\w)", _roman
    )
    yield rule(
        "roman",
        "a",
        rf"\b(?P<word>(?i:{any_of(_ROYAL)})) (?P<roman>[IVX])\b(?=\s(?:of|was|ruled|and)\b|[,;.!?'’)]|$)",
        _roman,
    )
    yield rule(
        "roman",
        "a",
        r"(?<![\w.'’/-])(?P<roman>(?=[IVX]*[IV])[IVX]{2,8})(?![\w/]|['’.-]\w)",
        _lone_roman,
    )
    yield from _numbered()
    yield rule("version", "a", r"\b[vV](?:er)?\.? ?(?=\d+\.\d)|\bv(?=\d{1,3}\b)", "version ")
    yield rule("version", "a0", r"(?<=\d)-?(alpha|beta|rc|dev|pre|b)\.?(?P<n>\d{1,3})\b",
               lambda match: f" {match[1]} {numbers.cardinal(match['n'])}")  # fmt: skip
    yield rule("version", "+", r"(?<=\d)-(alpha|beta|rc|dev|pre|b)\.?(?P<n>\d{1,3})\b",
               lambda match: f" {match[1]} {numbers.cardinal(match['n'])}")  # fmt: skip
    yield rule("version", "a", r"(?P<word>\b[Vv]ersion )(?P<number>\d{1,4}\.[1-9]\d)\b(?![.\d])",
               lambda match: f"{match['word']}{numbers.read_version(match['number'])}")  # fmt: skip
    yield rule("version", "0", r"(?:(?<=\b[vV])|(?<![\w.]))(?![1-9]\d{0,2}(?:\.\d{3}){2,}\b)\d+(?:\.\d+){2,}\b|(?<=\b[vV])\d+\.\d+\b",
               lambda match: numbers.read_version(match[0]))  # fmt: skip
    yield rule("range", "0", rf"{ALONE}(?<!-)({NUMBER})(?P<scale>[kKx×])\s?[-–]\s?(?={NUMBER}(?P=scale)(?!\w))",
               lambda match: f"{numbers.cardinal(match[1])} to ")  # fmt: skip
    yield rule("times", "0", rf"{ALONE}(?P<n>{NUMBER})[x×](?=\s|[.,;!?)]|$)(?!\s[-+=])",
               lambda match: f"{numbers.cardinal(match['n'])} times")  # fmt: skip
    yield rule("scale", "0",
               rf"{ALONE}(?P<number>{NUMBER})(?P<scale>[kK]|bn|tn|mln|mn|M(?=\s[a-z]|[.,;:!?)]|$)|(?<=\.\d)[BT]|(?<=\.\d\d)[BT])(?![\w/])",
               _scaled)  # fmt: skip
    yield rule("resolution", "0", r"(?<![\w.])(?P<first>\d{1,2})(?P<last>[1-9]\d)p\b",
               lambda match: f"{numbers.cardinal(match['first'])} {numbers.cardinal(match['last'])} P")  # fmt: skip
    yield rule(
        "range",
        "0",
        rf"{ALONE}(?<!-)({NUMBER})\s?(?:–|—|-)\s?({NUMBER})(?![\w-]|\s?=|\s?[-+x×*÷]\s?\d+\s?=)",
        numbers.span,
    )


def _numbered() -> Iterator[Rule]:
    """Yield "No." as a number: behind what is counted, in capitals in a sentence, alone."""
    yield rule(
        "number", "a", rf"(?i)\b(?P<word>{_COUNTED}) (?:no|nr)\.? ?(?=\d)", r"\g<word> number "
    )
    yield rule("number", "a", r"(?<=\w )No\. ?(?=\d)|(?<=, )No\. ?(?=\d)", "number ")
    yield rule("number", "a", r"(?i)(?<![\w ])nos?\.? (?=\d+$)|\b[Nn]r\.? ?(?=\d)", "number ")
    yield rule("number", "a", r"\bNo\.(?=\d)", "number ")
    yield rule("number", "+", r"№ ?(?=\d)|(?<!\w)#(?=\d)", "number ")


def _plain_numbers() -> Iterator[Rule]:
    yield rule("circa", "a", r"\bc(?:a|irca)?\. ?(?P<year>1\d{3}|20\d\d)\b",
               lambda match: f"circa {ENGLISH.year(int(match['year']))}")  # fmt: skip
    yield rule("serial", "a0",
               r"(?<![^\W_])(?:[A-Za-z]{1,30}\d+(?:\.\d+)?|(?<!\d\.)\d+\.\d+[A-Za-z]{1,30}|(?<!\d\.)\d+[A-Za-z]{1,30})[A-Za-z0-9]{0,200}\b",
               numbers.mixed)  # fmt: skip
    yield rule("year", "0",
               r"(?:(?:(?<=\b[Ii]n )|(?<=\b[Yy]ear ))1\d{3}\b(?![,.]\d)|(?<![\w.,-])(?:19|20)\d\d(?![\w%]|[,.]\d))",
               numbers.year)  # fmt: skip
    yield rule(
        "decimal", "+", r"(?<![\w.])\.(\d+)", lambda match: f"point {ENGLISH.digits(match[1])}"
    )
    yield rule(
        "digits",
        "0",
        r"(?<![^\W_])(?<![.,])(?:0\d+|\d{8,})\b(?!\.\d)|(?<=\d,)\d{4,}\b",
        numbers.digits,
    )
    yield rule("cardinal", "0", rf"(?P<sign>)(?P<number>{NUMBER})", numbers.plain)


def _abbreviations() -> Iterator[Rule]:
    yield rule("estimated", "a", r"\best\. (?=\d{1,3}(?!\d)|time\b|arrival\b)", "estimated ")
    yield rule("drive", "a", r"\b([A-Z][a-z]+) Dr\b\.?(?=[,;!?)]|$| [a-z])", r"\1 Drive")
    yield rule(
        "spoons",
        "a",
        r"(?<=[\w] )(t|tb)sp\b\.?",
        lambda match: "tablespoons" if match[1] == "tb" else "teaspoons",
    )
    yield rule("title", "a", rf"\b(?P<name>{any_of(words.TITLES)})\. (?=[A-Z][a-z])(?!(?:{_PRONOUNS})\b)",
               lambda match: f"{words.TITLES[match['name']]} ")  # fmt: skip
    yield rule(
        "company",
        "a",
        rf"(?<=\w )(?P<name>{any_of(words.COMPANIES)})\.(?=,|\s+[a-z]|\s*$)",
        _company,
    )
    yield rule("abbreviation", "a", rf"(?i)(?<![\w.])(?P<name>{any_of(words.BEFORE_NUMBERS)})\.\s?(?=\d)",
               lambda match: f"{words.BEFORE_NUMBERS[match['name'].lower()]} ")  # fmt: skip
    yield rule("roman", "a", r"(?i:\b(?P<name>vol|ch|fig)\.) (?=[IVX]+\b)",
               lambda match: f"{words.BEFORE_NUMBERS[match['name'].lower()]} ")  # fmt: skip
    yield rule(
        "abbreviation",
        "a",
        rf"(?i)(?<![\w.])({any_of(words.ABBREVIATIONS)})\.(?=[\s,;:)]|$)",
        _abbreviation,
    )
    yield rule("street", "a", rf"(?<=[a-zA-Z] )({any_of(words.STREETS)})\b\.?(?=[,;)]|$| [A-Z]{{1,2}}\b)",
               lambda match: words.STREETS[match[1]])  # fmt: skip
    yield rule(
        "street",
        "a",
        r"\b([A-Z][a-z]+) St\b(?P<stop>\.?)(?! [A-Z][a-z]+ (?:is|was|has)\b)(?!\s[A-Z][a-z]+(?:'s)?\s*$)",
        _street,
    )
    yield rule("saint", "a", r"\bSt\.?(?= [A-Z][a-z])", "Saint")
    yield rule("without", "a", r"(?i)\bw/o\b", "without")
    yield rule("because", "a", r"(?i)\bb/c\b", "because")
    yield rule("with", "a", r"(?i)\bw/\s?(?=\w)", "with ")
    yield rule("or", "a", r"\b(and|either)/or\b", r"\1 or")
    yield rule(
        "company", "a", r"\b([A-Z]{1,3})\s?&\s?([A-Z]{1,3})\b(?!['’]?[a-z])", _joined_initials
    )
    yield rule("slash", "+", r"(?<=[A-Z])/(?=[A-Z])", " ")
    yield rule("slash", "a", r"(?<![\w/.~])([A-Z]{1,4})/([A-Z]{1,4})(?![\w/])", r"\1 \2")
    yield rule("or", "a", r"(?<![\w/.~])([A-Za-z]+)/([A-Za-z]+)(?![\w/])", r"\1 or \2")
    yield rule("slash", "+", r"(?<=\w) / (?=\w)|(?<=\d)/(?=[\d\s])", " slash ")
    yield rule("initials", "a", rf"\b(?:{words.INITIALISMS})\b", lambda match: ".".join(match[0]))


def _ordinal(match: re.Match[str]) -> str | None:
    return f"{numbers.ordinal(match)} to " if match["to"] else numbers.ordinal(match)


def _scaled(match: re.Match[str]) -> str | None:
    """ "2.5bn"; but "9700K" is a model."""
    if match["scale"] in "kK" and numbers.value(match["number"]) >= 1000:
        return None
    return f"{numbers.cardinal(match['number'])} {_SCALED[match['scale']]}"


def _ratio(match: re.Match[str]) -> str:
    return f"{numbers.cardinal(match[1])} to {numbers.cardinal(match[2])}"


def _roman(match: re.Match[str]) -> str | None:
    """ "Henry VIII" is the eighth, "Chapter VIII" and "Rocky IV" are counted."""
    number = roman_value(match["roman"])
    if not number:
        return None
    if match["word"].lower() in _ROYAL:
        return f"{match['word']} the {ENGLISH.ordinal(number)}"
    return f"{match['word']} {ENGLISH.cardinal(number)}"


def _lone_roman(match: re.Match[str]) -> str | None:
    """ "II" is a number, which a voice would call Roman; an "IV" drip is not."""
    medical = match["roman"] == "IV" and (
        re.search(r"\b[Aa]n $", text_before(match))
        or re.match(r" (?:drip|bag|line|fluids?|antibiotics)\b", text_after(match))
    )
    number = roman_value(match["roman"])
    return "I.V" if medical else ENGLISH.cardinal(number) if number else None


def _company(match: re.Match[str]) -> str:
    said = words.COMPANIES[match["name"]]
    return said if text_after(match).strip() else f"{said}."


def _joined_initials(match: re.Match[str]) -> str:
    """ "AT&T" is "A.T and T"."""
    return f"{'.'.join(match[1])} and {'.'.join(match[2])}"


def _street(match: re.Match[str]) -> str:
    ended = match["stop"] and re.match(r"\s+[A-Z]", text_after(match))
    return f"{match[1]} Street{'.' if ended else ''}"


def _abbreviation(match: re.Match[str]) -> str | None:
    if match[1] in words.TIME_ZONES:
        return None
    said = words.ABBREVIATIONS[match[1].lower()]
    # Where the full stop ends the sentence as well, the sentence keeps it.
    return f"{said}." if match.end() == len(match.string) else said


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BOUNDARIES = Boundaries(
    abbreviations=_words(
        "vs approx etc e.g i.e cf eds dept est ext incl excl resp avg tel tbsp tsp hrs mins secs "
        "yrs inc ltd corp bros ave blvd rd ln apt hwy jr esq a.m p.m oz lb lbs ft"
    ),
    titles=_words(
        "mr mrs ms dr prof rev sr st mt gen col lt sgt capt cmdr adm gov sen rep hon pres fr"
    ),
    before_numbers=_words(
        "nos fig figs vol pp p ed max min jan feb mar apr jun jul aug sep sept oct nov dec "
        "mon tue tues wed thu thur thurs fri sat sun ch sec art rm"
    ),
    numbered=_words(words.NUMBERED),
    starters=_words(
        "the a an it he she we they you i this that these those there here but and so or if when "
        "what where who why how in on at for to is are do my your his her its our their please "
        "have has had then now yes no not can could will would should let turn open close "
        "good thanks nobody everybody call tell ask"
    ),
)
"""Full stops in English"""
