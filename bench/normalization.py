#!/usr/bin/env python3
"""Text normalisation against a table of readings, judged by meaning.

    python -m bench.normalization TABLE.tsv [--rows odd|even|all] [--verbose]

TABLE has lines of LANGUAGE, CLASS, TEXT, READING with tabs between them, as in the test suite of
https://github.com/NVIDIA/NeMo-text-processing; "~" parts readings that are equally right. Two
readings are the same when they are so after these styles have been levelled:

- case, spaces, hyphens, punctuation and accents ("a b c" is "abc", "vingt et un" is "vingt-et-un");
- a number in one go, digit by digit or in pairs ("thirteen thousand", "one three zero zero zero",
  "coma treinta y dos", "coma tres dos"), with or without "and", "con", "et", "e", "y" inside;
- a date with its day or its month first, with or without articles and "of";
- a sum with or without the name of its hundredths ("fünf Euro zwanzig Cent", "fünf Euro zwanzig");
- an internet address with or without its scheme and "www", "barra" or "slash", letters of any case;
- quarters and halves of an hour as such or in minutes, and hours with or without "minutes";
- a range with "to", a dash or nothing, and a sign between words as its name or as a pause;
- in English, a fraction with an ordinal or with "over" ("one two thousandth", "five halves"),
  decades with "-ies" or "'s", and a unit by its name where the table has its letters ("eighty S");
- gender where the noun is not there, and "uno sobre tres" for "un tercio".
"""

import argparse
import itertools
import re
import unicodedata
from collections import defaultdict
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale

from wyoming_tts.text.normalization import spoken
from wyoming_tts.text.numbers import speller
from wyoming_tts.text.units import UNITS, unit_phrase

# ruff: noqa: E501 - patterns on one line

LOCALES = {"en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT", "nl": "nl_NL"}
STYLES = {
    "en": (
        (r"\b(?:and|the|of|to|plus)\b", " "),
        (r"\bdoctor\b", "dr"), (r"\bmisses\b|\bmissus\b", "mrs"), (r"\bhash(?:tag)?\b", "number"),
        (r"\bhundred hours\b|\bo'?clock\b", " "), (r"\boh\b", "zero"),
        (r"\bhours?\b|\bminutes?\b|\bseconds?\b", " "),
        (r"\bhttps?\b(?: colon)?(?: slash slash)?", " "), (r"\bwww(?: dot)?\b", " "),
        (r"\bcents?\b|\bpenn(?:y|ies)\b|\bpence\b", " "),
        (r"\ban? (?=half|third|quarter|\w+th\b)", "one "), (r"\bfirsts?\b", "1"),
        (r"\bhalf\b|\bhalves\b", "2"), (r"\bquarters?\b", "fourth"), (r"\bc c\b", "cc"),
        (r"(?<=t)ies\b", "ys"), (r"(?<=ty)'s\b", "s"),
        (r"\bdash\b|\bslash\b|\btimes\b|\bover\b", " "), (r"ths\b", "th"),
    ),
    "de": (
        (r"\b(?:der|die|das|den|am|bis|zu)\b", " "), (r"schrägstrich|\bslash\b", " "),
        (r"bindestrich", " "), (r"\b(?:h t t p s?|https?)\b(?: doppelpunkt)?(?: slash slash)?|\bhttps?\b", " "),
        (r"\b(?:w w w|www)(?: punkt)?\b|\bwww\b", " "), (r"\bcents?\b|\bpenny\b|\bpence\b", " "),
        (r"\bminuten?\b|\bsekunden?\b", " "), (r"\beine?[rsnm]?\b|\beins\b", "ein"),
        (r"(?<=[st]t)e[rnms]?\b|(?<=erst)e[rnms]?\b|(?<=[tt])e[rnms]\b", ""),
        (r"hundert(?=s)", "hundert"), (r"\bpunkt\b", " "),
    ),
    "fr": (
        (r"\b(?:et|le|la|les|de|d)\b|\bd'", " "), (r"\bune\b", "un"), (r"s\b", ""),
        (r"\bcentime\b", " "), (r"barre oblique", " "), (r"\bdemie?\b", "demi"),
        (r"premi(?:er|ère)", "premier"),
    ),
    "es": (
        (r"\b(?:y|el|la|las|los|de|del|con|a)\b", " "), (r"c[eé]ntimos?|centavos?|peniques?", " "),
        (r"guion|barra", " "), (r"(?:h t t p s?|https?)(?: dos puntos)?(?: barra barra)?|\bhttps?\b", " "),
        (r"(?:w w w|www)(?: punto)?|\bwww\b", " "), (r"\bun[oa]?\b", "un"), (r"estadounidenses?", " "),
        (r"\bigual\b|\bes igual\b", "igual"), (r"\bhoras?\b|\bminutos?\b|\bsegundos?\b", " "),
        (r"\bcuarto\b(?=\s*$|\s+(?:noche|mañana|tarde))", "quince"), (r"\bmedi[oa]\b", "treinta"),
        (r"\bmañana\b|\btarde\b|\bnoche\b|\b[ap]m\b|\b[ap]\.? ?m\b\.?", " "), (r"\bpor\b", " "),
        (r"libras(?: esterlinas)?|libra(?: esterlina)?", "libras"), (r"[oa]s?\b", "o"),
        (r"yuanes|yuan|yenes|yen\b", "yen"),
    ),
    "it": (
        (r"\b(?:e|il|la|le|i|alle|al|per)\b", " "), (r"centesim[oi]|penny|copeca|copechi", " "),
        (r"barra|slash|trattino", " "), (r"(?:h t t p s?|https?)(?: due punti)?(?: slash slash)?|\bhttps?\b", " "),
        (r"(?:w w w|www)(?: punto)?|\bwww\b", " "), (r"\bmezza\b", "trenta"), (r"\bun quarto\b", "quindici"),
        (r"\bminut[oi]\b|\bor[ae]\b", " "), (r"sterlin[ae](?: britannic\w+)?", "sterline"),
        (r"\bun[oa]?\b", "un"), (r"russ[oi]", " "), (r"second[oi]|orari", " "),
    ),
}  # fmt: skip
"""Per language: a pattern, and what it is levelled to."""
_ENGLISH_DATE = re.compile(
    r"\b((?:jan|febr)uary|march|april|may|june|july|august|(?:sept|nov|dec)ember|october) "
    r"((?:twenty |thirty )?[a-z]+(?:st|nd|rd|th))\b"
)


_ORDINAL_END = re.compile(r"^(?:th)?(?:s$|s(?=\d))?")
_SYMBOLS_OF_ENGLISH = {symbol.lower(): symbol for symbol in UNITS if symbol.isalpha()}
_UNIT_IN_LETTERS = re.compile(
    rf"(?<=[a-z] )(?:{'|'.join(sorted(_SYMBOLS_OF_ENGLISH, key=len, reverse=True))})(?= *$)",
    re.IGNORECASE,
)


@cache
def numbers_of(language: str) -> tuple[re.Pattern[str], dict[str, int]]:
    """Return a pattern of all number words below ten thousand and of round ones, and values."""
    say = speller(LOCALES[language])
    values: dict[str, int] = {}
    rounds = [n * scale for scale in (10**3, 10**6, 10**9, 10**12) for n in range(1, 1000)]
    for number in itertools.chain(range(10_000), rounds):
        year = say.year(number) if 1100 <= number < 10_000 else ""
        for words in (say.cardinal(number), say.ordinal(number) if number < 1000 else "", year):
            ordinal = words not in (say.cardinal(number), year)
            if letters := _letters(_levelled(words, language)):
                values.setdefault(letters + ("#" if ordinal else ""), number)
    names = sorted((name.rstrip("#") for name in values), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, dict.fromkeys(names)))), values


def _levelled(text: str, language: str) -> str:
    text = text.lower().replace("-", " ")
    # "a b c" is "abc"; no single letter of it is a word.
    text = re.sub(r"\b[^\W\d](?: [^\W\d]\b)+", lambda match: match[0].replace(" ", ""), text)
    for pattern, read in STYLES[language]:
        text = re.sub(pattern, read, text)
    return text


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFD", text)
    return "".join(character for character in plain if character.isalnum())


def meaning(text: str, language: str) -> str:
    """Return `text` with the styles levelled: two readings that mean the same become equal."""
    text = text.lower().replace("-", " ")
    if language == "en":
        text = re.sub(r"[,.]", " ", re.sub(r"\b(?:the|of)\b", " ", text))
        text = " ".join(_ENGLISH_DATE.sub(r"\2 \1", " ".join(text.split())).split())
    pattern, values = numbers_of(language)
    letters = _letters(_levelled(text, language))
    found: list[str] = []
    last: int | None = None
    place = 0
    for match in pattern.finditer(letters):
        number = values.get(match[0], values.get(match[0] + "#", 0))
        between = letters[place : match.start()]
        if language == "en" and last is not None:
            between = _ORDINAL_END.sub("", between)
        if last is not None and not between and last % 1000 == 0 and last > number > 0:
            last += number
        else:
            found += [str(last)] * (last is not None) + [between]
            last = number
        place = match.end()
    rest = letters[place:]
    if language == "en" and last is not None:
        rest = _ORDINAL_END.sub("", rest)
    return "".join([*found, *[str(last)] * (last is not None), rest])


def same(got: str, expected: str, language: str) -> bool:
    """Whether `got` means one of the readings in `expected`."""
    readings = expected.split("~")
    if language == "en":
        readings += [_UNIT_IN_LETTERS.sub(_named, one) for one in readings]
    return meaning(got, language) in {meaning(one, language) for one in readings}


def _named(match: re.Match[str]) -> str:
    symbol = _SYMBOLS_OF_ENGLISH[match[0].lower()]
    return unit_phrase(Decimal(2), "", symbol, Locale("en")).strip() or match[0]


def main() -> None:
    """Print the share of right readings per language and class."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--rows", choices=("all", "odd", "even"), default="all")
    parser.add_argument("--verbose", action="store_true", help="print the readings that are wrong")
    arguments = parser.parse_args()
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    lines = arguments.table.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        language, kind, text, expected = [*line.split("\t"), ""][:4]
        if arguments.rows != "all" and (number % 2 == 1) != (arguments.rows == "odd"):
            continue
        got = spoken(text, LOCALES[language])
        good = same(got, expected, language)
        right[language, kind].append(good)
        if arguments.verbose and not good:
            print(f"{language}\t{kind}\t{text!r}\n\tgot      {got!r}\n\texpected {expected!r}")
    for language in dict.fromkeys(language for language, _ in right):
        every = [good for (of, _), goods in right.items() if of == language for good in goods]
        print(f"{language}: {100 * sum(every) / len(every):.0f} % of {len(every)}")
        for (of, kind), goods in sorted(right.items()):
            if of == language:
                print(f"    {kind}: {sum(goods)} of {len(goods)}")


if __name__ == "__main__":
    main()
