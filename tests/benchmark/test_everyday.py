"""The everyday questions and the verdict on their answers."""

import re

import pytest

from bench.everyday import Answer, questions, report


def test_two_hundred_questions_in_six_languages() -> None:
    counts = {language: len(pairs) for language, pairs in questions().items()}

    assert set(counts) == {"en", "de", "fr", "es", "nl", "it"}
    assert sum(counts.values()) >= 200
    assert min(counts.values()) >= 33


def test_every_accepted_answer_is_a_pattern() -> None:
    for pairs in questions().values():
        for question, accepted in pairs:
            assert isinstance(question, str)
            assert re.compile(accepted).pattern == accepted


@pytest.mark.parametrize(
    ("text", "right"),
    [("It is Paris.", True), ("PARIS", True), ("It is Lyon.", False), ("", False)],
)
def test_an_answer_must_hold_what_is_accepted(text: str, right: bool) -> None:
    assert Answer("en", "capital?", "paris", text, 0.1).right is right


def test_the_report_lists_what_is_wrong() -> None:
    answers = [Answer("en", "capital?", "paris", text, 0.1) for text in ("Paris", "Lyon")]

    shown = report(answers, verbose=False)

    assert "| all | 50.0% | 2 |" in shown
    assert "Lyon" in shown
    assert "'Paris'" not in shown
