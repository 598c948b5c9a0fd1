"""`parley doctor`: check the installation and say how to repair it."""

import argparse
import asyncio
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from parley.cli import checks, hardware
from parley.cli.checks import Finding, Severity
from parley.cli.flags import add_data_dir
from parley.cli.models import open_store
from wyoming_common.config.settings import DEFAULT_DATA_DIR

_COLOURS = {Severity.OK: "green", Severity.NOTE: "yellow", Severity.PROBLEM: "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    findings = asyncio.run(_look(arguments))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        _show(findings)
    return int(any(finding.verdict is Severity.PROBLEM for finding in findings))


async def _look(arguments: argparse.Namespace) -> list[Finding]:
    folder = (arguments.data_dir or [DEFAULT_DATA_DIR])[0]
    found = await asyncio.gather(checks.engines(), checks.ports(), checks.network())
    engines, ports, network = found
    return [
        *hardware.machine(),
        *await asyncio.to_thread(hardware.gpu),
        *hardware.disk(open_store(arguments), folder),
        *engines,
        *ports,
        *network,
        *checks.sound(),
    ]


def _show(findings: list[Finding]) -> None:
    table = Table("", "about", "what", "remedy", box=None)
    for finding in findings:
        verdict = Text(finding.verdict.value, _COLOURS[finding.verdict])
        table.add_row(verdict, finding.about, Text(finding.what), Text(finding.remedy))
    console = Console()
    console.print(table)
    problems = sum(finding.verdict is Severity.PROBLEM for finding in findings)
    console.print(f"{problems} problem{'' if problems == 1 else 's'}")
