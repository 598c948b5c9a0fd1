"""What the model knew of prompts and had to give up, outside of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

EVERYBODY: Final = "*"
"""Whose the service's own words are: no address of a client"""
State = bytes | bytearray


@dataclass(slots=True, eq=False)
class Kept:
    """What a slot held, outside the model."""

    tokens: Sequence[int]
    state: State
    client: str
    """Whose words it holds"""
    owner: str = ""
    """Conversation"""
    stable: bool = False
    """Holds the beginning of many prompts; given up late, what is everybody's last."""
    used: int = 0

    @property
    def read(self) -> int:
        return len(self.tokens)


class Shelf:
    """What is kept, `room` tokens, or one thing of up to `largest`.

    What was used longest ago goes first.
    """

    def __init__(self, room: int, largest: int) -> None:
        self._room = room
        self._largest = largest
        self._kept: list[Kept] = []

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept)

    def put(self, kept: Kept) -> None:
        """Keep one more; of a conversation only the latest is kept."""
        if kept.owner:
            self._kept = [known for known in self._kept if known.owner != kept.owner]
        while self._kept and sum(known.read for known in self._kept) + kept.read > self._room:
            self.drop(min(self._kept, key=_worth))
        if kept.read <= self._largest:
            self._kept.append(kept)

    def drop(self, kept: Kept) -> None:
        self._kept.remove(kept)

    def clear(self) -> None:
        self._kept.clear()

    def find(self, tokens: Sequence[int], client: str) -> Kept | None:
        """Return the beginning of many prompts of `client` that is exactly `tokens`."""
        size = len(tokens)
        for known in self._kept:
            same = known.stable and known.client == client and known.read == size
            if same and common(known.tokens, tokens) == size:
                return known
        return None

    def newest(self) -> Kept | None:
        """Return the beginning of many prompts that was used last."""
        stable = (known for known in self._kept if known.stable)
        return max(stable, key=lambda known: known.used, default=None)


def _worth(known: Kept) -> tuple[bool, bool, int]:
    return known.stable and known.client == EVERYBODY, known.stable, known.used


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the length of the longest beginning that both share."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    )
