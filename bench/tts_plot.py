#!/usr/bin/env python3
"""Draw what `bench/tts.py --json` measured: bench/tts_plot.py IN.json OUT.png. Needs matplotlib."""

import json
import statistics
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

SERVERS = {"wyoming-piper": "#b0b0b0", "parley": "#1f77b4"}


def main() -> None:
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    for axis, field, title in zip(
        axes, ("first", "total"), ("first audio", "whole reply computed"), strict=True
    ):
        for place, (name, colour) in enumerate(SERVERS.items()):
            rows = [[turn[field] for turn in row[name]] for row in results.values()]
            middles = [statistics.median(row) for row in rows]
            lows = [middle - min(row) for middle, row in zip(middles, rows, strict=True)]
            highs = [max(row) - middle for middle, row in zip(middles, rows, strict=True)]
            heights = [line + 0.4 * place for line in range(len(rows))]
            axis.barh(heights, middles, 0.38, color=colour, label=name, xerr=[lows, highs],
                      error_kw={"lw": 0.8, "alpha": 0.5})  # fmt: skip
        axis.set_title(f"{title}, ms (median, range)", fontsize=10)
        axis.set_yticks([line + 0.2 for line in range(len(results))], list(results))
        axis.grid(axis="x", alpha=0.3)
    axes[0].invert_yaxis()  # shared by both
    axes[1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(sys.argv[2], dpi=90)


if __name__ == "__main__":
    main()
