"""The table of `script/bench` claims no more than was measured."""

import json
from pathlib import Path

import pytest

from bench.all import Results
from bench.measurements import read_llm, read_tts
from bench.questions import Turn
from bench.table import Figure, render


def test_runs_that_disagree_give_no_figure() -> None:
    text = render("a machine", [Figure("ear_p50", (400.0, 1400.0))], {}, "", "", avx2_alone=False)

    assert "runs disagree" in text
    assert "900 ms |" in text
    assert "| 900 |" not in text
    assert "better than the aim" not in text


@pytest.mark.parametrize(
    ("key", "runs", "verdict"),
    [
        ("ear_p50", (450.0, 480.0), "better than the aim"),
        ("ear_p50", (700.0, 720.0), "met"),
        ("ear_p50", (950.0, 960.0), "**missed**"),
        ("tts_mean", (6.0, 5.5), "better than the aim"),
        ("tts_mean", (2.0, 2.1), "**missed**"),
        ("live_early", (0.0, 0.0), "better than the aim"),
    ],
)
def test_a_figure_is_held_against_its_budget(
    key: str, runs: tuple[float, ...], verdict: str
) -> None:
    assert f"| {verdict} |" in render(
        "a machine", [Figure(key, runs)], {}, "", "", avx2_alone=False
    )


def test_the_aim_is_that_of_the_kind_of_processor() -> None:
    figures = [Figure("ear_p50", (700.0, 720.0)), Figure("live_p50", (0.4, 0.4))]

    vnni, avx2 = (
        render("a machine", figures, {}, "", "", avx2_alone=alone).splitlines()
        for alone in (False, True)
    )

    (row,) = (line for line in avx2 if "710 ms" in line)
    assert row.endswith("| at most 900 ms | 800 ms | better than the aim |")
    (row,) = (line for line in vnni if "710 ms" in line)
    assert row.endswith("| at most 900 ms | 500 ms | met |")
    both = "| Mouth to ear, from the speaker's recording, p50 | 500 ms | 800 ms |"
    assert both in vnni
    assert both in avx2
    assert [line for line in vnni if "0.4 s" in line] == [line for line in avx2 if "0.4 s" in line]


def test_a_missing_figure_has_its_reason() -> None:
    text = render("a machine", [], {"answers": "the port is in use"}, "", "", avx2_alone=False)

    assert "under load, worst p99 | not measured | | | | the port is in use |" in text


def test_the_tail_of_the_waits_is_that_of_all_turns_unless_the_runs_disagree() -> None:
    results = Results()
    results.turns = [Turn("", 5, wait=wait) for wait in (300.0, 400.0, 500.0, 900.0)]
    results.runs |= {"ear_p50": [350.0, 370.0], "ear_p95": [400.0, 900.0]}

    agreed = {figure.key: figure.runs for figure in results.figures}
    results.runs["ear_p50"] = [350.0, 900.0]
    disagreed = {figure.key: figure.runs for figure in results.figures}

    assert agreed["ear_p95"] == (840.0,)
    assert disagreed["ear_p95"] == (400.0, 900.0)


def test_figures_are_kept_for_a_later_run(tmp_path: Path) -> None:
    results = Results()
    results.runs["tail"].append(12.5)
    results.printed["STT"] = "a table"
    results.turns = [Turn("a.wav", 5, wait=300.0, stt=None), Turn("b.wav", 10, "cut off early")]

    results.save(tmp_path / "runs.json")
    found = Results.load(tmp_path / "runs.json")
    found.runs["answers"].append(3.0)

    assert found.turns == results.turns
    assert found.printed == results.printed
    assert [(figure.key, figure.runs) for figure in found.figures] == [
        ("tail", (12.5,)), ("answers", (3.0,))
    ]  # fmt: skip


def test_figures_are_found_in_what_the_measurements_write() -> None:
    speeds = {"idle": 110.0, "one core busy": 66.0}
    llm = {
        "parley": {"cold": 2.2, "warm": 0.05, "after a restart": 0.2, **speeds},
        "plain": {"idle": 100.0},
    }
    tts = {
        "short, plain": {
            "wyoming-piper": [{"first": 600.0, "total": 700.0}, {"first": 600.0, "total": 700.0}],
            "parley": [{"first": 100.0, "total": 630.0}, {"first": 100.0, "total": 630.0}],
        },
        "short, streaming": {"wyoming-piper": [], "parley": []},
    }

    assert read_llm(json.dumps(llm)) == {
        "llm_warm": 44.0, "llm_restart": 11.0, "llm_busy": 60.0, "llm_idle": 1.1
    }  # fmt: skip
    assert read_tts(json.dumps(tts)) == {"tts_mean": 6.0, "tts_p95": 6.0, "tts_total": 0.9}
