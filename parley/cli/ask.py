"""`parley ask`: send one recorded question to running services."""

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from parley.cli.flags import add_output, output_of
from parley.cli.turn import run_turn, show_turn
from wyoming_common.audio.pcm import read_audio


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the spoken question: WAV, FLAC, Ogg, MP3...")
    for service in ("stt", "llm", "tts"):
        parser.add_argument(f"--{service}", metavar="URI", help="default: found by zeroconf")
    parser.add_argument("--language", help="language of the question, e.g. en")
    parser.add_argument("--voice", help="voice of the reply")
    add_output(parser)
    parser.add_argument("--json", action="store_true", help="one JSON line instead of a table")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    read_audio(arguments.file)  # fail before any program starts when the file is no recording
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
