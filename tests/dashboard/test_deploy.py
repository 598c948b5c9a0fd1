"""The Grafana dashboard and the alert rules ask for what our processes tell."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from wyoming_common.http.metrics import make_registry
from wyoming_common.telemetry.recorder import Telemetry
from wyoming_common.telemetry.trace import Trace

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"


PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


def busy_registry() -> CollectorRegistry:
    """Return the metrics of a process that has done something."""
    telemetry = Telemetry("wyoming-stt")
    telemetry.state |= {"ready": lambda: True, "waiting": lambda: 0, "connections": lambda: 0}
    registry = make_registry(telemetry)
    for kind in ("rejects:busy", "errors:busy", "underruns", "wake:okay_nabu"):
        telemetry.count(kind)
    trace = Trace()
    trace.begin("stt", tokens=1, cache_hits=1, queue_ms=1.0, model_ms=1.0)
    trace.end("stt")
    telemetry.record(trace)
    return registry


def told() -> set[str]:
    """Return the names of all its samples."""
    samples = (sample for family in busy_registry().collect() for sample in family.samples)
    return {sample.name for sample in samples} | {"up"}


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


@needs_promtool
def test_prometheus_takes_the_alert_rules() -> None:
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "check", "rules", FOLDER / "alerts.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules found" in done.stdout


@needs_promtool
def test_the_names_of_metrics_are_as_prometheus_wants_them() -> None:
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"],
        input=generate_latest(busy_registry()), capture_output=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == b""


def test_every_metric_can_be_read_and_says_what_it_is() -> None:
    text = generate_latest(busy_registry()).decode()

    families = list(text_string_to_metric_families(text))

    assert families
    assert [family.name for family in families if not family.documentation] == []
    assert [family.name for family in families if family.name != family.name.lower()] == []


def test_every_panel_of_the_dashboard_has_a_place_and_a_source() -> None:
    dashboard = json.loads((FOLDER / "parley.json").read_text())
    panels = dashboard["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert {"x", "y", "w", "h"} <= panel["gridPos"].keys()
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert panel["targets"]
