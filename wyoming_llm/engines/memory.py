"""The model's memory of one sequence of tokens, and what it is used for."""

from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from wyoming_llm.engines.kept import State


class Memory(Protocol):
    """The model's memory of one sequence of tokens."""

    @property
    def size(self) -> int:
        """Tokens it can hold."""
        ...

    def cut(self, size: int) -> bool:
        """Forget all but the first `size` tokens; False where the model cannot do that."""
        ...

    def state(self) -> State:
        """Return what it holds."""
        ...

    def restore(self, state: State) -> bool:
        """Hold what `state` returned, while empty; False when it does not fit."""
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...


M = TypeVar("M", bound=Memory)


@dataclass(slots=True, eq=False)
class Slot(Generic[M]):
    """One memory, and the tokens that the model has read into it."""

    memory: M
    tokens: list[int] = field(default_factory=list)
    read: int = 0
    """How many of them were read, not generated"""
    client: str = ""
    """Whose words it holds"""
    owner: str = ""
    """Conversation it is pinned to"""
    busy: bool = False
    used: int = 0
