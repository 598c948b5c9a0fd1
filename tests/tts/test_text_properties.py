"""Properties of text normalisation that hold for every text: nothing is lost, a long text ends."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wyoming_tts.text
from bench.hostile_texts import REPEATED_BITS
from wyoming_tts.text.normalization import spoken
from wyoming_tts.text.numbers import speller

LANGUAGES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "sv_SE")
MINUS = {"en": "minus", "de": "minus", "fr": "moins", "es": "menos", "it": "meno", "nl": "min",
         "pt": "menos", "sv": "minus"}  # fmt: skip
POINT = {"en": "point", "de": "Komma", "fr": "virgule", "es": "coma", "it": "virgola",
         "nl": "komma", "pt": "vírgula", "sv": "komma"}  # fmt: skip
WORD = r"[bdfghjklpqrtwz]{2}[aeou][bdfghjklpqrtwz]{2,6}"


@pytest.mark.parametrize("language", LANGUAGES)
@given(number=st.integers(2, 10**9), negative=st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_number_and_its_sign_are_spoken(language: str, number: int, negative: bool) -> None:
    said = spoken(f"mm {'-' if negative else ''}{number} mm.", language)
    words = speller(language)

    readings = (words.cardinal(number), words.year(number), words.digits(str(number)))
    letters = "".join(said.split())
    assert str(number) in said or any("".join(one.split())[:-4] in letters for one in readings)
    assert not negative or MINUS[language[:2]] in said


@pytest.mark.parametrize("language", LANGUAGES)
@given(whole=st.integers(0, 99), tenth=st.integers(0, 9), negative=st.booleans())
@settings(max_examples=25, deadline=None)
def test_a_decimal_with_a_point_is_read_in_every_language(
    language: str, whole: int, tenth: int, negative: bool
) -> None:
    said = spoken(f"{'-' if negative else ''}{whole}.{tenth} °C", language)

    assert not any(character.isdigit() for character in said)
    assert POINT[language[:2]] in said
    assert not negative or MINUS[language[:2]] in said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("digits", ["9" * 18, "9" * 20, "1" + "9" * 18, "9" * 30])
def test_the_largest_number_of_a_length_is_read(language: str, digits: str) -> None:
    assert not any(character.isdigit() for character in spoken(f"{digits} W.", language))


@pytest.mark.parametrize("language", LANGUAGES)
@given(text=st.text(st.sampled_from("0123456789 .,:;-/()[]'\"!?€$%°#*_<>|+=aAxX\n"), max_size=40))
@settings(max_examples=80, deadline=None)
def test_a_text_with_a_digit_is_never_silent(language: str, text: str) -> None:
    if any(character.isdigit() for character in text):
        assert spoken(text, language)


@pytest.mark.parametrize("language", LANGUAGES)
@given(words=st.lists(st.from_regex(WORD, fullmatch=True)))
@settings(max_examples=50, deadline=None)
def test_plain_words_stay_as_they_are(language: str, words: list[str]) -> None:
    text = " ".join(words)

    assert spoken(text, language) == text


@pytest.mark.parametrize(
    "language", ["en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "sv_SE"]
)
@pytest.mark.parametrize("bit", REPEATED_BITS)
def test_a_long_run_of_one_bit_is_read_to_its_end(language: str, bit: str) -> None:
    text = (bit * 4000)[:4000]

    assert len(spoken(text, language)) < 40 * len(text)


def test_no_rule_copies_all_the_text_around_its_match() -> None:
    """Such a rule takes quadratic time on a long text; text_before and text_after are bounded."""
    folder = Path(wyoming_tts.text.__file__).parent
    unbounded = [
        f"{path.relative_to(folder)}:{node.lineno}"
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Slice)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "string"
        and (node.slice.lower is None or node.slice.upper is None)
    ]

    assert unbounded == []
