"""Transcript clean-up: repetitions, invented text and annotations of recognisers removed."""

import re
from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

_MIN_REPEATED_TOKENS = 3
"""Shorter repetitions ("no, no") are spoken by people."""

MAX_PROMPT_NAMES = 40
"""Whisper reads 224 tokens of prompt; a name takes up to five."""

_MIN_TOKENS_PER_SECOND = 1.6
"""Even slow speech has twice as many."""


def cut_repeats(tokens: Sequence[T]) -> list[T]:
    """Return `tokens` up to the first stretch that is repeated right behind itself.

    Whisper that finds no silence behind the speech tends to repeat the sentence; the last
    repetition is cut short where the tokens run out.
    """
    for size in range(_MIN_REPEATED_TOKENS, len(tokens) - _MIN_REPEATED_TOKENS + 1):
        for at in range(len(tokens) - size - _MIN_REPEATED_TOKENS + 1):
            again = tokens[at + size : at + 2 * size]
            # A stretch shorter than `size` is what the text ends with.
            if tokens[at : at + len(again)] == again:
                return list(tokens[: at + size])
    return list(tokens)


def cut_repeated_words(text: str) -> str:
    """Return `text` up to its first repetition, ignoring case and punctuation."""
    spans = list(re.finditer(r"\S+", text))
    words = [re.sub(r"\W", "", span.group()).casefold() for span in spans]
    kept = len(cut_repeats(words))
    return text if kept == len(words) else text[: spans[kept - 1].end()]


def prompt_of(words: Sequence[str]) -> str | None:
    """Return a prompt that makes Whisper expect `words`, None without any.

    The end of a prompt weighs most, and a long one costs time: the likeliest names come last.
    """
    return ", ".join(reversed(words[:MAX_PROMPT_NAMES])) + "." if words else None


def is_invented(
    tokens: int, speech_seconds: float, log_probability: float, no_speech: float
) -> bool:
    """Return whether Whisper invented its text from noise or music.

    `log_probability` is the mean of the tokens', `no_speech` Whisper's probability of silence.
    The first pair of limits is OpenAI's (transcribe.py of https://github.com/openai/whisper);
    the others are for singing: long, with few words, and those improbable.
    """
    if no_speech > 0.6 and log_probability < -1.0:
        return True
    sparse = tokens < _MIN_TOKENS_PER_SECOND * speech_seconds
    return speech_seconds > 5.0 and sparse and log_probability < -0.5


def max_tokens(seconds: float) -> int:
    """Return the most tokens that `seconds` of speech can hold.

    Fast speakers reach 6 tokens a second; names are spelled with more.
    """
    return min(round(12 + 8 * seconds), 220)


_ANNOTATION = re.compile(
    r"\[[^\[\]]*\]|\([^()]*\)|\uff08[^\uff08\uff09]*\uff09|<\|[^|<>]*\|>"
    r"|\*(?=\S)[^*]+(?<=\S)\*"
    "|[\u2669-\u266c][^\n]*[\u2669-\u266c]|[\u2669-\u266c]"
)
"""Text in brackets, in asterisks, or between notes (U+2669 to U+266C)"""
_MAX_NESTED_BRACKETS = 3


def strip_annotations(text: str) -> str:
    """Return `text` without the sounds that a recogniser describes; "" without any word left.

    Recognisers write sounds as subtitles do: in brackets or asterisks ("[Beep]", "(coughs)",
    "*music*"), and singing between notes. Brackets are never spoken, so all of them go.
    """
    spoken = text
    for _ in range(_MAX_NESTED_BRACKETS):
        spoken = _ANNOTATION.sub(" ", spoken)
    if not any(char.isalnum() for char in spoken):
        return ""
    return text.strip() if spoken == text else " ".join(spoken.split())
