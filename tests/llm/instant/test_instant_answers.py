"""Instant answers in six languages, and the questions that they leave to the model."""

import random
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_llm.instant import InstantAnswers
from wyoming_llm.instant.territories import capital, capitals, territories
from wyoming_llm.instant.words import LANGUAGES, words_of

NOW = datetime(2026, 11, 28, 15, 20, 30, tzinfo=ZoneInfo("Europe/Berlin"))
INSTANT = InstantAnswers(random.Random(1))  # noqa: S311 - dice

PARTS = ["1", "2", "30", "%", "+", "-", "*", "(", ")", "of", "squared", "point", "half of"]


def ask(language: str, text: str) -> str | None:
    return INSTANT.answer(text, language, NOW)


@pytest.mark.parametrize(
    ("language", "text", "answer"),
    [
        ("en", "What is 15 percent of 80?", "12"),
        ("en", "please tell me what's twelve plus thirty", "42"),
        ("en", "what is 7 divided by 3", "about 2.33"),
        ("en", "one thousand two hundred and thirty four plus one", "1235"),
        ("en", "three quarters of 80", "60"),
        ("en", "50 plus 20 percent", "60"),
        ("en", "what is 5 divided by zero", "Nothing can be divided by zero."),
        ("en", "what is the square root of 144", "12"),
        ("en", "2 + 3 * 4", "14"),
        ("en", "subtract 5 from twenty", "15"),
        ("en", "how much is 20 percent off 50", "40"),
        ("en", "a hundred divided by eight", "12.5"),
        ("fr", "divise 100 par 4", "25"),
        ("de", "ziehe 5 von 20 ab", "15"),
        ("en", "what is 1,000 divided by 8", "125"),
        ("de", "Wie viel ist zwölf plus dreißig?", "42"),
        ("de", "drei komma fünf mal zwei", "7"),
        ("de", "die Hälfte von neunzig", "45"),
        ("de", "was ist 1.000 geteilt durch 8", "125"),
        ("fr", "combien font quatre-vingt-dix-sept plus trois", "100"),
        ("fr", "combien font sept divisé par deux", "3,5"),
        ("es", "¿cuánto es quinientos cuarenta y dos menos dos?", "540"),
        ("nl", "hoeveel is zeven gedeeld door twee", "3,5"),
        ("it", "quanto fa duecentotrentaquattro meno quattro", "230"),
    ],
)
def test_sums_are_computed(language: str, text: str, answer: str) -> None:
    assert ask(language, text) == answer


@pytest.mark.parametrize(
    ("language", "text", "answer"),
    [
        ("en", "how many minutes are in two hours", "120 minutes"),
        ("en", "how many feet are in a mile", "5280 feet"),
        ("en", "30 celsius in fahrenheit", "86 degrees Fahrenheit"),
        ("en", "minus 40 degrees celsius in fahrenheit", "-40 degrees Fahrenheit"),
        ("en", "convert 5 miles to kilometres", "about 8.05 kilometers"),
        ("de", "Wie viele Minuten hat eine Stunde?", "60 Minuten"),
        ("fr", "combien y a-t-il de minutes dans deux heures", "120 minutes"),
        ("es", "cuántos minutos hay en dos horas", "120 minutos"),
        ("nl", "hoeveel minuten zitten er in twee uur", "120 minuten"),
        ("it", "quanti chilometri sono 5 miglia", "circa 8,05 chilometri"),
    ],
)
def test_units_are_converted(language: str, text: str, answer: str) -> None:
    assert ask(language, text) == answer


@pytest.mark.parametrize(
    ("language", "text", "answer"),
    [
        ("en", "what day is it tomorrow", "Sunday, November 29, 2026"),
        ("en", "what day of the week is the third of december", "Thursday, December 3, 2026"),
        ("en", "what day was July 4th 1976", "Sunday, July 4, 1976"),
        ("en", "how many days until christmas", "27 days"),
        ("en", "how many days until the 28th of november", "0 days"),
        ("en", "how many weeks until new year", "4 weeks and 6 days"),
        ("en", "how many days since january 1st", "331 days"),
        ("en", "how many days between january 1st and march 1st", "59 days"),
        ("en", "when is easter", "Sunday, March 28, 2027"),
        ("en", "what week is it", "week 48"),
        ("en", "is 2028 a leap year", "Yes."),
        ("de", "wie viele Tage hat der Februar 2028", "29 Tage"),
        ("en", "how long until half past six", "3 hours and 10 minutes"),
        ("en", "how many minutes until 4 o'clock", "40 minutes"),
        ("de", "welches Datum ist in 10 Tagen", "Dienstag, 8. Dezember 2026"),
        ("de", "wie viele Tage sind es noch bis Weihnachten", "27 Tage"),
        ("de", "wie lange ist es bis halb sieben", "3 Stunden und 10 Minuten"),
        ("fr", "quel jour sera le 24 décembre", "jeudi 24 décembre 2026"),
        ("fr", "combien de temps avant 18 heures", "2 heures et 40 minutes"),
        ("es", "cuánto falta para las 6 de la tarde", "2 horas y 40 minutos"),
        ("nl", "hoeveel dagen nog tot kerst", "27 dagen"),
        ("it", "quanti giorni mancano a Natale", "27 giorni"),
        ("it", "quanto manca alle 18", "2 ore e 40 minuti"),
    ],
)
def test_dates_are_counted(language: str, text: str, answer: str) -> None:
    # The Dutch Christmas day itself is 27 days ahead.
    assert ask(language, text) == answer


@pytest.mark.parametrize(
    ("language", "text", "answer"),
    [
        ("en", "what time is it in New York", "9:20 AM"),
        ("en", "what time is it in Sydney", "1:20 AM, Sunday"),
        ("en", "what's the time difference between london and tokyo", "9 hours"),
        ("en", "what time is it in Paris, France", "3:20 PM"),
        (
            "en",
            "what time is it in the united states",
            "between 4:20 AM and 9:20 AM, depending on the place",
        ),
        ("de", "Wie spät ist es in Tokio?", "23:20"),
        ("de", "wie viel Uhr ist es in Neu Delhi", "19:50"),
        ("fr", "quelle heure est-il au Japon", "23:20"),
        ("es", "qué hora es en Londres", "14:20"),
        ("nl", "hoe laat is het in Parijs", "15:20"),
        ("it", "che ore sono in Giappone", "23:20"),
    ],
)
def test_the_time_elsewhere_is_told(language: str, text: str, answer: str) -> None:
    assert ask(language, text) == answer


@pytest.mark.parametrize(
    ("language", "text", "answer"),
    [
        ("en", "how do you spell rhythm?", "R, H, Y, T, H, M"),
        ("de", "buchstabiere Straße", "S, T, R, A, ß, E"),
        ("fr", "épelle bonjour", "B, O, N, J, O, U, R"),
        ("es", "deletrea niño", "N, I, Ñ, O"),
        ("nl", "spel huis", "H, U, I, S"),
        ("it", "come si scrive casa", "C, A, S, A"),
    ],
)
def test_words_are_spelled(language: str, text: str, answer: str) -> None:
    assert ask(language, text) == answer


@pytest.mark.parametrize(
    ("language", "text", "possible"),
    [
        ("en", "flip a coin", {"heads", "tails"}),
        ("de", "Kopf oder Zahl?", {"Kopf", "Zahl"}),
        ("fr", "lance un dé", set("123456")),
        ("es", "tira un dado", set("123456")),
        ("nl", "kies een getal tussen 1 en 3", set("123")),
        ("it", "lancia una moneta", {"testa", "croce"}),
    ],
)
def test_chance_gives_every_possible_result(language: str, text: str, possible: set[str]) -> None:
    assert {ask(language, text) for _ in range(200)} == possible


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "how many minutes should I boil an egg"),
        ("en", "what is the boiling point of water in fahrenheit"),
        ("en", "turn on the light"),
        ("en", "set the heating to 20 degrees"),
        ("en", "set a timer for ten minutes"),
        ("en", "what is 24/7"),
        ("en", "what is the speed of light"),
        ("en", "how long until dinner"),
        ("en", "what is two plus"),
        ("en", "2"),
        ("en", "what time is it in the bedroom"),
        ("en", "add two cups of milk to the list"),
        ("en", "what is on my calendar in 2 days"),
        ("de", "wie warm ist es in Grad Celsius"),
        ("de", "stell das Licht auf 50 Prozent"),
        ("de", "wie lange dauert ein Fußballspiel"),
        ("fr", "combien de temps faut-il pour cuire un oeuf"),
        ("es", "pon la luz al 50 por ciento"),
        ("nl", "zet de lamp op 20 procent"),
        ("it", "quanti abitanti ha Roma"),
        ("pl", "ile to jest 2 plus 2"),
    ],
)
def test_other_questions_are_left_alone(language: str, text: str) -> None:
    assert ask(language, text) is None


@given(st.text(max_size=250), st.sampled_from(LANGUAGES))
@settings(max_examples=200, deadline=None)
def test_no_text_raises(text: str, language: str) -> None:
    answer = ask(language, text)

    assert answer is None or answer


@given(st.lists(st.sampled_from(PARTS), max_size=20))
@settings(max_examples=200, deadline=None)
def test_no_expression_raises(tokens: list[str]) -> None:
    answer = ask("en", " ".join(tokens))

    assert answer is None or answer


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_capital_has_a_name_in_every_language(language: str) -> None:
    words = words_of(language)
    assert words is not None
    known = {code for table in capitals().values() for code in table}

    assert known <= set(territories(words).values())
    assert all(capital(code, words) for code in known)


@pytest.mark.parametrize("country", ["South Africa", "Georgia", "Texas", "nowhere"])
def test_a_place_without_one_capital_is_left_to_the_model(country: str) -> None:
    assert ask("en", f"What is the capital of {country}?") is None
