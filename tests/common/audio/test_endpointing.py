"""Endpointing: events of any sequence of probabilities, and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.audio.endpointing import (
    FINAL,
    Endpointer,
    EndpointerSettings,
    EndpointEvent,
    Sensitivity,
)

FRAME = 512
RATE = 16_000


def frames(seconds: float) -> int:
    return round(seconds * RATE / FRAME)


def run(endpoint: Endpointer, *parts: tuple[float, float]) -> list[tuple[EndpointEvent, float]]:
    """Feed (probability, seconds) parts; return each change and the second it came at."""
    return [
        (change, endpoint.position / RATE)
        for probability, seconds in parts
        for _ in range(frames(seconds))
        if (change := endpoint.process(probability, FRAME)) is not None
    ]


def test_a_command_starts_pauses_and_ends() -> None:
    changes = run(Endpointer(), (0.0, 1.0), (0.9, 2.0), (0.0, 2.0))

    assert [change for change, _ in changes] == [
        EndpointEvent.STARTED,
        EndpointEvent.PAUSED,
        EndpointEvent.ENDED,
    ]


def test_the_turn_ends_after_the_silence_of_its_sensitivity() -> None:
    ends = {}
    for sensitivity in Sensitivity:
        changes = run(Endpointer(sensitivity=sensitivity), (0.9, 2.0), (0.0, 3.0))
        ends[sensitivity] = changes[-1][1] - 2.0

    assert ends[Sensitivity.AGGRESSIVE] < ends[Sensitivity.DEFAULT] < ends[Sensitivity.RELAXED]
    for sensitivity, seconds in EndpointerSettings().end_seconds.items():
        assert ends[sensitivity] == pytest.approx(seconds, abs=2 * FRAME / RATE)


def test_a_one_word_command_ends_as_fast_as_a_long_one() -> None:
    short = run(Endpointer(), (0.9, 0.2), (0.0, 2.0))
    long = run(Endpointer(), (0.9, 6.0), (0.0, 2.0))

    assert short[-1][0] is long[-1][0] is EndpointEvent.ENDED
    assert short[-1][1] - 0.2 == pytest.approx(long[-1][1] - 6.0, abs=2 * FRAME / RATE)


def test_a_click_is_not_speech() -> None:
    changes = run(Endpointer(), (0.0, 0.5), (0.9, 0.032), (0.0, 0.5), (0.9, 0.064), (0.0, 0.5))

    assert changes == []


def test_a_pause_that_goes_on_is_taken_back() -> None:
    changes = run(Endpointer(), (0.9, 1.0), (0.0, 0.3), (0.9, 1.0))

    assert [change for change, _ in changes] == [
        EndpointEvent.STARTED,
        EndpointEvent.PAUSED,
        EndpointEvent.RESUMED,
    ]


def test_a_speaker_who_hesitates_is_given_more_time() -> None:
    plain = run(Endpointer(), (0.9, 2.0), (0.0, 3.0))
    hesitant = run(Endpointer(), (0.9, 1.0), (0.0, 0.48), (0.9, 1.0), (0.0, 3.0))

    assert hesitant[-1][1] - 2.48 > plain[-1][1] - 2.0


def test_an_incomplete_sentence_is_given_more_time_and_a_complete_one_less() -> None:
    waits = []
    for completeness in (-0.3, 0.0, 0.5, 1.0):
        endpoint = Endpointer()
        run(endpoint, (0.9, 2.0), (0.0, 0.25))
        endpoint.judge(completeness)
        waits.append(run(endpoint, (0.0, 3.0))[-1][1])

    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == 4


def test_a_judgement_ends_with_its_pause() -> None:
    endpoint = Endpointer()
    run(endpoint, (0.9, 2.0), (0.0, 0.25))
    endpoint.judge(0.0)

    run(endpoint, (0.9, 1.0))

    assert endpoint.needed_seconds == pytest.approx(
        EndpointerSettings().end_seconds[Sensitivity.DEFAULT]
    )


def test_a_judgement_outside_a_pause_changes_nothing() -> None:
    endpoint = Endpointer()
    run(endpoint, (0.9, 2.0))

    endpoint.judge(0.0)

    assert endpoint.needed_seconds == pytest.approx(
        EndpointerSettings().end_seconds[Sensitivity.DEFAULT]
    )


def test_nothing_said_is_reported_once() -> None:
    changes = run(Endpointer(), (0.1, 20.0))

    [(change, seconds)] = changes
    assert change is EndpointEvent.NOTHING_SAID
    assert seconds == pytest.approx(EndpointerSettings().no_speech_seconds, abs=FRAME / RATE)


def test_a_turn_has_a_longest_length() -> None:
    endpoint = Endpointer(EndpointerSettings(turn_seconds=5.0))

    *_, (change, seconds) = run(endpoint, (0.9, 10.0))

    assert change is EndpointEvent.TOO_LONG
    assert seconds == pytest.approx(5.0, abs=2 * FRAME / RATE)


def test_audio_that_did_not_arrive_in_real_time_ends_no_turn() -> None:
    endpoint = Endpointer()
    changes = [
        endpoint.process(0.9 if number < 100 else 0.0, FRAME, may_end=False)
        for number in range(1000)
    ]

    assert not FINAL & set(changes)
    assert endpoint.process(0.0, FRAME) is EndpointEvent.ENDED


def test_the_speech_heard_is_where_it_was() -> None:
    endpoint = Endpointer()

    run(endpoint, (0.0, 1.024), (0.9, 2.048), (0.0, 0.3))

    assert endpoint.speech_start == frames(1.024) * FRAME
    assert endpoint.speech_end == frames(1.024 + 2.048) * FRAME
    assert endpoint.speech_samples == frames(2.048) * FRAME


def test_after_reset_a_new_turn_begins() -> None:
    endpoint = Endpointer()
    run(endpoint, (0.9, 1.0), (0.0, 2.0))

    endpoint.reset()

    assert [c for c, _ in run(endpoint, (0.9, 1.0), (0.0, 2.0))] == [
        EndpointEvent.STARTED,
        EndpointEvent.PAUSED,
        EndpointEvent.ENDED,
    ]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 2000)), max_size=300))
def test_any_stream_gives_a_sane_order_of_changes(stream: list[tuple[float, int]]) -> None:
    endpoint = Endpointer(EndpointerSettings(turn_seconds=3.0, no_speech_seconds=2.0))

    changes = [c for p, n in stream if (c := endpoint.process(p, n)) is not None]

    allowed = {
        None: {EndpointEvent.STARTED, EndpointEvent.NOTHING_SAID},
        EndpointEvent.STARTED: {EndpointEvent.PAUSED, EndpointEvent.TOO_LONG},
        EndpointEvent.PAUSED: {EndpointEvent.RESUMED, EndpointEvent.ENDED, EndpointEvent.TOO_LONG},
        EndpointEvent.RESUMED: {EndpointEvent.PAUSED, EndpointEvent.TOO_LONG},
    }
    before: EndpointEvent | None = None
    for change in changes:
        assert change in allowed.get(before, set())
        before = change
    assert endpoint.position <= sum(n for _, n in stream)
    assert 0 <= endpoint.speech_end <= endpoint.position
    assert endpoint.speech_samples <= endpoint.position


def test_speech_that_is_taken_back_counts_as_silence() -> None:
    endpoint = Endpointer()
    run(endpoint, (0.0, 0.2), (0.9, 2.0))

    endpoint.retract(RATE)

    assert endpoint.process(0.0, FRAME) is EndpointEvent.PAUSED
    assert endpoint.silence_seconds > 1.0


@pytest.mark.parametrize("sensitivity", Sensitivity)
def test_a_thinking_speaker_is_given_less_time_while_others_talk(sensitivity: Sensitivity) -> None:
    settings = EndpointerSettings()
    waits = []
    for others in (False, True):
        endpoint = Endpointer(settings, sensitivity)
        run(endpoint, (0.9, 2.0), (0.0, 0.2))
        endpoint.judge(-1.0)
        if others:
            endpoint.retract(endpoint.speech_end)
        waits.append(run(endpoint, (0.0, 4.0))[-1][1] - 2.0)

    alone, beside_others = waits
    expected = max(settings.others_end_seconds, settings.end_seconds[sensitivity])
    assert beside_others == pytest.approx(expected, abs=2 * FRAME / RATE)
    assert alone > beside_others


def test_a_speaker_who_goes_on_is_given_all_the_time_again() -> None:
    endpoint = Endpointer()
    run(endpoint, (0.9, 2.0), (0.0, 0.2))
    endpoint.retract(endpoint.speech_end)
    run(endpoint, (0.9, 1.0), (0.0, 0.2))
    endpoint.judge(-1.0)

    assert endpoint.needed_seconds == EndpointerSettings().longest_end_seconds
