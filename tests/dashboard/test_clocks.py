"""The offset of another machine's clock is within the error that is given for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.dashboard.clocks import ClockRelation

DELAYS = st.floats(0, 1)


@given(
    offset=st.floats(-1e6, 1e6),
    ways=st.lists(st.tuples(DELAYS, DELAYS), min_size=1, max_size=20),
)
def test_the_offset_is_right_within_its_error_whatever_the_network_does(
    offset: float, ways: list[tuple[float, float]]
) -> None:
    relation = ClockRelation()
    now = 1000.0

    for there, back in ways:
        relation.sample(now, now + there + offset, now + there + back)
        now += there + back + 1

    assert abs(relation.offset - offset) <= relation.error(now) + 1e-6


def test_a_quicker_answer_makes_the_relation_better() -> None:
    relation = ClockRelation()

    relation.sample(10.0, 110.0, 10.4)
    relation.sample(11.0, 111.001, 11.002)

    assert relation.offset == pytest.approx(100.0, abs=0.001)
    assert relation.error(11.002) == pytest.approx(0.001)


def test_a_machine_that_slept_is_noticed() -> None:
    relation = ClockRelation()
    relation.sample(10.0, 110.001, 10.002)

    relation.sample(20.0, 60.2, 20.4)

    assert relation.offset == pytest.approx(40.0, abs=0.001)


def test_processes_on_one_machine_have_one_clock() -> None:
    relation = ClockRelation()

    relation.same()

    assert (relation.offset, relation.error(1e9)) == (0.0, 0.0)
