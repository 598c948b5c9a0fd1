"""Prefix cache: KV cache states of earlier prompts, in memory and on disk, for the next ones.

Every lease has a context of its own, in which token n lies in cell n: sums over a context are
rounded in the order of its cells, so a reply is the same wherever its prompt came from.

A client gets only its own prefixes and the shared ones: the time to first token would otherwise
tell it what others have asked.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic

from wyoming_common.errors import Busy
from wyoming_llm.kv_cache.disk import Prefix, PrefixStore
from wyoming_llm.kv_cache.eviction import MIN_SAVED_TOKENS, EvictionPolicy, SavePolicy
from wyoming_llm.kv_cache.state import SHARED, C, Lease, Snapshot, State, common_prefix

_CONTEXT_TOKENS: Final = 256
"""Contexts come in multiples of this many tokens"""
_MARGIN_TOKENS: Final = 384
"""Growth of a conversation before its context has to grow"""
_FULL: Final = "the replies being generated fill the model's memory; see --context"
_MAX_SHARED_PREFIXES: Final = 8
_MAX_PINS: Final = 4
"""Prefixes that wait to be copied"""
_MAX_RESTORED: Final = 3
"""Prefixes loaded from disk at the start"""


class PrefixCache(Generic[C]):
    """Leases contexts that hold the longest known prefix of a prompt. Not thread-safe.

    At most `count` contexts, which together hold about `room` tokens, and as many again while
    replies are generated side by side. Evicted conversations and pinned prefixes are copied, up to
    half of `room` or one prompt. Tokens are read in groups of `grain`: part of a group is read
    again. Time is injected, in seconds.
    """

    def __init__(
        self,
        open_context: Callable[[int], C],
        store: PrefixStore,
        *,
        count: int,
        room: int,
        grain: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_context = open_context
        self._store = store
        self._count = count
        self._room = room
        self._grain = grain
        self._clock = clock
        self._policy = EvictionPolicy(room // 2, room)
        self._saving = SavePolicy()
        self._leases: list[Lease[C]] = []
        self._snapshots: list[Snapshot] = []
        self._shared: list[Sequence[int]] = []
        self._pins: OrderedDict[tuple[str, tuple[int, ...]], None] = OrderedDict()
        self._ticks = 0

    def acquire(
        self, tokens: Sequence[int], client: str = "", *, need: int = 0, conversation: str = ""
    ) -> Lease[C]:
        """Return a busy lease for `need` tokens that holds the longest prefix of `tokens` that
        `client` may get, from disk where that saves more reading.

        At least one token is left to read. Raises Busy when every context is in use, ModelError
        when there is no memory.
        """
        self._recall(tokens, client)
        need = max(need, len(tokens))
        best = max(
            self._sources(),
            key=lambda one: (self._reusable(one, tokens, client), one.is_free),
            default=None,
        )
        size = self._reusable(best, tokens, client) if best is not None else 0
        lease = self._choose(best, size, need, conversation)
        if best is not None and lease is not best and self._reusable(lease, tokens, client) < size:
            self._fill(lease, best, size)
        else:
            self._cut(lease, self._reusable(lease, tokens, client))
        lease.read = len(lease.tokens)
        lease.client, lease.conversation = client, conversation
        lease.busy, lease.used = True, self._tick()
        try:
            self.grow(lease, need)
        except Exception:
            lease.busy = False
            raise
        return lease

    def release(self, lease: Lease[C]) -> None:
        """End the use of `lease`; it keeps its tokens."""
        lease.busy = False

    def pin(self, tokens: Sequence[int], client: str) -> None:
        """Keep `tokens`, with which many prompts of `client` begin, from the next `settle` on.

        Those of SHARED are reused for every client from now on.
        """
        if client == SHARED:
            self._share(tokens)
        if len(tokens) < MIN_SAVED_TOKENS:
            return
        self._saving.count(tokens, client)
        self._pins[client, tuple(tokens)] = None
        while len(self._pins) > _MAX_PINS:
            self._pins.popitem(last=False)

    def settle(self) -> None:
        """Free memory, copy and save pinned prefixes, and have a context ready for a new client."""
        self._shrink()
        while self._pins:
            (client, tokens), _ = self._pins.popitem()
            snapshot = self._copy_prefix(tokens, client)
            if snapshot is None or self._store.holds(snapshot.tokens, client):
                continue
            if self._saving.is_worth_a_file(tokens, client, self._clock()):
                self._store.save(snapshot.tokens, snapshot.state, client)
        self._prepare()

    def restore(self, room: int) -> None:
        """Load from disk what was used last, up to `room` tokens, and have a context ready."""
        for prefix in self._store.newest(_MAX_RESTORED):
            if len(prefix.tokens) <= room and self._load(prefix):
                room -= len(prefix.tokens)
        self._prepare()

    def grow(self, lease: Lease[C], need: int) -> None:
        """Make `lease` hold `need` tokens. Raises Busy when replies fill the memory."""
        if lease.context.size >= need:
            return
        state = lease.context.state() if lease.tokens else b""
        others = self._taken() - lease.context.size
        roomy = self._rounded(need + _MARGIN_TOKENS)
        context = self._open(roomy if others + roomy <= self._room else self._rounded(need), lease)
        if state and not context.restore(state):
            self.clear(lease)
        lease.context.close()
        lease.context = context

    def clear(self, lease: Lease[C]) -> None:
        """Forget the tokens of `lease`."""
        lease.context.cut(0)
        lease.tokens.clear()
        lease.client, lease.conversation, lease.read = "", "", 0

    @property
    def held(self) -> int:
        """Tokens there is memory for at the moment, snapshots included."""
        return self._taken() + sum(snapshot.read for snapshot in self._snapshots)

    def close(self) -> None:
        """Free every context and snapshot; files stay."""
        for lease in self._leases:
            lease.context.close()
        self._leases.clear()
        self._snapshots.clear()

    def _sources(self) -> Iterator["Lease[C] | Snapshot"]:
        yield from self._leases
        yield from self._snapshots

    def _known(self, one: "Lease[C] | Snapshot", tokens: Sequence[int], client: str) -> int:
        """Return the length of the prefix of `tokens` that `one` holds and `client` may get."""
        known = common_prefix(one.tokens[: one.read], tokens)
        if not known or one.client in (client, SHARED):
            return known
        return min(known, max((common_prefix(it, tokens) for it in self._shared), default=0))

    def _reusable(self, one: "Lease[C] | Snapshot", tokens: Sequence[int], client: str) -> int:
        """Return how much of `tokens` need not be read again for the same result.

        A token computed alone differs in its last bits from one computed among others: generated
        tokens are read once more, in the groups in which they would have been read.
        """
        size = min(self._known(one, tokens, client), len(tokens) - 1)
        return max(0, size - size % self._grain)

    def _choose(
        self, best: "Lease[C] | Snapshot | None", size: int, need: int, conversation: str
    ) -> Lease[C]:
        idle = [lease for lease in self._leases if not lease.busy]
        if own := [one for one in idle if conversation and one.conversation == conversation]:
            return own[0]
        if isinstance(best, Lease) and best.is_free and 2 * size > len(best.tokens):
            return best
        if empty := [lease for lease in idle if not lease.tokens]:
            return empty[0]
        # While replies run side by side, room to grow is made when it is needed.
        size = self._rounded(need + _MARGIN_TOKENS if idle else need)
        if self._may_open(size, self._room if idle else 2 * self._room):
            lease = Lease(self._open(size))
            self._leases.append(lease)
            return lease
        victim = self._policy.lease_to_evict(idle)
        if victim is None:
            full = len(self._leases) < self._count
            running = f"{len(self._leases)} replies are being generated already"
            raise Busy(_FULL if full else running)
        self._copy_conversation(victim)
        return victim

    def _taken(self) -> int:
        return sum(lease.context.size for lease in self._leases)

    def _may_open(self, size: int, room: int) -> bool:
        taken = self._taken()
        return not taken or (len(self._leases) < self._count and taken + size <= room)

    def _open(self, size: int, besides: Lease[C] | None = None) -> C:
        """Return a new context; idle leases make room for it, the oldest first."""
        spared = besides.context.size if besides is not None else 0
        while self._taken() - spared + size > self._room and self._close_oldest(besides):
            pass
        if self._taken() - spared + size > 2 * self._room:
            raise Busy(_FULL)
        return self._open_context(size)

    def _close_oldest(self, besides: Lease[C] | None = None) -> bool:
        """Free the context that was used longest ago; False where all are in use."""
        oldest = self._policy.lease_to_close(it for it in self._leases if it is not besides)
        if oldest is None:
            return False
        self._copy_conversation(oldest)
        oldest.context.close()
        self._leases.remove(oldest)
        return True

    def _shrink(self) -> None:
        """Free what replies side by side took, as far as they have ended."""
        while self._taken() > self._room:
            if not self._close_oldest():
                return

    def _copy_conversation(self, lease: Lease[C]) -> None:
        """Copy what only `lease` knows of a conversation."""
        tokens = lease.tokens[: lease.read]
        others = (one for one in self._sources() if one is not lease)
        known = max((self._known(one, tokens, lease.client) for one in others), default=0)
        if not self._policy.is_worth_a_copy(lease, known):
            return
        if len(tokens) == len(lease.tokens) or lease.context.cut(len(tokens)):
            self._put(Snapshot(tokens, lease.context.state(), lease.client, lease.conversation))

    def _copy_prefix(self, tokens: Sequence[int], client: str) -> Snapshot | None:
        """Copy the prefix `tokens` of many prompts; None where it is not known as a whole."""
        size = len(tokens) - len(tokens) % self._grain
        wanted = list(tokens[:size])
        for known in self._snapshots:
            if known.pinned and known.client == client and list(known.tokens) == wanted:
                return known
        knowing = (it for it in self._sources() if self._known(it, wanted, client) == size)
        source = next(knowing, None)
        if source is None or not size:
            return None
        context = self._open_context(_whole(len(source.tokens)))
        try:
            fits = context.restore(_state(source))
            if not fits or (size < len(source.tokens) and not context.cut(size)):
                return None
            return self._put(Snapshot(wanted, context.state(), client, pinned=True))
        finally:
            context.close()

    def _put(self, snapshot: Snapshot) -> Snapshot:
        snapshot.used = self._tick()
        self._snapshots = self._policy.snapshots_after(self._snapshots, snapshot)
        return snapshot

    def _share(self, tokens: Sequence[int]) -> None:
        others = [known for known in self._shared if common_prefix(known, tokens) < len(known)]
        self._shared = [*others[1 - _MAX_SHARED_PREFIXES :], tuple(tokens)]

    def _recall(self, tokens: Sequence[int], client: str) -> None:
        """Load from disk where that saves more reading than memory does."""
        prefix = self._store.best(tokens, client)
        if prefix is None:
            return
        known = max((self._known(one, tokens, client) for one in self._sources()), default=0)
        if common_prefix(prefix.tokens, tokens) - known >= MIN_SAVED_TOKENS:
            self._load(prefix)

    def _load(self, prefix: Prefix) -> bool:
        state = self._store.load(prefix)
        if state is None:
            return False
        self._put(Snapshot(prefix.tokens, state, prefix.client, pinned=True))
        if prefix.client == SHARED:
            self._share(prefix.tokens)
        return True

    def _prepare(self) -> None:
        """Have a context hold the last pinned prefix, so that a new conversation waits for no copy.

        Not where that would evict the conversation that was used last. Without such a prefix it is
        an empty context, which takes a twentieth of a second to make.
        """
        pinned = (one for one in self._snapshots if one.pinned)
        newest = max(pinned, key=lambda one: one.used, default=None)
        idle = [lease for lease in self._leases if not lease.busy]
        if newest is None:
            size = self._rounded(2 * _MARGIN_TOKENS)
            if all(lease.tokens for lease in idle) and self._may_open(size, self._room):
                self._leases.append(Lease(self._open(size)))
            return
        ahead = [*newest.tokens, -1]
        need = len(ahead) + _MARGIN_TOKENS
        size = self._rounded(need + _MARGIN_TOKENS)
        client = newest.client
        if any(it.is_free and self._reusable(it, ahead, client) == newest.read for it in idle):
            return
        if len(idle) > 1 or self._may_open(size, self._room):
            self.release(self.acquire(ahead, client, need=need))

    def _fill(self, lease: Lease[C], source: "Lease[C] | Snapshot", size: int) -> None:
        """Copy the first `size` tokens of `source`."""
        self.clear(lease)
        state = _state(source)
        self.grow(lease, len(source.tokens))
        if not lease.context.restore(state):
            lease.context.cut(0)
            if isinstance(source, Snapshot):
                self._snapshots = [one for one in self._snapshots if one is not source]
            return
        lease.tokens = list(source.tokens)
        source.used = self._tick()
        self._cut(lease, size)

    def _cut(self, lease: Lease[C], size: int) -> None:
        if size < len(lease.tokens):
            if not lease.context.cut(size):
                # Recurrent models keep one state a sequence, which cannot be wound back.
                lease.context.cut(0)
                size = 0
            del lease.tokens[size:]

    def _rounded(self, wanted: int) -> int:
        """Return the size of a context for `wanted` tokens; no prompt needs more than the room."""
        return min(_whole(wanted), _whole(self._room))

    def _tick(self) -> int:
        self._ticks += 1
        return self._ticks


def _state(source: "Lease[C] | Snapshot") -> State:
    return source.state if isinstance(source, Snapshot) else source.context.state()


def _whole(size: int) -> int:
    return -(-size // _CONTEXT_TOKENS) * _CONTEXT_TOKENS
