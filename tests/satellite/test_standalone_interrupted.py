"""Replies that somebody, or something, is heard into."""

import json
from pathlib import Path

import pytest

from satellite.turn import State
from tests.satellite import fakes
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, conversation, played, sounding

QUESTION = ((0.5, 0), (1.0, SPEECH), (1.0, 0))
LONG = " ".join(f"word{index}" for index in range(60))


async def test_the_wake_word_interrupts_the_reply(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = ((0.3, WAKE), (0.5, 0), (0.5, SPEECH), (2.0, 0), (0.3, WAKE), *QUESTION)
    long = " ".join(["word"] * 60)
    async with (
        fakes.stt("a", "b") as stt,
        fakes.llm(long, "B") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts, "--no-sounds", wake=WakeIsVeryLoud()) as loop,
    ):
        await loop.run()

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["interrupted"]
    assert (second["transcript"], second["interrupted"]) == ("b", False)
    (_, end), *_ = played(tmp_path)
    assert end < 3.8


async def test_speech_stops_the_reply_and_the_service_is_told_what_was_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = (*QUESTION, (3.0, 0), (1.5, SPEECH), (4.0, 0))
    async with (
        fakes.stt("a", "b") as stt,
        fakes.llm(LONG, "B") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts) as loop,
    ):
        await loop.run()

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["interrupted"]
    assert second["reply"] == "B"
    told = llm.of("transcript")[1].data["context"]["heard"]
    assert LONG.startswith(told)
    assert 10 < len(told.split()) < 50
    assert played(tmp_path)[0][1] < 5.5 + 0.4


async def test_a_noise_pauses_the_reply_and_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = (*QUESTION, (2.0, 0), (0.2, SPEECH), (8.0, 0))
    async with (
        fakes.stt("a") as stt,
        fakes.llm(LONG) as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts) as loop,
    ):
        await loop.run()

    [turn] = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert not turn["interrupted"]
    assert len(played(tmp_path)) >= 2
    assert sounding(tmp_path) == pytest.approx(6.0, abs=0.1)


async def test_stop_said_into_a_reply_is_not_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = (*QUESTION, (3.0, 0), (0.6, SPEECH), (4.0, 0))
    async with (
        fakes.stt("a", "Stop.") as stt,
        fakes.llm(LONG) as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts) as loop,
    ):
        await loop.run()

    assert len(llm.of("transcript")) == 1
    _, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (second["transcript"], second["reply"], second["error"]) == ("Stop.", "", None)


async def test_the_stop_word_ends_the_reply_and_begins_nothing(tmp_path: Path) -> None:
    heard = ((0.3, WAKE), (1.0, 0), (1.0, SPEECH), (4.0, 0), (0.3, WAKE), (3.0, 0))
    async with (
        fakes.stt("a") as stt,
        fakes.llm(LONG) as llm,
        fakes.tts() as tts,
        conversation(
            tmp_path, heard, stt, llm, tts, "--no-sounds", wake=WakeIsVeryLoud(after_first="stop")
        ) as loop,
    ):
        await loop.run()

        assert loop.machine.state is State.IDLE

    # It may have been taken for talk before it was known for the stop word; nobody answers it.
    assert len(llm.of("transcript")) == 1
    assert played(tmp_path)[-1][1] < 6.7
