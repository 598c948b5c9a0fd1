"""The `wyoming-llm` command."""

import sys
from functools import partial

from wyoming_common.process.app import run_program
from wyoming_llm.config import LlmSettings
from wyoming_llm.service import serve_llm


def main() -> None:
    """Run the service until it is told to stop, or `wyoming-llm chat`."""
    if sys.argv[1:2] == ["chat"]:
        from wyoming_llm.cli import chat, load

        run_program(partial(load, sys.argv[2:]), chat)
    else:
        run_program(LlmSettings.load, serve_llm)


if __name__ == "__main__":
    main()
