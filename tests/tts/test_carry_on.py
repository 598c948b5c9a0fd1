"""Cuts in a sentence, so that it can be spoken before its end."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_tts.engines.piper.engine import behind, head_of, settled

WORDS = st.lists(st.text("abcdefg", min_size=1, max_size=9), min_size=1, max_size=40)


def test_the_last_word_of_an_unfinished_sentence_is_kept_back() -> None:
    assert settled(list("dhe garidzh dor iz")) == len("dhe garidzh dor")


def test_nothing_of_one_word_is_settled() -> None:
    assert settled(list("dhe")) == 0


def test_a_short_sentence_has_no_head() -> None:
    assert head_of(list("dhe garidzh dor iz klouzd.")) is None


@given(WORDS)
def test_a_head_ends_between_words_and_leaves_a_rest(words: list[str]) -> None:
    phonemes = list(" ".join(words) + ".")
    head = head_of(phonemes)

    if head is not None:
        end, known = head
        assert 0 < end < known < len(phonemes)
        assert phonemes[end] == phonemes[known] == " "


@given(WORDS, WORDS)
def test_a_sentence_that_goes_on_does_so_behind_its_beginning(
    words: list[str], more: list[str]
) -> None:
    beginning = list(" ".join(words))
    phonemes = [*beginning, " ", *" ".join(more)]

    assert behind(beginning, phonemes) == len(beginning)


def test_marks_of_stress_may_move_when_a_sentence_goes_on() -> None:
    assert behind(list("it \u02c8iz"), list("it iz r\u02c8eining")) == len("it iz")


def test_words_that_are_read_otherwise_later_are_noticed() -> None:
    assert behind(list("dhe red"), list("dhe rid buk")) is None
    assert behind(list("dhe kat"), list("dhe katel")) is None
