"""`parley models`: list, fetch and verify models."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

from parley.cli.flags import add_data_dir, shared_flags
from parley.cli.recommend import recommend
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.errors import ModelError
from wyoming_common.models import Entry, ModelStore
from wyoming_common.models.defaults import default_models
from wyoming_common.models.progress import Progress

_WIDE_COLUMNS, _PIPE_COLUMNS = 110, 200


def open_store(arguments: argparse.Namespace) -> ModelStore:
    """Return the model store in the folders of --data-dir."""
    return ModelStore(arguments.data_dir or [DEFAULT_DATA_DIR])


def pull(store: ModelStore, names: Sequence[str]) -> list[Path]:
    """Fetch models; draw progress bars when standard error is a terminal."""
    if not sys.stderr.isatty():
        return [store.ensure(name) for name in names]
    with progress_bars() as progress:
        return [store.ensure(name, progress) for name in names]


def pull_defaults(store: ModelStore) -> list[Path]:
    """Fetch the default models of this machine, with progress bars as `pull` draws them."""
    tiers = default_models().values()
    if not sys.stderr.isatty():
        return [store.ensure_first(kind) for kind in tiers]
    with progress_bars() as progress:
        return [store.ensure_first(kind, progress) for kind in tiers]


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Draw one bar for each model on standard error until the block ends."""
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks = {}

    def show(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=None)
        bars.update(tasks[name], completed=done, total=total or None)

    with bars:
        yield show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, what: str) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=what, description=what, parents=[shared_flags()])
        add_data_dir(command)
        command.set_defaults(run=globals()[f"_{name}"])
        return command

    listed = action("list", "list the catalogue and the installed models")
    listed.add_argument("--kind", choices=("stt", "llm", "tts", "turn", "speaker"))
    listed.add_argument("--language", help="only models for this language, e.g. de")
    listed.add_argument("--json", action="store_true")
    pulled = action("pull", "fetch models")
    pulled.add_argument("names", nargs="*", metavar="NAME", help="default: the default models")
    verified = action("verify", "compare the SHA-256 of installed models with the catalogue")
    verified.add_argument("names", nargs="*", metavar="NAME", help="default: all installed models")
    action("path", "print the folder of an installed model").add_argument("name", metavar="NAME")
    action("recommend", "recommend models for a machine").add_argument(
        "machine", nargs="?", help="pi5-4gb, pi5-8gb, mini-pc or gpu (default: this machine)"
    )


def _list(arguments: argparse.Namespace) -> int:
    store = open_store(arguments)
    entries = [
        entry
        for entry in store.catalogue.values()
        if arguments.kind in (None, entry.kind) and _speaks(entry, arguments.language)
    ]
    if arguments.json:
        print(json.dumps([_as_dict(entry, store) for entry in entries], indent=1))
        return 0
    # A pipe has no width, and a narrow terminal has no room for the descriptions.
    console = Console() if sys.stdout.isatty() else Console(width=_PIPE_COLUMNS)
    columns = ["name", "kind", "languages", "licence", "size", "here", "what"]
    table = Table(box=None)
    for column in columns if console.width >= _WIDE_COLUMNS else columns[:-1]:
        table.add_column(column, no_wrap=column != "what")
    for entry in entries:
        few = ", ".join(entry.languages[:3]) + (", ..." if len(entry.languages) > 3 else "")
        here = "yes" if store.find(entry.name) is not None else ""
        size = f"{entry.size / 1e6:.0f} MB"
        row = (entry.name, entry.kind, few, entry.licence, size, here, entry.description)
        table.add_row(*row[: len(table.columns)])
    console.print(table)
    return 0


def _pull(arguments: argparse.Namespace) -> int:
    store = open_store(arguments)
    for path in pull(store, arguments.names) if arguments.names else pull_defaults(store):
        print(path)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    store = open_store(arguments)
    status = 0
    for name in arguments.names or store.installed():
        damage = store.verify(name)
        status = 1 if damage else status
        for found in damage:
            print(f"{name}: {found.file.name}: {found.problem}; parley models pull {name}")
        if not damage:
            print(f"{name}: intact")
    return status


def _path(arguments: argparse.Namespace) -> int:
    store = open_store(arguments)
    path = store.find(arguments.name)
    if path is None:
        store.catalogue[arguments.name]  # raises UnknownModel for an unknown name
        raise ModelError(f"{arguments.name} is not installed; parley models pull {arguments.name}")
    print(path)
    return 0


def _recommend(arguments: argparse.Namespace) -> int:
    Console().print(recommend(open_store(arguments).catalogue, arguments.machine))
    return 0


def _speaks(entry: Entry, language: str | None) -> bool:
    if language is None:
        return True
    wanted = language.replace("-", "_").lower()
    codes = [code.lower() for code in entry.languages]
    return any(code == wanted or code.split("_")[0] == wanted for code in codes)


def _as_dict(entry: Entry, store: ModelStore) -> dict[str, object]:
    path = store.find(entry.name)
    return {
        "name": entry.name,
        "kind": entry.kind,
        "languages": list(entry.languages),
        "licence": entry.licence,
        "description": entry.description,
        "bytes": entry.size,
        "path": str(path) if path is not None else None,
    }
