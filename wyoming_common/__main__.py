"""`parley`: everything together."""

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version

from wyoming_common.arguments import Arguments
from wyoming_common.cli.flags import shared_flags
from wyoming_common.errors import ServiceError
from wyoming_common.logs import set_up_logging

_COMMANDS = {
    "demo": "one spoken question, one spoken answer: the whole loop on this machine",
    "run": "run the services and the satellite of one YAML file",
    "ask": "put one recorded question to services that are running",
    "models": "list, fetch and check models",
    "dashboard": "a page on which every turn can be seen, stage by stage",
    "bench": "how long you wait on this machine with its models, and for which stage",
    "doctor": "look what is installed and what is wrong, and say how to mend it",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; an error a user can cause is one line and exit status 1."""
    arguments = _parser().parse_args(argv)
    set_up_logging(arguments.log_format, debug=arguments.debug)
    # Libraries that say more than a person at a terminal wants to read.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        status: int = arguments.run(arguments)
    except ServiceError as err:
        sys.stderr.write(f"parley: {err}\n")
        status = 1
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # `parley models list | head`; what is left to print has no reader.
        sys.stderr.close()
        status = 141
    raise SystemExit(status)


def _parser() -> argparse.ArgumentParser:
    parser = Arguments("parley", description=__doc__)
    parser.add_argument("--version", action="version", version=f"parley {version('parley-voice')}")
    parser.set_defaults(debug=False, log_format="text")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, what in _COMMANDS.items():
        module = importlib.import_module(f"wyoming_common.cli.{name}")
        command = commands.add_parser(name, help=what, description=what, parents=[shared_flags()])
        module.add_arguments(command)
    return parser


if __name__ == "__main__":
    main()
