"""What the satellite tells whoever shows turns."""

from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioStop
from wyoming.error import Error
from wyoming.pipeline import RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played
from wyoming.tts import Synthesize

from tests.satellite import fakes
from tests.satellite.house import COMMAND, House
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, assistant, conversation
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
    assert max(value for _, value in report["meters"]["wake:computer"]) == 1.0


async def test_a_turn_that_home_assistant_runs_is_told_from_its_events(tmp_path: Path) -> None:
    async with (
        assistant(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        House(satellite) as house,
    ):
        satellite.telemetry.report({"text": True}, local=True)
        await house.say(RunSatellite())
        await house.hear_until(AudioStop)
        await house.say(Transcript("is it late"), Synthesize("Yes it is."))
        await house.reply(0.5)
        await house.hear_until(Played)

        (record,) = satellite.telemetry.report({"text": True}, local=True)["records"]

    stages = {stage["stage"]: stage for stage in record["stages"]}
    assert set(stages) == {
        "listening", "end-of-turn", "stt", "llm", "tts", "playback", "turn"
    }  # fmt: skip
    assert record["texts"] == {"transcript": "is it late", "reply": "Yes it is."}
    assert 0 <= stages["turn"]["ready_ms"] <= stages["stt"]["end_ms"]
    # A speaker knows the time to a sample, which began a part of 0.1 ms before.
    assert stages["stt"]["end_ms"] <= stages["playback"]["start_ms"] + 0.1
    assert stages["turn"]["first_ms"] == stages["playback"]["start_ms"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Transcript(""), []),
        (Error("nobody spoke", "stt-no-text-recognized"), []),
        (Error("no agent", "intent-failed"), [True]),
    ],
)
async def test_a_pipeline_in_which_nothing_was_said_is_no_turn(
    tmp_path: Path, answer: Transcript | Error, told: list[bool]
) -> None:
    async with (
        assistant(tmp_path, (*COMMAND[:-1], (2.0, 0), *COMMAND), wake=WakeIsVeryLoud()) as sat,
        House(sat) as house,
    ):
        await house.say(RunSatellite())
        await house.hear_until(AudioStop)
        await house.say(answer)
        await house.hear_until(RunPipeline)

        records = sat.telemetry.report({}, local=True)["records"]

    turns = [stage for record in records for stage in record["stages"] if stage["stage"] == "turn"]
    assert [turn["failed"] for turn in turns] == told
