"""Keeping Whisper's text to what was said."""

import re
from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

_SHORTEST_REPEAT = 3
"""Tokens; shorter repeats ("no, no") are spoken by people."""

_PROMPT_WORDS = 40
"""Whisper reads 224 tokens of prompt; a name takes up to five."""

_SPARSE_TOKENS = 1.6
"""Tokens a second; even slow speech has twice as many."""


def cut_repeats(tokens: Sequence[T]) -> list[T]:
    """Return `tokens` up to the first stretch that is said again right after itself.

    Whisper that finds no silence behind the speech tends to say the sentence again; the last
    time is cut short where the tokens run out.
    """
    for size in range(_SHORTEST_REPEAT, len(tokens) - _SHORTEST_REPEAT + 1):
        for at in range(len(tokens) - size - _SHORTEST_REPEAT + 1):
            again = tokens[at + size : at + 2 * size]
            # A stretch shorter than `size` is what the text ends with.
            if tokens[at : at + len(again)] == again:
                return list(tokens[: at + size])
    return list(tokens)


def cut_repeated_words(text: str) -> str:
    """Do the same for text, case and punctuation aside."""
    spans = list(re.finditer(r"\S+", text))
    words = [re.sub(r"\W", "", span.group()).casefold() for span in spans]
    kept = len(cut_repeats(words))
    return text if kept == len(words) else text[: spans[kept - 1].end()]


def prompt_of(words: Sequence[str]) -> str | None:
    """Return what to tell Whisper of `words` before it listens, None for nothing.

    The last of a prompt weighs most, and a long one costs time: the likeliest names come last.
    """
    return ", ".join(reversed(words[:_PROMPT_WORDS])) + "." if words else None


def is_nothing(
    tokens: int, speech_seconds: float, log_probability: float, no_speech: float
) -> bool:
    """Whether what Whisper wrote was made up, from noise or music.

    `log_probability` is the mean of the tokens', `no_speech` Whisper's own probability of none.
    The first pair of limits is OpenAI's (transcribe.py of https://github.com/openai/whisper);
    the others are for singing: long, hardly a word in it, and unsure of those.
    """
    if no_speech > 0.6 and log_probability < -1.0:
        return True
    sparse = tokens < _SPARSE_TOKENS * speech_seconds
    return speech_seconds > 5.0 and sparse and log_probability < -0.5


def most_tokens(seconds: float) -> int:
    """Return how many tokens `seconds` of speech can hold at most.

    Fast speakers reach 6 tokens a second; names are spelled with more.
    """
    return min(round(12 + 8 * seconds), 220)
