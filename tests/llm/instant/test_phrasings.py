"""Instant answers to questions as people say them."""

import random
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from unicode_rbnf import FormatPurpose, RbnfEngine

from tests.llm.instant.test_instant_answers import NOW
from wyoming_llm.instant import InstantAnswers

INSTANT = InstantAnswers(random.Random(1))  # noqa: S311 - dice
PHRASINGS = yaml.safe_load(Path(__file__).with_name("phrasings.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("language", "question", "right"),
    [(code, question, right) for code, pairs in PHRASINGS.items() for question, right in pairs],
)
def test_a_question_is_answered_in_any_usual_words(
    language: str, question: str, right: str
) -> None:
    answer = INSTANT.answer(question, language, NOW)

    assert answer is not None
    assert re.fullmatch(right, answer, re.IGNORECASE)


@given(st.integers(2, 1000), st.sampled_from(["", "minus "]))
def test_the_cube_root_of_a_cube_is_exact(number: int, sign: str) -> None:
    question = f"what is the cube root of {sign}{number**3}"

    assert INSTANT.answer(question, "en", NOW) == f"{'-' if sign else ''}{number}"


@given(st.integers(1, 30), st.integers(3, 12), st.integers(1, 999))
def test_any_fraction_of_a_number_is_computed(top: int, bottom: int, number: int) -> None:
    name = RbnfEngine.for_language("en").format_number(bottom, FormatPurpose.ORDINAL).text
    asked = INSTANT.answer(f"what is {top} {name}s of {number}", "en", NOW)

    assert asked == INSTANT.answer(f"{top * number} divided by {bottom}", "en", NOW)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what is 10 plus 5 euros", "15 euros"),
        ("how much is a third of 60 dollars", "20 dollars"),
        ("how many grams are in half a kilo", "500 grams"),
        ("what day of the week is christmas next year", "Saturday, December 25, 2027"),
        ("what date is friday next week", "Friday, December 4, 2026"),
    ],
)
def test_money_halves_and_years_are_understood(question: str, answer: str) -> None:
    assert INSTANT.answer(question, "en", NOW) == answer


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        ("en", "What is the currency of Japan?", "Japanese Yen"),
        ("en", "what language do they speak in Austria", "German"),
        ("en", "what language is spoken in the UK", "English"),
        ("en", "which month comes after May", "June"),
        ("en", "what day comes before monday", "Sunday"),
        ("de", "Welche Währung hat die Schweiz?", "Schweizer Franken"),
        ("de", "Welche Sprache spricht man in Brasilien?", "Portugiesisch"),
        ("fr", "Quelle est la monnaie du Japon ?", "yen japonais"),
        ("fr", "quelle est la langue officielle de la Suisse", "allemand, français et italien"),
        ("es", "¿Qué idioma se habla en Brasil?", "portugués"),
        ("nl", "Wat is de munt van Japan?", "Japanse yen"),
        ("it", "Quale mese viene dopo luglio?", "agosto"),
    ],
)
def test_countries_months_and_weekdays_are_looked_up(
    language: str, question: str, answer: str
) -> None:
    assert INSTANT.answer(question, language, NOW) == answer


@pytest.mark.parametrize(
    "question",
    [
        "what month is May",
        "what is the currency of love",
        "what language is Python",
        "what language is spoken at home",
    ],
)
def test_a_question_without_a_country_is_left_to_the_model(question: str) -> None:
    assert INSTANT.answer(question, "en", NOW) is None
