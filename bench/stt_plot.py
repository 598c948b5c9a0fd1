"""Draw what `bench.stt --json` measured: python -m bench.stt_plot OUT.png LABEL=FILE.jsonl...

Needs matplotlib.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = {"stock": "#b0b0b0", "ours": "#1f77b4"}


def main() -> None:
    out, *inputs = sys.argv[1:]
    groups: list[tuple[str, dict[str, dict[str, float]]]] = []
    for given in inputs:
        label, _, path = given.partition("=")
        rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
        for kind in dict.fromkeys(row["kind"] for row in rows):
            servers = {row["server"]: row for row in rows if row["kind"] == kind}
            groups.append((f"{label}\n{kind}", servers))
    figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.2))
    for axis, field, title in (
        (axes[0], "mean_ms", "last byte to transcript, mean, ms"),
        (axes[1], "wer", "word errors, %"),
    ):
        for place, (name, colour) in enumerate(COLOURS.items()):
            values = [servers[name][field] for _, servers in groups]
            bars = axis.bar(
                [number + 0.4 * place for number in range(len(groups))],
                values,
                0.38,
                color=colour,
                label={"stock": "wyoming-faster-whisper", "ours": "Parley"}[name],
            )
            axis.bar_label(bars, fmt="%.4g", fontsize=7)
        axis.set_xticks(
            [number + 0.2 for number in range(len(groups))],
            [label for label, _ in groups],
            fontsize=8,
        )
        axis.set_title(title, fontsize=10)
        axis.grid(axis="y", alpha=0.3)
        axis.margins(y=0.15)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(out, dpi=90)


if __name__ == "__main__":
    main()
