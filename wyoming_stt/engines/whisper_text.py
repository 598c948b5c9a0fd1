"""Keeping Whisper's text to what was said."""

from collections.abc import Sequence

_SHORTEST_REPEAT = 3
"""Tokens; shorter repeats ("no, no") are spoken by people."""


def cut_repeats(tokens: Sequence[int]) -> list[int]:
    """Return `tokens` up to the first stretch that is said again right after itself.

    Whisper that finds no silence behind the speech tends to say the sentence again.
    """
    for size in range(_SHORTEST_REPEAT, len(tokens) // 2 + 1):
        for at in range(len(tokens) - 2 * size + 1):
            if tokens[at : at + size] == tokens[at + size : at + 2 * size]:
                return list(tokens[: at + size])
    return list(tokens)


def most_tokens(seconds: float) -> int:
    """Return how many tokens `seconds` of speech can hold at most.

    Fast speakers reach 6 tokens a second; names are spelled with more.
    """
    return min(round(12 + 8 * seconds), 220)
