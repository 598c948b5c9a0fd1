"""Numbers in words, read in six languages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unicode_rbnf import RbnfEngine

from wyoming_llm.instant.reading import plain, with_digits
from wyoming_llm.instant.words import LANGUAGES, words_of


def read(language: str, text: str) -> str:
    words = words_of(language)
    assert words is not None
    return with_digits(plain(text, words), words)


@given(st.integers(0, 999_999), st.sampled_from(LANGUAGES))
@settings(max_examples=300, deadline=None)
def test_every_written_out_number_is_read(number: int, language: str) -> None:
    spoken = RbnfEngine.for_language(language).format_number(number).text

    assert read(language, spoken) == str(number)


@pytest.mark.parametrize(
    ("language", "text", "digits"),
    [
        ("en", "a quarter of three million", "a quarter of 3000000"),
        ("en", "one hundred and five", "105"),
        ("en", "two point seven five", "2.75"),
        ("en", "1,234.5", "1234.5"),
        ("de", "eineinhalb", "eineinhalb"),
        ("de", "1.234,5", "1234.5"),
        ("de", "dreissig", "30"),
        ("fr", "quatre vingt dix neuf", "99"),
        ("fr", "quatre-vingt mille", "80000"),
        ("fr", "trois cents", "300"),
        ("it", "tremila", "3000"),
    ],
)
def test_numbers_become_digits(language: str, text: str, digits: str) -> None:
    assert read(language, text) == digits
