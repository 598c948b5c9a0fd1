"""Standalone turns whose services break, hang or go away."""

import re
from pathlib import Path

import pytest

from satellite.drivers.standalone import NoSpeech
from tests.support.fake_services import SECONDS_A_WORD, fake_llm, fake_stt, fake_tts
from tests.support.satellite_rig import sounding
from tests.support.standalone_turn import QUESTION, standalone_turns


async def test_a_recording_without_speech_is_an_error_that_names_it(tmp_path: Path) -> None:
    run = await standalone_turns(tmp_path, ((1.0, 0),), "--once")

    assert isinstance(run.failure, NoSpeech)
    assert str(run.failure) == f"mic: no speech found in file:{tmp_path}/mic.wav"


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
    kind: str,
    broken: str,
    words: str,
) -> None:
    faults = {name: broken if name == kind else "" for name in ("stt", "llm", "tts")}
    limits = ("--stt-timeout", "0.3", "--llm-timeout", "0.3", "--tts-timeout", "0.3")
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        *limits,
        stt=fake_stt("hi", broken=faults["stt"]),
        llm=fake_llm("Hello", broken=faults["llm"]),
        tts=fake_tts(broken=faults["tts"]),
    )

    name = {"stt": "speech-to-text", "llm": "conversation", "tts": "text-to-speech"}[kind]
    assert str(run.failure).startswith(name)
    assert re.search(words, str(run.failure))
    assert run.report["error"] == str(run.failure)


@pytest.mark.parametrize("kind", ["stt", "llm", "tts"])
async def test_a_service_that_dies_before_it_answers_is_asked_once_more(
    tmp_path: Path, kind: str
) -> None:
    faults = {name: "die" if name == kind else "" for name in ("stt", "llm", "tts")}
    run = await standalone_turns(
        tmp_path,
        QUESTION,
        "--once",
        stt=fake_stt("hi", broken=faults["stt"], recovers=True),
        llm=fake_llm("Hello there", broken=faults["llm"], recovers=True),
        tts=fake_tts(broken=faults["tts"], recovers=True),
    )

    assert run.failure is None
    assert sounding(tmp_path) == pytest.approx(2 * SECONDS_A_WORD, abs=0.01)


@pytest.mark.parametrize("kind", ["llm", "tts"])
async def test_a_reply_that_breaks_off_is_heard_as_far_as_it_came_and_the_next_one_whole(
    tmp_path: Path, kind: str
) -> None:
    heard = (*QUESTION, (2.0, 0), *QUESTION)
    faults = {name: "break" if name == kind else "" for name in ("llm", "tts")}
    run = await standalone_turns(
        tmp_path,
        heard,
        "--no-sounds",
        stt=fake_stt("a", "b"),
        llm=fake_llm("One two three", "Four five", broken=faults["llm"], recovers=True),
        tts=fake_tts(broken=faults["tts"], recovers=True),
    )

    first, second = run.reports
    assert "hung up" in first["error"] or "went away" in first["error"]
    assert second["error"] is None
    assert second["reply"] == "Four five"
    assert sounding(tmp_path) == pytest.approx(3 * SECONDS_A_WORD, abs=0.03)


async def test_after_a_failed_turn_the_next_one_works(tmp_path: Path) -> None:
    heard = (*QUESTION, (1.0, 0), *QUESTION)
    run = await standalone_turns(
        tmp_path,
        heard,
        stt=fake_stt("a", "b"),
        llm=fake_llm("B", broken="refuse", recovers=True),
    )

    first, second = run.reports
    assert "on strike" in first["error"]
    assert second["reply"] == "B"
