import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.sentences import MOST_CHARACTERS, SentenceSplitter


def split(text: str) -> list[str]:
    splitter = SentenceSplitter()
    return splitter.feed(text) + splitter.finish()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It is 5. 10 people came.", ["It is 5.", "10 people came."]),
        ("Pi is 3.14 today. Fine.", ["Pi is 3.14 today.", "Fine."]),
        ("Dr. Smith met Mrs. J. F. Doe.", ["Dr. Smith met Mrs. J. F. Doe."]),
        ("At 5 p.m. The door opens.", ["At 5 p.m.", "The door opens."]),
        ("The U.S. Army came.", ["The U.S. Army came."]),
        ("Use milk, e.g. Oat milk.", ["Use milk, e.g. Oat milk."]),
        ("He said “Go.” Then he left.", ["He said “Go.”", "Then he left."]),
        ('"Really?" she asked.', ['"Really?" she asked.']),
        ("So... what now? Well…", ["So... what now?", "Well…"]),
        ("See www.example.com. Bye.", ["See www.example.com.", "Bye."]),
        ("- milk\n- eggs\n- tea", ["- milk", "- eggs", "- tea"]),
        ("1. Milk\n2. Eggs", ["1. Milk", "2. Eggs"]),
        ("a long line that\nwraps here. End", ["a long line that\nwraps here.", "End"]),
        ("你好。今天天气很好！再见", ["你好。", "今天天气很好！", "再见"]),  # noqa: RUF001
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("هل أنت هنا؟ نعم.", ["هل أنت هنا؟", "نعم."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_text_is_cut_where_a_reader_would_pause(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


def test_a_sentence_is_given_once_the_next_word_has_begun() -> None:
    splitter = SentenceSplitter()

    assert splitter.feed("The light is on.") == []
    assert splitter.feed(" ") == []
    assert splitter.feed("An") == ["The light is on."]


def test_the_first_clause_may_go_ahead_of_its_sentence() -> None:
    splitter = SentenceSplitter(first_clause=10)

    pieces = splitter.feed("Yes, of course I can, if you wish, and gladly. Soon, or later.")

    assert pieces == ["Yes, of course I can,", "if you wish, and gladly."]


def test_a_first_clause_does_not_leave_a_single_word_behind() -> None:
    splitter = SentenceSplitter(first_clause=10)

    assert splitter.feed("Turn on the light, please. Now") == ["Turn on the light, please."]


def test_a_number_is_no_clause_mark() -> None:
    splitter = SentenceSplitter(first_clause=3)

    assert splitter.feed("It is 1,000,000 to one") == []


def test_a_sentence_that_does_not_end_is_cut_at_a_clause() -> None:
    text = "and so on, " * 200

    pieces = split(text)

    assert all(len(piece) <= MOST_CHARACTERS for piece in pieces)
    assert all(piece.endswith("on,") for piece in pieces)


def test_text_without_any_space_is_cut_all_the_same() -> None:
    pieces = split("ä" * 100_000)

    assert "".join(pieces) == "ä" * 100_000
    assert max(map(len, pieces)) <= MOST_CHARACTERS


_TEXT = st.text(st.sampled_from("aA1 .,!?\n-)“。é\u0301🙂") | st.characters(), max_size=300)


@given(_TEXT)
def test_no_letter_is_lost_or_moved(text: str) -> None:
    joined = "".join(split(text))

    assert "".join(joined.split()) == "".join(text.split())


@given(_TEXT, st.integers(1, 7), st.sampled_from([0, 5]))
def test_how_the_text_arrives_makes_no_difference(text: str, size: int, clause: int) -> None:
    splitter, other = SentenceSplitter(clause), SentenceSplitter(clause)

    pieces = []
    for start in range(0, len(text), size):
        pieces += splitter.feed(text[start : start + size])
    pieces += splitter.finish()

    assert pieces == other.feed(text) + other.finish()
