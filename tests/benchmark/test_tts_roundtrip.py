import re

import pytest

pytest.importorskip("faster_whisper")
pytest.importorskip("espeakng_loader")

from bench.tts_roundtrip import TEMPLATES, misheard, numbers, read, sentences

_DATE = re.compile(r"\d\d([/.-])\d\d\1\d{4}")


@pytest.mark.parametrize("language", TEMPLATES)
def test_every_number_of_a_sentence_is_in_its_reading(language: str) -> None:
    for text in sentences(language, 28, 1):
        written = _DATE.sub(lambda date: _without_month(date[0], language), text)
        digits = [str(int(number)) for number in re.findall(r"\d+", written)]

        assert numbers(read(text, language), language) == "".join(digits), text


def _without_month(date: str, language: str) -> str:
    """Return a date without the month, which is read as a name."""
    first, second, year = re.split("[/.-]", date)
    return f"{second if language == 'en' else first} {year}"


@pytest.mark.parametrize(
    ("language", "heard", "digits"),
    [
        ("de", "auf 21,51 gestellt", "2151"),
        ("de", "einundzwanzig Komma fünf eins", "2151"),
        ("de", "ein Haus", ""),
        ("fr", "seize pour cent", "16"),
        ("en", "twenty twenty-six", "2026"),
    ],
)
def test_numbers_are_the_same_in_digits_and_in_words(
    language: str, heard: str, digits: str
) -> None:
    assert numbers(heard, language) == digits


def test_a_number_is_misheard_as_often_as_it_is_missing() -> None:
    assert misheard("21, 21 und 5", "einundzwanzig, einundzwanzig, fünf", "de") == []
    assert misheard("21 und 50", "einundzwanzig, einundzwanzig, fünf", "de") == [
        "einundzwanzig", "fünf",
    ]  # fmt: skip
