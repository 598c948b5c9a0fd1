"""Ours beside what people run today: the same Home Assistant, recordings, models and agent."""

import json
import os
from pathlib import Path

from tests.homeassistant.client import Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.pipeline import (
    Recording,
    Run,
    Table,
    manifest,
    question,
    recording,
    speak,
    summarise,
)

COUNT = 8
CLAIMS = {"stt": 3.0, "audio": 2.0}
"""Factor by which we claim to be sooner at the end of `stt` and at the first sound of the reply."""


def chosen() -> list[Recording]:
    """Return eight single commands, spread over all there are; else the question of the demo."""
    names = sorted(name for name, row in manifest("command").items() if row["seconds"] < 11)
    found = [recording(name) for name in names[:: max(1, len(names) // COUNT)][:COUNT]]
    return [one for one in found if one is not None] or [question()] * 4


def verdict(medians: dict[str, float], part: str) -> str:
    """Return our claim about a part of the turn, and what came of it here."""
    times = medians[f"{part} stock"] / medians[f"{part} ours"]
    held = "held" if times >= CLAIMS[part] else "not held on this machine"
    return f"{part}: {times:.2f} times sooner; at least {CLAIMS[part]:g} is claimed: {held}"


def save(path: Path, measured: dict[str, list[float]]) -> None:
    path.write_text(json.dumps(measured), encoding="utf-8")


async def test_ours_hears_and_answers_sooner_than_stock(
    installation: Installation, stock: str, client: Client, times: list[Table]
) -> None:
    title = "Seconds after the end of speech (agent: 0.3 s)"
    columns = ("said", "stt ours", "stt stock", "audio ours", "audio stock", "ours", "stock")
    table = Table(title, columns)
    measured: dict[str, list[float]] = {name: [] for name in columns[1:5]}

    for said in chosen():
        end = said.speech_end()
        runs: dict[str, Run] = {}
        for name, pipeline in (("ours", installation.pipelines["agent"]), ("stock", stock)):
            runs[name] = await speak(client, pipeline, said)
            assert runs[name].first_audio is not None, runs[name].summary()
            measured[f"stt {name}"].append(runs[name].at("stt-end") - end)
            measured[f"audio {name}"].append((runs[name].first_audio or 0.0) - end)
        table.add(
            said.name[:16],
            *(measured[name][-1] for name in columns[1:5]),
            runs["ours"].transcript[:40],
            runs["stock"].transcript[:40],
        )
    medians = summarise(measured)
    table.add("p50", *medians.values(), "", "")
    times.append(table)
    if "PARLEY_TIMES" in os.environ:
        save(Path(os.environ["PARLEY_TIMES"]), measured)

    # The factor depends on the machine and is printed; that we are sooner does not.
    table.title = "\n".join([title, *(f"  {verdict(medians, part)}" for part in CLAIMS)])
    for part in CLAIMS:
        assert medians[f"{part} ours"] < medians[f"{part} stock"], table
