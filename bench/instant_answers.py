"""Instant answers beside an independent computation: generated questions in six languages.

    python -m bench.instant_answers [--questions 500] [--seed 1] [--verbose]

Numbers are digits or words; sums are computed by Python's fractions, units by pint, dates and
hours by the standard library. Prints the share that is right per kind and language, every wrong
answer, and the time that an answer takes.
"""

import argparse
import random
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import pint
from babel.dates import format_date
from unicode_rbnf import RbnfEngine

from wyoming_llm.instant import InstantAnswers
from wyoming_llm.instant.words import LANGUAGES

NOW: Final = datetime(2026, 11, 28, 15, 20, 30, tzinfo=ZoneInfo("Europe/Berlin"))
_REGISTRY: Final[Any] = pint.UnitRegistry(non_int_type=Fraction)

SUMS: Final = {
    "en": ("what is {a} plus {b}", "{a} minus {b}",
           "how much is {a} times {b}", "{a} divided by {b}"),
    "de": ("was ist {a} plus {b}", "{a} minus {b}",
           "wie viel ist {a} mal {b}", "{a} geteilt durch {b}"),
    "fr": ("combien font {a} plus {b}", "{a} moins {b}",
           "combien font {a} fois {b}", "{a} divisé par {b}"),
    "es": ("cuánto es {a} más {b}", "{a} menos {b}",
           "cuánto es {a} por {b}", "{a} dividido entre {b}"),
    "nl": ("hoeveel is {a} plus {b}", "{a} min {b}", "wat is {a} keer {b}", "{a} gedeeld door {b}"),
    "it": ("quanto fa {a} più {b}", "{a} meno {b}", "quanto fa {a} per {b}", "{a} diviso {b}"),
}  # fmt: skip
PERCENT: Final = {
    "en": "what is {a} percent of {b}", "de": "wie viel sind {a} Prozent von {b}",
    "fr": "combien font {a} pour cent de {b}", "es": "cuánto es el {a} por ciento de {b}",
    "nl": "hoeveel is {a} procent van {b}", "it": "quanto è il {a} per cento di {b}",
}  # fmt: skip
UNITS: Final = {
    "kilometer": {"en": "kilometers", "de": "Kilometer", "fr": "kilomètres", "es": "kilómetros",
                  "nl": "kilometer", "it": "chilometri"},
    "mile": {"en": "miles", "de": "Meilen", "fr": "miles", "es": "millas", "nl": "mijl",
             "it": "miglia"},
    "meter": {"en": "meters", "de": "Meter", "fr": "mètres", "es": "metros", "nl": "meter",
              "it": "metri"},
    "inch": {"en": "inches", "de": "Zoll", "fr": "pouces", "es": "pulgadas", "nl": "inch",
             "it": "pollici"},
    "centimeter": {"en": "centimeters", "de": "Zentimeter", "fr": "centimètres",
                   "es": "centímetros", "nl": "centimeter", "it": "centimetri"},
    "gram": {"en": "grams", "de": "Gramm", "fr": "grammes", "es": "gramos", "nl": "gram",
             "it": "grammi"},
    "kilogram": {"en": "kilograms", "de": "Kilogramm", "fr": "kilogrammes", "es": "kilogramos",
                 "nl": "kilogram", "it": "chilogrammi"},
    "ounce": {"en": "ounces", "de": "Unzen", "fr": "onces", "es": "onzas", "nl": "ounce",
              "it": "once"},
    "minute": {"en": "minutes", "de": "Minuten", "fr": "minutes", "es": "minutos",
               "nl": "minuten", "it": "minuti"},
    "hour": {"en": "hours", "de": "Stunden", "fr": "heures", "es": "horas", "nl": "uur",
             "it": "ore"},
    "day": {"en": "days", "de": "Tagen", "fr": "jours", "es": "días", "nl": "dagen",
            "it": "giorni"},
    "second": {"en": "seconds", "de": "Sekunden", "fr": "secondes", "es": "segundos",
               "nl": "seconden", "it": "secondi"},
    "liter": {"en": "liters", "de": "Liter", "fr": "litres", "es": "litros", "nl": "liter",
              "it": "litri"},
    "milliliter": {"en": "milliliters", "de": "Milliliter", "fr": "millilitres",
                   "es": "mililitros", "nl": "milliliter", "it": "millilitri"},
    "degC": {"en": "degrees Celsius", "de": "Grad Celsius", "fr": "degrés Celsius",
             "es": "grados Celsius", "nl": "graden Celsius", "it": "gradi Celsius"},
    "degF": {"en": "degrees Fahrenheit", "de": "Grad Fahrenheit", "fr": "degrés Fahrenheit",
             "es": "grados Fahrenheit", "nl": "graden Fahrenheit", "it": "gradi Fahrenheit"},
}  # fmt: skip
KINDS: Final = (
    ("kilometer", "mile", "meter", "inch", "centimeter"), ("gram", "kilogram", "ounce"),
    ("minute", "hour", "day", "second"), ("liter", "milliliter"), ("degC", "degF"),
)  # fmt: skip
HOW_MANY: Final = {
    "en": ("how many {to} are {n} {of}", "convert {n} {of} to {to}", "{n} {of} in {to}"),
    "de": ("wie viele {to} sind {n} {of}", "{n} {of} in {to}"),
    "fr": ("convertis {n} {of} en {to}", "{n} {of} en {to}"),
    "es": ("cuántos {to} son {n} {of}", "{n} {of} en {to}"),
    "nl": ("hoeveel {to} is {n} {of}", "{n} {of} in {to}"),
    "it": ("quanti {to} sono {n} {of}", "{n} {of} in {to}"),
}
AHEAD: Final = {
    "en": "what date is it in {n} days", "de": "welches Datum ist in {n} Tagen",
    "fr": "quelle date sera dans {n} jours", "es": "qué fecha será dentro de {n} días",
    "nl": "welke datum is het over {n} dagen", "it": "che data sarà tra {n} giorni",
}  # fmt: skip
UNTIL: Final = {
    "en": "how many days until {day}", "de": "wie viele Tage sind es bis zum {day}",
    "fr": "combien de jours avant le {day}", "es": "cuántos días faltan para el {day}",
    "nl": "hoeveel dagen is het nog tot {day}", "it": "quanti giorni mancano al {day}",
}  # fmt: skip
WEEKDAY: Final = {
    "en": "what day of the week is {day}", "de": "welcher Wochentag ist der {day}",
    "fr": "quel jour est le {day}", "es": "qué día de la semana es el {day}",
    "nl": "welke dag is {day}", "it": "che giorno è il {day}",
}  # fmt: skip
DAY: Final = {
    "en": "MMMM d, y", "de": "d. MMMM y", "fr": "d MMMM y", "es": "d 'de' MMMM 'de' y",
    "nl": "d MMMM y", "it": "d MMMM y",
}  # fmt: skip
TIME_IN: Final = {
    "en": "what time is it in {place}", "de": "wie spät ist es in {place}",
    "fr": "quelle heure est-il à {place}", "es": "qué hora es en {place}",
    "nl": "hoe laat is het in {place}", "it": "che ore sono a {place}",
}  # fmt: skip
PLACES: Final = {
    "Asia/Tokyo": {"en": "Tokyo", "de": "Tokio", "fr": "Tokyo", "es": "Tokio", "nl": "Tokio",
                   "it": "Tokyo"},
    "America/New_York": {"en": "New York", "de": "New York", "fr": "New York",
                         "es": "Nueva York", "nl": "New York", "it": "New York"},
    "Europe/London": {"en": "London", "de": "London", "fr": "Londres", "es": "Londres",
                      "nl": "Londen", "it": "Londra"},
    "Australia/Sydney": dict.fromkeys(LANGUAGES, "Sydney"),
    "Africa/Cairo": {"en": "Cairo", "de": "Kairo", "fr": "Le Caire", "es": "El Cairo",
                     "nl": "Caïro", "it": "Il Cairo"},
    "Asia/Kolkata": {"en": "India", "de": "Indien", "fr": "Inde", "es": "India", "nl": "India",
                     "it": "India"},
    "America/Los_Angeles": dict.fromkeys(LANGUAGES, "San Francisco"),
    "Europe/Athens": {"en": "Greece", "de": "Griechenland", "fr": "Grèce", "es": "Grecia",
                      "nl": "Griekenland", "it": "Grecia"},
}  # fmt: skip
TIME_UNTIL: Final = {
    "en": "how long until {h}:{m}", "de": "wie lange noch bis {h} Uhr {m}",
    "fr": "combien de temps avant {h} heures {m}", "es": "cuánto falta para las {h}:{m}",
    "nl": "hoe lang nog tot {h}:{m}", "it": "quanto manca alle {h}:{m}",
}  # fmt: skip
SPELL: Final = {
    "en": "spell {word}", "de": "buchstabiere {word}", "fr": "épelle {word}",
    "es": "deletrea {word}", "nl": "spel {word}", "it": "come si scrive {word}",
}  # fmt: skip
ROLL: Final = {
    "en": "pick a number between {a} and {b}", "de": "nenne eine Zahl zwischen {a} und {b}",
    "fr": "choisis un nombre entre {a} et {b}", "es": "elige un número entre {a} y {b}",
    "nl": "kies een getal tussen {a} en {b}", "it": "scegli un numero tra {a} e {b}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and whether an answer to it is right."""

    kind: str
    language: str
    text: str
    right: Callable[[str], bool]
    expected: str


def value_of(answer: str) -> tuple[Fraction, Fraction] | None:
    """Return the first number of an answer and half of its last digit's unit."""
    found = re.search(r"-?\d+(?:[.,](\d+))?", answer)
    if found is None:
        return None
    places = len(found[1] or "")
    return Fraction(found[0].replace(",", ".")), Fraction(1, 2 * 10**places)


def is_value(exact: Fraction) -> Callable[[str], bool]:
    """Return whether an answer holds `exact`, or is marked as rounded and near enough."""

    def right(answer: str) -> bool:
        found = value_of(answer)
        if found is None:
            return False
        value, half = found
        marked = re.match(r"[^\d-]", answer) is not None
        precise = abs(value) >= 1 or half * 2 * 100 <= abs(exact) or half <= Fraction(1, 20000)
        return value == exact or (marked and abs(value - exact) <= half and precise)

    return right


class Generator:
    """Makes questions by chance."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - of a benchmark
        self._engines = {code: RbnfEngine.for_language(code) for code in LANGUAGES}

    def questions(self, count: int) -> Iterator[Question]:
        """Yield `count` questions, all kinds in all languages by turns."""
        kinds = (
            self._sum, self._percent, self._unit, self._ahead, self._until, self._weekday,
            self._time_in, self._time_until, self._spelling, self._number,
        )  # fmt: skip
        for at in range(count):
            language = LANGUAGES[at % len(LANGUAGES)]
            yield kinds[(at // len(LANGUAGES)) % len(kinds)](language)

    def _said(self, number: int, language: str) -> str:
        if self._random.random() < 0.5:
            return str(number)
        return self._engines[language].format_number(number).text.replace("\u00ad", "")

    def _sum(self, language: str) -> Question:
        a, b = self._random.randint(2, 2000), self._random.randint(2, 200)
        at = self._random.randrange(4)
        text = SUMS[language][at].format(a=self._said(a, language), b=self._said(b, language))
        exact = (Fraction(a + b), Fraction(a - b), Fraction(a * b), Fraction(a, b))[at]
        return Question("sum", language, text, is_value(exact), str(exact))

    def _percent(self, language: str) -> Question:
        a, b = self._random.randint(1, 99), self._random.randint(2, 999)
        text = PERCENT[language].format(a=self._said(a, language), b=self._said(b, language))
        exact = Fraction(a * b, 100)
        return Question("percent", language, text, is_value(exact), str(exact))

    def _unit(self, language: str) -> Question:
        of, into = self._random.sample(self._random.choice(KINDS), 2)
        many = self._random.randint(2, 300)
        text = self._random.choice(HOW_MANY[language]).format(
            n=self._said(many, language), of=UNITS[of][language], to=UNITS[into][language]
        )
        exact = Fraction(_REGISTRY.Quantity(Fraction(many), of).to(into).magnitude)
        return Question("unit", language, text, is_value(exact), str(float(exact)))

    def _day(self) -> date:
        return NOW.date() + timedelta(days=self._random.randint(1, 700))

    def _date(self, kind: str, language: str, text: str, day: date) -> Question:
        weekday = format_date(day, "EEEE", locale=language)
        parts = [weekday, str(day.day), str(day.year), format_date(day, "MMMM", locale=language)]
        return Question(
            kind, language, text,
            lambda answer: all(part.lower() in answer.lower() for part in parts), " ".join(parts),
        )  # fmt: skip

    def _ahead(self, language: str) -> Question:
        many = self._random.randint(2, 400)
        text = AHEAD[language].format(n=self._said(many, language))
        return self._date("date", language, text, NOW.date() + timedelta(days=many))

    def _weekday(self, language: str) -> Question:
        day = self._day()
        said = format_date(day, DAY[language], locale=language)
        return self._date("weekday", language, WEEKDAY[language].format(day=said), day)

    def _until(self, language: str) -> Question:
        day = self._day()
        said = format_date(day, DAY[language], locale=language)
        exact = Fraction((day - NOW.date()).days)
        text = UNTIL[language].format(day=said)
        return Question("days until", language, text, is_value(exact), str(exact))

    def _time_in(self, language: str) -> Question:
        zone = self._random.choice(list(PLACES))
        there = NOW.astimezone(ZoneInfo(zone))
        text = TIME_IN[language].format(place=PLACES[zone][language])
        hour = there.hour % 12 or 12 if language == "en" else there.hour
        shown = re.compile(rf"\b0?{hour}:{there.minute:02}\b")
        return Question(
            "time elsewhere", language, text,
            lambda answer: shown.search(answer) is not None, f"{there:%H:%M}",
        )  # fmt: skip

    def _time_until(self, language: str) -> Question:
        target = NOW.replace(second=0) + timedelta(minutes=self._random.randint(1, 23 * 60))
        hour, minute = target.hour, target.minute
        if hour < 13:
            # English hours below 13 may be those of the evening.
            target = NOW.replace(second=0) + timedelta(
                hours=2, minutes=self._random.randint(1, 300)
            )
            hour, minute = target.hour, target.minute
        text = TIME_UNTIL[language].format(h=hour, m=f"{minute:02}")
        total = round((target - NOW.replace(second=0)).total_seconds() / 60)
        parts = [str(part) for part in divmod(total, 60) if part]
        return Question(
            "time until", language, text,
            lambda answer: re.findall(r"\d+", answer) == parts, " ".join(parts),
        )  # fmt: skip

    def _spelling(self, language: str) -> Question:
        letters = {"de": "äöüß", "fr": "éèç", "es": "ñáé", "it": "àèù", "nl": "ë", "en": ""}
        alphabet = "abcdefghijklmnopqrstuvwxyz" + letters[language]
        word = "".join(self._random.choices(alphabet, k=self._random.randint(3, 12)))
        expected = ", ".join(letter if letter == "ß" else letter.upper() for letter in word)
        text = SPELL[language].format(word=word)
        return Question("spelling", language, text, lambda answer: answer == expected, expected)

    def _number(self, language: str) -> Question:
        low = self._random.randint(1, 50)
        high = low + self._random.randint(1, 50)
        text = ROLL[language].format(a=self._said(low, language), b=self._said(high, language))
        return Question(
            "chance", language, text,
            lambda answer: answer.isdecimal() and low <= int(answer) <= high, f"{low}..{high}",
        )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true", help="print every answer")
    arguments = parser.parse_args()
    instant = InstantAnswers()
    for language in LANGUAGES:
        instant.warm_up(language)
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    times, wrong = [], []
    for question in Generator(arguments.seed).questions(arguments.questions):
        began = time.perf_counter()
        answer = instant.answer(question.text, question.language, NOW)
        times.append((time.perf_counter() - began) * 1000)
        good = answer is not None and question.right(answer)
        right[question.kind, question.language].append(good)
        line = f"{question.language} {question.text!r} -> {answer!r} ({question.expected})"
        if not good:
            wrong.append(line)
        if arguments.verbose:
            print(line)
    print("| kind | " + " | ".join(LANGUAGES) + " |\n|---" + "|---" * len(LANGUAGES) + "|")
    for kind in dict.fromkeys(kind for kind, _ in right):
        cells = [right[kind, language] for language in LANGUAGES]
        print(f"| {kind} | " + " | ".join(f"{sum(cell)} of {len(cell)}" for cell in cells) + " |")
    total = sum(map(len, right.values()))
    print(f"\n{total - len(wrong)} of {total} right. Milliseconds an answer: median "
          f"{statistics.median(times):.2f}, greatest {max(times):.1f}.")  # fmt: skip
    for line in wrong:
        print(f"- {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
