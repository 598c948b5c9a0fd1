"""Detection of barge-in from frames of the voice detector."""

from hypothesis import given
from hypothesis import strategies as st

from satellite.core.barge_in import BargeIn, BargeInEvent, VadFrame

FRAME = 512
FRAME_SECONDS = FRAME / 16_000


ECHO_DB = 60.0


def feed(
    barge_in: BargeIn,
    seconds: float,
    probability: float,
    left_db: float = 0.0,
    far: bool = True,
    level_db: float = ECHO_DB,
    falls_db: float = 0.0,
) -> list[tuple[float, BargeInEvent]]:
    """Return what changed when; the microphone's level falls by `falls_db` a second."""
    changes = []
    for index in range(round(seconds / FRAME_SECONDS)):
        level = level_db - falls_db * index * FRAME_SECONDS
        change = barge_in.process(VadFrame(probability, FRAME, left_db, far, level))
        if change is not None:
            changes.append(((index + 1) * FRAME_SECONDS, change))
    return changes


def at_home() -> BargeIn:
    """Return a detector that knows the room."""
    barge_in = BargeIn()
    feed(barge_in, 5.0, 0.0, left_db=-30.0)
    return barge_in


def test_a_sign_of_speech_ducks_then_pauses_then_stops() -> None:
    changes = feed(at_home(), 1.0, 0.6, left_db=-8.0)
    doubtful = feed(at_home(), 0.1, 0.3, level_db=ECHO_DB - 20)

    assert [change for _, change in changes] == [BargeInEvent.LIKELY, BargeInEvent.CONFIRMED]
    assert changes[0][0] <= 0.04
    assert changes[1][0] <= 0.5
    assert [change for _, change in doubtful] == [BargeInEvent.POSSIBLE, BargeInEvent.LIKELY]


def test_a_cough_pauses_and_is_over() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.13, 1.0) + feed(barge_in, 1.0, 0.0)

    assert [change for _, change in changes] == [BargeInEvent.LIKELY, BargeInEvent.FALSE_ALARM]


def test_an_echo_that_dies_away_in_the_pause_stops_nothing() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.1, 1.0) + feed(barge_in, 0.6, 1.0, falls_db=100.0)
    changes += feed(barge_in, 1.0, 0.0)

    assert [change for _, change in changes] == [BargeInEvent.LIKELY, BargeInEvent.FALSE_ALARM]


def test_a_quiet_talker_is_real_once_the_echo_has_died() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.1, 1.0) + feed(barge_in, 1.0, 1.0, level_db=ECHO_DB - 20)

    assert [change for _, change in changes] == [BargeInEvent.LIKELY, BargeInEvent.CONFIRMED]


def test_doubtful_speech_in_the_silence_of_a_pause_is_a_false_alarm() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.1, 1.0) + feed(barge_in, 0.6, 0.4) + feed(barge_in, 1.0, 0.0)

    assert [change for _, change in changes] == [BargeInEvent.LIKELY, BargeInEvent.FALSE_ALARM]


def test_a_sound_louder_than_the_echo_ducks_before_it_is_known_to_be_speech() -> None:
    barge_in = at_home()

    assert [change for _, change in feed(barge_in, 0.1, 0.0, left_db=-5.0)] == [
        BargeInEvent.POSSIBLE
    ]
    assert [change for _, change in feed(barge_in, 1.0, 0.0, left_db=-30.0)] == [
        BargeInEvent.FALSE_ALARM
    ]


def test_a_sound_that_stays_far_louder_than_the_echo_pauses_and_stops_nothing() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.3, 0.0) + feed(barge_in, 1.0, 0.0, left_db=-30.0)

    assert [change for _, change in changes] == [
        BargeInEvent.POSSIBLE,
        BargeInEvent.LIKELY,
        BargeInEvent.FALSE_ALARM,
    ]


def test_the_end_of_a_reply_is_no_speech() -> None:
    # Nothing is left to cancel, so all of the little there is passes.
    assert feed(at_home(), 0.3, 0.0, level_db=10.0) == []


def test_a_signal_that_the_canceller_removes_is_no_speech() -> None:
    assert feed(BargeIn(), 2.0, 1.0, left_db=-20.0) == []
    assert feed(at_home(), 2.0, 1.0, left_db=-30.0) == []


def test_clear_speech_of_which_the_canceller_leaves_little_is_speech_in_a_known_room() -> None:
    changes = feed(at_home(), 0.1, 0.9, left_db=-20.0)

    assert [change for _, change in changes] == [BargeInEvent.LIKELY]


def test_a_soft_beginning_pauses_where_more_is_left_than_an_echo() -> None:
    assert [change for _, change in feed(at_home(), 0.1, 0.14, left_db=-4.0)] == [
        BargeInEvent.LIKELY
    ]
    assert feed(at_home(), 0.1, 0.14, left_db=-30.0) == []
    assert feed(at_home(), 0.1, 0.14, left_db=-4.0, level_db=ECHO_DB - 20) == []


def test_pauses_in_the_reply_do_not_hide_how_little_an_echo_leaves() -> None:
    barge_in = BargeIn()
    for _ in range(10):
        feed(barge_in, 0.6, 0.0, left_db=-30.0)
        feed(barge_in, 0.4, 0.0, left_db=0.0, level_db=10.0)

    assert [change for _, change in feed(barge_in, 0.1, 0.14, left_db=-4.0)] == [
        BargeInEvent.LIKELY
    ]


def test_without_an_echo_a_quiet_signal_counts() -> None:
    assert feed(at_home(), 2.0, 1.0, left_db=-20.0, far=False) != []


def test_more_is_asked_of_speech_while_the_room_is_unknown() -> None:
    known = {change: at for at, change in feed(at_home(), 1.0, 1.0)}
    unknown = {change: at for at, change in feed(BargeIn(), 1.0, 1.0, level_db=ECHO_DB)}

    assert unknown[BargeInEvent.LIKELY] > known[BargeInEvent.LIKELY]


def test_the_room_stays_known_from_one_reply_to_the_next() -> None:
    barge_in = at_home()

    barge_in.reset()

    assert barge_in.room_known


def test_a_false_alarm_makes_the_room_unknown() -> None:
    barge_in = at_home()

    feed(barge_in, 0.1, 1.0)
    feed(barge_in, 0.6, 0.0, left_db=-30.0)

    assert not barge_in.room_known
    feed(barge_in, 1.0, 0.0, left_db=-30.0)
    assert barge_in.room_known


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(-60, 6), st.booleans(), st.floats(0, 90)),
        max_size=200,
    )
)
def test_every_pause_is_followed_by_a_decision(
    frames: list[tuple[float, float, bool, float]],
) -> None:
    barge_in = BargeIn()
    changes = [
        barge_in.process(VadFrame(p, FRAME, left, far, level)) for p, left, far, level in frames
    ]

    after = [change for _, change in feed(barge_in, 2.0, 0.0)]

    last = [change for change in [*changes, *after] if change is not None]
    assert not last or last[-1] in (BargeInEvent.CONFIRMED, BargeInEvent.FALSE_ALARM)
