"""Phonemes of a phrase, its near misses, and its quality as a wake word."""

# ruff: noqa: RUF001 - the phonetic alphabet looks like others

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.wake_word.phonemes import (
    NearMisses,
    PartsAmongOthers,
    Word,
    edit_distance,
    syllables,
    words_of,
)
from parley.wake_word.quality import MAX_WORDS, checked_phrase, judge
from wyoming_common.errors import BadRequest
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

COMPUTER = (("h", "ˈeɪ"), ("k", "ə", "m", "p", "j", "ˈuː", "ɾ", "ɚ"))


@pytest.fixture(scope="module")
def espeak() -> EspeakPhonemizer:
    pytest.importorskip("piper")
    return EspeakPhonemizer()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", "one letter"),
        (" ... ", "can be spoken"),
        ("42", "can be spoken"),
        ("word " * 30, f"at most {MAX_WORDS} words"),
        ("x" * 61, "60 characters"),
    ],
)
def test_a_phrase_that_cannot_be_a_wake_word_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        checked_phrase(text)


def test_a_phrase_loses_its_case_and_marks() -> None:
    assert checked_phrase("  Hey, Computer! ") == "hey computer"


@given(st.text(max_size=80))
def test_any_text_is_a_phrase_or_refused(text: str) -> None:
    try:
        said = checked_phrase(text)
    except BadRequest as err:
        said = str(err)

    assert said
    assert "\n" not in said


@given(st.integers(0, 10_000))
def test_a_near_miss_is_like_the_phrase_and_clearly_not_it(seed: int) -> None:
    misses = NearMisses(COMPUTER, random.Random(seed))  # noqa: S311

    for _ in range(5):
        made = misses()
        assert made
        assert edit_distance(made, COMPUTER) >= 1.0


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_parts_among_others_hold_words_of_the_phrase_and_never_all_in_a_row(
    seed: int, count: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    phrase: tuple[Word, ...] = tuple((letter, "a") for letter in "bdɡkt"[:count])
    others: list[Word] = [("l", "u"), ("m", "i", "n", "u")]

    made = PartsAmongOthers(phrase, lambda: rng.choice(others), rng)()

    assert set(made) & set(phrase)
    assert set(made) <= {*phrase, *others}
    assert phrase not in [made[at : at + count] for at in range(len(made))]


def test_a_phrase_of_one_word_has_no_words_to_part() -> None:
    with pytest.raises(ValueError, match="one word"):
        PartsAmongOthers(COMPUTER[1:], lambda: COMPUTER[0], random.Random(0))  # noqa: S311


def test_phonemes_have_their_stress_and_diphthongs_are_one(espeak: EspeakPhonemizer) -> None:
    assert words_of("hey computer", "en-us", espeak) == COMPUTER
    assert syllables(COMPUTER) == 4


def test_similar_sounds_cost_less_than_different_ones() -> None:
    bat, pat, kit = ((("b", "æ", "t"),), (("p", "æ", "t"),), (("k", "ɪ", "t"),))

    assert edit_distance(bat, bat) == 0
    assert edit_distance(bat, pat) < edit_distance(bat, kit)


def test_a_good_phrase_has_no_remarks(espeak: EspeakPhonemizer) -> None:
    found = judge("okay galadriel", "en", "en-us", espeak)

    assert found.remarks == ()
    assert found.better == ()


def test_a_short_common_phrase_gets_reasons_and_better_ones(espeak: EspeakPhonemizer) -> None:
    found = judge("brightness", "en", "en-us", espeak)

    assert any("short" in remark for remark in found.remarks)
    assert any("common word" in remark for remark in found.remarks)
    assert found.better == ("hey brightness", "okay brightness")


def test_a_phrase_like_another_wake_word_says_so(espeak: EspeakPhonemizer) -> None:
    found = judge("hey jarvin", "en", "en-us", espeak, ["hey jarvis", "alexa"])

    assert any("'hey jarvis'" in remark for remark in found.remarks)
    assert not any("alexa" in remark for remark in found.remarks)


def test_a_phrase_of_too_few_sounds_is_refused(espeak: EspeakPhonemizer) -> None:
    with pytest.raises(BadRequest, match="3 sounds"):
        judge("bat", "en", "en-us", espeak)
