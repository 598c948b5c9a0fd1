"""Beginnings that many prompts share: kept in memory, and on disk for the next start."""

from collections.abc import Sequence
from typing import Final, Protocol

from wyoming_llm.engines.kept import Kept
from wyoming_llm.engines.prefix_store import Prefix, PrefixStore

_WORTH_KEEPING: Final = 128
"""Tokens from which on a beginning is worth a file"""
_MOST_PLANNED: Final = 4
_MOST_RESTORED: Final = 3


class Known(Protocol):
    """What has been read, in memory."""

    def longest(self, tokens: Sequence[int]) -> int:
        """Return how many tokens of the beginning of `tokens` are known."""
        ...

    def keep(self, tokens: Sequence[int]) -> Kept | None:
        """Keep `tokens`, as far as they can be reused; None where they are not known."""
        ...

    def add(self, tokens: Sequence[int], state: bytes) -> Kept:
        """Keep a state that was read before."""
        ...


class Beginnings:
    """Plans which beginnings are kept, keeps them when there is time, and finds them again."""

    def __init__(self, known: Known, store: PrefixStore) -> None:
        self._known = known
        self._store = store
        self._planned: list[tuple[int, ...]] = []

    def plan(self, tokens: Sequence[int]) -> None:
        """Keep `tokens` the next time there is time."""
        planned = tuple(tokens)
        if len(planned) >= _WORTH_KEEPING and planned not in self._planned:
            self._planned = [*self._planned[1 - _MOST_PLANNED :], planned]

    def settle(self) -> None:
        """Keep what was planned."""
        while self._planned:
            kept = self._known.keep(self._planned.pop())
            if kept is not None and not self._store.holds(kept.tokens):
                self._store.save(kept.tokens, kept.state)

    def restore(self, room: int) -> None:
        """Put back into memory what was used last, up to `room` tokens."""
        for prefix in self._store.newest(_MOST_RESTORED):
            if len(prefix.tokens) <= room and self._put_back(prefix):
                room -= len(prefix.tokens)

    def recall(self, tokens: Sequence[int]) -> None:
        """Load from disk where that saves more reading than memory does."""
        prefix = self._store.best(tokens)
        if prefix is not None:
            known = self._known.longest(tokens)
            if len(prefix.tokens) - known >= _WORTH_KEEPING:
                self._put_back(prefix)

    def _put_back(self, prefix: Prefix) -> bool:
        state = self._store.load(prefix)
        if state is None:
            return False
        self._known.add(prefix.tokens, state)
        return True
