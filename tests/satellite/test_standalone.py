"""Whole turns against services on TCP."""

import json
from pathlib import Path

import pytest

from tests.satellite import fakes
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, conversation, played, sounding

QUESTION = ((0.5, 0), (1.0, SPEECH), (1.0, 0))


async def test_a_question_is_answered_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        fakes.stt("is it late") as stt,
        fakes.llm("Yes it is") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

    report = json.loads(capsys.readouterr().out)
    assert (report["transcript"], report["reply"]) == ("is it late", "Yes it is")
    assert report["error"] is None
    stages = {stage["stage"] for stage in report["trace"]["stages"]}
    assert stages >= {"listening", "end-of-turn", "stt", "llm", "tts", "playback"}
    assert [event.data["text"] for event in llm.of("transcript")] == ["is it late"]


async def test_the_conversation_service_is_told_at_once_what_may_have_been_said(
    tmp_path: Path,
) -> None:
    async with (
        fakes.stt("is it late now", supposes=["is it late", ""]) as stt,
        fakes.llm("Yes it is") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

    assert stt.of("transcribe")[0].data["context"]["tentative"] is True
    assert [(event.type, event.data["text"]) for event in llm.events] == [
        ("transcript-tentative", "is it late"),
        ("transcript-tentative", ""),
        ("transcript", "is it late now"),
    ]
    assert len({event.data["context"]["conversation_id"] for event in llm.events}) == 1


async def test_the_recording_says_when_the_reply_was_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        fakes.stt("hi") as stt,
        fakes.llm("one two three") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

    trace = json.loads(capsys.readouterr().out)["trace"]
    stages = {stage["stage"]: stage for stage in trace["stages"]}
    [(start, end)] = played(tmp_path)
    assert start * 1000 == pytest.approx(trace["at_ms"] + stages["playback"]["start_ms"], abs=2)
    assert end - start == pytest.approx(3 * fakes.SECONDS_A_WORD, abs=0.01)
    assert stages["playback"]["heard_seconds"] == pytest.approx(0.3, abs=0.001)


async def test_speech_to_text_hears_what_came_before_speech_was_noticed(tmp_path: Path) -> None:
    async with (
        fakes.stt("hi") as stt,
        fakes.llm("Hi") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

    sent = b"".join(event.payload or b"" for event in stt.of("audio-chunk"))
    assert len(sent) / 32_000 >= 0.5 + 1.0
    assert not any(sent[: int(0.3 * 32_000)])


async def test_the_service_may_end_the_turn_before_we_do(tmp_path: Path) -> None:
    heard = ((0.5, 0), (3.0, SPEECH), (1.0, 0))
    async with (
        fakes.stt("enough", ends_turn=True) as stt,
        fakes.llm("Fine") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

        assert llm.of("transcript")[0].data["text"] == "enough"
        assert played(tmp_path)[0][0] < 3.5


async def test_a_turn_needs_the_wake_word_where_one_is_set(tmp_path: Path) -> None:
    heard = ((0.5, 0), (1.0, SPEECH), (1.0, 0), (0.5, WAKE), (0.6, 0), (1.0, SPEECH), (1.0, 0))
    async with (
        fakes.stt("yes", "no") as stt,
        fakes.llm("Right") as llm,
        fakes.tts() as tts,
        conversation(
            tmp_path, heard, stt, llm, tts, "--once", "--no-sounds", wake=WakeIsVeryLoud()
        ) as loop,
    ):
        await loop.run()

    assert len(stt.of("transcribe")) == 1
    assert played(tmp_path)[0][0] > 4.0


async def test_every_turn_of_a_recording_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = (*QUESTION, (1.0, 0), *QUESTION)
    async with (
        fakes.stt("a", "b") as stt,
        fakes.llm("A", "B") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts) as loop,
    ):
        await loop.run()

    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(report["transcript"], report["reply"]) for report in reports] == [
        ("a", "A"),
        ("b", "B"),
    ]
    conversations = {event.data["context"]["conversation_id"] for event in llm.of("transcript")}
    assert len(conversations) == 1


async def test_an_empty_transcript_is_no_turn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = (*QUESTION, *QUESTION)
    async with (
        fakes.stt("", "hi") as stt,
        fakes.llm("Hello") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

    assert json.loads(capsys.readouterr().out)["transcript"] == "hi"


@pytest.mark.parametrize("streams", [True, False])
async def test_services_that_do_not_stream_are_served_too(tmp_path: Path, streams: bool) -> None:
    async with (
        fakes.stt("hi") as stt,
        fakes.llm("one two", streams=streams) as llm,
        fakes.tts(streams=streams) as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

    assert sounding(tmp_path) == pytest.approx(2 * fakes.SECONDS_A_WORD, abs=0.01)


async def test_after_a_reply_the_next_turn_needs_no_wake_word_for_a_while(tmp_path: Path) -> None:
    follow = ((0.3, WAKE), (1.0, 0), (1.0, SPEECH), (3.0, 0), (1.0, SPEECH), (8.0, 0))
    heard = (*follow, (1.0, SPEECH), (1.0, 0))
    async with (
        fakes.stt("a", "b", "c") as stt,
        fakes.llm("A", "B", "C") as llm,
        fakes.tts() as tts,
        conversation(
            tmp_path, heard, stt, llm, tts, "--follow-up", "3", wake=WakeIsVeryLoud()
        ) as loop,
    ):
        await loop.run()

    assert [event.data["text"] for event in llm.of("transcript")] == ["a", "b"]


async def test_a_turn_is_timed_by_its_own_reply(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = (*QUESTION, (1.0, 0), *QUESTION)
    async with (
        fakes.stt("a", "b") as stt,
        fakes.llm("A", "B") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts) as loop,
    ):
        await loop.run()

    traces = [json.loads(line)["trace"] for line in capsys.readouterr().out.splitlines()]
    for trace, (start, _) in zip(traces, played(tmp_path), strict=True):
        stages = {stage["stage"]: stage for stage in trace["stages"]}
        told = (trace["at_ms"] + stages["playback"]["start_ms"]) / 1000
        assert told == pytest.approx(start, abs=0.005)


async def test_a_wake_word_that_is_transcribed_alone_leaves_us_listening(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = ((0.3, WAKE), (0.1, 0), (0.8, SPEECH), (2.0, 0), (1.0, SPEECH), (3.0, 0))
    async with (
        fakes.stt("Computer.", "hi") as stt,
        fakes.llm("Hello") as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts, "--once", wake=WakeIsVeryLoud()) as loop,
    ):
        await loop.run()

    [turn] = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (turn["transcript"], turn["reply"]) == ("hi", "Hello")
