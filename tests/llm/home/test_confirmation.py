"""Answers to a question back, and the option that they choose."""

import pytest

from wyoming_llm.home.confirmation import Waiting
from wyoming_llm.home.intent import Action, Command, Option, Question
from wyoming_llm.home.lexicon import lexicon

NUMBERED = ("Desk lamp 1", "Desk lamp one"), ("Desk lamp 2", "Desk lamp two")
SIDES = ("Reading lamp left",), ("Reading lamp right",)


def chosen(options: tuple[tuple[str, ...], ...], answer: str) -> str:
    """Return the deed of the option that an answer chooses, "" for no single one."""
    question = Question(
        "Which one?",
        tuple(Option(names, Command((Action("HassTurnOn", deed=names[0]),))) for names in options),
    )
    command = Waiting(None, question, 0.0).chosen(answer, lexicon("en"))
    return "" if command is None else command.actions[0].deed


@pytest.mark.parametrize(
    ("options", "answer", "deed"),
    [
        (SIDES, "the left one", "Reading lamp left"),
        (SIDES, "the right lamp", "Reading lamp right"),
        (SIDES, "the reading lamp", ""),
        (SIDES, "the second one", "Reading lamp right"),
        (NUMBERED, "desk lamp one", "Desk lamp 1"),
        (NUMBERED, "desk lamp two", "Desk lamp 2"),
        (NUMBERED, "desk lamp three", ""),
    ],
)
def test_an_answer_chooses_the_single_option_that_it_names(
    options: tuple[tuple[str, ...], ...], answer: str, deed: str
) -> None:
    assert chosen(options, answer) == deed
