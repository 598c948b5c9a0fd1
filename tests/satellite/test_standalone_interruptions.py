"""Standalone replies that speech or a noise interrupts."""

from pathlib import Path

import pytest

from satellite.core.turn import TurnState
from tests.support.fake_services import fake_llm, fake_stt
from tests.support.satellite_rig import SPEECH, WAKE, WakeIsVeryLoud, played, sounding
from tests.support.standalone_turn import QUESTION, standalone_turns

LONG = " ".join(f"word{index}" for index in range(60))


async def test_the_wake_word_interrupts_the_reply(tmp_path: Path) -> None:
    heard = ((0.3, WAKE), (0.5, 0), (0.5, SPEECH), (2.0, 0), (0.3, WAKE), *QUESTION)
    long = " ".join(["word"] * 60)
    run = await standalone_turns(
        tmp_path,
        heard,
        "--no-sounds",
        stt=fake_stt("a", "b"),
        llm=fake_llm(long, "B"),
        wake=WakeIsVeryLoud(),
    )

    first, second = run.reports
    assert first["interrupted"]
    assert (second["transcript"], second["interrupted"]) == ("b", False)
    (_, end), *_ = played(tmp_path)
    assert end < 3.8


async def test_speech_stops_the_reply_and_the_service_is_told_what_was_heard(
    tmp_path: Path,
) -> None:
    heard = (*QUESTION, (3.0, 0), (1.5, SPEECH), (4.0, 0))
    run = await standalone_turns(tmp_path, heard, stt=fake_stt("a", "b"), llm=fake_llm(LONG, "B"))

    first, second = run.reports
    assert first["interrupted"]
    assert second["reply"] == "B"
    told = run.llm.of("transcript")[1].data["context"]["heard"]
    assert LONG.startswith(told)
    assert 10 < len(told.split()) < 50
    assert played(tmp_path)[0][1] < 5.5 + 0.4


async def test_a_noise_pauses_the_reply_and_it_goes_on(tmp_path: Path) -> None:
    heard = (*QUESTION, (2.0, 0), (0.2, SPEECH), (8.0, 0))
    run = await standalone_turns(tmp_path, heard, stt=fake_stt("a"), llm=fake_llm(LONG))

    [turn] = run.reports
    assert not turn["interrupted"]
    assert len(played(tmp_path)) >= 2
    assert sounding(tmp_path) == pytest.approx(6.0, abs=0.1)


async def test_stop_said_into_a_reply_is_not_answered(tmp_path: Path) -> None:
    heard = (*QUESTION, (3.0, 0), (0.6, SPEECH), (4.0, 0))
    run = await standalone_turns(tmp_path, heard, stt=fake_stt("a", "Stop."), llm=fake_llm(LONG))

    assert len(run.llm.of("transcript")) == 1
    _, second = run.reports
    assert (second["transcript"], second["reply"], second["error"]) == ("Stop.", "", None)


async def test_the_stop_word_ends_the_reply_and_begins_nothing(tmp_path: Path) -> None:
    heard = ((0.3, WAKE), (1.0, 0), (1.0, SPEECH), (4.0, 0), (0.3, WAKE), (3.0, 0))
    run = await standalone_turns(
        tmp_path,
        heard,
        "--no-sounds",
        stt=fake_stt("a"),
        llm=fake_llm(LONG),
        wake=WakeIsVeryLoud(after_first="stop"),
    )

    assert run.rig.machine.state is TurnState.IDLE

    # It may have been taken for speech before the stop word was detected; it is not answered.
    assert len(run.llm.of("transcript")) == 1
    assert played(tmp_path)[-1][1] < 6.7
