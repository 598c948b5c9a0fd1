"""The table of measured figures: medians and spread, and no figure whose runs disagree."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.questions import BARS_MS, Turn, group_name
from wyoming_common.process.cpu import cpu_flags, vector_instructions

SPREAD = 0.35
"""(greatest - least) / median past which runs disagree too much to be printed as one figure."""
_SMALL = {"ms": 30.0, "s": 0.05, "%": 2.0, "x": 0.3, "MB": 10.0, "points": 0.5}
"""Differences in each unit that say nothing, however small the median is."""


_WAITS_PLOT = "![Waits by length of question](benchmarks-waits.svg)"
_FURTHER = (
    "## One part at a time",
    "",
    "More recordings, other settings and other peers, part by part:",
    "",
    "- [Speech-to-text](benchmarks-stt.md) beside wyoming-faster-whisper",
    "- [Text-to-speech](benchmarks-tts.md) beside wyoming-piper",
    "- [Conversation](benchmarks-llm.md) beside llama-cpp-python",
    "- [Satellite](benchmarks-satellite.md): wake words, talking over the reply, rest",
    "- [Reliability](reliability.md): load, limits, fuzzing",
    "- [Latency](latency.md): how to see where your own time goes",
    "",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A row of the budgets. `more` says whether more is better.

    `aim_avx2` is the aim on x86-64 with AVX2 and no VNNI, None where it is the same.
    """

    what: str
    unit: str
    must: float
    aim: float
    more: bool = False
    aim_avx2: float | None = None

    def aim_on(self, *, avx2_alone: bool) -> float:
        """Return the aim for a kind of processor."""
        return self.aim_avx2 if avx2_alone and self.aim_avx2 is not None else self.aim


TARGETS: Mapping[str, Target] = {
    "stt_faster": Target("STT, all audio at once: faster than stock, mean", "x", 2, 3, more=True),
    "stt_wer": Target("STT: WER beyond stock's", "points", 0.3, 0),
    "live_p50": Target("STT, live: end of speech to transcript, p50", "s", 0.5, 0.35),
    "live_p95": Target("STT, live: the same, p95", "s", 0.9, 0.6),
    "live_early": Target("STT, live: cut off early", "%", 2, 1),
    "tail": Target("STT: `audio-stop` to transcript after 0.5 s of silence, p50", "ms", 50, 10),
    "tts_mean": Target("TTS: first audio sooner than stock, mean", "x", 3, 5, more=True),
    "tts_p95": Target("TTS: the same, p95", "x", 4, 8, more=True),
    "tts_total": Target("TTS: total time against stock", "x", 1.1, 0.9),
    "llm_warm": Target("LLM: first token, warm sooner than cold", "x", 10, 30, more=True),
    "llm_restart": Target("LLM: the same after a restart", "x", 10, 30, more=True),
    "llm_busy": Target("LLM: tokens/s with one core busy, of idle", "%", 40, 60, more=True),
    "llm_idle": Target("LLM: tokens/s idle, of plain llama-cpp-python", "x", 1, 1, more=True),
    "ear_p50": Target(
        "Mouth to ear, from the speaker's recording, p50", "ms", 900, 500, aim_avx2=800
    ),
    "ear_p95": Target(
        "Mouth to ear, p95 over the turns of all runs", "ms", 1500, 800, aim_avx2=1200
    ),
    "barge_p95": Target("Barge-in: speech to silence at the speaker, p95", "ms", 200, 120),
    "rest_cpu": Target("Satellite at rest: CPU of one core", "%", 8, 3),
    "rest_memory": Target("Satellite at rest: memory", "MB", 150, 100),
    "answers": Target("`ping` and `describe` under load, worst p99", "ms", 50, 10),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing, with the value of each run."""

    key: str
    runs: tuple[float, ...]

    @property
    def target(self) -> Target:
        return TARGETS[self.key]

    @property
    def agrees(self) -> bool:
        """Whether the runs are near enough to each other to stand as one figure."""
        middle, width = abs(median(self.runs)), max(self.runs) - min(self.runs)
        return width <= _SMALL[self.target.unit] or width <= SPREAD * middle

    def verdict(self, *, avx2_alone: bool) -> str:
        """Return `aim`, `must` or `missed`."""
        value, target = median(self.runs), self.target
        bars = (target.aim_on(avx2_alone=avx2_alone), target.must)
        reached = [(value >= bar) if target.more else (value <= bar) for bar in bars]
        return "aim" if reached[0] else "must" if reached[1] else "missed"


def render(
    before: str,
    figures: Sequence[Figure],
    missing: Mapping[str, str],
    waits: str,
    details: str,
    *,
    avx2_alone: bool,
) -> str:
    """Return the report in Markdown.

    `missing` says why a thing has no figure; `waits` is what the questions of each length show.
    `avx2_alone` is whether the figures are of a processor with AVX2 and no VNNI.
    """
    lines = [
        "# Benchmarks",
        "",
        (
            "Written by `script/bench`; do not edit. Ratios are against wyoming-faster-whisper "
            "and wyoming-piper in the same run, with the same model files. A figure whose runs "
            f"disagree by more than {SPREAD:.0%} is not given. The spread of a figure is that of "
            "its runs."
        ),
        "",
        before,
        "",
        "| what | measured | runs | must | aim | |",
        "|---|---|---|---|---|---|",
        *(_row(figure, avx2_alone=avx2_alone) for figure in figures),
        *(f"| {TARGETS[key].what} | not measured | | | | {why} |" for key, why in missing.items()),
        "",
        *_both_kinds(),
        "",
        "![Each figure against its budget](benchmarks.svg)",
        "",
        *(["## By length of question", "", waits, "", _WAITS_PLOT, ""] if waits else []),
        *_FURTHER,
        "## What each measurement printed",
        "",
        details,
        "",
    ]
    return "\n".join(lines)


def _both_kinds() -> list[str]:
    differing = [target for target in TARGETS.values() if target.aim_avx2 is not None]
    return [
        (
            "The models compute in 8 bits, for which processors with VNNI (Intel since 2019, AMD "
            "since Zen 4) have an instruction of its own. The aim depends on it:"
        ),
        "",
        "| what | VNNI or better | AVX2 alone |",
        "|---|---|---|",
        *(
            f"| {one.what} | {one.aim:g} {one.unit} | {one.aim_avx2:g} {one.unit} |"
            for one in differing
        ),
    ]


def _row(figure: Figure, *, avx2_alone: bool) -> str:
    target = figure.target
    runs = ", ".join(f"{run:g}" for run in figure.runs)
    shown = f"{median(figure.runs):g} {target.unit}" if figure.agrees else "runs disagree"
    verdict = {"aim": "better than the aim", "must": "met", "missed": "**missed**"}
    said = (
        verdict[figure.verdict(avx2_alone=avx2_alone)]
        if figure.agrees
        else "measure again on a quiet machine"
    )
    sign = "at least" if target.more else "at most"
    return (
        f"| {target.what} | {shown} | {runs} | {sign} {target.must:g} {target.unit} "
        f"| {target.aim_on(avx2_alone=avx2_alone):g} {target.unit} | {said} |"
    )


def machine() -> str:
    """Return one line on the machine, the system and what is installed."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith(("model name", "Model"))
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    instructions = " ".join(vector_instructions(cpu_flags()))
    return (
        f"{time.strftime('%Y-%m-%d')}: {cpu} ({instructions}), {os.cpu_count()} cores, "
        f"{memory:.0f} GB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"Parley {version('parley-voice')}; load average before {os.getloadavg()[0]:.1f}."
    )


def plot(figures: Sequence[Figure], path: Path) -> None:
    """Draw each figure against its budget: 1 is what must be, less is better."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    shown = [figure for figure in figures if figure.agrees and figure.target.must]
    values = [_against_must(figure) for figure in shown]
    fig, axes = plt.subplots(figsize=(9, 0.42 * len(shown) + 1.2))
    colours = ["#1c9a6c" if value <= 1 else "#b3261e" for value in values]
    axes.barh([figure.target.what for figure in shown], values, color=colours)
    axes.axvline(1, color="#1b2333", linewidth=1)
    axes.set_xlim(0, max(1.2, min(3.0, max(values, default=1.0) * 1.1)))
    axes.set_xlabel("part of what must be reached; less is better")
    axes.invert_yaxis()
    fig.tight_layout()
    fig.savefig(path, metadata={"Date": None})
    plt.close(fig)


def plot_waits(turns: Sequence[Turn], path: Path) -> None:
    """Draw the waits of each length of question: quartiles, and every turn."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    answered = [turn for turn in turns if not turn.problem]
    lengths = sorted({turn.seconds for turn in answered})
    groups = [[turn.wait for turn in answered if turn.seconds == one] for one in lengths]
    fig, axes = plt.subplots(figsize=(7, 3.6))
    axes.boxplot(groups, showfliers=False)
    for place, waits in enumerate(groups, start=1):
        axes.plot([place] * len(waits), waits, "o", alpha=0.5, markersize=4, color="#2c5fb3")
    axes.set_xticks(range(1, len(lengths) + 1), [group_name(one) for one in lengths])
    for bar in BARS_MS:
        axes.axhline(bar, linewidth=0.8, linestyle="--", color="#667085")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("length of the question")
    axes.set_ylabel("last word to first sound, ms")
    fig.tight_layout()
    fig.savefig(path, metadata={"Date": None})
    plt.close(fig)


def _against_must(figure: Figure) -> float:
    value, target = median(figure.runs), figure.target
    return target.must / max(value, 1e-9) if target.more else value / target.must
