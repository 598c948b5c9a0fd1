"""Phonetic spelling: what sounds alike is spelled alike, in several languages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_stt.home_sentences.phonetics import (
    confusion_costs,
    omission_costs,
    sounds_of,
    spell,
    spoken_words,
)


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("phone", "fone", "en"),
        ("ice", "ise", "en"),
        ("glace", "glasse", "fr"),
        ("knight", "nite", "en"),
        ("ouvre", "ouvres", "fr"),
        ("rideau", "rideaux", "fr"),
        ("Vater", "Fater", "de"),
        ("vaca", "baca", "es"),
        ("50 %", "fifty%", "en"),
        ("22.5", "twenty two point five", "en"),
        ("22,5 Grad", "zweiundzwanzig Komma fünf Grad", "de"),
        ("Drøbak", "Drobak", "en"),
    ],
)
def test_words_that_sound_alike_have_the_same_sounds(one: str, other: str, language: str) -> None:
    assert sounds_of(one, language) == sounds_of(other, language)


@pytest.mark.parametrize(
    ("number", "language", "spoken"),
    [(21, "en", "twenty-one"), (21, "de", "einundzwanzig"), (80, "fr", "quatre-vingts")],
)
def test_numbers_are_spelled_out(number: int, language: str, spoken: str) -> None:
    assert spoken in spell(number, language)


def test_a_language_without_number_rules_keeps_the_digits() -> None:
    assert spell(7, "xx") == ("7",)


@given(st.text(max_size=40), st.sampled_from(["en", "de", "fr", "es", "it", "nl", "ru", "ja"]))
def test_words_lie_in_their_text_in_order(text: str, language: str) -> None:
    words = spoken_words(text, language)

    assert all(text[word.start : word.end] == word.text for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert sounds_of(text, language) == "".join(word.sounds for word in words)


def test_similar_sounds_are_cheap_to_confuse() -> None:
    [[same, similar, different]] = confusion_costs("p", "pbs")

    assert same == 0 < similar < different == 1
    assert np.all(omission_costs("hat") == np.array([0.3, 0.5, 1.0], np.float32))
