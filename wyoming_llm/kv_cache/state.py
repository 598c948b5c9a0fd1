"""KV cache states: in contexts of the model, leased to replies, and in snapshots outside of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, Generic, Protocol, TypeVar

SHARED: Final = "*"
"""Client of the service's own prefixes, which are reused for every client. No address is "*"."""
State = bytes | bytearray


class Context(Protocol):
    """The model's KV cache of one sequence of tokens."""

    @property
    def size(self) -> int:
        """Tokens it can hold."""
        ...

    def cut(self, size: int) -> bool:
        """Forget all but the first `size` tokens; False where the model cannot do that."""
        ...

    def state(self) -> State:
        """Return a copy of the content."""
        ...

    def restore(self, state: State) -> bool:
        """Load what `state` returned into an empty context; False when it does not fit."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


C = TypeVar("C", bound=Context)


@dataclass(slots=True, eq=False)
class Lease(Generic[C]):
    """One context, and the tokens that the model has read into it. A reply holds it while busy."""

    context: C
    tokens: list[int] = field(default_factory=list)
    read: int = 0
    """Number of the first tokens that were read, not generated"""
    client: str = ""
    """Client whose tokens it holds"""
    conversation: str = ""
    """Conversation it is pinned to, "" for none"""
    busy: bool = False
    used: int = 0
    """Time of the last use, in ticks of the cache"""

    @property
    def is_free(self) -> bool:
        """Whether it can be read into without a copy."""
        return not self.busy and not self.conversation


@dataclass(slots=True, eq=False)
class Snapshot:
    """A state that was copied out of a context."""

    tokens: Sequence[int]
    state: State
    client: str
    """Client whose tokens it holds"""
    conversation: str = ""
    pinned: bool = False
    """Whether many prompts begin with it"""
    used: int = 0

    @property
    def read(self) -> int:
        return len(self.tokens)

    @property
    def is_free(self) -> bool:
        return False


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the length of the longest prefix that both share."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    )
