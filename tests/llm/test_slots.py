from contextlib import nullcontext, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.errors import Busy
from wyoming_llm.engines.kept import EVERYBODY, State, common
from wyoming_llm.engines.memory import Slot
from wyoming_llm.engines.slots import Slots

GRAIN = 2


class Memory:
    """A memory that is a list; what the bookkeeping believes is held against it."""

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


class House:
    """Slots, and every memory they opened."""

    def __init__(self, count: int = 3, room: int = 4096, *, rewinds: bool = True) -> None:
        self.memories: list[Memory] = []
        self.rewinds = rewinds
        self.slots: Slots[Memory] = Slots(self.open, count, room, GRAIN)

    def open(self, size: int) -> Memory:
        self.memories.append(Memory(size, rewinds=self.rewinds))
        return self.memories[-1]

    def open_tokens(self) -> int:
        return sum(memory.size for memory in self.memories if not memory.closed)

    def take(self, tokens: list[int], owner: str = "", client: str = "") -> Slot[Memory]:
        slot = self.slots.take(tokens, len(tokens), owner, client)
        assert slot.memory.held == slot.tokens == tokens[: len(slot.tokens)]
        assert slot.memory.size >= len(tokens)
        return slot

    def read(self, tokens: list[int], owner: str = "", client: str = "") -> int:
        """Read a prompt as an engine does; returns how many tokens were known already."""
        slot = self.take(tokens, owner, client)
        known = len(slot.tokens)
        fill(slot, tokens)
        self.slots.give_back(slot)
        return known


def fill(slot: Slot[Memory], tokens: list[int]) -> None:
    slot.memory.held = list(tokens)
    slot.tokens = list(tokens)
    slot.read = len(tokens)


PROMPTS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 2), min_size=1, max_size=8),
        st.sampled_from(["", "a", "b", "c"]),
        st.sampled_from(["read", "keep", "share", "prepare", "shrink", "stay"]),
        st.sampled_from(["", "x", "y"]),
    ),
    max_size=30,
)


class Story:
    """What several clients do; what each of them may know is kept beside."""

    def __init__(self, house: House, count: int) -> None:
        self.house = house
        self.count = count
        self.busy: list[Slot[Memory]] = []
        self.said: dict[str, list[list[int]]] = {"": [], "x": [], "y": []}

    def read(self, tokens: list[int], owner: str, client: str) -> None:
        known = self.house.read(tokens, owner, client)
        told = max((common(tokens, said) for said in self.said[client]), default=0)
        assert known <= min(told, len(tokens) - 1)
        self.said[client].append(tokens)

    def keep(self, tokens: list[int], owner: str, client: str) -> None:
        kept = self.house.slots.keep(tokens, client)
        assert kept is None or list(kept.state) == tokens[: len(tokens) // GRAIN * GRAIN]

    def share(self, tokens: list[int], owner: str, client: str) -> None:
        self.house.slots.share(tokens[:4])
        for said in self.said.values():
            said.append(tokens[:4])

    def prepare(self, tokens: list[int], owner: str, client: str) -> None:
        self.house.slots.prepare()

    def shrink(self, tokens: list[int], owner: str, client: str) -> None:
        self.house.slots.shrink()
        assert self.busy or self.house.open_tokens() <= 512

    def stay(self, tokens: list[int], owner: str, client: str) -> None:
        if len(self.busy) < self.count - 1:
            self.busy.append(self.house.take(tokens, owner, client))
            fill(self.busy[-1], tokens)
            self.said[client].append(tokens)


@given(PROMPTS, st.integers(1, 4), st.booleans(), st.integers(0, 200))
def test_the_books_always_say_what_the_memory_holds(
    prompts: list[tuple[list[int], str, str, str]], count: int, rewinds: bool, length: int
) -> None:
    house = House(count, 512, rewinds=rewinds)
    story = Story(house, count)

    for short, name, what, client in prompts:
        owner = f"{client}/{name}" if name else ""
        with suppress(Busy) if story.busy else nullcontext():
            getattr(story, what)([*short, *[9] * length], owner, client)
        assert house.open_tokens() <= 2 * 512
    house.slots.close()

    assert all(memory.closed for memory in house.memories)


def test_a_conversation_goes_on_where_it_was() -> None:
    house = House()
    house.read([1, 2, 3, 4], "a")
    house.read([1, 2, 9, 9], "b")

    assert house.read([1, 2, 3, 4, 5], "a") == 4


def test_a_new_conversation_begins_with_a_copy_of_what_another_has_read() -> None:
    house = House()
    house.read([1, 2, 3, 4], "a")

    assert house.read([1, 2, 7, 7], "b") == 2
    assert house.read([1, 2, 3, 4, 5], "a") == 4


def test_what_a_busy_slot_has_read_is_known_too() -> None:
    house = House()
    fill(house.take([1, 2, 3, 4], "a"), [1, 2, 3, 4])

    assert house.read([1, 2, 3, 4, 5], "b") == 4


def test_the_same_prompt_again_leaves_its_last_group_to_read() -> None:
    house = House()
    house.read([1, 2, 3, 4])

    assert house.read([1, 2, 3, 4]) == 2


def test_a_group_that_was_cut_short_is_read_again() -> None:
    house = House()
    house.read([1, 2, 3], "a")

    assert house.read([1, 2, 3, 4, 5], "a") == 2


def test_what_was_generated_is_read_once_more() -> None:
    house = House()
    house.read([1, 2, 3, 4], "a")
    slot = house.take([1, 2, 3, 4, 5], "a")
    slot.memory.held += [5, 6]
    slot.tokens += [5, 6]
    house.slots.give_back(slot)

    assert house.read([1, 2, 3, 4, 5, 6, 7], "a") == 4


def test_a_conversation_that_was_pushed_out_comes_back_from_where_it_was_kept() -> None:
    house = House(count=1)
    long = [number % 250 for number in range(80)]
    house.read(long, "a")
    house.read([7, 7, 7, 7], "b")

    assert house.read([*long, 1], "a") == 80


def test_no_slot_is_handed_out_twice() -> None:
    house = House(count=2)
    house.take([1, 2])
    house.take([1, 2])

    with pytest.raises(Busy):
        house.take([1, 2])


def test_replies_that_fill_the_memory_leave_no_room_for_one_more() -> None:
    house = House(count=9, room=512)
    house.take([1] * 300)
    house.take([2] * 300)

    with pytest.raises(Busy, match="memory"):
        house.take([3])


def test_a_slot_that_grows_keeps_what_it_holds() -> None:
    house = House()
    house.read([1, 2, 3, 4], "a")
    slot = house.take([1, 2, 3, 4, 5], "a")
    house.slots.grow(slot, 2000)

    assert slot.memory.held == [1, 2, 3, 4]
    assert slot.memory.size >= 2000
    assert house.open_tokens() == slot.memory.size


def test_a_stable_beginning_is_given_up_last() -> None:
    house = House(count=1, room=512)
    house.read([1, 2, 3, 4])
    house.slots.keep([1, 2, 3, 4], "")
    for number in range(10, 20):
        house.read([number] * 100, str(number))

    assert house.slots.longest([1, 2, 3, 4]) == 4


def test_a_new_conversation_finds_a_slot_that_holds_the_stable_beginning() -> None:
    house = House()
    house.read([1, 2, 3, 4])
    house.slots.keep([1, 2, 3, 4], "")
    house.read([1, 2, 3, 4, 5], "a")
    house.slots.prepare()
    opened = len(house.memories)

    slot = house.take([1, 2, 3, 4, 6], "b")

    assert slot.tokens == [1, 2, 3, 4]
    assert len(house.memories) == opened


def test_what_one_client_has_read_is_not_known_for_another() -> None:
    house = House()
    house.read([1, 2, 3, 4], client="a")

    assert house.read([1, 2, 3, 4, 5], client="b") == 0
    assert house.read([1, 2, 3, 4, 5], client="a") == 4


def test_of_what_one_client_has_read_another_gets_what_is_everybodys() -> None:
    house = House()
    house.read([1, 2], client=EVERYBODY)
    house.slots.share([1, 2])
    house.read([1, 2, 3, 4], "a/1", "a")
    house.read([1, 2, 3, 4], "b/1", "b")

    assert house.read([1, 2, 3, 4, 5, 6], "c/1", "c") == 2


def test_a_beginning_that_one_client_repeats_is_not_known_for_another() -> None:
    house = House()
    house.read([1, 2, 3, 4], client="a")
    house.slots.keep([1, 2, 3, 4], "a")
    house.slots.prepare()

    assert house.slots.longest([1, 2, 3, 4], "b") == 0
    assert house.read([1, 2, 3, 4, 5], client="b") == 0


def test_a_copy_that_knows_little_more_than_others_is_not_kept() -> None:
    house = House(count=1)
    beginning = [number % 250 for number in range(400)]
    house.read(beginning)
    house.slots.keep(beginning, "")

    for number in range(20):
        house.read([*beginning, *[number] * 40], str(number))

    assert house.slots.longest([*beginning, *[3] * 40]) == 400


def test_many_beginnings_of_clients_do_not_push_out_everybodys() -> None:
    house = House(count=1, room=512)
    house.read([1] * 100, client=EVERYBODY)
    house.slots.keep([1] * 100, EVERYBODY)

    for number in range(2, 20):
        house.read([number] * 100, client="a")
        house.slots.keep([number] * 100, "a")

    assert house.read([1] * 101, client="b") == 100


def test_what_replies_side_by_side_took_is_given_back() -> None:
    house = House(count=9, room=512)
    slots = [house.take([number] * 200) for number in range(4)]
    for slot in slots:
        house.slots.give_back(slot)

    house.slots.shrink()

    assert house.open_tokens() <= 512


def test_a_state_that_does_not_fit_is_dropped() -> None:
    house = House()
    house.slots.add([1, 2, 3, 4], bytes(1), "")
    for_first = house.slots.take([1, 2, 3, 4, 5], 5)
    for_first.memory.restore = lambda state: False  # type: ignore[method-assign]
    house.slots.clear(for_first)
    house.slots.give_back(for_first)

    assert house.slots.take([1, 2, 3, 4, 5], 5).tokens == []


@given(st.lists(st.integers(0, 1)), st.lists(st.integers(0, 1)))
def test_common_is_the_longest_shared_beginning(left: list[int], right: list[int]) -> None:
    size = common(left, right)

    assert left[:size] == right[:size]
    assert left[size : size + 1] != right[size : size + 1] or size == min(len(left), len(right))
