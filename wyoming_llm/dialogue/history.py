"""History of each conversation: bounded, and forgotten after a silence."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from wyoming_common.net.fairness import owner
from wyoming_llm.engine import Message

_MAX_CONVERSATIONS: Final = 256


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    question: str
    answer: str
    tokens: int


@dataclass(slots=True)
class Conversation:
    """One conversation; its `instructions` stay those of its first turn with a person."""

    id: str
    instructions: str = ""
    speaker: str = ""
    """The person to whom the instructions introduce the model"""
    exchanges: list[Exchange] = field(default_factory=list)
    touched: float = 0.0

    def messages(self) -> tuple[Message, ...]:
        """Return the turns so far, instructions first."""
        turns = [Message("system", self.instructions)] if self.instructions else []
        for exchange in self.exchanges:
            turns.append(Message("user", exchange.question))
            turns.append(Message("assistant", exchange.answer))
        return tuple(turns)

    @property
    def questions(self) -> list[str]:
        """The words of the user so far, in order"""
        return [exchange.question for exchange in self.exchanges]

    def heard(self, text: str) -> None:
        """Cut the last answer to the part that was spoken before the user interrupted it."""
        if self.exchanges:
            last = self.exchanges[-1]
            answer = text.strip() or "…"
            if last.answer.startswith(answer) or len(answer) <= len(last.answer):
                self.exchanges[-1] = Exchange(last.question, answer, last.tokens)


class History:
    """The conversations of a service. Time is injected, in seconds."""

    def __init__(
        self, max_tokens: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_tokens = max_tokens
        self._seconds = seconds
        self._clock = clock
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()

    def limit(self, max_tokens: int) -> None:
        """Change how many tokens of earlier turns a conversation keeps."""
        self._max_tokens = max_tokens

    def open(self, name: str) -> Conversation:
        """Return the conversation `name` (see `fairness.owned`), a new one where it is unknown or
        was silent too long.

        Without a name it is new and not remembered.
        """
        self._expire()
        if not name:
            return Conversation("")
        conversation = self._conversations.setdefault(name, Conversation(name))
        self._conversations.move_to_end(name)
        conversation.touched = self._clock()
        if len(self._conversations) > _MAX_CONVERSATIONS:
            self._drop_one()
        return conversation

    def add(self, conversation: Conversation, exchange: Exchange) -> bool:
        """Remember an exchange. Returns whether older ones were dropped for it.

        Past the budget half of it is freed at once: as long as nothing is dropped, the next
        prompt begins with all that the model has read already.
        """
        conversation.exchanges.append(exchange)
        conversation.touched = self._clock()
        if self._tokens(conversation) <= self._max_tokens:
            return False
        while (
            len(conversation.exchanges) > 1 and self._tokens(conversation) > self._max_tokens // 2
        ):
            del conversation.exchanges[0]
        return True

    def __len__(self) -> int:
        self._expire()
        return len(self._conversations)

    def _drop_one(self) -> None:
        """Forget the oldest conversation of the client that has most."""
        counts = Counter(map(owner, self._conversations))
        most = max(counts.values())
        del self._conversations[
            next(name for name in self._conversations if counts[owner(name)] == most)
        ]

    def _tokens(self, conversation: Conversation) -> int:
        return sum(exchange.tokens for exchange in conversation.exchanges)

    def _expire(self) -> None:
        oldest = self._clock() - self._seconds
        for name in [n for n, known in self._conversations.items() if known.touched < oldest]:
            del self._conversations[name]


def estimate_tokens(text: str) -> int:
    """Return about how many tokens `text` takes: an estimate that is rather too high."""
    return len(text.encode()) // 3 + 8
