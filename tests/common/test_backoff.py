"""Exponential back-off: delays grow to their bound, and start over after a success."""

from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.backoff import Backoff


def test_delays_double_up_to_their_bound_and_begin_anew() -> None:
    backoff = Backoff(first_seconds=1.0, max_seconds=5.0)

    delays = [backoff.next() for _ in range(5)]
    backoff.reset()

    assert delays == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert backoff.next() == 1.0


@given(st.floats(0, 1), st.integers(0, 20))
def test_jitter_stays_within_its_part(fraction: float, attempts: int) -> None:
    backoff = Backoff(2.0, 60.0, 0.25, lambda: fraction)
    steady = Backoff(2.0, 60.0)

    for _ in range(attempts):
        assert 0.75 <= backoff.next() / steady.next() <= 1.25
