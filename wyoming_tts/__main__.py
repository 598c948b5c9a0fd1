"""The `wyoming-tts` command."""

import sys

from wyoming_common.process.app import run_program
from wyoming_tts.cli import SpeakSettings, speak_text
from wyoming_tts.config import TtsSettings
from wyoming_tts.service import serve_tts


def main() -> None:
    """Run the service until a signal stops it, or `speak` a text."""
    if sys.argv[1:2] == ["speak"]:
        run_program(lambda: SpeakSettings.load(sys.argv[2:]), speak_text)
    else:
        run_program(TtsSettings.load, serve_tts)


if __name__ == "__main__":
    main()
