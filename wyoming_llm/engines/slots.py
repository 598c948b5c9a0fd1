"""Which part of the context memory holds what: prompts that were read are read only once.

Every slot is one sequence of the model's memory. A new prompt goes on from the slot that shares
its longest beginning: its own conversation's, or a copy of another's, which costs no memory
because the sequences share cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, Protocol

from wyoming_common.errors import Busy

TAIL: Final = 8
"""Tokens at the end of a prompt that are always read"""


class SequenceMemory(Protocol):
    """The model's memory of sequences, by number."""

    def copy(self, source: int, target: int, size: int) -> bool:
        """Make `target`, which is empty, hold the first `size` tokens of `source` too."""
        ...

    def cut(self, sequence: int, size: int) -> bool:
        """Forget all but the first `size` tokens; False where the model cannot do that."""
        ...


@dataclass(slots=True)
class Slot:
    """One sequence, and the tokens that the model has read into it."""

    number: int
    tokens: list[int] = field(default_factory=list)
    read: int = 0
    """How many of them were read, not generated"""
    owner: str = ""
    """Conversation it is pinned to"""
    stable: bool = False
    """Holds the beginning of many prompts; given up last."""
    busy: bool = False
    used: int = 0


class Slots:
    """Hands out slots. Not thread-safe."""

    def __init__(self, count: int, memory: SequenceMemory) -> None:
        self._memory = memory
        self._slots = [Slot(number) for number in range(count)]
        self._clock = 0

    def take(self, tokens: Sequence[int], owner: str = "") -> Slot:
        """Return a busy slot whose tokens are the longest known beginning of `tokens`.

        At least the last tokens are left to read. Raises Busy when every slot is in use.
        """
        best = max(self._slots, key=lambda slot: (self._shared(slot, tokens), not slot.busy))
        size = self._shared(best, tokens)
        mine = self._choose(best, size, owner)
        if mine is not best and self._shared(mine, tokens) < size:
            self.clear(mine)
            if self._memory.copy(best.number, mine.number, size):
                mine.tokens = list(tokens[:size])
        else:
            self._cut(mine, self._shared(mine, tokens))
        mine.read = len(mine.tokens)
        self._clock += 1
        mine.owner, mine.busy, mine.stable, mine.used = owner, True, False, self._clock
        return mine

    def give_back(self, slot: Slot) -> None:
        """Say that nothing reads into `slot` any more; it keeps what it holds."""
        slot.busy = False

    def longest(self, tokens: Sequence[int]) -> int:
        """Return how many tokens of the beginning of `tokens` are known."""
        return max(common(slot.tokens[: slot.read], tokens) for slot in self._slots)

    def drop_oldest(self) -> bool:
        """Forget the idle slot that was not used for longest; False when there is none."""
        idle = [slot for slot in self._slots if not slot.busy and slot.tokens]
        if not idle:
            return False
        self.clear(min(idle, key=lambda slot: (slot.stable, slot.used)))
        return True

    def clear(self, slot: Slot) -> None:
        """Forget everything in `slot`."""
        self._memory.cut(slot.number, 0)
        slot.tokens.clear()
        slot.owner, slot.stable, slot.read = "", False, 0

    def _shared(self, slot: Slot, tokens: Sequence[int]) -> int:
        """Return how much of `tokens` need not be read again for the same result.

        A token computed alone differs in its last bits from one computed among others: what was
        generated is read once more, and a prompt never ends in a lone token.
        """
        return max(0, min(common(slot.tokens[: slot.read], tokens), len(tokens) - TAIL))

    def _choose(self, best: Slot, size: int, owner: str) -> Slot:
        idle = [slot for slot in self._slots if not slot.busy]
        if not idle:
            raise Busy(f"{len(self._slots)} replies are being generated already")
        if owner and (own := [slot for slot in idle if slot.owner == owner]):
            return own[0]
        if not best.busy and not best.stable and not best.owner and 2 * size > len(best.tokens):
            return best
        return min(idle, key=lambda slot: (bool(slot.tokens), slot.stable, slot.used))

    def _cut(self, slot: Slot, size: int) -> None:
        if size < len(slot.tokens):
            if not self._memory.cut(slot.number, size):
                # Recurrent models keep one state a sequence, which cannot be wound back.
                self._memory.cut(slot.number, 0)
                size = 0
            del slot.tokens[size:]


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the length of the longest beginning that both share."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    )
