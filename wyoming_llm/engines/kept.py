"""What the model knew of prompts and had to give up, outside of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile


@dataclass(slots=True, eq=False)
class Kept:
    """What a slot held, outside the model."""

    tokens: Sequence[int]
    state: bytes
    owner: str = ""
    stable: bool = False
    """Holds the beginning of many prompts; given up last."""
    used: int = 0

    @property
    def read(self) -> int:
        return len(self.tokens)


class Shelf:
    """What is kept, `room` tokens at most; what was used longest ago goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: list[Kept] = []

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept)

    def put(self, kept: Kept) -> None:
        """Keep one more; of a conversation only the latest is kept."""
        if kept.owner:
            self._kept = [known for known in self._kept if known.owner != kept.owner]
        while self._kept and sum(known.read for known in self._kept) + kept.read > self._room:
            self.drop(min(self._kept, key=lambda known: (known.stable, known.used)))
        if kept.read <= self._room:
            self._kept.append(kept)

    def drop(self, kept: Kept) -> None:
        self._kept.remove(kept)

    def clear(self) -> None:
        self._kept.clear()

    def find(self, tokens: Sequence[int]) -> Kept | None:
        """Return the beginning of many prompts that is exactly `tokens`."""
        size = len(tokens)
        same = (k for k in self._kept if k.stable and k.read == common(k.tokens, tokens) == size)
        return next(same, None)

    def newest(self) -> Kept | None:
        """Return the beginning of many prompts that was used last."""
        stable = (known for known in self._kept if known.stable)
        return max(stable, key=lambda known: known.used, default=None)


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the length of the longest beginning that both share."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    )
