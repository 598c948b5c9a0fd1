"""The `wyoming-llm` command."""

from wyoming_common.app import run_program
from wyoming_llm.config import LlmSettings
from wyoming_llm.service import serve_llm


def main() -> None:
    """Run the service until it is told to stop."""
    run_program(LlmSettings.load, serve_llm)


if __name__ == "__main__":
    main()
