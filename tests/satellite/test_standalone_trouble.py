"""Turns whose services break, hang or go away."""

import json
from pathlib import Path

import pytest

from satellite.standalone import NothingHeard
from tests.satellite import fakes
from tests.satellite.rig import SPEECH, conversation, sounding
from wyoming_common.errors import ServiceError

QUESTION = ((0.5, 0), (1.0, SPEECH), (1.0, 0))


async def test_silence_is_said_to_be_silence(tmp_path: Path) -> None:
    async with (
        fakes.stt() as stt,
        fakes.llm() as llm,
        fakes.tts() as tts,
        conversation(tmp_path, ((1.0, 0),), stt, llm, tts, "--once") as loop,
    ):
        with pytest.raises(NothingHeard, match="nobody was heard to speak"):
            await loop.run()


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
