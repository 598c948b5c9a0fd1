"""Eviction policy of the prefix cache: pure decisions about what is given up, and what is saved."""

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wyoming_llm.kv_cache.state import SHARED, C, Lease, Snapshot

_MIN_COPIED_TOKENS: Final = 32
"""Tokens known nowhere else, from which on they are copied before they are overwritten"""
_MIN_COPIED_SHARE: Final = 4
"""A copy holds the whole prompt: one of this many of its tokens must be known nowhere else"""
MIN_SAVED_TOKENS: Final = 128
"""Tokens from which on a prefix is worth a file"""
_MIN_REPETITIONS: Final = 2
"""A client's prefix is worth a file when it has come so often"""
_MIN_SECONDS_BETWEEN_FILES: Final = 60.0
"""Between two files of clients: a program that makes prompts must not wear out the disk."""
_MAX_COUNTED: Final = 256


@dataclass(frozen=True, slots=True)
class EvictionPolicy:
    """Decides by value and age; holds no state.

    Snapshots take `room` tokens together, or one of them up to `largest`.
    """

    room: int
    largest: int

    def snapshots_after(self, snapshots: Sequence[Snapshot], new: Snapshot) -> list[Snapshot]:
        """Return the snapshots to keep once `new` is added.

        The oldest go first, pinned ones after the others, and shared ones last. Of a conversation
        only the latest is kept.
        """
        kept = [
            one for one in snapshots if not new.conversation or one.conversation != new.conversation
        ]
        while kept and sum(one.read for one in kept) + new.read > self.room:
            kept.remove(min(kept, key=_value))
        return [*kept, new] if new.read <= self.largest else kept

    def lease_to_evict(self, leases: Iterable[Lease[C]]) -> Lease[C] | None:
        """Return the idle lease whose context a new prompt overwrites, None where all are busy."""
        idle = [lease for lease in leases if not lease.busy]
        return min(idle, key=lambda lease: (bool(lease.conversation), lease.used), default=None)

    def lease_to_close(self, leases: Iterable[Lease[C]]) -> Lease[C] | None:
        """Return the idle lease that frees memory, None where all are busy."""
        idle = (lease for lease in leases if not lease.busy)
        return min(idle, key=lambda lease: lease.used, default=None)

    def is_worth_a_copy(self, lease: Lease[Any], known_elsewhere: int) -> bool:
        """Return whether `lease` is copied before it is overwritten."""
        least = max(_MIN_COPIED_TOKENS, lease.read // _MIN_COPIED_SHARE)
        return bool(lease.conversation) and lease.read - known_elsewhere >= least


class SavePolicy:
    """Decides which pinned prefixes get a file: shared ones, and recurring ones of clients."""

    def __init__(self) -> None:
        self._times: OrderedDict[bytes, int] = OrderedDict()
        self._saved_at = -_MIN_SECONDS_BETWEEN_FILES

    def count(self, tokens: Sequence[int], client: str) -> None:
        """Note that a prompt of `client` begins with `tokens`."""
        name = _digest(tokens, client)
        self._times[name] = self._times.pop(name, 0) + 1
        while len(self._times) > _MAX_COUNTED:
            self._times.popitem(last=False)

    def is_worth_a_file(self, tokens: Sequence[int], client: str, now: float) -> bool:
        """Return whether to save `tokens` at `now`, in seconds; a file is assumed to follow."""
        if client == SHARED:
            return True
        recurs = self._times.get(_digest(tokens, client), 0) >= _MIN_REPETITIONS
        if not recurs or now - self._saved_at < _MIN_SECONDS_BETWEEN_FILES:
            return False
        self._saved_at = now
        return True


def _value(snapshot: Snapshot) -> tuple[bool, bool, int]:
    return snapshot.pinned and snapshot.client == SHARED, snapshot.pinned, snapshot.used


def _digest(tokens: Sequence[int], client: str) -> bytes:
    return hashlib.sha256(client.encode() + b" " + array("i", tokens).tobytes()).digest()
