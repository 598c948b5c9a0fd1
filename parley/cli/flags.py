"""Command-line flags shared by several commands of `parley`."""

import argparse
import os
from pathlib import Path

from wyoming_common.config.arguments import ConciseParser
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.errors import ConfigError


def shared_flags() -> ConciseParser:
    """Return the parent parser of every command and of every action."""
    parser = ConciseParser(add_help=False)
    # No default: the default of an action would overwrite the flag given to its command.
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="log debug messages, including transcripts",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default=argparse.SUPPRESS,
        help="format of the log lines",
    )
    return parser


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir with the meaning it has in the services."""
    parser.add_argument(
        "--data-dir",
        type=Path,
        action="append",
        metavar="PATH",
        help=f"folder of the models; repeatable, downloads go to the first writable one "
        f"({DEFAULT_DATA_DIR})",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add --output, the WAV file of the reply."""
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("reply.wav"),
        metavar="FILE",
        help="WAV file for the spoken reply (reply.wav)",
    )


def output_of(arguments: argparse.Namespace) -> Path:
    """Return the path of --output. Raises ConfigError when it cannot be written."""
    path: Path = arguments.output.absolute()
    place = path if path.exists() else path.parent
    if path.is_dir() or not os.access(place, os.W_OK):
        raise ConfigError(f"--output: {path} cannot be written")
    return path
