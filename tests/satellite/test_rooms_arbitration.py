"""Arbitration of a wake word in a simulated network: exactly one satellite answers."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satellite.rooms.arbitration import (
    MAX_PEERS,
    Appraisal,
    Arbiter,
    ArbitrationAction,
    BeginTurn,
    Send,
    Yield,
)
from satellite.rooms.messages import GroupMessage, MessageKind, word_key
from tests.satellite.rooms_network import WORD, Group, Link

LAGS = st.one_of(st.none(), st.floats(0, 0.3))
SHORT_LAGS = st.one_of(st.none(), st.floats(0, 0.1))
MERITS = st.integers(-5_000, 5_000)


@st.composite
def rounds(
    draw: st.DrawFn,
    link: st.SearchStrategy[Link],
    each: st.SearchStrategy[float | None] = LAGS,
    *,
    some_pass: bool = True,
    some_miss: bool = True,
    compare: Callable[[bytes, bytes], int] | None = None,
) -> tuple[Group, list[float | None]]:
    """Return a group of two to four that know each other, and the lag of each.

    Without `compare` there are no envelopes.
    """
    size = draw(st.integers(2, 4))
    merits = draw(st.lists(MERITS, min_size=size, max_size=size))
    offers = [draw(st.sampled_from([merit, None])) for merit in merits] if some_pass else merits
    heard = [bytes([draw(st.integers(0, 255))]) if compare else b"" for _ in merits]
    nothing: Callable[[bytes, bytes], int] = lambda _own, _other: 0  # noqa: E731
    group = Group(
        merits, draw(link), draw(st.integers(0, 10_000)), offers, heard, compare or nothing
    )
    for member in group.members:
        member.offset = draw(st.floats(-1e6, 1e6))
        member.rate = draw(st.floats(0.99, 1.01))
        member.misses = draw(LAGS) if some_miss else None
    group.meet()
    lags = draw(st.lists(each, min_size=size, max_size=size).filter(any_detects))
    return group, lags


def by_value(own: bytes, other: bytes) -> int:
    return 20 * (own[0] - other[0])


def by_any_rule(own: bytes, other: bytes) -> int:
    """Return what only changes its sign with the order: of three, each may be nearer than one."""
    low, high = sorted((own, other))
    value = random.Random(low + high).randint(-5_000, 5_000) if low != high else 0  # noqa: S311
    return value if own == low else -value


def any_detects(lags: list[float | None]) -> bool:
    return any(lag is not None for lag in lags)


GOOD = st.just(Link())
BAD = st.builds(
    Link,
    loss=st.floats(0, 0.3),
    duplicates=st.floats(0, 0.5),
    max_delay=st.floats(0.002, 0.06),
    late=st.floats(0, 0.1),
)


@settings(max_examples=1000, deadline=None)
@given(rounds(BAD))
def test_exactly_one_answers_on_a_bad_link(made: tuple[Group, list[float | None]]) -> None:
    group, lags = made

    group.wake(*lags)

    assert len(group.answering) == 1


@settings(max_examples=1000, deadline=None)
@given(rounds(BAD, compare=by_any_rule))
def test_exactly_one_answers_by_any_comparison_of_envelopes(
    made: tuple[Group, list[float | None]],
) -> None:
    group, lags = made

    group.wake(*lags)

    assert len(group.answering) == 1
    assert max(delay for member in group.members for delay in member.answered) <= 0.36


@settings(max_examples=300, deadline=None)
@given(rounds(GOOD, SHORT_LAGS, some_pass=False, some_miss=False, compare=by_value))
def test_on_a_good_link_merit_and_envelopes_choose_together(
    made: tuple[Group, list[float | None]],
) -> None:
    group, lags = made

    group.wake(*lags)

    def rank(number: int) -> tuple[int, bytes]:
        member = group.members[number]
        return member.merit + 20 * member.envelope[0], member.arbiter.own_id

    best = max((number for number, lag in enumerate(lags) if lag is not None), key=rank)
    assert group.answering == [best]
    assert sum(len(member.answered) for member in group.members) == 1


@settings(max_examples=300, deadline=None)
@given(rounds(GOOD, SHORT_LAGS, some_pass=False, some_miss=False))
def test_on_a_good_link_the_best_that_detects_answers_and_no_other_begins(
    made: tuple[Group, list[float | None]],
) -> None:
    group, lags = made

    group.wake(*lags)

    detecting = [number for number, lag in enumerate(lags) if lag is not None]
    best = max(detecting, key=lambda n: (group.members[n].merit, group.members[n].arbiter.own_id))
    assert group.answering == [best]
    assert sum(len(member.answered) for member in group.members) == 1


@settings(max_examples=200, deadline=None)
@given(rounds(st.just(Link(loss=1.0))))
def test_where_nothing_arrives_each_answers_as_if_it_were_alone(
    made: tuple[Group, list[float | None]],
) -> None:
    group, lags = made

    group.wake(*lags)

    assert group.answering == [number for number, lag in enumerate(lags) if lag is not None]
    delays = [delay for member in group.members for delay in member.answered]
    assert max(delays) <= 0.052


def test_a_satellite_alone_answers_at_once() -> None:
    alone = Group([0], Link())
    alone.meet()

    alone.wake(0.0)

    assert alone.members[0].answered == [0.0]


def test_where_all_peers_reply_the_best_answers_within_one_exchange() -> None:
    group = Group([5, 3, 1], Link(min_delay=0.002, max_delay=0.002))
    group.meet()

    group.wake(0.0, 0.03, None)

    assert group.answering == [0]
    assert group.members[0].answered[0] == pytest.approx(0.004, abs=1e-4)


def test_a_dead_peer_is_waited_for_once() -> None:
    group = Group([5, 3], Link())
    group.meet()
    group.members[1].alive = False

    group.wake(0.0, None)
    group.wake(0.0, None)

    first, second = group.members[0].answered
    assert first == pytest.approx(0.05, abs=1e-3)
    assert second == 0.0


def test_a_peer_that_dies_after_its_better_bid_leaves_the_answer_to_another() -> None:
    group = Group([3, 5, 1], Link(min_delay=0.003, max_delay=0.003))
    group.meet()
    group.members[0].arbiter.detected(WORD, Appraisal(3), group.now)
    best = group.members[1].arbiter
    bid = next(
        action.message
        for action in best.detected(WORD, Appraisal(5), group.now)
        if isinstance(action, Send)
        and action.message.kind is MessageKind.BID
        and action.message.recipient == group.members[0].arbiter.own_id
    )
    group.members[1].alive = False
    group.members[0].arbiter.received(bid, 1, group.now)

    group.run(1.0)

    assert group.answering == [0]


def sent_to(actions: list[ArbitrationAction], arbiter: Arbiter) -> GroupMessage:
    return next(
        action.message
        for action in actions
        if isinstance(action, Send) and action.message.recipient == arbiter.own_id
    )


@pytest.mark.parametrize("seed", range(4))
def test_an_offer_that_overtakes_the_bid_it_answers_changes_no_comparison(seed: int) -> None:
    group = Group([0, 0, 0], Link(), seed, envelopes=[b"\0", b"\1", b"\0"], compare=by_value)
    group.meet()
    passive, nearest, first = (member.arbiter for member in group.members)
    now = group.now
    bids = first.detected(WORD, Appraisal(0, b"\0"), now)
    offers = passive.received(sent_to(bids, passive), 2, now)

    nearest.detected(WORD, Appraisal(0, b"\1"), now)
    nearest.received(sent_to(offers, nearest), 0, now)
    decided = nearest.received(sent_to(bids, nearest), 2, now + 0.001)

    assert [type(action) for action in decided if not isinstance(action, Send)] == [BeginTurn]


def test_a_better_peer_that_does_not_detect_the_word_is_waited_for_a_bounded_time() -> None:
    group = Group([3, 5], Link())
    group.meet()

    group.wake(0.0, None)

    assert group.answering == [0]
    assert group.members[0].answered[0] == pytest.approx(0.12, abs=1e-3)


def test_a_better_peer_that_takes_its_offer_back_is_waited_for_no_longer() -> None:
    group = Group([3, 5], Link(min_delay=0.001, max_delay=0.001))
    group.meet()
    group.members[1].misses = 0.03

    group.wake(0.0, None)

    assert group.answering == [0]
    assert group.members[0].answered[0] == pytest.approx(0.031, abs=1e-4)


def test_a_word_that_is_detected_after_its_offer_was_taken_back_leaves_one_to_answer() -> None:
    group = Group([3, 5], Link(min_delay=0.001, max_delay=0.001))
    group.meet()
    group.members[1].misses = 0.03

    group.wake(0.0, 0.06)

    assert group.answering == [0]
    assert group.members[1].yields == 1


def test_there_is_no_offer_to_take_back_before_a_peer_asks_or_after_an_own_detection() -> None:
    group = Group([3, 5], Link())
    group.meet()
    asked, detects = (member.arbiter for member in group.members)

    assert asked.missed(WORD, group.now) == []
    detects.detected(WORD, Appraisal(5), group.now)
    assert detects.missed(WORD, group.now) == []


def test_a_better_peer_that_detects_the_word_later_answers_at_once() -> None:
    group = Group([3, 5], Link())
    group.meet()

    group.wake(0.0, 0.11)

    assert group.answering == [1]
    assert group.members[1].answered == [0.0]


def test_a_peer_that_says_it_has_no_part_is_not_waited_for() -> None:
    group = Group([3, 5], Link(min_delay=0.001, max_delay=0.001), offers=[3, None])
    group.meet()

    group.wake(0.0, None)

    assert group.members[0].answered[0] == pytest.approx(0.002, abs=1e-4)


def test_equal_merits_are_decided_by_the_same_rule_at_each() -> None:
    group = Group([7, 7, 7, 7], Link())
    group.meet()

    group.wake(0.0, 0.0, 0.0, 0.0)

    last = max(range(4), key=lambda number: group.members[number].arbiter.own_id)
    assert group.answering == [last]


def test_the_same_group_decides_again_and_again() -> None:
    group = Group([1, 2, 3], Link(loss=0.1, duplicates=0.2, late=0.1), seed=4)
    group.meet()
    draw = random.Random(8)  # noqa: S311 - a simulation

    for _ in range(200):
        group.forget()
        for member in group.members:
            member.merit = draw.randrange(1000)
        group.wake(*(draw.uniform(0, 0.1) for _ in group.members))
        assert len(group.answering) == 1


def test_a_satellite_that_stops_is_forgotten_at_its_goodbye() -> None:
    group = Group([1, 2], Link())
    group.meet()
    goodbye = group.members[1].arbiter.stop()

    assert isinstance(goodbye[0], Send)
    group.members[0].arbiter.received(goodbye[0].message, 1, group.now)

    assert group.members[0].arbiter.peers == 0


def test_a_peer_that_is_silent_is_forgotten() -> None:
    group = Group([1, 2], Link())
    group.meet()
    group.members[1].alive = False

    group.run(30.0)

    assert group.members[0].arbiter.peers == 0


def test_other_wake_words_in_a_round_are_passed_on_without_being_looked_at() -> None:
    asked: list[bytes] = []

    def appraise(word: bytes) -> Appraisal | None:
        asked.append(word)
        return Appraisal(1)

    arbiter = Arbiter(b"receiver", appraise)
    for number in range(1, 500):
        bid = GroupMessage(
            MessageKind.BID, b"stranger", b"receiver", number, word_key(f"word {number}"), 9
        )
        arbiter.received(bid, "there", number / 1000)

    assert len(asked) == 1


@given(
    st.lists(
        st.builds(
            GroupMessage,
            st.sampled_from(MessageKind),
            st.sampled_from([bytes([n]) * 8 for n in range(1, 40)]),
            st.sampled_from([b"receiver", bytes(8)]),
            st.integers(0, 2**63),
            st.sampled_from([WORD, word_key("other")]),
            st.integers(-1_000_000, 1_000_000),
            st.integers(-1_000_000, 1_000_000),
            st.sampled_from([bytes([n]) * 8 for n in range(1, 40)]),
            st.binary(max_size=4),
        ),
        max_size=60,
    ),
    st.floats(0, 0.2),
)
def test_hostile_messages_delay_an_answer_for_a_bounded_time_and_never_cause_one(
    messages: list[GroupMessage], gap: float
) -> None:
    arbiter = Arbiter(b"receiver", lambda _: Appraisal(0))
    at, decisions = 0.0, []
    for message in messages:
        at += gap
        decisions += arbiter.received(message, "there", at)
        assert arbiter.peers <= MAX_PEERS
    assert not any(isinstance(one, BeginTurn | Yield) for one in decisions)

    decisions = arbiter.detected(WORD, Appraisal(0), at)
    decisions += arbiter.tick(at + 0.5)

    assert [type(one) for one in decisions if isinstance(one, BeginTurn | Yield)] in (
        [BeginTurn],
        [Yield],
    )
