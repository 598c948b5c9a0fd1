"""Readings of texts, from `readings/LANGUAGE.txt`: a line of text, and under it its reading."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.normalization import clean, spoken

_READINGS = Path(__file__).with_name("readings")
_LANGUAGES = ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "ja", "xx", ""]


def _readings() -> Iterator[tuple[str, str, str]]:
    for table in sorted(_READINGS.glob("*.txt")):
        lines = table.read_text(encoding="utf-8").splitlines()
        for written, read in zip(lines[::2], lines[1::2], strict=True):
            yield table.stem, written, read.removeprefix("  ")


@pytest.mark.parametrize(("language", "written", "read"), list(_readings()))
def test_text_is_written_out_as_it_is_read(language: str, written: str, read: str) -> None:
    said = spoken(written, language)

    assert said == read


@pytest.mark.parametrize("language", _LANGUAGES)
@given(
    st.text(
        st.sampled_from("0123456789.,:/-–−$€%°C km'\"()+#*|[]ABIVXst²³⁻½~<>=×√\n")  # noqa: RUF001
        | st.characters()
    )
)
def test_any_text_can_be_read(language: str, text: str) -> None:
    assert isinstance(spoken(text, language), str)


@given(st.integers(0, 10**15 - 1))
def test_no_digit_is_left_for_the_voice_to_guess(number: int) -> None:
    assert not any(character.isdigit() for character in spoken(f"{number} {number:,}", "en_US"))


def test_a_lone_surrogate_is_taken_out() -> None:
    assert clean(json.loads(r'"a\ud800b"')) == "a b"


@given(st.text())
def test_cleaned_text_can_be_sent_and_handed_to_c(text: str) -> None:
    assert "\x00" not in clean(text)
    clean(text).encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_letters_numbers_and_signs_stay(text: str) -> None:
    assert clean(text) == text.replace("\ufffd", " ")
