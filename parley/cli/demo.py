"""`parley demo`: one home command and one spoken question on this machine, without set-up."""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from parley.cli.checks import Severity, sound
from parley.cli.flags import add_data_dir, add_output, output_of
from parley.cli.models import open_store, pull
from parley.cli.probe import QUESTION, ask_llm
from parley.cli.turn import NoReply, run_turn, show_turn
from parley.pretend_home import PretendHome, serve_pretend_home
from parley.supervise.processes import ChildProcess, ProgramSpec
from wyoming_common.audio.pcm import read_audio
from wyoming_common.errors import ConfigError
from wyoming_common.models import ModelStore
from wyoming_common.models.defaults import Tiers, default_models

_SERVICES = {
    "stt": ("wyoming_stt",),
    # Short, because the reply is recorded in the time that it takes to say.
    "llm": ("wyoming_llm", "--max-tokens", "20", "--http-uri", "off"),
    "tts": ("wyoming_tts",),
}
COMMAND = "Turn on the kitchen light"
_MAX_COMMAND_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_dir(parser)
    parser.add_argument("--mic", action="store_true", help="use the microphone and the speaker")
    parser.add_argument(
        "--question",
        type=Path,
        default=QUESTION,
        metavar="FILE",
        help="the recorded question (default: the shipped one)",
    )
    add_output(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.mic:
        _check_sound()
    else:
        # Fails before any program starts when the file is no recording.
        read_audio(arguments.question)
        output_of(arguments)
    sys.stderr.write("Models\n")
    store = open_store(arguments)
    tiers = default_models()
    model = language_model(store, tiers["llm"])
    begun = time.monotonic()
    pull(store, [model, *(kind[0][0] for name, kind in tiers.items() if name != "llm")])
    sys.stderr.write(f"Models are in place after {time.monotonic() - begun:.1f} s\n")
    asyncio.run(_demo(arguments, model))
    if model not in tiers["llm"][0]:
        better = tiers["llm"][0][0]
        print(f"{model} has answered; `parley models pull` fetches {better} for this machine.")
    return 0


def language_model(store: ModelStore, tiers: Tiers) -> str:
    """Return the best installed default model, or else the smallest, which is fetched quickly."""
    names = [name for tier in tiers for name in tier]
    return next((name for name in names if store.find(name) is not None), names[-1])


def _check_sound() -> None:
    for finding in sound():
        if finding.verdict is not Severity.OK:
            raise ConfigError(f"--mic: {finding.about}: {finding.what}; {finding.remedy}")


async def _demo(arguments: argparse.Namespace, model: str) -> None:
    console = Console()
    async with AsyncExitStack() as stack:
        home = PretendHome()
        url = await stack.enter_async_context(serve_pretend_home(home))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-"))
        token = Path(folder) / "token"
        token.touch(mode=0o600)
        token.write_text(home.token, encoding="utf-8")
        shared = [text for path in arguments.data_dir or [] for text in ("--data-dir", str(path))]
        shared += ["--debug"] if arguments.debug else []
        llm = ["--model", model, "--home-assistant", url, "--token-file", str(token)]
        sys.stderr.write("Starting speech-to-text, conversation and text-to-speech\n")
        begun = time.monotonic()
        starting = [
            asyncio.create_task(
                ChildProcess.start(
                    _service(name, shared + (llm if name == "llm" else []), echo=arguments.debug)
                )
            )
            for name in _SERVICES
        ]
        stack.push_async_callback(_stop, starting)
        children = await asyncio.gather(*starting)
        sys.stderr.write(f"Ready after {time.monotonic() - begun:.1f} s\n")
        uris = {name: child.uri for name, child in zip(_SERVICES, children, strict=True)}
        await _show_command(home, uris["llm"], console)
        await _show_question(arguments, uris, console)


async def _show_question(
    arguments: argparse.Namespace, uris: dict[str, str], console: Console
) -> None:
    flags = [text for name, uri in uris.items() for text in (f"--{name}", uri)]
    reply: Path | None = None
    listening = "Say something"
    if not arguments.mic:
        listening = f"Asking {arguments.question}"
        reply = output_of(arguments)
        flags += ["--mic", f"file:{arguments.question}"]
    say = partial(print, listening, file=sys.stderr)
    turn = await run_turn(flags, reply, echo=arguments.debug, listening=say)
    show_turn(turn, reply, console)


async def _show_command(home: PretendHome, uri: str, console: Console) -> None:
    """Send a home command to the conversation service; print the intent, changes and times."""
    begun = time.monotonic()
    reply = await ask_llm(uri, COMMAND, _MAX_COMMAND_SECONDS)
    replied = time.monotonic()
    console.print(f"[bold]Home[/]    {COMMAND}", highlight=False)
    for name, slots in home.intents:
        values = ", ".join(f"{key} {value}" for key, value in slots.items())
        console.print(f"[bold]Intent[/]  {name}: {escape(values)}", highlight=False)
    for change in home.changes:
        milliseconds = (change.at - begun) * 1000
        text = f"{change.name}: {change.before} -> {change.after} after {milliseconds:.0f} ms"
        console.print(f"[bold]Change[/]  {text}", highlight=False)
    console.print(f"[bold]Parley[/]  {escape(reply)}", highlight=False)
    console.print(f"{(replied - begun) * 1000:.0f} ms from the command to the confirmation\n")
    if not home.changes:
        raise NoReply(f"'{COMMAND}' changed nothing in the pretend home")


def _service(name: str, folders: list[str], *, echo: bool) -> ProgramSpec:
    module, *flags = _SERVICES[name]
    return ProgramSpec(name, module, ("--uri", "tcp://127.0.0.1:0", *flags, *folders), echo=echo)


async def _stop(starting: list[asyncio.Task[ChildProcess]]) -> None:
    """Stop the started services together, and cancel unfinished starts."""
    for task in starting:
        task.cancel()
    await asyncio.wait(starting)
    started = [task for task in starting if not task.cancelled() and task.exception() is None]
    await asyncio.gather(*(task.result().stop() for task in started))
