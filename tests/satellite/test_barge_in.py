"""Whether somebody talks over the reply, and what they have heard of it."""

from hypothesis import given
from hypothesis import strategies as st

from satellite.barge_in import BargeIn, Hearing, Talk
from satellite.heard import heard_text
from satellite.phrases import is_only, is_stop

FRAME = 512
SECONDS = FRAME / 16_000


ECHO_DB = 60.0


def feed(
    barge_in: BargeIn,
    seconds: float,
    probability: float,
    left_db: float = 0.0,
    far: bool = True,
    level_db: float = ECHO_DB,
    falls_db: float = 0.0,
) -> list[tuple[float, Talk]]:
    """Return what changed when; the microphone's level falls by `falls_db` a second."""
    changes = []
    for index in range(round(seconds / SECONDS)):
        level = level_db - falls_db * index * SECONDS
        change = barge_in.process(Hearing(probability, FRAME, left_db, far, level))
        if change is not None:
            changes.append(((index + 1) * SECONDS, change))
    return changes


def at_home() -> BargeIn:
    """Return one that knows the room."""
    barge_in = BargeIn()
    feed(barge_in, 5.0, 0.0, left_db=-30.0)
    return barge_in


def test_a_sign_of_speech_ducks_then_pauses_then_stops() -> None:
    changes = feed(at_home(), 1.0, 0.6, left_db=-8.0)
    doubtful = feed(at_home(), 0.1, 0.3, level_db=ECHO_DB - 20)

    assert [change for _, change in changes] == [Talk.LIKELY, Talk.REAL]
    assert changes[0][0] <= 0.04
    assert changes[1][0] <= 0.5
    assert [change for _, change in doubtful] == [Talk.MAYBE, Talk.LIKELY]


def test_a_cough_pauses_and_is_over() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.13, 1.0) + feed(barge_in, 1.0, 0.0)

    assert [change for _, change in changes] == [Talk.LIKELY, Talk.NONE]


def test_an_echo_that_dies_away_in_the_pause_stops_nothing() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.1, 1.0) + feed(barge_in, 0.6, 1.0, falls_db=100.0)
    changes += feed(barge_in, 1.0, 0.0)

    assert [change for _, change in changes] == [Talk.LIKELY, Talk.NONE]


def test_a_quiet_talker_is_real_once_the_echo_has_died() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.1, 1.0) + feed(barge_in, 1.0, 1.0, level_db=ECHO_DB - 20)

    assert [change for _, change in changes] == [Talk.LIKELY, Talk.REAL]


def test_doubtful_speech_in_the_silence_of_a_pause_is_none() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.1, 1.0) + feed(barge_in, 0.6, 0.4) + feed(barge_in, 1.0, 0.0)

    assert [change for _, change in changes] == [Talk.LIKELY, Talk.NONE]


def test_what_is_louder_than_the_echo_ducks_before_it_is_known_to_be_speech() -> None:
    barge_in = at_home()

    assert [change for _, change in feed(barge_in, 0.1, 0.0, left_db=-5.0)] == [Talk.MAYBE]
    assert [change for _, change in feed(barge_in, 1.0, 0.0, left_db=-30.0)] == [Talk.NONE]


def test_what_stays_far_louder_than_the_echo_pauses_whatever_it_is_and_stops_nothing() -> None:
    barge_in = at_home()

    changes = feed(barge_in, 0.3, 0.0) + feed(barge_in, 1.0, 0.0, left_db=-30.0)

    assert [change for _, change in changes] == [Talk.MAYBE, Talk.LIKELY, Talk.NONE]


def test_the_end_of_a_reply_is_nobody() -> None:
    # Nothing is left to cancel, so all of the little there is passes.
    assert feed(at_home(), 0.3, 0.0, level_db=10.0) == []


def test_what_the_canceller_has_taken_away_is_no_speech() -> None:
    assert feed(BargeIn(), 2.0, 1.0, left_db=-20.0) == []
    assert feed(at_home(), 2.0, 1.0, left_db=-30.0) == []


def test_clear_speech_of_which_the_canceller_leaves_little_is_speech_in_a_known_room() -> None:
    changes = feed(at_home(), 0.1, 0.9, left_db=-20.0)

    assert [change for _, change in changes] == [Talk.LIKELY]


def test_a_soft_beginning_pauses_where_more_is_left_than_an_echo() -> None:
    assert [change for _, change in feed(at_home(), 0.1, 0.14, left_db=-4.0)] == [Talk.LIKELY]
    assert feed(at_home(), 0.1, 0.14, left_db=-30.0) == []
    assert feed(at_home(), 0.1, 0.14, left_db=-4.0, level_db=ECHO_DB - 20) == []


def test_pauses_in_the_reply_do_not_hide_how_little_an_echo_leaves() -> None:
    barge_in = BargeIn()
    for _ in range(10):
        feed(barge_in, 0.6, 0.0, left_db=-30.0)
        feed(barge_in, 0.4, 0.0, left_db=0.0, level_db=10.0)

    assert [change for _, change in feed(barge_in, 0.1, 0.14, left_db=-4.0)] == [Talk.LIKELY]


def test_without_an_echo_a_quiet_signal_counts() -> None:
    assert feed(at_home(), 2.0, 1.0, left_db=-20.0, far=False) != []


def test_more_is_asked_of_speech_while_the_room_is_unknown() -> None:
    known = {change: at for at, change in feed(at_home(), 1.0, 1.0)}
    unknown = {change: at for at, change in feed(BargeIn(), 1.0, 1.0, level_db=ECHO_DB)}

    assert unknown[Talk.LIKELY] > known[Talk.LIKELY]


def test_the_room_stays_known_from_one_reply_to_the_next() -> None:
    barge_in = at_home()

    barge_in.reset()

    assert barge_in.known


def test_a_room_that_has_fooled_us_is_not_known() -> None:
    barge_in = at_home()

    feed(barge_in, 0.1, 1.0)
    feed(barge_in, 0.6, 0.0, left_db=-30.0)

    assert not barge_in.known
    feed(barge_in, 1.0, 0.0, left_db=-30.0)
    assert barge_in.known


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
        barge_in.process(Hearing(p, FRAME, left, far, level)) for p, left, far, level in frames
    ]

    after = [change for _, change in feed(barge_in, 2.0, 0.0)]

    last = [change for change in [*changes, *after] if change is not None]
    assert not last or last[-1] in (Talk.REAL, Talk.NONE)


@given(st.text(max_size=200), st.floats(0, 100), st.floats(0, 100), st.booleans())
def test_what_was_heard_is_the_beginning_of_the_reply(
    reply: str, heard: float, audio: float, whole: bool
) -> None:
    assert reply.strip().startswith(heard_text(reply, heard, audio, whole=whole))


def test_half_of_the_audio_is_half_of_the_words() -> None:
    reply = "The first half is here. The other half is there."

    assert heard_text(reply, 2.0, 4.0, whole=True) == "The first half is here."
    assert heard_text(reply, 0.0, 4.0, whole=True) == ""
    assert heard_text(reply, 4.0, 4.0, whole=True) == reply


def test_only_a_bare_stop_is_meant_for_the_satellite() -> None:
    assert is_stop("Stop!")
    assert is_stop(" Never mind. ")
    assert not is_stop("Stop the music in the kitchen.")
    assert not is_stop("")


def test_a_transcript_of_the_wake_word_alone_is_no_command() -> None:
    assert is_only("okay_nabu", "Okay, Nabu.")
    assert is_only("models/hey_jarvis.json", "hey Jarvis")
    assert not is_only("alexa", "Alexa, stop.")
    assert not is_only("alexa", "")
