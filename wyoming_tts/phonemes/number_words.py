"""Long number words in their parts, which espeak-ng pronounces better than the whole.

Its rules for letters take "achthundertvierzig" for one root ("achtundert-wierzig"); the words of
which the number is made are in its dictionaries.
"""

import re
from functools import cache
from typing import Final

_TEENS_AND_TENS: Final = {
    "de": "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dreißig vierzig "
          "fünfzig sechzig siebzig achtzig neunzig",
    "nl": "dertien veertien vijftien zestien zeventien achttien negentien twintig dertig veertig "
          "vijftig zestig zeventig tachtig negentig",
    "it": "dodici tredici quattordici quindici sedici diciassette diciotto diciannove venti trenta "
          "quaranta cinquanta sessanta settanta ottanta novanta ventuno trentuno quarantuno "
          "cinquantuno sessantuno settantuno ottantuno novantuno ventotto trentotto quarantotto "
          "cinquantotto sessantotto settantotto ottantotto novantotto",
}  # fmt: skip
_OTHERS: Final = {
    "de": "ein eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf hundert tausend",
    "nl": "een één twee drie vier vijf zes zeven acht negen tien elf twaalf honderd duizend",
    "it": "uno un due tre tré quattro cinque sei sette otto nove dieci undici cento cent(?=ott) "
          "mila mille",
}  # fmt: skip
_BETWEEN: Final = {"de": "und", "nl": "en|ën", "it": "e"}
_ORDINAL: Final = {"de": "(?:s?te[nrms]?)?", "nl": "(?:st?e|de)?", "it": ""}
"""Endings of the last part"""


_EIGHTY_AND_MORE: Final = re.compile(r"\b(quatre-vin)gt(?=-)", re.IGNORECASE)
"""Before another number its "t" is silent, which espeak-ng knows of digits alone."""


def in_parts(text: str, voice: str) -> str:
    """Return `text` with hyphens between the parts of the number words of `voice`'s language."""
    language = voice.partition("-")[0]
    if language == "fr":
        return _EIGHTY_AND_MORE.sub(r"\1", text)
    if language not in _OTHERS:
        return text
    word, part = _patterns(language)

    def parted(match: re.Match[str]) -> str:
        parts = part.findall(match[0])
        if "".join(parts) != match[0]:
            return match[0]
        found = "-".join(parts)
        # Alone, "een" is the article.
        return re.sub(r"\been\b", "één", found) if language == "nl" else found

    return word.sub(parted, text)


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    names = f"{_TEENS_AND_TENS[language]} {_OTHERS[language]}".split()
    parts = "|".join(sorted(names, key=len, reverse=True))
    between, end = _BETWEEN[language], _ORDINAL[language]
    return (
        re.compile(rf"\b(?:(?:{parts})(?:{between})?){{1,30}}(?:{parts}){end}\b", re.IGNORECASE),
        re.compile(rf"(?:{parts})(?:{end}\b)?|{between}", re.IGNORECASE),
    )
