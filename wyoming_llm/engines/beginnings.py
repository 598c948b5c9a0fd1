"""Beginnings that many prompts share: kept in memory, and on disk for the next start."""

import hashlib
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from wyoming_llm.engines.kept import EVERYBODY, Kept, State
from wyoming_llm.engines.prefix_store import Prefix, PrefixStore

_WORTH_KEEPING: Final = 128
"""Tokens from which on a beginning is worth a file"""
_MOST_PLANNED: Final = 4
_MOST_RESTORED: Final = 3
_MOST_COUNTED: Final = 256
_TIMES: Final = 2
"""How often a client begins like this before it is worth a file"""
_SECONDS: Final = 60.0
"""Between two files of clients: a program that makes prompts must not wear out the disk."""


class Known(Protocol):
    """What has been read, in memory."""

    def longest(self, tokens: Sequence[int], client: str) -> int:
        """Return how many tokens of the beginning of `tokens` are known for `client`."""
        ...

    def keep(self, tokens: Sequence[int], client: str) -> Kept | None:
        """Keep `tokens`, as far as they can be reused; None where they are not known."""
        ...

    def add(self, tokens: Sequence[int], state: State, client: str) -> Kept:
        """Keep a state that was read before."""
        ...


class Beginnings:
    """Plans which beginnings are kept, keeps them when there is time, and finds them again.

    On disk are the service's own, and those that a client used again. Time is injected, in
    seconds.
    """

    def __init__(
        self, known: Known, store: PrefixStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._known = known
        self._store = store
        self._clock = clock
        self._planned: OrderedDict[tuple[str, tuple[int, ...]], None] = OrderedDict()
        self._times: OrderedDict[bytes, int] = OrderedDict()
        self._written = -_SECONDS

    def plan(self, tokens: Sequence[int], client: str) -> None:
        """Keep `tokens`, words of `client`, the next time there is time."""
        if len(tokens) < _WORTH_KEEPING:
            return
        self._count(tokens, client)
        self._planned[client, tuple(tokens)] = None
        while len(self._planned) > _MOST_PLANNED:
            self._planned.popitem(last=False)

    def settle(self) -> None:
        """Keep what was planned."""
        while self._planned:
            (client, tokens), _ = self._planned.popitem()
            kept = self._known.keep(tokens, client)
            if kept is not None and self._worth_a_file(kept, tokens):
                self._store.save(kept.tokens, kept.state, client)

    def restore(self, room: int) -> None:
        """Put back into memory what was used last, up to `room` tokens."""
        for prefix in self._store.newest(_MOST_RESTORED):
            if len(prefix.tokens) <= room and self._put_back(prefix):
                room -= len(prefix.tokens)

    def recall(self, tokens: Sequence[int], client: str) -> None:
        """Load from disk where that saves more reading than memory does."""
        prefix = self._store.best(tokens, client)
        if prefix is not None:
            known = self._known.longest(tokens, client)
            if len(prefix.tokens) - known >= _WORTH_KEEPING:
                self._put_back(prefix)

    def _count(self, tokens: Sequence[int], client: str) -> None:
        name = _name(tokens, client)
        self._times[name] = self._times.pop(name, 0) + 1
        while len(self._times) > _MOST_COUNTED:
            self._times.popitem(last=False)

    def _worth_a_file(self, kept: Kept, tokens: Sequence[int]) -> bool:
        if self._store.holds(kept.tokens, kept.client):
            return False
        if kept.client == EVERYBODY:
            return True
        now = self._clock()
        if (
            self._times.get(_name(tokens, kept.client), 0) < _TIMES
            or now - self._written < _SECONDS
        ):
            return False
        self._written = now
        return True

    def _put_back(self, prefix: Prefix) -> bool:
        state = self._store.load(prefix)
        if state is None:
            return False
        self._known.add(prefix.tokens, state, prefix.client)
        return True


def _name(tokens: Sequence[int], client: str) -> bytes:
    return hashlib.sha256(client.encode() + b" " + array("i", tokens).tobytes()).digest()
