import json

from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.text.clean import clean


def test_a_lone_surrogate_is_taken_out() -> None:
    assert clean(json.loads(r'"a\ud800b"')) == "a b"


@given(st.text())
def test_what_is_left_can_be_sent_and_handed_to_c(text: str) -> None:
    assert "\x00" not in clean(text)
    clean(text).encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_letters_numbers_and_signs_stay(text: str) -> None:
    assert clean(text) == text.replace("\ufffd", " ")
