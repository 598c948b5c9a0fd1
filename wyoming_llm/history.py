"""What was said before, per conversation: bounded, and forgotten when nobody goes on."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from wyoming_common.turns import owner
from wyoming_llm.engine import Message

_MOST_CONVERSATIONS: Final = 256


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer."""

    question: str
    answer: str
    tokens: int


@dataclass(slots=True)
class Conversation:
    """One conversation; `instructions` are those that it began with."""

    id: str
    instructions: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    touched: float = 0.0

    def messages(self) -> tuple[Message, ...]:
        """Return the turns so far, instructions first."""
        turns = [Message("system", self.instructions)] if self.instructions else []
        for exchange in self.exchanges:
            turns.append(Message("user", exchange.question))
            turns.append(Message("assistant", exchange.answer))
        return tuple(turns)

    def heard(self, text: str) -> None:
        """Cut the last answer to what was heard of it before the user went on."""
        if self.exchanges:
            last = self.exchanges[-1]
            answer = text.strip() or "…"
            if last.answer.startswith(answer) or len(answer) <= len(last.answer):
                self.exchanges[-1] = Exchange(last.question, answer, last.tokens)


class History:
    """The conversations of a service. Time is injected, in seconds."""

    def __init__(
        self, most_tokens: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_tokens = most_tokens
        self._seconds = seconds
        self._clock = clock
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()

    def open(self, name: str) -> Conversation:
        """Return the conversation `name`, as `turns.owned` makes it; a new one when it is unknown
        or was silent too long.

        Without a name it is new and not remembered.
        """
        self._expire()
        if not name:
            return Conversation("")
        conversation = self._conversations.setdefault(name, Conversation(name))
        self._conversations.move_to_end(name)
        conversation.touched = self._clock()
        if len(self._conversations) > _MOST_CONVERSATIONS:
            self._drop_one()
        return conversation

    def add(self, conversation: Conversation, exchange: Exchange) -> bool:
        """Remember an exchange. Returns whether older ones were dropped for it.

        Past the budget half of it is freed at once: as long as nothing is dropped, the next
        prompt begins with all that the model has read already.
        """
        conversation.exchanges.append(exchange)
        conversation.touched = self._clock()
        if self._tokens(conversation) <= self._most_tokens:
            return False
        while (
            len(conversation.exchanges) > 1 and self._tokens(conversation) > self._most_tokens // 2
        ):
            del conversation.exchanges[0]
        return True

    def __len__(self) -> int:
        self._expire()
        return len(self._conversations)

    def _drop_one(self) -> None:
        """Forget the oldest of whoever has the most: many of one push out no other's."""
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
    """Return about how many tokens `text` takes: rather more than fewer."""
    return len(text.encode()) // 3 + 8
