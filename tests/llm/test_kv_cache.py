"""The prefix cache gives a prompt its own tokens, a client its own prefixes, within bounds."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.errors import Busy
from wyoming_llm.kv_cache.cache import PrefixCache
from wyoming_llm.kv_cache.disk import PrefixStore
from wyoming_llm.kv_cache.eviction import MIN_SAVED_TOKENS, EvictionPolicy
from wyoming_llm.kv_cache.state import SHARED, Lease, Snapshot, State, common_prefix

GRAIN = 2
LONG = [number % 250 for number in range(MIN_SAVED_TOKENS)]
"""A prefix that is worth pinning; tokens are bytes here"""


class FakeContext:
    """A context that is a list; the bookkeeping of the cache is held against it."""

    def __init__(self, size: int, *, rewinds: bool = True) -> None:
        self.held: list[int] = []
        self.size = size
        self.rewinds = rewinds
        self.closed = False

    def cut(self, size: int) -> bool:
        if size and not self.rewinds:
            return False
        del self.held[size:]
        return True

    def state(self) -> bytes:
        assert not self.closed
        return bytes(self.held)

    def restore(self, state: State) -> bool:
        assert not self.held
        assert len(state) <= self.size
        self.held = list(state)
        return True

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class Machine:
    """A cache, every context that it opened, and its clock."""

    def __init__(
        self,
        folder: Path,
        count: int = 3,
        room: int = 4096,
        *,
        rewinds: bool = True,
        kind: type[FakeContext] = FakeContext,
    ) -> None:
        self.folder = folder
        self.kind = kind
        self.contexts: list[FakeContext] = []
        self.rewinds = rewinds
        self.now = 0.0
        self.cache: PrefixCache[FakeContext] = PrefixCache(
            self.open,
            PrefixStore(folder, "model", 10**6),
            count=count,
            room=room,
            grain=GRAIN,
            clock=lambda: self.now,
        )

    def open(self, size: int) -> FakeContext:
        self.contexts.append(self.kind(size, rewinds=self.rewinds))
        return self.contexts[-1]

    def open_tokens(self) -> int:
        return sum(context.size for context in self.contexts if not context.closed)

    def files(self) -> int:
        return len(list(self.folder.glob("*.kv")))

    def acquire(
        self, tokens: Sequence[int], conversation: str = "", client: str = ""
    ) -> Lease[FakeContext]:
        lease = self.cache.acquire(tokens, client, conversation=conversation)
        assert lease.context.held == lease.tokens == list(tokens[: len(lease.tokens)])
        assert lease.context.size >= len(tokens)
        assert len(lease.tokens) < max(1, len(tokens))
        return lease

    def read(self, tokens: Sequence[int], conversation: str = "", client: str = "") -> int:
        """Read a prompt as an engine does; returns how many tokens were in the cache."""
        lease = self.acquire(tokens, conversation, client)
        known = len(lease.tokens)
        fill(lease, tokens)
        self.cache.release(lease)
        return known

    def begin(self, tokens: Sequence[int], client: str) -> None:
        """Read a prompt that begins with `tokens`, pin that, and be idle for an hour."""
        self.read([*tokens, 0], client=client)
        self.cache.pin(tokens, client)
        self.cache.settle()
        self.now += 3600


def fill(lease: Lease[FakeContext], tokens: Sequence[int]) -> None:
    lease.context.held = list(tokens)
    lease.tokens = list(tokens)
    lease.read = len(tokens)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.cache.close()
    assert all(context.closed for context in machine.contexts)


class Story:
    """Actions of several clients, and the prompts that each of them may find in the cache."""

    def __init__(self, machine: Machine, count: int) -> None:
        self.machine = machine
        self.count = count
        self.busy: list[Lease[FakeContext]] = []
        self.own: dict[str, list[list[int]]] = {"": [], "x": [], "y": []}

    def read(self, tokens: list[int], conversation: str, client: str) -> None:
        known = self.machine.read(tokens, conversation, client)
        told = max((common_prefix(tokens, own) for own in self.own[client]), default=0)
        assert known <= min(told, len(tokens) - 1)
        self.own[client].append(tokens)

    def pin(self, tokens: list[int], _conversation: str, client: str) -> None:
        self.machine.cache.pin(tokens, client)

    def share(self, tokens: list[int], _conversation: str, _client: str) -> None:
        self.machine.cache.pin(tokens[:4], SHARED)
        for own in self.own.values():
            own.append(tokens[:4])

    def settle(self, _tokens: list[int], _conversation: str, _client: str) -> None:
        self.machine.cache.settle()
        assert self.busy or self.machine.open_tokens() <= 512

    def stay(self, tokens: list[int], conversation: str, client: str) -> None:
        if len(self.busy) < self.count - 1:
            self.busy.append(self.machine.acquire(tokens, conversation, client))
            fill(self.busy[-1], tokens)
            self.own[client].append(tokens)


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 2), min_size=1, max_size=8),
            st.sampled_from(["", "a", "b", "c"]),
            st.sampled_from(["read", "pin", "share", "settle", "stay"]),
            st.sampled_from(["", "x", "y"]),
        ),
        max_size=30,
    ),
    st.integers(1, 4),
    st.booleans(),
    st.integers(0, 200),
)
def test_the_cache_holds_what_it_says_for_whom_it_says_within_its_bounds(
    actions: list[tuple[list[int], str, str, str]], count: int, rewinds: bool, length: int
) -> None:
    with TemporaryDirectory() as folder:
        machine = Machine(Path(folder), count, 512, rewinds=rewinds)
        story = Story(machine, count)
        for short, name, action, client in actions:
            conversation = f"{client}/{name}" if name else ""
            with suppress(Busy) if story.busy else nullcontext():
                getattr(story, action)([*short, *[9] * length], conversation, client)
            assert machine.open_tokens() <= 2 * 512
            assert machine.cache.held <= 2 * 512 + 512
        machine.cache.close()

    assert all(context.closed for context in machine.contexts)


def test_a_conversation_goes_on_where_it_was(machine: Machine) -> None:
    machine.read([1, 2, 3, 4], "a")
    machine.read([1, 2, 9, 9], "b")

    assert machine.read([1, 2, 3, 4, 5], "a") == 4


def test_a_new_conversation_begins_with_a_copy_of_another_s_prefix(machine: Machine) -> None:
    machine.read([1, 2, 3, 4], "a")

    assert machine.read([1, 2, 7, 7], "b") == 2
    assert machine.read([1, 2, 3, 4, 5], "a") == 4


def test_the_tokens_of_a_busy_lease_are_reused_too(machine: Machine) -> None:
    fill(machine.acquire([1, 2, 3, 4], "a"), [1, 2, 3, 4])

    assert machine.read([1, 2, 3, 4, 5], "b") == 4


def test_the_same_prompt_again_leaves_its_last_group_to_read(machine: Machine) -> None:
    machine.read([1, 2, 3, 4])

    assert machine.read([1, 2, 3, 4]) == 2


def test_a_group_that_was_cut_short_is_read_again(machine: Machine) -> None:
    machine.read([1, 2, 3], "a")

    assert machine.read([1, 2, 3, 4, 5], "a") == 2


def test_generated_tokens_are_read_once_more(machine: Machine) -> None:
    machine.read([1, 2, 3, 4], "a")
    lease = machine.acquire([1, 2, 3, 4, 5], "a")
    lease.context.held += [5, 6]
    lease.tokens += [5, 6]
    machine.cache.release(lease)

    assert machine.read([1, 2, 3, 4, 5, 6, 7], "a") == 4


def test_an_evicted_conversation_comes_back_from_its_copy(tmp_path: Path) -> None:
    machine = Machine(tmp_path, count=1)
    machine.read(LONG[:80], "a")
    machine.read([7, 7, 7, 7], "b")

    assert machine.read([*LONG[:80], 1], "a") == 80


def test_no_context_is_leased_twice(tmp_path: Path) -> None:
    machine = Machine(tmp_path, count=2)
    machine.acquire([1, 2])
    machine.acquire([1, 2])

    with pytest.raises(Busy):
        machine.acquire([1, 2])


def test_replies_that_fill_the_memory_leave_no_room_for_one_more(tmp_path: Path) -> None:
    machine = Machine(tmp_path, count=9, room=512)
    machine.acquire([1] * 300)
    machine.acquire([2] * 300)

    with pytest.raises(Busy, match="memory"):
        machine.acquire([3])


def test_a_lease_that_grows_keeps_its_tokens(machine: Machine) -> None:
    machine.read([1, 2, 3, 4], "a")
    lease = machine.acquire([1, 2, 3, 4, 5], "a")

    machine.cache.grow(lease, 2000)

    assert lease.context.held == [1, 2, 3, 4]
    assert lease.context.size >= 2000
    assert machine.open_tokens() == lease.context.size


def test_memory_of_replies_side_by_side_is_given_back(tmp_path: Path) -> None:
    machine = Machine(tmp_path, count=9, room=512)
    leases = [machine.acquire([number] * 200) for number in range(4)]
    for lease in leases:
        machine.cache.release(lease)

    machine.cache.settle()

    assert machine.open_tokens() <= 512


def test_a_pinned_prefix_is_evicted_last(tmp_path: Path) -> None:
    machine = Machine(tmp_path, count=1, room=512)
    machine.begin(LONG, "a")

    for number in range(10, 20):
        machine.read([number] * 100, str(number), "a")

    assert machine.read([*LONG, 1], client="a") == len(LONG)


def test_a_new_conversation_finds_a_context_that_holds_the_pinned_prefix(machine: Machine) -> None:
    machine.begin(LONG, SHARED)
    machine.read([*LONG, 5], "a", "a")
    machine.cache.settle()
    opened = len(machine.contexts)

    lease = machine.acquire([*LONG, 6], "b", "b")

    assert lease.tokens == LONG
    assert len(machine.contexts) == opened


def test_a_new_conversation_finds_an_empty_context_where_no_prefix_is_pinned(
    machine: Machine,
) -> None:
    machine.read([1, 2, 3, 4], "a", "a")
    machine.cache.settle()
    opened = len(machine.contexts)

    machine.read([5, 6, 7, 8], "b", "b")

    assert opened == 2
    assert len(machine.contexts) == opened


def test_a_copy_that_knows_little_more_than_others_is_not_made(tmp_path: Path) -> None:
    machine = Machine(tmp_path, count=1)
    prefix = LONG * 3
    machine.begin(prefix, "")

    for number in range(20):
        machine.read([*prefix, *[number] * 40], str(number))

    assert machine.read([*prefix, *[3] * 40]) == len(prefix)


@pytest.mark.parametrize("pinned", [False, True])
def test_the_tokens_of_one_client_are_not_reused_for_another(
    machine: Machine, pinned: bool
) -> None:
    machine.begin(LONG, "a") if pinned else machine.read([*LONG, 0], client="a")

    assert machine.read([*LONG, 5], client="b") == 0
    assert machine.read([*LONG, 5], client="a") == len(LONG)


def test_a_client_gets_only_the_shared_prefix_of_another_s_prompt(machine: Machine) -> None:
    machine.read([1, 2], client=SHARED)
    machine.cache.pin([1, 2], SHARED)
    machine.read([1, 2, 3, 4], "a/1", "a")
    machine.read([1, 2, 3, 4], "b/1", "b")

    assert machine.read([1, 2, 3, 4, 5, 6], "c/1", "c") == 2


def test_many_prefixes_of_clients_do_not_evict_the_shared_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path, count=1, room=512)
    machine.begin(LONG, SHARED)

    for number in range(2, 20):
        machine.begin([number] * MIN_SAVED_TOKENS, "a")

    assert machine.read([*LONG, 1], client="b") == len(LONG)


def test_a_state_that_does_not_fit_is_dropped(machine: Machine) -> None:
    for _ in range(2):
        machine.begin(LONG, "a")
    again = Machine(machine.folder, kind=Refusing)

    assert again.read([*LONG, 1], client="a") == 0


class Refusing(FakeContext):
    """A context that takes no state."""

    def restore(self, state: State) -> bool:
        return False


def test_the_shared_prefix_has_a_file_at_once(machine: Machine) -> None:
    machine.begin(LONG, SHARED)

    assert machine.files() == 1


def test_a_client_s_prefix_has_a_file_when_it_comes_again(machine: Machine) -> None:
    machine.begin(LONG, "a")
    before = machine.files()
    machine.begin(LONG, "a")

    assert (before, machine.files()) == (0, 1)


def test_the_same_prefix_of_another_client_does_not_come_again(machine: Machine) -> None:
    machine.begin(LONG, "a")
    machine.begin(LONG, "b")

    assert machine.files() == 0


def test_many_prefixes_that_come_twice_leave_few_files(machine: Machine) -> None:
    machine.begin(LONG, SHARED)

    for number in range(100):
        for _ in range(2):
            machine.begin([number, *LONG], "stranger")

    assert machine.files() <= 5
    assert machine.read([*LONG, 1], client="b") == len(LONG)


def test_files_of_clients_are_not_written_in_quick_succession(machine: Machine) -> None:
    for number in range(10):
        for _ in range(3):
            machine.begin([number, *LONG], f"10.0.0.{number}")
            machine.now -= 3599

    assert machine.files() == 1


def test_after_a_restart_a_client_begins_with_its_own_prefix(machine: Machine) -> None:
    for _ in range(2):
        machine.begin(LONG, "a")

    again = Machine(machine.folder)

    assert again.read([*LONG, 1], client="b") == 0
    assert again.read([*LONG, 1], client="a") == len(LONG)


def test_after_a_restart_every_client_begins_with_the_shared_prefix(machine: Machine) -> None:
    machine.begin(LONG, SHARED)

    again = Machine(machine.folder)
    again.cache.restore(2048)

    assert again.read([*LONG, 1], client="b") == len(LONG)


@given(st.lists(st.integers(0, 1)), st.lists(st.integers(0, 1)))
def test_the_common_prefix_is_the_longest(left: list[int], right: list[int]) -> None:
    size = common_prefix(left, right)

    assert left[:size] == right[:size]
    assert left[size : size + 1] != right[size : size + 1] or size == min(len(left), len(right))


snapshots = st.lists(
    st.builds(
        Snapshot,
        tokens=st.integers(0, 300).map(range),
        state=st.just(b""),
        client=st.sampled_from(["a", "b", SHARED]),
        conversation=st.sampled_from(["", "one", "two"]),
        pinned=st.booleans(),
        used=st.integers(0, 9),
    ),
    min_size=1,
    max_size=8,
)


@given(snapshots)
def test_snapshots_stay_within_their_room_and_shared_ones_stay_longest(
    known: list[Snapshot],
) -> None:
    policy = EvictionPolicy(room=500, largest=500)
    kept: list[Snapshot] = []
    for one in known:
        before, kept = kept, policy.snapshots_after(kept, one)
        assert sum(snapshot.read for snapshot in kept) <= 500
        gone = [it for it in before if it not in kept and it.conversation != one.conversation]
        if any(it.pinned and it.client == SHARED for it in gone):
            others = [it for it in kept if it is not one]
            assert all(it.pinned and it.client == SHARED for it in others)
