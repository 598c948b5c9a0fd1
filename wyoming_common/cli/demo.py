"""`parley demo`: the whole loop once, on this machine, with nothing set up."""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from rich.console import Console

from wyoming_common.audio import read_audio
from wyoming_common.cli.checks import Verdict, sound
from wyoming_common.cli.flags import add_data_dir, add_output, output_of
from wyoming_common.cli.models import open_store, pull
from wyoming_common.cli.probe import QUESTION, probe
from wyoming_common.cli.turn import run_turn, show_turn
from wyoming_common.errors import ConfigError
from wyoming_common.processes import Child, Program
from wyoming_common.store.catalogue import DEFAULTS

_SERVICES = {
    "stt": ("wyoming_stt",),
    # One sentence or two show all there is to hear.
    "llm": ("wyoming_llm", "--max-tokens", "64", "--http-uri", "off"),
    "tts": ("wyoming_tts",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_dir(parser)
    parser.add_argument("--mic", action="store_true", help="use the microphone and the speaker")
    parser.add_argument(
        "--question",
        type=Path,
        default=QUESTION,
        metavar="FILE",
        help="another recording than the shipped one",
    )
    add_output(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.mic:
        _check_sound()
    else:
        read_audio(arguments.question)  # raises for what is no sound, before anything is started
        output_of(arguments)
    sys.stderr.write("Models\n")
    pull(open_store(arguments), list(DEFAULTS.values()))
    asyncio.run(_demo(arguments))
    return 0


def _check_sound() -> None:
    for finding in sound():
        if finding.verdict is not Verdict.OK:
            raise ConfigError(f"--mic: {finding.about}: {finding.what}; {finding.remedy}")


async def _demo(arguments: argparse.Namespace) -> None:
    console = Console()
    folders = [text for path in arguments.data_dir or [] for text in ("--data-dir", str(path))]
    if arguments.debug:
        folders.append("--debug")
    async with AsyncExitStack() as stack:
        sys.stderr.write("Starting speech-to-text, conversation and text-to-speech\n")
        starting = [
            asyncio.create_task(_start(_service(name, folders, echo=arguments.debug)))
            for name in _SERVICES
        ]
        stack.push_async_callback(_stop, starting)
        children = await asyncio.gather(*starting)
        services = [
            text
            for name, child in zip(_SERVICES, children, strict=True)
            for text in (f"--{name}", child.uri)
        ]
        reply: Path | None = None
        listening = "Say something"
        if not arguments.mic:
            listening = f"Asking {arguments.question}"
            reply = output_of(arguments)
            services += ["--mic", f"file:{arguments.question}"]
        say = partial(print, listening, file=sys.stderr)
        turn = await run_turn(services, reply, echo=arguments.debug, listening=say)
        show_turn(turn, reply, console)


def _service(name: str, folders: list[str], *, echo: bool) -> Program:
    module, *flags = _SERVICES[name]
    return Program(name, module, ("--uri", "tcp://127.0.0.1:0", *flags, *folders), echo=echo)


async def _start(program: Program) -> Child:
    """Start a service and put one small piece of work to it: the first one is always slow."""
    child = await Child.start(program)
    try:
        await probe(program.name, child.uri)
    except BaseException:
        await child.stop()
        raise
    return child


async def _stop(starting: list[asyncio.Task[Child]]) -> None:
    """End what has been started, the last one first; what still starts is given up."""
    for task in reversed(starting):
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            await task.result().stop()
