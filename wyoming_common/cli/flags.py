"""Flags that several commands of `parley` have."""

import argparse
import os
from pathlib import Path

from wyoming_common.arguments import Arguments
from wyoming_common.errors import ConfigError
from wyoming_common.settings import DEFAULT_DATA_DIR


def shared_flags() -> Arguments:
    """Return a parser to be a parent of every command and of every action of one."""
    parser = Arguments(add_help=False)
    # Not set at all where not given: an action's default would undo what its command was given.
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="log more, transcripts included",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default=argparse.SUPPRESS,
        help="how log lines are written",
    )
    return parser


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir, as the services have it."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        action="append",
        metavar="PATH",
        help=f"where models are; repeatable, the first writable one is used ({DEFAULT_DATA_DIR})",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add --output, the WAV file of the reply."""
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("reply.wav"),
        metavar="FILE",
        help="where the reply's sound goes (reply.wav)",
    )


def output_of(arguments: argparse.Namespace) -> Path:
    """Return the file of --output. Raises ConfigError for one that cannot be written."""
    path: Path = arguments.output.absolute()
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise ConfigError(f"--output: {path} cannot be written")
    return path
