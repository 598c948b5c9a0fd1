"""Numbers of English in digits. Each function reads one match."""

import re
from decimal import Decimal

from wyoming_tts.text.en import words
from wyoming_tts.text.numbers import speller
from wyoming_tts.text.units import CURRENCIES

# ruff: noqa: RUF001 - strokes between thousands

ENGLISH = speller("en")
NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?:['’\u00a0\u202f]\d{3})+(?!\d)(?:\.\d+)?"
    r"|[1-9]\d{0,2}(?:\.\d{3}){2,}(?![\d.])|\d{1,3}(?: 000)+(?!\d)"
    r"|[1-9]\d{0,2}(?: \d{3}){2,}(?![\d-]| ?\d)|\d+(?:\.\d+)?)"
)
ALONE = r"(?<![^\W_])(?<![^\W_]\.)(?<!\.\d)"
"""Before a number that is not the end of a word"""
_CONTINENTAL = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+,\d\d?")
"""A sum of money as most of Europe writes it, "1.234,56"."""
_YOUNG_DECADES = {"00": "two thousands", "10": "twenty tens"}
_ROUND_YEAR = re.compile(r"1[1-9]\d\d|20\d\d")


def value(text: str) -> Decimal:
    """Return the number that `text` writes, its thousands parted by commas, blanks or strokes."""
    if text.count(".") > 1:
        text = text.replace(".", "")
    return Decimal(re.sub(r"[,\s'’]", "", text))


def cardinal(text: str) -> str:
    return ENGLISH.cardinal(value(text))


def phone(match: re.Match[str]) -> str:
    """Digit by digit, with a breath between the groups."""
    said = ", ".join(ENGLISH.digits(group) for group in re.findall(r"\d+", match[0]))
    return f"plus {said}" if match[0].startswith("+") else said


def internet_address(match: re.Match[str]) -> str:
    """ "10.0.0.1:80"."""
    parts: list[str] = re.findall(r"\d+", match[0])
    said = " dot ".join(ENGLISH.cardinal(int(part)) for part in parts[:4])
    if len(parts) == 4:
        return said
    if "/" in match[0]:
        return f"{said} slash {cardinal(parts[4])}"
    return f"{said} port {ENGLISH.digits(parts[4])}"


def money(match: re.Match[str]) -> str:
    """ "$5.50" is "five dollars and fifty cents", "$3.5 million" has its dollars last."""
    code = CURRENCIES.get(match["sign"], match["sign"])
    one, many, cent, cents = words.MONEY.get(code, (code, code, "cent", "cents"))
    written = match["amount"]
    if "," in written and _CONTINENTAL.fullmatch(written):
        written = written.replace(".", "").replace(",", ".")
    amount = value(written)
    if match.groupdict().get("low"):
        times = words.SCALES.get((match["scale"] or "").strip(), "")
        said = f"{cardinal(match['low'])} to {ENGLISH.cardinal(amount)}"
        return f"{said} {times} {many}" if times else f"{said} {many}"
    if scale := words.SCALES.get((match["scale"] or "").strip()):
        return f"{ENGLISH.cardinal(amount)} {scale} {many}"
    if amount * 100 % 1:  # as prices of fuel
        return f"{ENGLISH.cardinal(amount)} {many}"
    whole, fraction = int(amount), round(amount % 1 * 100)
    said = f"{ENGLISH.cardinal(whole)} {one if whole == 1 else many}"
    small = f"{ENGLISH.cardinal(fraction)} {cent if fraction == 1 else cents}"
    if not fraction:
        return said
    return f"{said} and {small}" if whole else small


def cents(match: re.Match[str]) -> str:
    return f"{cardinal(match['amount'])} cent{'' if match['amount'] == '1' else 's'}"


def feet_and_inches(match: re.Match[str]) -> str:
    return f"{cardinal(match['feet'])} foot {cardinal(match['inches'])}"


def fraction(match: re.Match[str]) -> str | None:
    """ "2 3/4" is "two and three quarters"."""
    whole, over, under = match["whole"], int(match["over"]), int(match["under"])
    if over >= under:
        return None
    name = words.FRACTIONS.get(under) or ENGLISH.ordinal(under)
    many = {"half": "halves"}.get(name, f"{name}s")
    if whole:
        article = "an" if name[0] in "aeiou" else "a"
        part = f"{article} {name}" if over == 1 else f"{ENGLISH.cardinal(over)} {many}"
        return f"{cardinal(whole)} and {part}"
    return f"{ENGLISH.cardinal(over)} {name if over == 1 else many}"


def slashed(match: re.Match[str]) -> str:
    """ "24/7" and "50/50" have a reading of their own, "1/1000" is a part, "120/80" a pressure."""
    over, under = match[1], match[2]
    if over == under and over in ("5", "10", "100"):
        return f"{cardinal(over)} out of {cardinal(under)}"
    if over == "1" and under.endswith("00"):
        return f"one {ENGLISH.ordinal(int(under))}"
    if over == under or (over, under) == ("24", "7"):
        return f"{cardinal(over)} {cardinal(under)}"
    return f"{cardinal(over)} over {cardinal(under)}"


def decade(match: re.Match[str]) -> str:
    """ "1990s", "the '90s"."""
    word = match["word"] or ""
    digits = match["year"] or match["also"]
    if digits in _YOUNG_DECADES:
        return word + _YOUNG_DECADES[digits]
    said = ENGLISH.year(int(digits)) if len(digits) == 4 else cardinal(digits)
    return word + (said[:-1] + "ies" if said.endswith("y") else f"{said}s")


def ordinal(match: re.Match[str]) -> str:
    return ENGLISH.ordinal(int(value(match["number"])))


def read_version(text: str) -> str:
    """ "2.1.3" is "two point one point three"."""
    return " point ".join(number_or_year(part) for part in text.split("."))


def grouped(match: re.Match[str]) -> str:
    """ "123-45-6789" and "1234-5678" are spelled, "12-4-1" is a record of wins."""
    if len(re.sub(r"\D", "", match[0])) >= 7:
        return phone(match)
    return ", ".join(cardinal(part) for part in match[0].split("-"))


def span(match: re.Match[str]) -> str:
    return f"{number_or_year(match[1])} to {number_or_year(match[2])}"


def mixed(match: re.Match[str]) -> str:
    """Letters and digits in one word: "MP3", "5G", "BA2490"."""
    said = []
    for part in re.findall(r"[A-Za-z]+|\d+(?:\.\d+)?", match[0]):
        if part[0].isdigit():
            said.append(in_a_word(part))
        else:
            said.append(".".join(part) if part.isupper() else part)
    return " ".join(said)


def in_a_word(digits: str) -> str:
    if _ROUND_YEAR.fullmatch(digits):
        return ENGLISH.year(int(digits))
    long = len(digits) > 3 or (len(digits) > 1 and digits[0] == "0")
    return ENGLISH.digits(digits) if long and "." not in digits else cardinal(digits)


def read_year(year: int) -> str:
    """Return a year; those of two digits lie between 1970 and 2069, as POSIX has it, nearly."""
    if year < 100:
        year += 1900 if year >= 70 else 2000
    return ENGLISH.year(year)


def year(match: re.Match[str]) -> str:
    return read_year(int(match[0]))


def digits(match: re.Match[str]) -> str:
    return ENGLISH.digits(match[0])


def plain(match: re.Match[str]) -> str:
    return ("minus " if match["sign"] else "") + cardinal(match["number"])


def number_or_year(text: str) -> str:
    return ENGLISH.year(int(text)) if _ROUND_YEAR.fullmatch(text) else cardinal(text)
