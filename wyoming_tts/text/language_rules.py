"""Rules of German, French, Spanish, Italian and Dutch that CLDR does not hold."""

import re
from decimal import Decimal

from wyoming_tts.text.language_words import (
    GERMAN_IRREGULAR,
    HOURS,
    ORDINALS_OF_ITALIAN,
    WORDS,
    Words,
)
from wyoming_tts.text.numbers import Speller

_ADDRESS = re.compile(
    r"(?i)(?:https?://|www\.)[^\s<>\"]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"
    r"|\b[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:com|org|net|de|fr|nl|es|it|at|ch|be|eu|io)\b(?:/\S*)?"
)
_UNDERSCORE = re.compile(r"(?<=[^\W_])_+(?=[^\W_])")
_PLUS = re.compile(r"(?<![\w+])\+(?=\d+(?:[.,]\d+)?(?:\s?[°%]|[.!?]?$))")
_NO_CENTS = re.compile(r"(?<=\d),[-–—]+")  # noqa: RUF001
_LARGE_SUM = re.compile(r"(?<=illionen|lliarden) ([€$£])")
_SUMS = {"€": "Euro", "$": "Dollar", "£": "Pfund"}
_DOTTED = re.compile(
    r"(?:(?<=\bv)|(?<![\w.]))\d{1,4}(?:\.\d{1,3}){2,3}\b(?!\.?\d)(?P<port>:\d{2,5}\b)?"
)
_PORTS = {"de": "Port", "es": "puerto", "it": "porta", "nl": "poort"}
_SHORT_YEAR = re.compile(r"(?<![\w./-])(\d{1,2})([./-])(\d{1,2})\2(\d{2})(?![\w/-]|\.\d)")
_PHONE = re.compile(
    r"(?<![\w.,])(?<!\d[ \u00a0\u202f])"
    r"(?:\+\d{1,3}(?:[ ./-]?\(?\d{1,5}\)?){1,6}|0\d{1,4}(?:[ ./-]\d{2,}){1,5})\b(?![.:/-]?\d)"
)
_PHONE_NAMED = re.compile(
    r"(?i)(?<=\btel)(\.?:? |[eé]fono |efoon |efon |efono |éphone )(\d[\d ./-]{4,}\d)"
)
_DECADE = re.compile(r"\b((?:1[1-9]|20)\d0|[2-9]0)er\b")
_GERMAN_DAY = re.compile(
    r"(?P<before>\b\w+ )?(?<![\d.,])(?P<day>\d{1,2})\. (?P<month>Januar|Jänner|Februar|März|"
    r"April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b"
)
_GERMAN_DATIVE = re.compile(r"(?i)\b(am|dem|den|vom|zum|bis|ab|seit|zur|beim|nach|vor)$")
_GERMAN_DIRECT = re.compile(r"(?i)\b(der|die|das)$")
_FRENCH_ORDINAL = re.compile(r"\b(\d{1,3})(er|re|ère|e|ème|nd|nde)\b")
_DUTCH_ORDINAL = re.compile(r"\b(\d{1,3})(?:e|ste|de)\b")
_SPANISH_ORDINAL = re.compile(r"\b(1|2|3)\.?([ºª]|er(?= ))")
_ITALIAN_FEMININE = re.compile(r"\b(\d{1,3})ª")
_SPANISH_FIRST = {
    "1º": "primero", "1ª": "primera", "2º": "segundo", "2ª": "segunda", "3º": "tercero",
    "3ª": "tercera",
}  # fmt: skip
_FRENCH_HOURS = re.compile(
    r"(?<![\d:.,h])(?P<hour>[01]?\d|2[0-4]) ?h ?(?P<minute>[0-5]\d(?: ?min)?)?\b"
)
_BEFORE_NAMES = frozenset({"M.", "MM.", "D.", "Fr.", "Hr.", "St.", "Dr", "Pr"})
_RANGE = re.compile(r"(?<![\w.,:/–-])(\d{1,4})\s?[-–]\s?(\d{1,4})(?=\s[^\W\d_]|[.,;!?]?$)(?!-)")  # noqa: RUF001


def addresses(text: str, base: str, words: Words, numbers: Speller) -> str:
    """Read addresses of the web and of machines, and versions."""
    text = _SHORT_YEAR.sub(_long_year, text)
    text = _ADDRESS.sub(lambda match: _address(match[0], words), text)
    text = _DOTTED.sub(lambda match: _dotted(match, _PORTS.get(base, "port"), words, numbers), text)
    return _UNDERSCORE.sub(" ", text)


def before_numbers(text: str, base: str, words: Words, numbers: Speller) -> str:
    """Read what holds digits or full stops and is no number: phones, ordinals."""
    text = _PLUS.sub({"es": "más ", "it": "più "}.get(base, "plus "), text)
    text = _PHONE_NAMED.sub(lambda match: match[1] + _phone(match[2], base, numbers), text)
    text = _PHONE.sub(lambda match: _phone(match[0], base, numbers), text)
    text = _abbreviations(_NO_CENTS.sub("", text), base, words)
    text = _LARGE_SUM.sub(lambda match: f" {_SUMS[match[1]]}", text)
    if base == "de":
        text = _DECADE.sub(lambda match: f"{numbers.year(int(match[1]))}er", text)
        text = _GERMAN_DAY.sub(lambda match: _german_day(match, numbers), text)
    elif base == "fr":
        text = _FRENCH_HOURS.sub(lambda match: _french_hour(match, words, numbers), text)
        text = _FRENCH_ORDINAL.sub(lambda match: _french_ordinal(match, numbers), text)
    elif base == "nl":
        text = _DUTCH_ORDINAL.sub(lambda match: numbers.ordinal(int(match[1])), text)
    elif base == "es":
        text = _SPANISH_ORDINAL.sub(_spanish_ordinal, text)
    elif base == "it":
        text = _ITALIAN_FEMININE.sub(lambda match: numbers.ordinal(int(match[1])), text)
    return text


def ranges(text: str, words: Words, numbers: Speller, base: str) -> str:
    """Read what is between the ends of a range; the end itself stays as it is."""

    def read(match: re.Match[str]) -> str:
        low, high = int(match[1]), int(match[2])
        if low >= high:
            return match[0]
        if base == "it":
            before = match.string[: match.start()]
            return italian_range(numbers.cardinal(low), match[2], adjacent=high == low + 1,
                                 before=before)  # fmt: skip
        return f"{numbers.cardinal(int(match[1]))} {words.to} {match[2]}"

    return _RANGE.sub(read, text)


def before_noun(said: str, base: str, words: Words, *, feminine: bool) -> str:
    """Return a number in the form that it has before a noun: "ein", "veintiún", "doscientas"."""
    alone, masculine, of_her = words.ones
    if said == alone:
        return of_her if feminine else masculine
    if base == "es":
        if feminine:
            said = re.sub(r"cientos\b", "cientas", said.replace("quinientos", "quinientas"))
        if said.endswith("veintiuno"):
            return said[:-9] + ("veintiuna" if feminine else "veintiún")
        if said.endswith(" uno"):
            return said[:-1] + "a" if feminine else said[:-1]
    if base == "de" and said.endswith("eins"):
        return said[:-1] + ("e" if feminine else "")
    if base == "fr" and feminine and said.endswith(("-un", " un")):
        return said + "e"
    return said


def counted(number: Decimal, noun: str, base: str, words: Words, numbers: Speller) -> str | None:
    """Return a whole number before `noun`; None where its form depends on what is not known."""
    said = numbers.cardinal(number)
    if not words.feminine:
        return said
    feminine = noun in words.feminine
    changes = said != before_noun(said, base, words, feminine=True) or said != before_noun(
        said, base, words, feminine=False
    )
    if words.million_of and number and not number % 1_000_000 and noun:
        return said if noun in ("de", "d", "di") else f"{said} {words.million_of}"
    if not changes or not noun:
        return said
    if feminine or noun in words.masculine:
        return before_noun(said, base, words, feminine=feminine)
    return said if base == "fr" and said != "un" and not said.endswith(("-un", " un")) else None


def feminine_unit(base: str, unit: str) -> bool:
    match base:
        case "de":
            return unit in ("h", "hr", "min", "s", "sec", "ms", "kcal", "cal", "mi", "oz")
        case "fr":
            return unit in ("h", "hr", "min", "s", "sec", "ms", "kcal", "cal", "lb", "oz")
        case "es" | "it":
            return unit in ("h", "hr", "kcal", "cal", "lb", "oz") or (base == "es" and unit == "mi")
    return False


def day_of_month(day: int, match: re.Match[str], base: str, words: Words, numbers: Speller) -> str:
    if base == "de":
        return german_ordinal(day, match.string[: match.start()].rstrip(), numbers)
    return words.first_day if day == 1 and words.first_day else numbers.cardinal(day)


def german_ordinal(number: int, before: str, numbers: Speller) -> str:
    """Return "dritter", "dritten" or "dritte", by the word before it."""
    stem = GERMAN_IRREGULAR.get(number) or numbers.cardinal(number) + ("t" if number < 20 else "st")
    if _GERMAN_DATIVE.search(before):
        return f"{stem}en"
    return f"{stem}e" if _GERMAN_DIRECT.search(before) else f"{stem}er"


def italian_ordinal(match: re.Match[str]) -> str:
    digits = match["n"]
    if digits.isdecimal() and 1 <= int(digits) < len(ORDINALS_OF_ITALIAN):
        return ORDINALS_OF_ITALIAN[int(digits)]
    return match[0]


def clock(hour: int, minute: int, base: str, words: Words, numbers: Speller) -> str:
    feminine = base in ("fr", "es", "it")
    said = before_noun(numbers.cardinal(hour), base, words, feminine=feminine)
    if base in ("es", "it") and hour not in (1, 21):
        said = numbers.cardinal(hour)
    if base == "it" and hour == 21:
        said = "ventuno"
    minutes = before_noun(numbers.cardinal(minute), base, words, feminine=True)
    minutes = minutes if base == "fr" else numbers.cardinal(minute)
    if base == "fr":
        name = HOURS[hour > 1]
        return f"{said} {name} {minutes}" if minute else f"{said} {name}"
    return words.clock.format(said, minutes) if minute else words.hour.format(said)


def _address(text: str, words: Words) -> str:
    text = re.sub(r"(?i)^(?:https?://)?(?:www\.)?", "", text)
    tail = re.search(r"[.,;:!?)]*$", text)
    end = tail[0] if tail else ""
    text = text.removesuffix(end).split("?")[0].split("#")[0].rstrip("/")
    for sign, word in ((".", words.dot), ("@", words.at), ("/", words.slash), ("-", words.dash)):
        text = text.replace(sign, f" {word} ")
    return " ".join(text.split()) + end


def is_day(day: str, month: str) -> bool:
    return 1 <= int(day) <= 31 and 1 <= int(month) <= 12


def _long_year(match: re.Match[str]) -> str:
    """ "1.1.05" is of 2005; "1.1.5" and "3.2.10" are versions."""
    day, mark, month, year = match[1], match[2], match[3], match[4]
    written_as_date = mark == "/" or "0" in (day[0], month[0], year[0]) or int(year) > 31
    if not written_as_date or not is_day(day, month):
        return match[0]
    return f"{day}{mark}{month}{mark}{'19' if int(year) >= 70 else '20'}{year}"


def _dotted(match: re.Match[str], named: str, words: Words, numbers: Speller) -> str:
    """Internet addresses and versions, but neither dates nor grouped numbers."""
    port = match["port"] or ""
    parts = match[0].removesuffix(port).split(".")
    if len(parts) == 3 and all(len(part) == 3 for part in parts[1:]):
        return match[0]
    said = f" {words.dot} ".join(numbers.cardinal(int(part)) for part in parts)
    return f"{said} {named} {numbers.digits(port)}" if port else said


def _phone(text: str, base: str, numbers: Speller) -> str:
    groups = re.findall(r"\d+", text)
    if sum(map(len, groups)) < 6:
        return text
    pairs = base == "fr" and all(len(group) == 2 for group in groups)
    said = ", ".join(
        numbers.cardinal(int(group)) if pairs and group[0] != "0" else numbers.digits(group)
        for group in groups
    )
    plus = {"es": "más", "it": "più"}.get(base, "plus")
    return f"{plus} {said}" if text.startswith("+") else said


def _abbreviations(text: str, base: str, words: Words) -> str:
    def read(match: re.Match[str]) -> str:
        said = words.abbreviations[match[0]]
        # Where the full stop ends the sentence as well, the sentence keeps it.
        return f"{said}." if match[0][-1] == "." and match.end() == len(text) else said

    return _PATTERNS[base].sub(read, text)


def _abbreviation(name: str) -> str:
    return re.escape(name) + (r"(?=\s[A-ZÀ-Ý])" if name in _BEFORE_NAMES else "")


_PATTERNS = {
    base: re.compile(
        rf"(?<![\w.])(?:{'|'.join(map(_abbreviation, sorted(words.abbreviations, key=len)[::-1]))})"
        r"(?!\w)"
    )
    for base, words in WORDS.items()
}


def _german_day(match: re.Match[str], numbers: Speller) -> str:
    day = int(match["day"])
    if not 1 <= day <= 31:
        return match[0]
    before = match["before"] or ""
    return f"{before}{german_ordinal(day, before.rstrip(), numbers)} {match['month']}"


def _french_hour(match: re.Match[str], words: Words, numbers: Speller) -> str:
    return clock(int(match["hour"]), int((match["minute"] or "0")[:2]), "fr", words, numbers)


def _french_ordinal(match: re.Match[str], numbers: Speller) -> str:
    number, ending = int(match[1]), match[2]
    if number == 1:
        return {"er": "premier", "re": "première", "ère": "première"}.get(ending, match[0])
    if ending in ("nd", "nde"):
        return f"secon{ending[1:]}" if number == 2 else match[0]
    return numbers.ordinal(number) if ending in ("e", "ème") else match[0]


def _spanish_ordinal(match: re.Match[str]) -> str:
    said = _SPANISH_FIRST[match[1] + match[2].replace("er", "º")]
    following = match.string[match.end() : match.end() + 2]
    # Before a masculine noun the first and third are shorter.
    short = said in ("primero", "tercero") and following[:1] == " " and following[1:].isalpha()
    return said[:-1] if short else said


_BEFORE_ITALIAN = re.compile(
    r"(?i)\b(?:di|a|da|in|con|su|per|tra|fra|entro|dopo|ogni|circa|oltre|i|gli|le|il|la|lo|dei|delle|"
    r"degli|ai|alle|nei|nelle|dai|dalle|sui|sulle) $"
)


def italian_range(low: str, high: str, *, adjacent: bool, before: str) -> str:
    """ "2 o 3", "da 10 a 15", and "10, 15" where another preposition stands before it."""
    if adjacent:
        return f"{low} o {high}"
    return f"{low}, {high}" if _BEFORE_ITALIAN.search(before) else f"da {low} a {high}"
