"""Words of one language: names of signs, abbreviations and genders."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one language. Empty where the voice reads the signs itself."""

    to: str
    """Between the ends of a range"""
    score: str
    """Between the points of two sides, and in a ratio"""
    dot: str
    at: str
    slash: str
    dash: str
    underscore: str
    plus: str
    minus: str
    """In a sum; before a number it is CLDR's"""
    times: str
    by: str
    """Divided by"""
    equals: str
    per: str
    """In a rate: five euros the kilo"""
    about: str
    number: str
    """For "#" and "№" before a number"""
    both: str
    """For "&\""""
    times_over: str
    """For "2x": twice"""
    less: str
    more: str
    at_most: str
    at_least: str
    port: str
    version: str
    section: str
    arrow: str
    squared: str
    cubed: str
    power: str
    """For "{}" as the power of what stands before"""
    root: str
    """The square root of what follows"""
    out_of: str
    """Between the points of a rating and their maximum"""
    winds: dict[str, str]
    """Letter of a direction to its name; two of them join, as in NW"""
    wind: str
    """Pattern of words before a direction"""
    date: str
    """Day, month, year"""
    hour: str
    """An hour alone; `clock` with minutes"""
    clock: str
    money: str
    """Whole amount and the hundredths after it"""
    hundredths: dict[str, tuple[str, str]]
    """Currency to one hundredth and several"""
    and_part: str
    """Whole number and the fraction after it"""
    scales: tuple[str, ...]
    """Words that multiply the number before them"""
    scale_of: str = " "
    """Between such a word and what is counted"""
    first_day: str = ""
    """The first of a month"""
    ones: tuple[str, str, str] = ("", "", "")
    """One alone, before a masculine (or neuter), before a feminine noun"""
    feminine: frozenset[str] = frozenset()
    masculine: frozenset[str] = frozenset()
    abbreviations: dict[str, str] = field(default_factory=dict)
    """With their full stop, where they are written with one"""
    before_names: frozenset[str] = frozenset()
    """Abbreviations that are read only before a name"""
    before_numbers: dict[str, str] = field(default_factory=dict)
    """Abbreviations that are read only before a number"""
    after_numbers: dict[str, str] = field(default_factory=dict)
    """Abbreviations that are read only behind a number, "one|several" where the two differ"""
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Units that CLDR has no name for here, one and several"""
    before_days: frozenset[str] = frozenset()
    """Words after which two numbers with a stroke or dot between them are a day and a month"""
    counted_by_roman: frozenset[str] = frozenset()
    """Words after which a Roman number is a cardinal"""
    dialled: str = r"tel"
    """Pattern of words after which digits are a telephone number"""


def words_of(text: str) -> frozenset[str]:
    """Return the words of `text` as a set."""
    return frozenset(text.split())
