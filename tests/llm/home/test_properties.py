"""Rules that hold for every command, in any words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.llm.home.sentences import DENIALS, HOMES, SENTENCES
from tests.llm.home.test_six_languages import HOME_OF, RECOGNITION, STATES, shown
from wyoming_llm.home.confirmation import Reply, reply_of
from wyoming_llm.home.intent import Command
from wyoming_llm.home.lexicon import lexicon
from wyoming_llm.home.operations import is_risky
from wyoming_llm.home.targets import HomeSnapshot

CASES = [
    (code, text)
    for code, rows in SENTENCES.items()
    for text, expected in rows
    if not expected.startswith(("~", "?")) and "list" not in expected and "Timer" not in expected
]
NONSENSE = st.text("bdfghjkmpqvwxz", min_size=4, max_size=9)


def commanded(text: str, code: str) -> Command | None:
    result = RECOGNITION.recognise(text, code, HomeSnapshot(HOME_OF[code], STATES))
    return result if isinstance(result, Command) else None


def deeds(command: Command | None) -> set[tuple[str, str]]:
    """Return the intents of a command and the identifiers of what they are about."""
    actions = command.actions if command else ()
    return {(action.intent, action.target.id if action.target else "") for action in actions}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), NONSENSE, st.data())
def test_an_unknown_word_in_a_command_prevents_it(
    case: tuple[str, str], word: str, data: st.DataObject
) -> None:
    code, text = case
    words = text.split()
    at = data.draw(st.integers(0, len(words)))

    assert commanded(" ".join([*words[:at], word, *words[at:]]), code) is None


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CASES))
def test_a_denied_command_does_nothing(case: tuple[str, str]) -> None:
    code, text = case
    assert commanded(f"{DENIALS[code]} {text[0].lower()}{text[1:]}", code) is None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), st.sampled_from(CASES))
def test_two_commands_in_one_do_what_each_does_or_nothing(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    code, one = first
    other = second[1] if second[0] == code else one
    joined = commanded(f"{one.strip('?!.')}, {other.strip('?!.')}", code)
    if joined is None:
        return
    firsts, seconds = (deeds(commanded(text, code)) for text in (one, other))
    refers = code == "en" and "it" in other.split()
    of_the_first = {(intent, target) for intent, _ in seconds for _, target in firsts if refers}

    assert deeds(joined) <= firsts | seconds | of_the_first


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(HOMES)), st.lists(st.text(max_size=12), max_size=8))
def test_any_text_is_recognised_or_left_alone_without_an_error(code: str, words: list[str]) -> None:
    RECOGNITION.recognise(" ".join(words), code, HomeSnapshot(HOME_OF[code], STATES))


@pytest.mark.parametrize("code", sorted(HOMES))
def test_unlocking_is_risky_and_locking_is_not(code: str) -> None:
    found = {
        deed: commanded(text, code)
        for text, expected in SENTENCES[code]
        for deed in ("lock", "unlock")
        if expected == f"{deed} lock.front"
    }

    for deed, command in found.items():
        assert command is not None
        (action,) = command.actions
        assert is_risky(action, STATES["lock.front"]) == (deed == "unlock")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "yes"), ("en", "yes, unlock it"), ("en", "do it now"), ("en", "okay then"),
        ("en", "correct"), ("en", "right"), ("de", "genau"), ("de", "jo"), ("de", "ja bitte"),
        ("fr", "oui vas-y"), ("fr", "bien sûr"), ("nl", "ja graag"), ("it", "certo"),
        ("es", "claro que sí"), ("es", "sí, por favor"),
    ],
)  # fmt: skip
def test_a_yes_in_other_words_is_a_yes(code: str, text: str) -> None:
    assert reply_of(text, ["unlock"], lexicon(code)) is Reply.YES


@pytest.mark.parametrize(
    ("code", "text"),
    [("en", "yes, lock it"), ("en", "turn off the tv"), ("en", "yes and turn on the oven"),
     ("de", "ja schließ ab"), ("en", "why"), ("en", "what is the time")],
)  # fmt: skip
def test_another_command_is_not_a_yes(code: str, text: str) -> None:
    assert reply_of(text, ["unlock"], lexicon(code)) is not Reply.YES


@pytest.mark.parametrize(
    "text", ["no", "nope", "don't", "lieber nicht", "non merci", "nee", "stop"]
)
def test_a_no_in_other_words_is_a_no(text: str) -> None:
    assert reply_of(text) is Reply.NO


def test_by_is_a_difference_and_to_is_an_end() -> None:
    by = shown(commanded("dim the floor lamp by 20 percent", "en"))
    to = shown(commanded("dim the floor lamp to 20 percent", "en"))

    assert by == "set light.floor 80"
    assert to == "set light.floor 20"
