"""The end-of-turn machine: what it says, and what it can never say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.endpoint import FINAL, Change, Endpoint, EndpointSettings, Sensitivity

FRAME = 512
RATE = 16_000


def frames(seconds: float) -> int:
    return round(seconds * RATE / FRAME)


def run(endpoint: Endpoint, *parts: tuple[float, float]) -> list[tuple[Change, float]]:
    """Feed (probability, seconds) parts; return each change and the second it came at."""
    return [
        (change, endpoint.position / RATE)
        for probability, seconds in parts
        for _ in range(frames(seconds))
        if (change := endpoint.process(probability, FRAME)) is not None
    ]


def test_a_command_starts_pauses_and_ends() -> None:
    changes = run(Endpoint(), (0.0, 1.0), (0.9, 2.0), (0.0, 2.0))

    assert [change for change, _ in changes] == [Change.STARTED, Change.PAUSED, Change.ENDED]


def test_the_turn_ends_after_the_silence_of_its_sensitivity() -> None:
    ends = {}
    for sensitivity in Sensitivity:
        changes = run(Endpoint(sensitivity=sensitivity), (0.9, 2.0), (0.0, 3.0))
        ends[sensitivity] = changes[-1][1] - 2.0

    assert ends[Sensitivity.AGGRESSIVE] < ends[Sensitivity.DEFAULT] < ends[Sensitivity.RELAXED]
    for sensitivity, seconds in EndpointSettings().end_seconds.items():
        assert ends[sensitivity] == pytest.approx(seconds, abs=2 * FRAME / RATE)


def test_a_one_word_command_ends_as_fast_as_a_long_one() -> None:
    short = run(Endpoint(), (0.9, 0.2), (0.0, 2.0))
    long = run(Endpoint(), (0.9, 6.0), (0.0, 2.0))

    assert short[-1][0] is long[-1][0] is Change.ENDED
    assert short[-1][1] - 0.2 == pytest.approx(long[-1][1] - 6.0, abs=2 * FRAME / RATE)


def test_a_click_is_not_speech() -> None:
    changes = run(Endpoint(), (0.0, 0.5), (0.9, 0.032), (0.0, 0.5), (0.9, 0.064), (0.0, 0.5))

    assert changes == []


def test_a_pause_that_goes_on_is_taken_back() -> None:
    changes = run(Endpoint(), (0.9, 1.0), (0.0, 0.3), (0.9, 1.0))

    assert [change for change, _ in changes] == [Change.STARTED, Change.PAUSED, Change.RESUMED]


def test_a_speaker_who_hesitates_is_given_more_time() -> None:
    plain = run(Endpoint(), (0.9, 2.0), (0.0, 3.0))
    hesitant = run(Endpoint(), (0.9, 1.0), (0.0, 0.48), (0.9, 1.0), (0.0, 3.0))

    assert hesitant[-1][1] - 2.48 > plain[-1][1] - 2.0


def test_an_incomplete_sentence_is_given_more_time_and_a_complete_one_less() -> None:
    waits = []
    for completeness in (0.0, 0.5, 1.0):
        endpoint = Endpoint()
        run(endpoint, (0.9, 2.0), (0.0, 0.25))
        endpoint.judge(completeness)
        waits.append(run(endpoint, (0.0, 3.0))[-1][1])

    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == 3


def test_a_judgement_ends_with_its_pause() -> None:
    endpoint = Endpoint()
    run(endpoint, (0.9, 2.0), (0.0, 0.25))
    endpoint.judge(0.0)

    run(endpoint, (0.9, 1.0))

    assert endpoint.needed_seconds == pytest.approx(
        EndpointSettings().end_seconds[Sensitivity.DEFAULT]
    )


def test_a_judgement_while_somebody_speaks_changes_nothing() -> None:
    endpoint = Endpoint()
    run(endpoint, (0.9, 2.0))

    endpoint.judge(0.0)

    assert endpoint.needed_seconds == pytest.approx(
        EndpointSettings().end_seconds[Sensitivity.DEFAULT]
    )


def test_nothing_said_is_reported_once() -> None:
    changes = run(Endpoint(), (0.1, 20.0))

    [(change, seconds)] = changes
    assert change is Change.NOTHING_SAID
    assert seconds == pytest.approx(EndpointSettings().no_speech_seconds, abs=FRAME / RATE)


def test_a_turn_has_a_longest_length() -> None:
    endpoint = Endpoint(EndpointSettings(turn_seconds=5.0))

    *_, (change, seconds) = run(endpoint, (0.9, 10.0))

    assert change is Change.TOO_LONG
    assert seconds == pytest.approx(5.0, abs=2 * FRAME / RATE)


def test_audio_that_did_not_arrive_in_real_time_ends_no_turn() -> None:
    endpoint = Endpoint()
    changes = [
        endpoint.process(0.9 if number < 100 else 0.0, FRAME, may_end=False)
        for number in range(1000)
    ]

    assert not FINAL & set(changes)
    assert endpoint.process(0.0, FRAME) is Change.ENDED


def test_the_speech_heard_is_where_it_was() -> None:
    endpoint = Endpoint()

    run(endpoint, (0.0, 1.024), (0.9, 2.048), (0.0, 0.3))

    assert endpoint.speech_start == frames(1.024) * FRAME
    assert endpoint.speech_end == frames(1.024 + 2.048) * FRAME
    assert endpoint.speech_samples == frames(2.048) * FRAME


def test_after_reset_a_new_turn_begins() -> None:
    endpoint = Endpoint()
    run(endpoint, (0.9, 1.0), (0.0, 2.0))

    endpoint.reset()

    assert [c for c, _ in run(endpoint, (0.9, 1.0), (0.0, 2.0))] == [
        Change.STARTED,
        Change.PAUSED,
        Change.ENDED,
    ]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 2000)), max_size=300))
def test_any_stream_gives_a_sane_order_of_changes(stream: list[tuple[float, int]]) -> None:
    endpoint = Endpoint(EndpointSettings(turn_seconds=3.0, no_speech_seconds=2.0))

    changes = [c for p, n in stream if (c := endpoint.process(p, n)) is not None]

    allowed = {
        None: {Change.STARTED, Change.NOTHING_SAID},
        Change.STARTED: {Change.PAUSED, Change.TOO_LONG},
        Change.PAUSED: {Change.RESUMED, Change.ENDED, Change.TOO_LONG},
        Change.RESUMED: {Change.PAUSED, Change.TOO_LONG},
    }
    before: Change | None = None
    for change in changes:
        assert change in allowed.get(before, set())
        before = change
    assert endpoint.position <= sum(n for _, n in stream)
    assert 0 <= endpoint.speech_end <= endpoint.position
    assert endpoint.speech_samples <= endpoint.position
