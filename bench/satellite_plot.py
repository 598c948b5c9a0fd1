"""Draw what `bench.satellite --json` measured: python -m bench.satellite_plot OUT.png FILE.jsonl...

Nothing but what those files hold is drawn. Needs matplotlib.
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
_NAMES = {"micro": "microWakeWord", "open": "openWakeWord"}
_SHORT = {
    "a reply plays, with the echo canceller": "reply plays,\nAEC",
    "a reply plays, without it": "reply plays",
    "music plays, with the echo canceller": "music plays,\nAEC",
    "music plays, without it": "music plays",
}


def main() -> None:
    out, *inputs = sys.argv[1:]
    rows = [json.loads(line) for path in inputs for line in Path(path).read_text().splitlines()]
    panels = [
        (_wake, 2.0, [row for row in rows if row["what"].startswith("wake")]),
        (_barge_in, 1.0, [row for row in rows if "delays_ms" in row]),
        (_mouth_to_ear, 1.2, [row for row in rows if row["what"] == "mouth-to-ear"]),
    ]
    shown = [(draw, width, found) for draw, width, found in panels if found]
    widths = [width for _, width, _ in shown]
    size = (3.0 * sum(widths), 3.2)
    figure, axes = plt.subplots(1, len(shown), figsize=size, width_ratios=widths, squeeze=False)
    for axis, (draw, _, found) in zip(axes[0], shown, strict=True):
        draw(axis, found)
    figure.tight_layout()
    figure.savefig(out, dpi=90)


def _wake(axis: Axes, rows: list[dict[str, Any]]) -> None:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    engines = dict.fromkeys(row["engine"] for row in rows)
    for place, engine in enumerate(engines):
        found = {row["case"]: row for row in rows if row["engine"] == engine}
        shares = [
            100 * found[case]["heard"] / found[case]["said"] for case in cases if case in found
        ]
        at = [number + 0.4 * place for number, case in enumerate(cases) if case in found]
        bars = axis.bar(at, shares, 0.38, color=_COLOURS[engine], label=_NAMES[engine])
        axis.bar_label(bars, fmt="%.0f", fontsize=7)
    ticks = [number + 0.2 for number in range(len(cases))]
    axis.set_xticks(ticks, [_SHORT.get(case, case) for case in cases], fontsize=7, rotation=0)
    axis.set_ylim(0, 118)
    axis.set_title("wake words heard, %", fontsize=10)
    axis.legend(fontsize=7, loc="upper right", ncols=2)


def _barge_in(axis: Axes, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        delays = np.sort(row["delays_ms"])
        talkers = len(delays) + row["missed"] + row["before"]
        share = 100 * np.arange(1, len(delays) + 1) / talkers
        label = f"{talkers} talkers ({row['by']})"
        axis.step(delays, share, where="post", label=label)
    axis.axvline(200, color="#b0b0b0", linestyle="--", linewidth=1)
    axis.set_xlim(0, 600)
    axis.set_ylim(0, 101)
    axis.set_xlabel("ms", fontsize=8)
    axis.set_title("talkers given room within, %", fontsize=10)
    axis.legend(fontsize=7, loc="lower right")
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
