"""Telemetry of the satellite."""

from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioStop
from wyoming.error import Error
from wyoming.pipeline import RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played
from wyoming.tts import Synthesize

from tests.support.fake_services import fake_llm, fake_stt
from tests.support.satellite_client import COMMAND, HomeAssistantClient
from tests.support.satellite_rig import (
    WAKE,
    WakeIsVeryLoud,
    wyoming_satellite,
)
from tests.support.standalone_turn import QUESTION, standalone_satellite, standalone_turns


async def test_a_turn_is_recorded_under_the_id_that_the_services_were_given(tmp_path: Path) -> None:
    async with standalone_satellite(
        tmp_path, QUESTION, "--once", stt=fake_stt("is it late"), llm=fake_llm("Yes it is")
    ) as run:
        telemetry = run.rig.telemetry
        telemetry.report({"text": True}, local=True)
        await run.run()

    report = telemetry.report({"text": True}, local=True)
    (record,) = report["records"]
    stages = {stage["stage"]: stage for stage in record["stages"]}
    assert {event.data["context"]["turn_id"] for event in run.llm.of("transcript")} == {
        record["turn"]
    }
    assert record["texts"] == {"transcript": "is it late", "reply": "Yes it is"}
    assert stages["turn"]["ready_ms"] == stages["listening"]["end_ms"]
    assert stages["turn"]["first_ms"] == stages["playback"]["start_ms"]
    assert report["stages"]["turn"]["count"] == 1


async def test_a_failed_turn_is_recorded_as_one_and_counts_as_no_wait(tmp_path: Path) -> None:
    llm = fake_llm("Yes it is", broken="refuse")
    run = await standalone_turns(tmp_path, QUESTION, "--once", llm=llm)

    assert str(run.failure).startswith("conversation")

    report = run.rig.telemetry.report({}, local=True)
    (record,) = report["records"]
    turn = next(stage for stage in record["stages"] if stage["stage"] == "turn")
    assert turn["failed"] is True
    assert "turn" not in report["stages"]


async def test_level_speech_and_wake_words_are_recorded(tmp_path: Path) -> None:
    heard = ((0.5, WAKE), (0.6, 0), *QUESTION)
    run = await standalone_turns(
        tmp_path,
        heard,
        "--once",
        "--no-sounds",
        stt=fake_stt("yes"),
        llm=fake_llm("Right"),
        wake=WakeIsVeryLoud(),
    )

    report = run.rig.telemetry.report({}, local=True)
    levels = [value for _, value in report["meters"]["level_dbfs"]]
    assert report["counts"]["wake:computer"] == 1
    assert min(levels) == -96.0
    assert max(levels) > -30.0
    assert max(value for _, value in report["meters"]["speech"]) == 1.0
    assert max(value for _, value in report["meters"]["wake:computer"]) == 1.0


async def test_a_turn_that_home_assistant_runs_is_recorded_from_its_events(tmp_path: Path) -> None:
    async with (
        wyoming_satellite(tmp_path, COMMAND, wake=WakeIsVeryLoud()) as satellite,
        HomeAssistantClient(satellite) as client,
    ):
        satellite.telemetry.report({"text": True}, local=True)
        await client.send(RunSatellite())
        await client.receive_until(AudioStop)
        await client.send(Transcript("is it late"), Synthesize("Yes it is."))
        await client.send_reply(0.5)
        await client.receive_until(Played)

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
        wyoming_satellite(
            tmp_path, (*COMMAND[:-1], (2.0, 0), *COMMAND), wake=WakeIsVeryLoud()
        ) as sat,
        HomeAssistantClient(sat) as client,
    ):
        await client.send(RunSatellite())
        await client.receive_until(AudioStop)
        await client.send(answer)
        await client.receive_until(RunPipeline)

        records = sat.telemetry.report({}, local=True)["records"]

    turns = [stage for record in records for stage in record["stages"] if stage["stage"] == "turn"]
    assert [turn["failed"] for turn in turns] == told
