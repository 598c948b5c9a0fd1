"""Addresses, telephone numbers and codes of English: what is said sign by sign."""

import re

from wyoming_tts.text import english_numbers as numbers
from wyoming_tts.text import english_words as words
from wyoming_tts.text.english_numbers import ENGLISH
from wyoming_tts.text.rules import rules

_TAIL = re.compile(r"[.,;:!?)]*$")
_PORT = re.compile(r":(\d{2,5})(?=/|$)")
_HEX = re.compile(r"\d|[A-Za-z]")


def _address(match: re.Match[str]) -> str:
    """ "https://www.example.com/a-b" is "example dot com slash a dash b"."""
    text = re.sub(r"^(?:[a-z]+://)?(?:www\.)?", "", match[0], flags=re.IGNORECASE)
    tail = _TAIL.search(text)
    end = tail[0] if tail else ""
    text = text.removesuffix(end).split("?")[0].split("#")[0].rstrip("/")
    text = _PORT.sub(lambda port: f" port {ENGLISH.digits(port[1])}", text)
    for sign, word in words.ADDRESS_SIGNS.items():
        text = text.replace(sign, f" {word} ")
    return " ".join(text.split()) + end


def _sign_by_sign(match: re.Match[str]) -> str:
    """ "fe80::1" and "#FF8800", with a breath where a colon stands."""
    groups = re.split(r":", match["signs"])
    said = (
        " ".join(ENGLISH.digits(sign) if sign.isdigit() else sign.upper() for sign in group)
        for group in (_HEX.findall(group) for group in groups)
    )
    return ", ".join(part for part in said if part)


def _digits_after(match: re.Match[str]) -> str:
    """ "Dial 911", "zip code 90210": the digits one by one."""
    return f"{match['word']}{ENGLISH.digits(match['digits'])}"


_DIALLED = (
    "dial|call|text|zip(?: code)?|postal code|postcode|pin(?: code)?|passcode|extension|ext\\.?|"
    "flight [A-Z]{2}"
)
_CODES = (
    "(?:code|passcode|password|pin|otp|(?:phone|telephone|emergency|account|order|confirmation|"
    "tracking|reference|serial|model) (?:number|code))"
)
ADDRESSES = rules(
    (r"(?i)(?:https?://|www\.)[^\s<>\"]+", _address),
    (r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b", _address),
    (
        rf"(?i)\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{words.TOP_DOMAINS})\b(?::\d{{2,5}}\b)?(?:/\S*)?",
        _address,
    ),
    (r"\blocalhost(?::\d{2,5}\b)?(?:/\S*)?", _address),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?\b", numbers.internet_address),
    (
        (
            r"(?<![\w:])(?P<signs>(?=[0-9:]*[a-fA-F:]{2}|[0-9a-fA-F]{1,4}:[0-9]*[a-fA-F])"
            r"(?:[0-9a-fA-F]{1,4}::?){2,7}[0-9a-fA-F]{1,4}|[0-9a-fA-F]{1,4}::[0-9a-fA-F]{1,4})"
            r"(?![\w:])"
        ),
        _sign_by_sign,
    ),
    (r"(?<!\w)#(?P<signs>[0-9A-Fa-f]{6})\b", _sign_by_sign),
    (rf"(?i)\b(?P<word>(?:{_DIALLED}) )(?P<digits>\d{{3,6}})\b(?![.,:/-]\d)(?! [a-z]+s\b)",
     _digits_after),
    (rf"(?i)\b(?P<word>{_CODES}(?: is|:| is:)? )(?P<digits>\d{{3,12}})\b(?![.,:/-]\d)",
     _digits_after),
    (r"\b(?P<word>[A-Z]{2} )(?P<digits>\d{5})\b(?![.,:/-]\d)", _digits_after),
    (r"(?P<word>)(?<![\w.,:/$€£-])(?P<digits>911)\b(?![.,:/%-]\d| [a-z]+s\b|%|°)", _digits_after),
    (
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?|1[ .-])?\(\d{2,5}\)[ .-]?\d{2,4}(?:[ .-]\d{2,4})+\b",
        numbers.phone,
    ),
    (r"(?<![\w.])\+\d{1,3}(?:[ .-]?\d{2,5}){2,5}\b", numbers.phone),
    (r"(?<![\w.-])(?:1[.-])?\d{3}([.-])\d{3}\1\d{4}\b", numbers.phone),
    (r"(?<![\w.-])(?:1 )?\d{3} \d{3} \d{4}\b", numbers.phone),
    (r"(?<![\w.-])\d{3}-\d{4}\b(?!-)", numbers.phone),
    (r"\b([a-z][a-z_]*)\.(?=[a-z0-9]+_[a-z0-9_]+\b)", r"\1 dot "),
    (r"(?<=[A-Za-z0-9])_+(?=[A-Za-z0-9])", " "),
    (r"(?<![\w.-])0\d{2,4}[ /-]\d{3,}(?:[ -]?\d{2,})*\b", numbers.phone),
)  # fmt: skip
