"""The `parley` command: demo, run, ask, models, dashboard, bench, wake-word, voices, doctor."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

from parley.cli.flags import shared_flags
from wyoming_common.config.arguments import ConciseParser
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import ServiceError
from wyoming_common.process.logs import set_up_logging

_COMMANDS = {
    "demo": "one home command and one spoken question, all on this machine",
    "run": "run the services and the satellite of one YAML file",
    "ask": "send one recorded question to running services",
    "models": "list, fetch and verify models",
    "dashboard": "serve a page that shows every turn, stage by stage",
    "bench": "measure the wait for each stage of a turn on this machine",
    "wake-word": "train a wake word of your own, test it, list and export the trained ones",
    "voices": "teach Parley the voices of the household, list, export and delete them",
    "doctor": "check the installation and say how to repair it",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; a user's error is one line on standard error and exit status 1."""
    words = sys.argv[1:] if argv is None else argv
    try:
        arguments = parser_for(words).parse_args(words)
    except ModuleNotFoundError as err:
        package = (err.name or "").partition(".")[0]
        install = how_to_install("cli")
        sys.stderr.write(f"parley: this command needs the package {package}: {install}\n")
        raise SystemExit(1) from err
    set_up_logging(arguments.log_format, debug=arguments.debug, packages=["parley"])
    try:
        status: int = arguments.run(arguments)
    except ServiceError as err:
        sys.stderr.write(f"parley: {err}\n")
        status = 1
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # `parley models list | head`: the reader has closed the pipe.
        sys.stderr.close()
        status = 141
    raise SystemExit(status)


def parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser that imports the module of the command among `words` alone.

    The other commands may need libraries that are not installed here.
    """
    parser = ConciseParser("parley", description="Local voice for Home Assistant.")
    parser.add_argument("--version", action="version", version=f"parley {version('parley-voice')}")
    parser.set_defaults(debug=False, log_format="text")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, what in _COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what, parents=[shared_flags()])
        if name in words:
            module = name.replace("-", "_")
            importlib.import_module(f"parley.cli.{module}").add_arguments(command)
    return parser


if __name__ == "__main__":
    main()
