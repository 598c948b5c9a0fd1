from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_llm.spoken import Measured, Spoken

MARKED = st.text(alphabet="ab *_`#-[]()|\n.!🙂>1", max_size=80)


def say(text: str, *cuts: int) -> str:
    spoken = Spoken()
    edges = [0, *sorted(cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(edges)]
    return "".join(spoken.feed(piece) for piece in pieces) + spoken.finish()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It is **very** warm.", "It is very warm."),
        ("# Title\n\nText here.", "Title. Text here."),
        ("Two things:\n- milk\n- eggs\n", "Two things: milk. eggs."),
        ("See [the page](https://a.b/c) now.", "See the page now."),
        ("Use `ls` or:\n```sh\nrm -rf /\n```\nDone.", "Use ls or: Done."),
        ("Sunny 🌞 today 👍🏽!", "Sunny today!"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b, 1, 2,"),
        ("snake_case and 2 * 3", "snake_case and 2 3"),
        ("It is -5 degrees.", "It is -5 degrees."),
        ("  Hello\n\n\nthere  ", "Hello. there"),
        ("", ""),
    ],
)
def test_marks_for_eyes_are_left_out(written: str, spoken: str) -> None:
    assert say(written).strip() == spoken


@given(MARKED, st.lists(st.integers(0, 80), max_size=5))
def test_where_text_is_cut_loses_no_word(text: str, cuts: list[int]) -> None:
    cuts = [min(cut, len(text)) for cut in cuts]

    whole, pieces = say(text), say(text, *cuts)

    assert set("*`🙂#") & set(pieces.replace("#", "")) == set()
    assert sorted(c for c in pieces if c in "ab") == sorted(c for c in whole if c in "ab")


@given(st.text(alphabet="abc xyz,", max_size=60))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert say(text).split() == text.split()


def test_a_long_reply_ends_with_the_sentence_near_its_limit() -> None:
    measured = Measured(8)

    said = "".join(
        measured.feed(f"{word} ") for word in ("a", "b.", "c", "d", "e", "f", "g.", "h", "i")
    )

    assert said == "a b. c d e f g."
    assert measured.enough


def test_a_reply_that_was_cut_off_ends_at_its_last_sentence() -> None:
    measured = Measured(8)

    said = "".join(measured.feed(f"{word} ") for word in ("a", "b", "c", "d", "e.", "f", "g", "h"))

    assert said + measured.finish("", cut=True) == "a b c d e. "


def test_a_short_reply_is_said_whole() -> None:
    measured = Measured(100)

    assert measured.feed("Yes ") + measured.finish("sir", cut=False) == "Yes sir"
