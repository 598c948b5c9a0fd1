"""Waits are read from recordings; what cannot be read from them is no wait."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from bench import questions
from bench.questions import ANY, Turn, choose, choose_commands, read_turn, report, waits_of
from bench.stt_live import speech_end

RATE = 22_050
MIC = Path(questions.__file__).parents[1] / "parley/data/question.wav"


def satellite_report(listening_end: float, playback: float) -> dict[str, Any]:
    """Return the trace of a turn that began 0.5 s after its start; seconds of the run."""
    stages = [
        {"stage": "listening", "start_ms": 0.0, "end_ms": (listening_end - 0.5) * 1000},
        {"stage": "stt", "start_ms": 100.0, "wait_ms": 200.0},
        {"stage": "playback", "start_ms": (playback - 0.5) * 1000},
    ]
    return {
        "error": None,
        "mouth_to_ear_ms": (playback - listening_end) * 1000,
        "trace": {"at_ms": 500.0, "stages": stages},
    }


def speaker(first: float, loud: float) -> "np.ndarray[Any, Any]":
    """A recording whose first sample is at `first`, and its first sound at `loud`, seconds."""
    samples = np.zeros(int((loud + 1) * RATE), np.int16)
    samples[int(first * RATE) :] = 3
    samples[int(loud * RATE) :] = 5000
    return samples


@pytest.fixture
def end() -> float:
    """Seconds at which the last word of MIC ends."""
    pcm, _ = soundfile.read(MIC, dtype="int16")
    return speech_end(pcm.tobytes())


def test_the_wait_is_from_the_last_speech_to_the_first_sound_of_the_recordings(end: float) -> None:
    turn = read_turn(
        MIC, 3, satellite_report(end, end + 0.5), speaker(end + 0.51, end + 0.55), RATE
    )

    assert turn.problem == ""
    assert turn.wait == pytest.approx(550, abs=1)
    assert turn.stamped == pytest.approx(500)
    assert turn.sound_apart == pytest.approx(10, abs=1)
    assert turn.stt == 200.0


def test_a_turn_that_ended_before_its_question_is_no_wait(end: float) -> None:
    early = read_turn(
        MIC, 3, satellite_report(end - 0.6, end - 0.2), speaker(end - 0.2, end - 0.1), RATE
    )

    assert early.problem == "cut off early"


def test_a_reply_without_a_sound_is_no_wait(end: float) -> None:
    silent = read_turn(
        MIC, 3, satellite_report(end, end + 0.5), np.zeros(10 * RATE, np.int16), RATE
    )

    assert silent.problem == "no sound"


def test_the_report_says_shares_quartiles_and_what_was_not_counted() -> None:
    turns = [
        Turn("a", 5, wait=400, stamped=380, sound_apart=1.5, stt=100, llm=50),
        Turn("b", 5, wait=600, stamped=590, sound_apart=-3.0, stt=300, llm=70),
        Turn("c", 10, wait=1000, stamped=1000, stt=200),
        Turn("d", 10, problem="cut off early"),
    ]

    text = report(turns)

    assert "3 of 4 questions were answered whole: 33% within 500 ms, 67% within 800 ms." in text
    assert "| 5 s | 2 | 500 ± 100 | 450, 500, 550 | 200 | 150, 200, 250 | 60 | 55, 60, 65 |" in text
    assert "| 10 s | 1 | 1000 ± 0 | 1000, 1000, 1000 | 200 | 200, 200, 200 | - | - |" in text
    assert "1.5 ms (median; at most 3.0)" in text
    assert "- d (10 s): cut off early" in text


def test_questions_are_those_nearest_to_the_length_and_a_second_run_has_others() -> None:
    seconds = [4, 5, 6, 9, 30]
    entries = [{"audio": f"{n}", "seconds": x, "kind": "command"} for n, x in enumerate(seconds)]
    entries.append({"audio": "read", "seconds": 5, "kind": "speech"})

    first = choose(entries, [5, 20], 1, 0)
    second = choose(entries, [5, 20], 1, 1)

    assert [(entry["audio"], seconds) for entry, seconds in first] == [("1", 5)]
    assert [(entry["audio"], seconds) for entry, seconds in second] == [("0", 5)]


def test_commands_are_spread_over_all_there_are_and_a_second_run_has_others() -> None:
    entries = [{"audio": f"{n}", "seconds": 3, "kind": "command"} for n in range(100)]

    first = choose_commands(entries, 4, 0)
    second = choose_commands(entries, 4, 1)

    assert [(entry["audio"], group) for entry, group in first] == [
        ("0", ANY), ("25", ANY), ("50", ANY), ("75", ANY)
    ]  # fmt: skip
    assert [entry["audio"] for entry, _ in second] == ["1", "26", "51", "76"]


def test_the_budget_is_that_of_commands_and_questions_are_told_apart_from_them() -> None:
    turns = [Turn("a", ANY, wait=700), Turn("b", ANY, wait=500), Turn("c", 20, wait=3000)]

    text = report(turns)

    assert waits_of(turns) == [500, 700]
    assert waits_of(turns[2:]) == [3000]
    assert "2 of 2 commands were answered whole: 50% within 500 ms, 100% within 800 ms." in text
    assert "1 of 1 questions were answered whole: 0% within 500 ms, 0% within 800 ms." in text
    assert "| commands | 2 | 600 ± 100 |" in text
