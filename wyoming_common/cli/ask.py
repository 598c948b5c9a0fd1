"""`parley ask`: one recorded question to services that are running."""

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from wyoming_common.audio import read_audio
from wyoming_common.cli.flags import add_output, output_of
from wyoming_common.cli.turn import run_turn, show_turn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the spoken question: WAV, FLAC, Ogg, MP3...")
    for service in ("stt", "llm", "tts"):
        parser.add_argument(f"--{service}", metavar="URI", help="default: found by zeroconf")
    parser.add_argument("--language", help="of the question, e.g. en")
    parser.add_argument("--voice", help="of the reply")
    add_output(parser)
    parser.add_argument("--json", action="store_true", help="one JSON line instead of a table")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    read_audio(arguments.file)  # raises for what is no sound, before anything is started
    given = [
        text
        for name in ("stt", "llm", "tts", "language", "voice")
        if (value := getattr(arguments, name)) is not None
        for text in (f"--{name}", value)
    ]
    question = ["--mic", f"file:{arguments.file}", *given]
    reply = output_of(arguments)
    turn = asyncio.run(run_turn(question, reply, echo=arguments.debug))
    if arguments.json:
        print(json.dumps(asdict(turn) | {"reply_wav": str(reply)}, ensure_ascii=False))
    else:
        show_turn(turn, reply, Console())
    return 0
