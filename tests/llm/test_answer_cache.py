"""Questions that are answered again without the model, and what may not."""

import pytest

from wyoming_common.net.fairness import as_client
from wyoming_llm.dialogue.answer_cache import AnswerCache

_QUESTION = "Why is the sky blue?"


def test_the_same_question_in_other_marks_gets_the_same_answer() -> None:
    answers = AnswerCache(600)

    answers.add(_QUESTION, "en", "It scatters.")

    assert answers.find("why is the sky blue", "en") == "It scatters."
    assert answers.find(_QUESTION, "de") is None


def test_an_answer_is_forgotten_when_its_time_is_over() -> None:
    now = 0.0
    answers = AnswerCache(600, clock=lambda: now)
    answers.add(_QUESTION, "en", "It scatters.")

    now = 601.0

    assert answers.find(_QUESTION, "en") is None


def test_nothing_is_remembered_for_no_time() -> None:
    answers = AnswerCache(0)

    answers.add(_QUESTION, "en", "It scatters.")

    assert answers.find(_QUESTION, "en") is None


def test_another_client_does_not_learn_what_was_asked() -> None:
    answers = AnswerCache(600)
    with as_client("192.168.1.20"):
        answers.add(_QUESTION, "en", "It scatters.")

    with as_client("192.168.1.66"):
        assert answers.find(_QUESTION, "en") is None
    with as_client("192.168.1.20"):
        assert answers.find(_QUESTION, "en") == "It scatters."


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("What day is it tomorrow?", "en"),
        ("is it raining", "en"),
        ("What is my name?", "en"),
        ("tell me another joke", "en"),
        ("how old is the king of England", "en"),
        ("Welcher Tag ist morgen?", "de"),
        ("Wie alt ist der Papst?", "de-CH"),
        ("Qu'est-ce qu'on fait aujourd'hui ?", "fr"),
        ("¿Qué día es mañana?", "es"),
        ("Che giorno è oggi?", "it"),
        ("Hoe laat is het?", "nl"),
        ("Co dziś na obiad?", "pl"),
        ("Hvad er hovedstaden i Danmark?", "da"),
    ],
)
def test_a_question_of_time_place_or_person_is_put_to_the_model_each_time(
    question: str, language: str
) -> None:
    answers = AnswerCache(600)

    answers.add(question, language, "Something.")

    assert answers.find(question, language) is None


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("What is the capital of France?", "en"),
        ("Who wrote Hamlet?", ""),
        ("Was ist die Hauptstadt von Frankreich?", "de-DE"),
        ("Qui a écrit Les Misérables ?", "fr"),
        ("¿Quién pintó Guernica?", "es"),
        ("Chi ha scritto la Divina Commedia?", "it"),
        ("Wie schilderde de Nachtwacht?", "nl"),
    ],
)
def test_a_lasting_answer_is_remembered(question: str, language: str) -> None:
    answers = AnswerCache(600)

    answers.add(question, language, "Something.")

    assert answers.find(question, language) == "Something."


def test_many_questions_do_not_fill_the_memory() -> None:
    answers = AnswerCache(600)

    for number in range(1000):
        answers.add(f"What is {number} squared?", "en", "Much.")

    assert sum(bool(answers.find(f"What is {n} squared?", "en")) for n in range(1000)) == 256
