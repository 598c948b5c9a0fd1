"""`parley voices`: teach Parley the voices of the household, list, export and delete them."""

import argparse
import asyncio
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from parley.cli.flags import add_data_dir, shared_flags
from wyoming_common.audio.pcm import MODEL_RATE, read_audio
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.errors import BadAudio, ConfigError
from wyoming_stt.speakers.engine import Embedding
from wyoming_stt.speakers.enrolment import SENTENCES, Enroller
from wyoming_stt.speakers.profiles import VoiceProfiles, check_name

_MAX_SENTENCE_SECONDS = 12.0
_TRIES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, what: str) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=what, description=what, parents=[shared_flags()])
        add_data_dir(command)
        command.set_defaults(run=globals()[f"_{name}"])
        return command

    enrol = action("enrol", "make the voice profile of a person from five sentences")
    enrol.add_argument("name", help="name of the person")
    enrol.add_argument(
        "files", nargs="*", type=Path, help="recordings, a sentence each; without the microphone"
    )
    enrol.add_argument("--mic", default="portaudio", help="microphone, as of parley-satellite")
    listing = action("list", "list the voice profiles")
    listing.add_argument("--json", action="store_true", help="one JSON line")
    export = action("export", "write a voice profile to a file, to read it or to take it along")
    export.add_argument("name", help="name of the person")
    export.add_argument("output", type=Path, help="the file")
    delete = action("delete", "delete a voice profile")
    delete.add_argument("name", help="name of the person")


def _data_dirs(arguments: argparse.Namespace) -> list[Path]:
    return [path.expanduser() for path in arguments.data_dir or [DEFAULT_DATA_DIR]]


def _enrol(arguments: argparse.Namespace) -> int:
    enroller = Enroller(_data_dirs(arguments))
    name = check_name(arguments.name)
    if arguments.files:
        samples = [enroller.sample(read_audio(path)[0], str(path)) for path in arguments.files]
    else:
        samples = asyncio.run(_spoken(enroller, arguments.mic, name))
    print(f"{name}: {enroller.enrol(name, samples)}; no recording was kept")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    profiles = VoiceProfiles(_data_dirs(arguments)).all()
    if arguments.json:
        rows = [
            {"name": p.name, "samples": len(p.samples), "learned": len(p.learned), "made": p.made}
            for p in profiles
        ]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    table = Table("Person", "Sentences", "Learned since", "Made")
    for one in profiles:
        table.add_row(one.name, str(len(one.samples)), str(len(one.learned)), one.made[:10])
    Console().print(table if profiles else "No voice profile yet: parley voices enrol NAME")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    path = VoiceProfiles(_data_dirs(arguments)).path(arguments.name)
    try:
        arguments.output.write_bytes(path.read_bytes())
    except OSError as err:
        raise ConfigError(f"{arguments.output}: cannot be written: {err.strerror}") from err
    print(f"{arguments.output}: put it into the folder {path.parent.name} of another data folder")
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    VoiceProfiles(_data_dirs(arguments)).delete(arguments.name)
    print(f"The voice profile of {check_name(arguments.name)} is deleted")
    return 0


async def _spoken(enroller: Enroller, microphone: str, name: str) -> list[Embedding]:
    """Ask for the sentences one by one, and return the voice in them."""
    console = Console()
    console.print(f"Five sentences make the profile of {name}. Read each one aloud:")
    samples: list[Embedding] = []
    for number, sentence in enumerate(SENTENCES, 1):
        for remaining in reversed(range(_TRIES)):
            console.print(f"\n{number} of {len(SENTENCES)}: [bold]{sentence}[/bold]")
            pcm = await _record(microphone)
            try:
                samples.append(await asyncio.to_thread(enroller.sample, pcm, f"sentence {number}"))
                break
            except BadAudio as err:
                if not remaining:
                    raise
                console.print(f"{err}. Once more:")
    return samples


async def _record(microphone: str) -> bytes:
    """Return what is said until a second of silence."""
    from satellite.audio.devices import open_microphone
    from satellite.config import SatelliteSettings
    from satellite.core.clock import RunClock
    from wyoming_common.audio.endpointing import FINAL, Endpointer, EndpointerSettings
    from wyoming_common.audio.pcm import Reframer
    from wyoming_common.audio.vad import SILERO, VAD_FRAME_SAMPLES
    from wyoming_common.registry import import_class

    vad = import_class(SILERO, "Voice detection", "satellite")()
    settings = EndpointerSettings(no_speech_seconds=10.0, turn_seconds=_MAX_SENTENCE_SECONDS)
    endpointer = Endpointer(settings)
    source = open_microphone(SatelliteSettings(mic=microphone, wake=("none",)), RunClock())
    reframer, heard = Reframer(2 * VAD_FRAME_SAMPLES), bytearray()
    async with source:
        async for frame in source.frames():
            heard += frame.pcm
            for block in reframer.feed(frame.pcm):
                probability = vad.process_chunk(block)
                if endpointer.process(probability, VAD_FRAME_SAMPLES, may_end=True) in FINAL:
                    return bytes(heard)
            if source.ended or len(heard) > 2 * MODEL_RATE * 3 * _MAX_SENTENCE_SECONDS:
                break
    return bytes(heard)
