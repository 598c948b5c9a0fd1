"""Names of timers, however they are introduced."""

import pytest

from wyoming_llm.home.lexicon import lexicon, tokenize
from wyoming_llm.home.timers_and_lists import start_timer


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "set a timer for 10 minutes called pizza"),
        ("en", "set a pizza timer for 10 minutes"),
        ("de", "stelle einen Timer namens Pizza auf 10 Minuten"),
        ("fr", "mets un minuteur de 10 minutes appelé pizza"),
        ("es", "pon un temporizador de 10 minutos llamado pizza"),
        ("nl", "zet een timer van 10 minuten genaamd pizza"),
        ("it", "imposta un timer di 10 minuti chiamato pizza"),
    ],
)
def test_the_name_of_a_timer_leaves_out_what_introduces_it(code: str, text: str) -> None:
    words = lexicon(code)
    assert words is not None

    command = start_timer(tokenize(text), words)

    assert command is not None
    assert command.actions[0].slots == {"minutes": 10, "name": "pizza"}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "add 60 seconds to the timer"),
        ("en", "add 5 minutes to the 53 minute timer"),
        ("en", "take 45 minutes from the timer for 39 seconds"),
    ],
)
def test_a_change_of_a_timer_starts_no_other(code: str, text: str) -> None:
    words = lexicon(code)
    assert words is not None

    assert start_timer(tokenize(text), words) is None


def test_a_timer_may_be_added() -> None:
    words = lexicon("en")
    assert words is not None

    command = start_timer(tokenize("add a timer for 5 minutes"), words)

    assert command is not None
    assert command.actions[0].slots == {"minutes": 5}
