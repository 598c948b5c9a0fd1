"""Whole turns against services on TCP."""

import json
from pathlib import Path

import pytest

from satellite.standalone import NothingHeard
from satellite.turn import State
from tests.satellite import fakes
from tests.satellite.rig import SPEECH, WAKE, WakeIsVeryLoud, conversation, played, sounding
from wyoming_common.errors import ServiceError

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


async def test_silence_is_said_to_be_silence(tmp_path: Path) -> None:
    async with (
        fakes.stt() as stt,
        fakes.llm() as llm,
        fakes.tts() as tts,
        conversation(tmp_path, ((1.0, 0),), stt, llm, tts, "--once") as loop,
    ):
        with pytest.raises(NothingHeard, match="nobody was heard to speak"):
            await loop.run()


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


@pytest.mark.parametrize("kind", ["stt", "llm", "tts"])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("hang", "no (transcript|word|sound)"),
        ("die", "hung up|went away"),
        ("refuse", "on strike"),
        ("garbage", "hung up|does not speak Wyoming"),
    ],
)
async def test_a_broken_service_is_named_and_nothing_hangs(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    broken: str,
    words: str,
) -> None:
    faults = {name: broken if name == kind else "" for name in ("stt", "llm", "tts")}
    limits = ("--stt-timeout", "0.3", "--llm-timeout", "0.3", "--tts-timeout", "0.3")
    async with (
        fakes.stt("hi", broken=faults["stt"]) as stt,
        fakes.llm("Hello", broken=faults["llm"]) as llm,
        fakes.tts(broken=faults["tts"]) as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once", *limits) as loop,
    ):
        with pytest.raises(ServiceError, match=words) as failure:
            await loop.run()

    name = {"stt": "speech-to-text", "llm": "conversation", "tts": "text-to-speech"}[kind]
    assert str(failure.value).startswith(name)
    assert json.loads(capsys.readouterr().out)["error"] == str(failure.value)


@pytest.mark.parametrize("kind", ["stt", "llm", "tts"])
async def test_a_service_that_dies_before_it_answers_is_asked_once_more(
    tmp_path: Path, kind: str
) -> None:
    faults = {name: "die" if name == kind else "" for name in ("stt", "llm", "tts")}
    async with (
        fakes.stt("hi", broken=faults["stt"], recovers=True) as stt,
        fakes.llm("Hello there", broken=faults["llm"], recovers=True) as llm,
        fakes.tts(broken=faults["tts"], recovers=True) as tts,
        conversation(tmp_path, QUESTION, stt, llm, tts, "--once") as loop,
    ):
        await loop.run()

    assert sounding(tmp_path) == pytest.approx(2 * fakes.SECONDS_A_WORD, abs=0.01)


@pytest.mark.parametrize("kind", ["llm", "tts"])
async def test_a_reply_that_breaks_off_is_heard_as_far_as_it_came_and_the_next_one_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    heard = (*QUESTION, (2.0, 0), *QUESTION)
    faults = {name: "break" if name == kind else "" for name in ("llm", "tts")}
    async with (
        fakes.stt("a", "b") as stt,
        fakes.llm("One two three", "Four five", broken=faults["llm"], recovers=True) as llm,
        fakes.tts(broken=faults["tts"], recovers=True) as tts,
        conversation(tmp_path, heard, stt, llm, tts, "--no-sounds") as loop,
    ):
        await loop.run()

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "hung up" in first["error"] or "went away" in first["error"]
    assert second["error"] is None
    assert second["reply"] == "Four five"
    assert sounding(tmp_path) == pytest.approx(3 * fakes.SECONDS_A_WORD, abs=0.03)


async def test_after_a_failed_turn_the_next_one_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = (*QUESTION, (1.0, 0), *QUESTION)
    async with (
        fakes.stt("a", "b") as stt,
        fakes.llm("B", broken="refuse", recovers=True) as llm,
        fakes.tts() as tts,
        conversation(tmp_path, heard, stt, llm, tts) as loop,
    ):
        await loop.run()

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "on strike" in first["error"]
    assert second["reply"] == "B"


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


LONG = " ".join(f"word{index}" for index in range(60))


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
