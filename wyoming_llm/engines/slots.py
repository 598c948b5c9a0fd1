"""Which conversation is in which memory of the model, and what is known of a prompt already.

Every slot has a memory of its own, in which token n lies in place n: sums over a memory are
rounded in the order of its places, so an answer is the same wherever its prompt came from.

Of what one client's prompts made the model read, another's may reuse what is everybody's alone:
how long it waits would tell it what the other has asked.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic

from wyoming_common.errors import Busy
from wyoming_llm.engines.kept import EVERYBODY, Kept, Shelf, State, common
from wyoming_llm.engines.memory import M, Slot

_PLACES: Final = 256
"""Memories come in multiples of this many tokens"""
_MARGIN: Final = 384
"""Tokens a conversation can grow by before its memory has to"""
_FULL: Final = "the replies being generated fill the model's memory; see --context"
_WORTH_KEEPING: Final = 32
"""Tokens known nowhere else, from which on they are copied before they are overwritten"""
_WORTH_SHARE: Final = 4
"""A copy holds the whole prompt: one of this many of its tokens must be known nowhere else"""
_MOST_OF_EVERYBODY: Final = 8


class Slots(Generic[M]):
    """Hands out slots. Not thread-safe.

    At most `count` of them, which together hold about `room` tokens, and as many again while
    replies are generated side by side. What they have to give up is kept, up to half of `room`
    or what one prompt took.
    Tokens are read in groups of `grain`: part of a group is read again.
    """

    def __init__(self, open_memory: Callable[[int], M], count: int, room: int, grain: int) -> None:
        self._open_memory = open_memory
        self._count = count
        self._room = room
        self._grain = grain
        self._slots: list[Slot[M]] = []
        self._kept = Shelf(room // 2, room)
        self._shares: list[Sequence[int]] = []
        self._clock = 0

    def take(self, tokens: Sequence[int], need: int, owner: str = "", client: str = "") -> Slot[M]:
        """Return a busy slot for `need` tokens that holds the longest beginning of `tokens` that
        `client` may know.

        At least one token is left to read. Raises Busy when every slot is in use, ModelError
        when there is no memory.
        """
        best = max(
            self._sources(),
            key=lambda one: (self._shared(one, tokens, client), _free(one)),
            default=None,
        )
        size = self._shared(best, tokens, client) if best is not None else 0
        mine = self._choose(best, size, need, owner)
        if best is not None and mine is not best and self._shared(mine, tokens, client) < size:
            self._fill(mine, best, size)
        else:
            self._cut(mine, self._shared(mine, tokens, client))
        mine.read = len(mine.tokens)
        mine.client, mine.owner, mine.busy, mine.used = client, owner, True, self._tick()
        try:
            self.grow(mine, need)
        except Exception:
            mine.busy = False
            raise
        return mine

    def give_back(self, slot: Slot[M]) -> None:
        """Say that nothing reads into `slot` any more; it keeps what it holds."""
        slot.busy = False

    @property
    def held(self) -> int:
        """Tokens there is memory for at the moment, copies included."""
        return self._taken() + sum(kept.read for kept in self._kept)

    def share(self, tokens: Sequence[int]) -> None:
        """Let everybody reuse `tokens`, which hold nobody's words."""
        others = [known for known in self._shares if common(known, tokens) < len(known)]
        self._shares = [*others[1 - _MOST_OF_EVERYBODY :], tuple(tokens)]

    def longest(self, tokens: Sequence[int], client: str = "") -> int:
        """Return how many tokens of the beginning of `tokens` are known for `client`."""
        return max((self._known(one, tokens, client) for one in self._sources()), default=0)

    def grow(self, slot: Slot[M], need: int) -> None:
        """Make `slot` hold `need` tokens. Raises Busy when replies fill the memory."""
        if slot.memory.size >= need:
            return
        state = slot.memory.state() if slot.tokens else b""
        others = self._taken() - slot.memory.size
        roomy = self._rounded(need + _MARGIN)
        memory = self._open(roomy if others + roomy <= self._room else self._rounded(need), slot)
        if state and not memory.restore(state):
            self.clear(slot)
        slot.memory.close()
        slot.memory = memory

    def clear(self, slot: Slot[M]) -> None:
        """Forget everything in `slot`."""
        slot.memory.cut(0)
        slot.tokens.clear()
        slot.client, slot.owner, slot.read = "", "", 0

    def keep(self, tokens: Sequence[int], client: str) -> Kept | None:
        """Keep the beginning `tokens` of many prompts; None where it is not known as a whole."""
        size = len(tokens) - len(tokens) % self._grain
        wanted = list(tokens[:size])
        if (known := self._kept.find(wanted, client)) is not None:
            return known
        knowing = (s for s in self._sources() if self._known(s, wanted, client) == size)
        source = next(knowing, None)
        if source is None or not size:
            return None
        memory = self._open_memory(_whole(len(source.tokens)))
        try:
            fits = memory.restore(_state(source))
            if not fits or (size < len(source.tokens) and not memory.cut(size)):
                return None
            return self.add(wanted, memory.state(), client)
        finally:
            memory.close()

    def add(self, tokens: Sequence[int], state: State, client: str) -> Kept:
        """Keep the `state` of a beginning of many prompts."""
        kept = Kept(tokens, state, client, stable=True, used=self._tick())
        self._kept.put(kept)
        if client == EVERYBODY:
            self.share(tokens)
        return kept

    def shrink(self) -> None:
        """Give back what replies side by side took, as far as they have ended."""
        while self._taken() > self._room:
            if not self._close_oldest():
                return

    def prepare(self) -> None:
        """Have a slot hold the last stable beginning, so that a new conversation waits for no copy.

        Not where that would push out the conversation that was talked to last.
        """
        newest = self._kept.newest()
        if newest is None:
            return
        ahead = [*newest.tokens, -1]
        need = len(ahead) + _MARGIN
        size = self._rounded(need + _MARGIN)
        idle = [slot for slot in self._slots if not slot.busy]
        client = newest.client
        if any(not s.owner and self._shared(s, ahead, client) == newest.read for s in idle):
            return
        if len(idle) > 1 or self._may_open(size, self._room):
            self.give_back(self.take(ahead, need, client=client))

    def close(self) -> None:
        """Give every memory back."""
        for slot in self._slots:
            slot.memory.close()
        self._slots.clear()
        self._kept.clear()

    def _sources(self) -> Iterator["Slot[M] | Kept"]:
        """Everything that knows tokens."""
        yield from self._slots
        yield from self._kept

    def _known(self, one: "Slot[M] | Kept", tokens: Sequence[int], client: str) -> int:
        """Return how many tokens of the beginning of `tokens` are in `one`, and for `client`."""
        known = common(one.tokens[: one.read], tokens)
        if not known or one.client in (client, EVERYBODY):
            return known
        return min(known, max((common(share, tokens) for share in self._shares), default=0))

    def _shared(self, one: "Slot[M] | Kept", tokens: Sequence[int], client: str) -> int:
        """Return how much of `tokens` need not be read again for the same result.

        A token computed alone differs in its last bits from one computed among others: what was
        generated is read once more, in the groups in which it would have been read.
        """
        size = min(self._known(one, tokens, client), len(tokens) - 1)
        return max(0, size - size % self._grain)

    def _choose(self, best: "Slot[M] | Kept | None", size: int, need: int, owner: str) -> Slot[M]:
        idle = [slot for slot in self._slots if not slot.busy]
        if own := [slot for slot in idle if owner and slot.owner == owner]:
            return own[0]
        if isinstance(best, Slot) and _free(best) and 2 * size > len(best.tokens):
            return best
        if empty := [slot for slot in idle if not slot.tokens]:
            return empty[0]
        # Where replies stand side by side, room to grow is made when it is needed.
        size = self._rounded(need + _MARGIN if idle else need)
        if self._may_open(size, self._room if idle else 2 * self._room):
            slot = Slot(self._open(size))
            self._slots.append(slot)
            return slot
        if not idle:
            if len(self._slots) < self._count:
                raise Busy(_FULL)
            raise Busy(f"{len(self._slots)} replies are being generated already")
        victim = min(idle, key=lambda slot: (bool(slot.owner), slot.used))
        self._save(victim)
        return victim

    def _taken(self) -> int:
        return sum(slot.memory.size for slot in self._slots)

    def _may_open(self, size: int, room: int) -> bool:
        held = self._taken()
        return not held or (len(self._slots) < self._count and held + size <= room)

    def _open(self, size: int, besides: Slot[M] | None = None) -> M:
        """Return a new memory; idle slots make room for it, those used longest ago."""
        kept = besides.memory.size if besides is not None else 0
        while self._taken() - kept + size > self._room and self._close_oldest(besides):
            pass
        if self._taken() - kept + size > 2 * self._room:
            raise Busy(_FULL)
        return self._open_memory(size)

    def _close_oldest(self, besides: Slot[M] | None = None) -> bool:
        """Give back the memory that was used longest ago; False where all are in use."""
        idle = [slot for slot in self._slots if not slot.busy and slot is not besides]
        if not idle:
            return False
        oldest = min(idle, key=lambda slot: slot.used)
        self._save(oldest)
        oldest.memory.close()
        self._slots.remove(oldest)
        return True

    def _save(self, slot: Slot[M]) -> None:
        """Keep what only `slot` knows of a conversation."""
        tokens = slot.tokens[: slot.read]
        others = (one for one in self._sources() if one is not slot)
        known = max((self._known(one, tokens, slot.client) for one in others), default=0)
        worth = max(_WORTH_KEEPING, len(tokens) // _WORTH_SHARE)
        if not slot.owner or len(tokens) - known < worth:
            return
        if len(tokens) == len(slot.tokens) or slot.memory.cut(len(tokens)):
            state = slot.memory.state()
            self._kept.put(Kept(tokens, state, slot.client, slot.owner, used=self._tick()))

    def _fill(self, slot: Slot[M], source: "Slot[M] | Kept", size: int) -> None:
        """Copy the first `size` tokens that `source` knows."""
        self.clear(slot)
        state = _state(source)
        self.grow(slot, len(source.tokens))
        if not slot.memory.restore(state):
            slot.memory.cut(0)
            if isinstance(source, Kept):
                self._kept.drop(source)
            return
        slot.tokens = list(source.tokens)
        source.used = self._tick()
        self._cut(slot, size)

    def _cut(self, slot: Slot[M], size: int) -> None:
        if size < len(slot.tokens):
            if not slot.memory.cut(size):
                # Recurrent models keep one state a sequence, which cannot be wound back.
                slot.memory.cut(0)
                size = 0
            del slot.tokens[size:]

    def _rounded(self, wanted: int) -> int:
        """Return the size of a memory for `wanted` tokens; no prompt needs more than the room."""
        return min(_whole(wanted), _whole(self._room))

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


def _state(source: "Slot[M] | Kept") -> State:
    return source.state if isinstance(source, Kept) else source.memory.state()


def _free(one: "Slot[M] | Kept") -> bool:
    """Whether it can be read into without a copy."""
    return isinstance(one, Slot) and not one.busy and not one.owner


def _whole(size: int) -> int:
    return -(-size // _PLACES) * _PLACES
