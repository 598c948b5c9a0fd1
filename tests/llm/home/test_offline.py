"""Without a home: the time is true, and nothing is claimed to be done."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from wyoming_common.model_thread import ModelThread
from wyoming_llm.dialogue.outcome import Fail, Outcome, Say
from wyoming_llm.home.offline import NoHome
from wyoming_llm.home.recognition import Recognition


@pytest_asyncio.fixture
async def no_home() -> AsyncIterator[NoHome]:
    recognition = ModelThread("recognition", Recognition)
    yield NoHome(recognition, now=lambda: datetime(2026, 3, 14, 15, 9, tzinfo=UTC))
    await recognition.aclose()


async def outcome_of(home: NoHome, text: str, language: str = "en") -> Outcome | None:
    outcomes = await home.handle(text, language, "", "")
    return None if outcomes is None else await anext(outcomes)


@pytest.mark.parametrize(
    ("question", "language", "answer"),
    [
        ("What time is it?", "en", "3:09 PM"),
        ("what's the date", "en", "March 14th, 2026"),
        ("Wie spät ist es?", "de", "Es ist 15:09"),
    ],
)
async def test_the_clock_answers_and_not_the_model(
    no_home: NoHome, question: str, language: str, answer: str
) -> None:
    assert await outcome_of(no_home, question, language) == Say(answer)


@pytest.mark.parametrize(
    ("command", "language"),
    [
        ("Turn on the kitchen light.", "en"),
        ("turn off all the lights", "en"),
        ("Set a timer for ten minutes.", "en"),
        ("lock the front door", "en"),
        ("can you switch the heating off", "en"),
        ("What's the temperature in the bathroom?", "en"),
        ("Schalte das Licht in der Küche ein", "de"),
        ("Is the front door locked?", "en"),
        ("kill the lights would you", "en"),
        ("open the chimney", "en"),
        ("call my mother", "en"),
        ("Ist der Herd noch an?", "de"),
    ],
)
async def test_a_command_is_refused_and_never_claimed(
    no_home: NoHome, command: str, language: str
) -> None:
    assert isinstance(await outcome_of(no_home, command, language), Fail)


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "How do I turn on a computer?",
        "What happens when I close my eyes?",
        "Who turned off the lights in Paris?",
        "Turn left at the next corner please.",
        "Hello.",
    ],
)
async def test_talk_is_left_to_the_model(no_home: NoHome, text: str) -> None:
    assert await outcome_of(no_home, text) is None
