"""Recogniser of conditions: "if it is colder than 19, turn the heating on".

A condition is answered by looking first: what it guards is done only while it holds.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from wyoming_llm.home.intent import Answer, Command, Question, Refusal, Result
from wyoming_llm.home.lexicon import PUNCTUATION, Lexicon
from wyoming_llm.home.questions import Questions
from wyoming_llm.languages import Language

_MIN_PART: Final = 2
_Understand = Callable[[Sequence[str]], Result | None]


def conditional(
    tokens: Sequence[str], lexicon: Lexicon, questions: Questions, words: Language,
    understand: _Understand,
) -> Result | None:  # fmt: skip
    """Return the command of a condition that holds, or that it does not hold."""
    ifs = list(_ifs(tokens, lexicon))
    if len(ifs) != 1:
        return None
    ((at, start),) = ifs
    splits: list[tuple[Sequence[str], Sequence[str]]] = []
    if at > 0:
        splits.append((tokens[start:], tokens[:at]))
    splits += [
        (tokens[start:end], [*tokens[:at], *tokens[end:]])
        for end in range(start + _MIN_PART, len(tokens) - _MIN_PART + 1)
    ]
    for condition, command in splits:
        if not command:
            continue
        done = understand([token for token in command if token not in PUNCTUATION])
        if not isinstance(done, Command | Question):
            continue
        holds = questions.holds(condition)
        if holds is None:
            continue
        return done if holds else Answer(words.say("not_so"))
    return Refusal(words.say("not_understood"))


def _ifs(tokens: Sequence[str], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Yield where the words for "if" begin and end."""
    start = 0
    while start < len(tokens):
        length, roles = next(lexicon.matches(tokens, start), (1, ()))
        if any(role.kind == "if_words" for role in roles):
            yield start, start + length
        start += length
