"""Draws the figures that bench.llm wrote: python -m bench.llm_plot FIGURES.json PLOT.png"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

_FIRST = ("cold", "warm", "changed end", "after a restart")
_SPEED = ("idle", "one core busy", "recognition and synthesis at work")
_SHORT = {"one core busy": "one core\nbusy", _SPEED[2]: "STT and TTS\nat work"}
_COLOURS = {"parley": "#2a6f97", "plain": "#c9a227"}
_NAMES = {"parley": "Parley", "plain": "llama-cpp-python"}


def main() -> None:
    source, target = map(Path, sys.argv[1:3])
    figures = json.loads(source.read_text(encoding="utf-8"))
    panels = [
        (names, title, unit, width)
        for keys, title, unit, width in (
            (_FIRST, "Time to first token, 1,200-token home prompt", "seconds (log)", 5),
            (_SPEED, "Writing", "tokens a second", 4),
        )
        if (names := [key for key in keys if key in figures["parley"]])
    ]
    widths = [width for _, _, _, width in panels]
    figure, grid = plt.subplots(
        1, len(panels), figsize=(1.1 * sum(widths), 3.6), width_ratios=widths, squeeze=False
    )
    left = grid[0][0]
    for axes, (what, title, unit, _) in zip(grid[0], panels, strict=True):
        for place, side in enumerate(("parley", "plain")):
            values = [figures[side][name] for name in what]
            at = [number + (place - 0.5) * 0.38 for number in range(len(what))]
            bars = axes.bar(at, values, 0.36, label=_NAMES[side], color=_COLOURS[side])
            axes.bar_label(bars, fmt="%.2f" if axes is left else "%.0f", fontsize=8)
        axes.set_xticks(range(len(what)), [_SHORT.get(name, name) for name in what], fontsize=8)
        axes.set_title(title, fontsize=10)
        axes.set_ylabel(unit, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_yscale("log")
    left.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(target, dpi=100)


if __name__ == "__main__":
    main()
