"""Names of timers, however they are introduced."""

import pytest

from wyoming_llm.home.lexicon import lexicon, tokenize
from wyoming_llm.home.timers_and_lists import change_timer, start_timer


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


@pytest.mark.parametrize(
    ("code", "text", "intent", "slots"),
    [
        ("en", "extend the pizza timer by 5 minutes", "Increase", {"minutes": 5, "name": "pizza"}),
        ("en", "put 5 more minutes on the timer", "Increase", {"minutes": 5}),
        ("en", "increase the timer by an hour and a half", "Increase", {"hours": 1, "minutes": 30}),
        ("en", "shorten the egg timer by 30 seconds", "Decrease", {"seconds": 30, "name": "egg"}),
        ("en", "make the timer a minute shorter", "Decrease", {"minutes": 1}),
        ("de", "verlängere den Pizzatimer um 5 Minuten", "Increase",
         {"minutes": 5, "name": "pizza"}),
        ("de", "mach den Timer 5 Minuten kürzer", "Decrease", {"minutes": 5}),
        ("fr", "rallonge le minuteur pizza de 5 minutes", "Increase",
         {"minutes": 5, "name": "pizza"}),
        ("fr", "mets 5 minutes de plus au minuteur", "Increase", {"minutes": 5}),
        ("fr", "mets fin au minuteur", "Cancel", {}),
        ("es", "alarga el temporizador 5 minutos", "Increase", {"minutes": 5}),
        ("es", "acorta el temporizador media hora", "Decrease", {"minutes": 30}),
        ("it", "metti 5 minuti in più sul timer", "Increase", {"minutes": 5}),
        ("it", "accorcia il timer della pasta di un minuto", "Decrease",
         {"minutes": 1, "name": "pasta"}),
        ("nl", "doe er 5 minuten bij op de pizzatimer", "Increase",
         {"minutes": 5, "name": "pizza"}),
        ("nl", "verkort de timer met een half uur", "Decrease", {"minutes": 30}),
    ],
)  # fmt: skip
def test_a_timer_is_made_longer_shorter_or_ended(
    code: str, text: str, intent: str, slots: dict[str, int | str]
) -> None:
    words = lexicon(code)
    assert words is not None

    command = change_timer(tokenize(text), words)

    assert command is not None
    assert command.actions[0].intent == f"Hass{intent}Timer"
    assert command.actions[0].slots == slots


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "extend the 10 minute timer by 5 minutes"),
        ("en", "add 5 minutes to the 10 minute timer"),
        ("de", "verlängere den 10 Minuten Timer um 5 Minuten"),
        ("fr", "prolonge le minuteur de 10 minutes de 5 minutes"),
        ("es", "amplía el temporizador de 10 minutos en 5 minutos"),
        ("it", "prolunga il timer di 10 minuti di 5 minuti"),
        ("nl", "verleng de timer van 10 minuten met 5 minuten"),
    ],
)
def test_the_timer_that_is_changed_may_be_told_by_its_length(code: str, text: str) -> None:
    words = lexicon(code)
    assert words is not None

    command = change_timer(tokenize(text), words)

    assert command is not None
    assert command.actions[0].slots == {"minutes": 5, "start_minutes": 10}


@pytest.mark.parametrize(
    "text",
    [
        "set a timer for 5 more minutes",
        "put a 5 minute timer on",
        "extend the 5 minute timer",
        "extend the awning",
        "why did you extend the timer by 5 minutes",
        "don't extend the timer by 5 minutes",
    ],
)
def test_other_words_change_no_timer(text: str) -> None:
    words = lexicon("en")
    assert words is not None

    assert change_timer(tokenize(text), words) is None
