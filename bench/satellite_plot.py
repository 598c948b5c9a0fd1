"""Draw what `bench.satellite --json` measured: python -m bench.satellite_plot OUT.png FILE.jsonl...

Needs matplotlib.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_COLOURS = {"micro": "#1f77b4", "open": "#b0b0b0"}
_SHORT = {
    "a reply plays, with the echo canceller": "reply, AEC",
    "a reply plays, without it": "reply",
    "music plays, with the echo canceller": "music, AEC",
    "music plays, without it": "music",
}


def main() -> None:
    out, *inputs = sys.argv[1:]
    rows = [json.loads(line) for path in inputs for line in Path(path).read_text().splitlines()]
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), width_ratios=(1.4, 1, 1.2))
    _wake(axes[0], [row for row in rows if row["what"] == "wake"])
    _barge_in(axes[1], [row for row in rows if row["what"] == "barge-in"])
    _mouth_to_ear(axes[2], [row for row in rows if row["what"] == "mouth-to-ear"])
    figure.tight_layout()
    figure.savefig(out, dpi=90)


def _wake(axis: Axes, rows: list[dict[str, Any]]) -> None:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    engines = dict.fromkeys(row["engine"] for row in rows)
    for place, engine in enumerate(engines):
        found = {row["case"]: 100 * row["recall"] for row in rows if row["engine"] == engine}
        at = [number + 0.4 * place for number in range(len(cases))]
        label = f"{engine}WakeWord"
        bars = axis.bar(
            at, [found.get(c, 0) for c in cases], 0.38, color=_COLOURS[engine], label=label
        )
        axis.bar_label(bars, fmt="%.0f", fontsize=7)
    ticks = [number + 0.2 for number in range(len(cases))]
    axis.set_xticks(ticks, [_SHORT.get(case, case) for case in cases], fontsize=7, rotation=30)
    axis.set_title("wake words heard, %", fontsize=10)
    axis.legend(fontsize=7, loc="lower left")


def _barge_in(axis: Axes, rows: list[dict[str, Any]]) -> None:
    delays = np.sort([delay for row in rows for delay in row["delays_ms"]])
    axis.plot(delays, np.linspace(0, 100, len(delays)), color="#1f77b4")
    axis.axvline(200, color="#b0b0b0", linestyle="--", linewidth=1)
    axis.set_title("talkers given room within ms, %", fontsize=10)
    axis.grid(alpha=0.3)


def _mouth_to_ear(axis: Axes, rows: list[dict[str, Any]]) -> None:
    stages: dict[str, list[float]] = {}
    for row in rows:
        for name, values in row["stages_ms"].items():
            stages.setdefault(name, []).extend(values)
    left = 0.0
    for number, (name, values) in enumerate(stages.items()):
        shade = plt.get_cmap("Blues")(0.8 - 0.2 * number)
        middle = float(np.median(values))
        axis.barh([0], [middle], left=left, color=shade, label=f"{name}: {middle:.0f}")
        left += middle
    axis.set_yticks([])
    axis.set_ylim(-0.5, 2.2)
    axis.legend(fontsize=7, loc="upper left")
    axis.set_title("end of speech to reply, median ms by stage", fontsize=10)


if __name__ == "__main__":
    main()
