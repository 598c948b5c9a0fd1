"""Whole turns against services on TCP."""

import asyncio
from pathlib import Path

import pytest

from tests.support.fake_services import SECONDS_A_WORD, fake_llm, fake_stt, fake_tts
from tests.support.satellite_rig import SPEECH, WAKE, WakeIsVeryLoud, played, sounding
from tests.support.standalone_turn import QUESTION, standalone_turns


async def test_a_question_is_answered_aloud(tmp_path: Path) -> None:
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("is it late"),
        llm=fake_llm("Yes it is"),
    )

    report = run.report
    assert (report["transcript"], report["reply"]) == ("is it late", "Yes it is")
    assert report["error"] is None
    stages = {stage["stage"] for stage in report["trace"]["stages"]}
    assert stages >= {"listening", "end-of-turn", "stt", "llm", "tts", "playback"}
    assert [event.data["text"] for event in run.llm.of("transcript")] == ["is it late"]


async def test_the_conversation_service_gets_each_interim_transcript_at_once(
    tmp_path: Path,
) -> None:
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("is it late now", supposes=["is it late", ""]),
        llm=fake_llm("Yes it is"),
    )

    assert run.stt.of("transcribe")[0].data["context"]["tentative"] is True
    assert [(event.type, event.data["text"]) for event in run.llm.events] == [
        ("transcript-tentative", "is it late"),
        ("transcript-tentative", ""),
        ("transcript", "is it late now"),
    ]
    assert len({event.data["context"]["conversation_id"] for event in run.llm.events}) == 1


async def test_the_conversation_service_is_told_who_spoke(tmp_path: Path) -> None:
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("is it late", speaker="Anna"),
        llm=fake_llm("Yes it is"),
    )

    [asked] = run.llm.of("transcript")
    assert asked.data["context"]["speaker"] == "Anna"


async def test_the_voice_gets_what_the_conversation_service_will_probably_reply(
    tmp_path: Path,
) -> None:
    supposed = asyncio.Event()
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("is it late", supposes=["is it late"], certain=supposed),
        llm=fake_llm("Yes it is", tells="Yes it is"),
        tts=fake_tts(supposed=supposed),
    )

    assert run.llm.events[0].data["context"]["tentative"] is True
    first, *others = [event.data for event in run.tts.events if "text" in event.data]
    assert first == {"text": "Yes it is", "whole": True}
    assert "".join(data["text"] for data in others).strip() == "Yes it is"


async def test_the_recording_says_when_the_reply_was_heard(tmp_path: Path) -> None:
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("hi"),
        llm=fake_llm("one two three"),
    )

    trace = run.report["trace"]
    stages = {stage["stage"]: stage for stage in trace["stages"]}
    [(start, end)] = played(tmp_path)
    assert start * 1000 == pytest.approx(trace["at_ms"] + stages["playback"]["start_ms"], abs=2)
    assert end - start == pytest.approx(3 * SECONDS_A_WORD, abs=0.01)
    assert stages["playback"]["heard_seconds"] == pytest.approx(0.3, abs=0.001)


async def test_speech_to_text_hears_what_came_before_speech_was_noticed(tmp_path: Path) -> None:
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("hi"),
        llm=fake_llm("Hi"),
    )

    sent = b"".join(event.payload or b"" for event in run.stt.of("audio-chunk"))
    assert len(sent) / 32_000 >= 0.5 + 1.0
    assert not any(sent[: int(0.3 * 32_000)])


async def test_the_service_may_end_the_turn_before_the_satellite_does(tmp_path: Path) -> None:
    heard = ((0.5, 0), (3.0, SPEECH), (1.0, 0))
    run = await standalone_turns(
        tmp_path,
        heard,
        "--once",
        stt=fake_stt("enough", ends_turn=True),
        llm=fake_llm("Fine"),
    )

    assert run.llm.of("transcript")[0].data["text"] == "enough"
    assert played(tmp_path)[0][0] < 3.5


async def test_a_turn_needs_the_wake_word_where_one_is_set(tmp_path: Path) -> None:
    heard = ((0.5, 0), (1.0, SPEECH), (1.0, 0), (0.5, WAKE), (0.6, 0), (1.0, SPEECH), (1.0, 0))
    run = await standalone_turns(
        tmp_path,
        heard,
        "--once",
        "--no-sounds",
        stt=fake_stt("yes", "no"),
        llm=fake_llm("Right"),
        wake=WakeIsVeryLoud(),
    )

    assert len(run.stt.of("transcribe")) == 1
    assert played(tmp_path)[0][0] > 4.0


async def test_every_turn_of_a_recording_is_taken(tmp_path: Path) -> None:
    heard = (*QUESTION, (1.0, 0), *QUESTION)
    run = await standalone_turns(tmp_path, heard, stt=fake_stt("a", "b"), llm=fake_llm("A", "B"))

    reports = run.reports
    assert [(report["transcript"], report["reply"]) for report in reports] == [
        ("a", "A"),
        ("b", "B"),
    ]
    conversations = {event.data["context"]["conversation_id"] for event in run.llm.of("transcript")}
    assert len(conversations) == 1


async def test_an_empty_transcript_is_no_turn(tmp_path: Path) -> None:
    heard = (*QUESTION, *QUESTION)
    run = await standalone_turns(
        tmp_path,
        heard,
        "--once",
        stt=fake_stt("", "hi"),
        llm=fake_llm("Hello"),
    )

    assert run.report["transcript"] == "hi"


@pytest.mark.parametrize("streams", [True, False])
async def test_services_that_do_not_stream_are_served_too(tmp_path: Path, streams: bool) -> None:
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("hi"),
        llm=fake_llm("one two", streams=streams),
        tts=fake_tts(streams=streams),
    )

    assert run.report["error"] is None
    assert sounding(tmp_path) == pytest.approx(2 * SECONDS_A_WORD, abs=0.01)


async def test_after_a_reply_the_next_turn_needs_no_wake_word_for_a_while(tmp_path: Path) -> None:
    follow = ((0.3, WAKE), (1.0, 0), (1.0, SPEECH), (3.0, 0), (1.0, SPEECH), (8.0, 0))
    heard = (*follow, (1.0, SPEECH), (1.0, 0))
    run = await standalone_turns(
        tmp_path,
        heard,
        "--follow-up",
        "3",
        stt=fake_stt("a", "b", "c"),
        llm=fake_llm("A", "B", "C"),
        wake=WakeIsVeryLoud(),
    )

    assert [event.data["text"] for event in run.llm.of("transcript")] == ["a", "b"]


async def test_a_turn_is_timed_by_its_own_reply(tmp_path: Path) -> None:
    heard = (*QUESTION, (1.0, 0), *QUESTION)
    run = await standalone_turns(tmp_path, heard, stt=fake_stt("a", "b"), llm=fake_llm("A", "B"))

    traces = [report["trace"] for report in run.reports]
    for trace, (start, _) in zip(traces, played(tmp_path), strict=True):
        stages = {stage["stage"]: stage for stage in trace["stages"]}
        told = (trace["at_ms"] + stages["playback"]["start_ms"]) / 1000
        assert told == pytest.approx(start, abs=0.005)


async def test_a_wake_word_transcribed_alone_keeps_the_satellite_listening(
    tmp_path: Path,
) -> None:
    heard = ((0.3, WAKE), (0.1, 0), (0.8, SPEECH), (2.0, 0), (1.0, SPEECH), (3.0, 0))
    run = await standalone_turns(
        tmp_path,
        heard,
        "--once",
        stt=fake_stt("Computer.", "hi"),
        llm=fake_llm("Hello"),
        wake=WakeIsVeryLoud(),
    )

    [turn] = run.reports
    assert (turn["transcript"], turn["reply"]) == ("hi", "Hello")


ASKED_AND_ANSWERED = ((0.3, WAKE), (1.0, 0), (1.0, SPEECH), (3.5, 0), (1.0, SPEECH), (3.0, 0))
"""A wake word, a request, and an answer without a wake word"""
LATER = ((0.3, WAKE), (1.0, 0), (1.0, SPEECH), (30.0, 0))


@pytest.mark.parametrize(
    ("reply", "flags", "heard"),
    [
        ("Which one?", (), ["a", "b"]),
        ("This one.", (), ["a"]),
        ("Which one?", ("--no-listen-on",), ["a"]),
    ],
)
async def test_a_reply_that_asks_is_answered_without_a_wake_word(
    tmp_path: Path, reply: str, flags: tuple[str, ...], heard: list[str]
) -> None:
    run = await standalone_turns(
        tmp_path,
        ASKED_AND_ANSWERED,
        "--no-sounds",
        *flags,
        stt=fake_stt("a", "b"),
        llm=fake_llm(reply, "Done"),
        wake=WakeIsVeryLoud(),
    )

    assert [event.data["text"] for event in run.llm.of("transcript")] == heard


async def test_silence_after_a_question_is_told_to_a_service_that_wants_to_know(
    tmp_path: Path,
) -> None:
    run = await standalone_turns(
        tmp_path,
        LATER,
        "--no-sounds",
        stt=fake_stt("a"),
        llm=fake_llm("Which one?", "I have stopped.", wants_silence=True),
        wake=WakeIsVeryLoud(),
    )

    asked, silence = run.llm.of("transcript")
    assert (asked.data["text"], silence.data["text"]) == ("a", "")
    assert silence.data["context"]["unanswered"] is True
    assert "unanswered" not in asked.data["context"]
    assert silence.data["context"]["conversation_id"] == asked.data["context"]["conversation_id"]
    first, second = played(tmp_path)
    assert second[1] - second[0] == pytest.approx(3 * SECONDS_A_WORD, abs=0.05)
    assert second[0] - first[1] > 4.5


async def test_silence_after_a_question_is_kept_from_other_services(tmp_path: Path) -> None:
    run = await standalone_turns(
        tmp_path,
        LATER,
        stt=fake_stt("a"),
        llm=fake_llm("Which one?"),
        wake=WakeIsVeryLoud(),
    )

    assert len(run.llm.of("transcript")) == 1


async def test_a_wake_word_while_silence_is_told_begins_a_turn(tmp_path: Path) -> None:
    heard = (*LATER[:-1], (9.0, 0), (0.3, WAKE), (1.0, 0), (1.0, SPEECH), (3.0, 0))
    words = " ".join(["long"] * 60)
    run = await standalone_turns(
        tmp_path,
        heard,
        "--no-sounds",
        stt=fake_stt("a", "b"),
        llm=fake_llm("Which one?", words, "Done", wants_silence=True),
        wake=WakeIsVeryLoud(),
    )

    assert [event.data["text"] for event in run.llm.of("transcript")] == ["a", "", "b"]
    assert run.reports[-1]["reply"] == "Done"
