"""The table of `script/bench` claims no more than was measured."""

import pytest

from bench.all import _read_llm, _read_tts
from bench.table import Figure, render


def test_runs_that_disagree_give_no_figure() -> None:
    text = render("a machine", [Figure("ear_p50", (400.0, 1400.0))], {}, "")

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
    assert f"| {verdict} |" in render("a machine", [Figure(key, runs)], {}, "")


def test_what_was_not_measured_is_said_with_its_reason() -> None:
    text = render("a machine", [], {"answers": "the port is in use"}, "")

    assert "under load, worst p99 | not measured | | | | the port is in use |" in text


def test_figures_are_found_in_what_the_measurements_print() -> None:
    llm = (
        "| first token, 1200-token prompt | Parley | plain | Parley, cold to this |\n"
        "|---|---|---|---|\n| warm | 0.050 s | 2.1 s | 44 |\n"
        "| after a restart | 0.4 s | 4 s | 12 |\n\n| tokens a second | Parley | plain |\n"
        "|---|---|---|\n| idle | 110.0 | 100.0 |\n| busy against idle | 61% | 30% |"
    )
    tts = (
        "First audio, plain, mean: 600 / 100 ms = 6.0x\n"
        "First audio, plain, p95: 1100 / 110 ms = 10.0x\nTotal, plain, ours / stock: 0.95"
    )

    assert _read_llm(llm) == {
        "llm_warm": 44.0, "llm_restart": 12.0, "llm_busy": 61.0, "llm_idle": 1.1
    }  # fmt: skip
    assert _read_tts(tts) == {"tts_mean": 6.0, "tts_p95": 10.0, "tts_total": 0.95}
