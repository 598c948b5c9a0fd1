"""`parley models`: what there is, what is here, fetch it, check it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from wyoming_common.cli.flags import add_data_dir, shared_flags
from wyoming_common.cli.recommend import recommend
from wyoming_common.errors import ModelError
from wyoming_common.settings import DEFAULT_DATA_DIR
from wyoming_common.store import Entry, ModelStore
from wyoming_common.store.catalogue import DEFAULTS
from wyoming_common.store.progress import progress_bars

_ROOMY, _PIPE_WIDTH = 110, 200
"""Characters"""


def open_store(arguments: argparse.Namespace) -> ModelStore:
    """Return the store in the folders of --data-dir."""
    return ModelStore(arguments.data_dir or [DEFAULT_DATA_DIR])


def pull(store: ModelStore, names: Sequence[str]) -> list[Path]:
    """Fetch models, showing progress where someone looks."""
    if not sys.stderr.isatty():
        return [store.ensure(name) for name in names]
    with progress_bars() as progress:
        return [store.ensure(name, progress) for name in names]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, what: str) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=what, description=what, parents=[shared_flags()])
        add_data_dir(command)
        command.set_defaults(run=globals()[f"_{name}"])
        return command

    listed = action("list", "the catalogue, and what is installed")
    listed.add_argument("--kind", choices=("stt", "llm", "tts", "turn"))
    listed.add_argument("--language", help="only models for this language, e.g. de")
    listed.add_argument("--json", action="store_true")
    pulled = action("pull", "fetch models")
    pulled.add_argument("names", nargs="*", metavar="NAME", help="none: the defaults")
    verified = action("verify", "read installed models and compare their SHA-256")
    verified.add_argument("names", nargs="*", metavar="NAME", help="none: all that are installed")
    action("path", "print the folder of an installed model").add_argument("name", metavar="NAME")
    action("recommend", "which models suit which machine, and why").add_argument(
        "machine", nargs="?", help="pi5-4gb, pi5-8gb, mini-pc or gpu; none: this machine"
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
    # A pipe has no width; a narrow terminal has none left for the descriptions.
    console = Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
    columns = ["name", "kind", "languages", "licence", "size", "here", "what"]
    table = Table(box=None)
    for column in columns if console.width >= _ROOMY else columns[:-1]:
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
    for path in pull(store, arguments.names or list(DEFAULTS.values())):
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
            print(f"{name}: right")
    return status


def _path(arguments: argparse.Namespace) -> int:
    store = open_store(arguments)
    path = store.find(arguments.name)
    if path is None:
        store.catalogue[arguments.name]  # raises UnknownModel for a name it does not have
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
