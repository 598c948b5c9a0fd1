"""The Grafana dashboard and the alert rules ask for what our processes tell."""

import json
import re
from pathlib import Path

import pytest
import yaml

from wyoming_common.metrics import make_registry
from wyoming_common.telemetry import Telemetry
from wyoming_common.trace import Trace

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"


def told() -> set[str]:
    """Return the names of all samples of a process that has done something."""
    telemetry = Telemetry("wyoming-stt")
    telemetry.state |= {"ready": lambda: True, "waiting": lambda: 0, "connections": lambda: 0}
    registry = make_registry(telemetry)
    for kind in ("rejects:busy", "errors:busy", "underruns", "wake:okay_nabu"):
        telemetry.count(kind)
    trace = Trace()
    trace.begin("stt", tokens=1, cache_hits=1, queue_ms=1.0, model_ms=1.0)
    trace.end("stt")
    telemetry.record(trace)
    return {sample.name for family in registry.collect() for sample in family.samples} | {"up"}


def asked(expression: str) -> set[str]:
    """Return the metrics that a PromQL expression names."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)", "", expression)
    return set(re.findall(r"\b(?:parley|process)_\w+\b|\bup\b", bare))


def expressions() -> list[tuple[str, str]]:
    """Return every expression, with what it is for."""
    dashboard = json.loads((FOLDER / "parley.json").read_text())
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    found = [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    found += [(rule["alert"], rule["expr"]) for group in rules["groups"] for rule in group["rules"]]
    return found


@pytest.mark.parametrize(("what", "expression"), expressions())
def test_every_metric_asked_for_is_told(what: str, expression: str) -> None:
    names = asked(expression)

    assert names
    assert names <= told()
