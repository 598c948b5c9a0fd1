import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.errors import Busy
from wyoming_llm.engines import slots as module
from wyoming_llm.engines.slots import Slots, common


@pytest.fixture(autouse=True)
def short_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAIL", 1)


class Memory:
    """Sequences as lists; what the bookkeeping believes is held against them."""

    def __init__(self, *, rewinds: bool = True) -> None:
        self.held: dict[int, list[int]] = {}
        self.rewinds = rewinds

    def copy(self, source: int, target: int, size: int) -> bool:
        assert not self.held.get(target)
        if self.rewinds:
            self.held[target] = self.held[source][:size]
        return self.rewinds

    def cut(self, sequence: int, size: int) -> bool:
        if size and not self.rewinds:
            return False
        self.held[sequence] = self.held.get(sequence, [])[:size]
        return True


def read(slots: Slots, memory: Memory, tokens: list[int], owner: str = "") -> int:
    """Read a prompt as an engine does; returns how many tokens were known already."""
    slot = slots.take(tokens, owner)
    known = len(slot.tokens)
    assert memory.held.get(slot.number, []) == slot.tokens == tokens[:known]
    memory.held.setdefault(slot.number, []).extend(tokens[known:])
    slot.tokens += tokens[known:]
    slot.read = len(slot.tokens)
    slots.give_back(slot)
    return known


PROMPTS = st.lists(
    st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=8), st.sampled_from(["", "a", "b"])),
    max_size=30,
)


@given(PROMPTS, st.integers(1, 4), st.booleans())
def test_the_books_always_say_what_the_memory_holds(
    prompts: list[tuple[list[int], str]], count: int, rewinds: bool
) -> None:
    memory = Memory(rewinds=rewinds)
    slots = Slots(count, memory)

    for tokens, owner in prompts:
        assert read(slots, memory, tokens, owner) < len(tokens)


def test_a_conversation_goes_on_where_it_was() -> None:
    memory = Memory()
    slots = Slots(3, memory)
    read(slots, memory, [1, 2, 3, 4], "a")
    read(slots, memory, [1, 2, 9, 9], "b")

    assert read(slots, memory, [1, 2, 3, 4, 5], "a") == 4


def test_a_new_conversation_shares_what_another_has_read() -> None:
    memory = Memory()
    slots = Slots(3, memory)
    read(slots, memory, [1, 2, 3, 4], "a")

    assert read(slots, memory, [1, 2, 3, 7], "b") == 3
    assert read(slots, memory, [1, 2, 3, 4, 5], "a") == 4


def test_the_same_prompt_again_leaves_one_token_to_read() -> None:
    memory = Memory()
    slots = Slots(2, memory)
    read(slots, memory, [1, 2, 3])

    assert read(slots, memory, [1, 2, 3]) == 2


def test_no_slot_is_handed_out_twice() -> None:
    slots = Slots(2, Memory())
    slots.take([1, 2])
    slots.take([1, 2])

    with pytest.raises(Busy):
        slots.take([1, 2])


def test_a_stable_beginning_is_given_up_last() -> None:
    memory = Memory()
    slots = Slots(3, memory)
    stable = slots.take([1, 2, 3])
    stable.tokens[:] = memory.held[stable.number] = [1, 2, 3]
    stable.read = 3
    stable.stable = True
    slots.give_back(stable)
    for number in range(10, 20):
        read(slots, memory, [number, number, number], str(number))

    assert slots.longest([1, 2, 3]) == 3
    assert slots.drop_oldest()
    assert slots.longest([1, 2, 3]) == 3


@given(st.lists(st.integers(0, 1)), st.lists(st.integers(0, 1)))
def test_common_is_the_longest_shared_beginning(left: list[int], right: list[int]) -> None:
    size = common(left, right)

    assert left[:size] == right[:size]
    assert left[size : size + 1] != right[size : size + 1] or size == min(len(left), len(right))


def test_what_was_generated_is_read_once_more() -> None:
    memory = Memory()
    slots = Slots(2, memory)
    read(slots, memory, [1, 2, 3, 4], "a")
    slot = slots.take([1, 2, 3, 4, 5], "a")
    memory.held[slot.number] += [5, 6]
    slot.tokens += [5, 6]
    slots.give_back(slot)

    assert read(slots, memory, [1, 2, 3, 4, 5, 6, 7], "a") == 4
