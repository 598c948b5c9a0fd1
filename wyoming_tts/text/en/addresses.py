"""Addresses, telephone numbers and codes of English: what is said sign by sign."""

import re
from collections.abc import Iterator

from wyoming_tts.text.en import numbers, words
from wyoming_tts.text.en.numbers import ENGLISH
from wyoming_tts.text.grammar import Rule, rule
from wyoming_tts.text.units import any_of

# ruff: noqa: E501 - patterns on one line

_TAIL = re.compile(r"[.,;:!?)]*$")
_PORT = re.compile(r":(\d{2,5})(?=/|$)")
_HEX = re.compile(r"\d|[A-Za-z]")
_DIALLED = (
    "dial|call|text|zip(?: code)?|postal code|postcode|pin(?: code)?|passcode|extension|ext\\.?|"
    "flight [A-Z]{2}|ending in|ends in|ending with"
)
_CODES = (
    "(?:code|passcode|password|pin|otp|ssn|id|(?:phone|telephone|emergency|account|order|confirmation|"
    "tracking|reference|serial|model) (?:number|code))"
)
_STREET = any_of((*words.STREETS, *words.STREETS.values(), "St", "Street", "Dr", "Drive"))


def addresses() -> Iterator[Rule]:
    """Yield what is said sign by sign."""
    yield rule("url", "a", r"(?i)(?:[a-z][a-z0-9+-]{1,9}://|www\.)[^\s<>\"]{1,2000}", _address)
    yield rule(
        "email",
        "a0",
        r"(?:(?<![\w.+-])|(?<= \.))\w[\w.+-]{0,63}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",
        _address,
    )
    yield rule("domain", "a0",
               rf"(?i)(?<![\w.@-])[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}}){{0,4}}\.(?:{words.TOP_DOMAINS})\b(?::\d{{2,5}}\b)?(?:/[^\s<>\"]{{0,500}})?",
               _address)  # fmt: skip
    yield rule("domain", "a", r"\blocalhost(?::\d{2,5}\b)?(?:/[^\s<>\"]{0,500})?", _address)
    yield rule("internet address", "0", r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)(?::\d{1,5}|/\d{1,2})?(?!\w)",
               numbers.internet_address)  # fmt: skip
    yield rule("hexadecimal", "a0+",
               r"(?<![\w:])(?P<signs>(?=[0-9:]{0,40}[a-fA-F:]{2}|[0-9a-fA-F]{1,4}:[0-9]{0,4}[a-fA-F])"
               r"(?:[0-9a-fA-F]{1,4}::?){2,7}[0-9a-fA-F]{1,4}|(?<![\w:])[0-9a-fA-F]{1,4}::[0-9a-fA-F]{1,4})(?![\w:])",
               _sign_by_sign)  # fmt: skip
    yield rule("colour", "+", r"(?<!\w)#(?P<signs>[0-9A-Fa-f]{6})\b(?<!\d{6})", _sign_by_sign)
    yield rule(
        "digits",
        "a",
        r"(?:\b(?!ID)|(?<=, ))(?P<state>[A-Z]{2})(?P<gap>,? )(?P<digits>\d{5})\b(?![.,:/-]\d)",
        _zip_code,
    )
    yield rule("digits", "a", rf"(?i)\b(?P<word>(?:{_DIALLED}) )(?P<digits>\d{{3,6}})\b(?![.,:/-]\d)(?! [a-z]+s\b)",
               _digits_after)  # fmt: skip
    yield rule("digits", "a", rf"(?i)\b(?P<word>{_CODES}(?: is|:| is:)? )(?P<digits>\d{{3,12}})\b(?![.,:/-]\d)",
               _digits_after)  # fmt: skip
    yield rule("house", "0", rf"(?<![\w.,-])(?P<n>[1-9]\d[1-9]\d)(?P<side> [NSEW])?(?= (?:[A-Z][a-z]+ ){{1,3}}(?:{_STREET})\b)",
               _house)  # fmt: skip
    yield rule(
        "digits",
        "0",
        r"(?P<word>)(?<![\w.,:/$€£-])(?P<digits>911)\b(?![.,:/%-]\d| [a-z]+s\b|%|°)",
        _digits_after,
    )
    yield rule(
        "telephone",
        "0+",
        r"(?<![\w.])(?:\+\d{1,3}[ .-]?|1[ .-])?\(\d{2,5}\)[ .-]?\d{2,4}(?:[ .-]\d{2,4}){1,4}\b",
        numbers.phone,
    )
    yield rule("telephone", "+", r"(?<![\w.])\+\d{1,3}(?:[ .-]?\d{2,5}){2,5}\b", numbers.phone)
    yield rule("telephone", "0", r"(?<![\w.-])(?:1[.-])?\d{3}([.-])\d{3}\1\d{4}\b", numbers.phone)
    yield rule("telephone", "0", r"(?<![\w.-])(?:1 )?\d{3} \d{3} \d{4}\b", numbers.phone)
    yield rule("telephone", "0", r"(?<![\w.-])\d{3}-\d{4}\b(?!-)", numbers.phone)
    yield rule(
        "telephone", "0", r"(?<![\w.-])0\d{2,4}[ /-]\d{3,8}(?:[ -]?\d{2,8}){0,4}\b", numbers.phone
    )
    yield rule(
        "telephone",
        "0",
        r"(?<![\w.-])1-(?P<area>\d{3})-(?P<letters>[A-Z]{1,7}(?:-[A-Z]{1,7}){0,3})\b",
        _lettered,
    )
    yield rule("name", "a", r"\b([a-z][a-z_]{0,40})\.(?=[a-z0-9]{1,40}_[a-z0-9_]+\b)", _dotted_name)
    yield rule("underscore", "+", r"(?<=[A-Za-z0-9])_{1,9}(?=[A-Za-z0-9])", " ")
    yield rule("handle", "+", r"(?<!\w)@(?=\w)", "at ")


def _address(match: re.Match[str]) -> str | None:
    """ "https://www.example.com/a-b" is "example dot com slash a dash b"."""
    text = re.sub(r"^(?:[a-z]+://)?(?:www\.)?", "", match[0], flags=re.IGNORECASE)
    tail = _TAIL.search(text)
    end = tail[0] if tail else ""
    text = text.removesuffix(end).split("?")[0].split("#")[0].rstrip("/")
    text = _PORT.sub(lambda port: f" port {ENGLISH.digits(port[1])}", text)
    said = []
    for part in re.findall(r"\d+|[^\W\d_]+|.", text):
        if part.isdecimal():
            said.append(numbers.in_a_word(part))
        else:
            said.append(f" {words.ADDRESS_SIGNS[part]} " if part in words.ADDRESS_SIGNS else part)
        if part.isalnum():
            said.append(" ")
    return " ".join("".join(said).split()) + end


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
    word = re.sub(r"(?i)\bext\b\.?", "extension", match["word"])
    return f"{word}{ENGLISH.digits(match['digits'])}"


def _zip_code(match: re.Match[str]) -> str:
    state = words.STATES.get(match["state"], match["state"])
    return f"{state}{match['gap']}{ENGLISH.digits(match['digits'])}"


def _house(match: re.Match[str]) -> str:
    """ "1428 Elm Street" is fourteen twenty-eight."""
    side = {"N": " North", "S": " South", "E": " East", "W": " West"}.get(
        (match["side"] or "").strip(), ""
    )
    return f"{numbers.cardinal(match['n'][:2])} {numbers.cardinal(match['n'][2:])}{side}"


def _lettered(match: re.Match[str]) -> str:
    """ "1-800-GO-U-HAUL"."""
    area = match["area"]
    said = numbers.cardinal(area) if area.endswith("00") else ENGLISH.digits(area)
    return f"one, {said}, {match['letters'].replace('-', ' ')}"


def _dotted_name(match: re.Match[str]) -> str:
    return f"{match[1].replace('_', ' ')} dot "
