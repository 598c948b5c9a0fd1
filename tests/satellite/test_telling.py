"""What the satellite tells whoever shows turns."""

from pathlib import Path

import pytest

from tests.satellite import fakes
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, conversation
from wyoming_common.errors import ServiceError

QUESTION = ((0.5, 0), (1.0, SPEECH), (1.0, 0))


async def test_a_turn_is_told_under_the_id_that_the_services_were_given(tmp_path: Path) -> None:
    async with (
        fakes.stt("is it late") as stt,
        fakes.llm("Yes it is") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        loop.telemetry.report({"text": True}, local=True)
        await loop.run()

    report = loop.telemetry.report({"text": True}, local=True)
    (record,) = report["records"]
    stages = {stage["stage"]: stage for stage in record["stages"]}
    assert {event.data["context"]["turn_id"] for event in llm.of("transcript")} == {record["turn"]}
    assert record["texts"] == {"transcript": "is it late", "reply": "Yes it is"}
    assert stages["turn"]["ready_ms"] == stages["listening"]["end_ms"]
    assert stages["turn"]["first_ms"] == stages["playback"]["start_ms"]
    assert report["stages"]["turn"]["count"] == 1


async def test_a_turn_that_failed_is_told_as_one_and_is_no_wait(tmp_path: Path) -> None:
    async with (
        fakes.stt("is it late") as stt,
        fakes.llm("Yes it is", broken="refuse") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        with pytest.raises(ServiceError, match="conversation"):
            await loop.run()

    report = loop.telemetry.report({}, local=True)
    (record,) = report["records"]
    turn = next(stage for stage in record["stages"] if stage["stage"] == "turn")
    assert turn["failed"] is True
    assert "turn" not in report["stages"]


async def test_level_speech_and_wake_words_are_told(tmp_path: Path) -> None:
    heard = ((0.5, WAKE), (0.6, 0), *QUESTION)
    async with (
        fakes.stt("yes") as stt,
        fakes.llm("Right") as llm,
        fakes.tts() as tts,
        conversation(
            tmp_path, heard, stt, llm, tts, "--once", "--no-sounds", wake=WakeIsVeryLoud()
        ) as loop,
    ):
        await loop.run()

    report = loop.telemetry.report({}, local=True)
    levels = [value for _, value in report["meters"]["level_dbfs"]]
    assert report["counts"]["wake:computer"] == 1
    assert min(levels) == -96.0
    assert max(levels) > -30.0
    assert max(value for _, value in report["meters"]["speech"]) == 1.0
