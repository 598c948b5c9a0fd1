"""`parley wake-word`: train a wake word of your own, test it, and say whether it is a good one."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from parley.cli.flags import add_data_dir, shared_flags
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.errors import ConfigError, MissingDependency
from wyoming_common.process.cpu import usable_cores

_FEW_SPEAKERS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, what: str) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=what, description=what, parents=[shared_flags()])
        add_data_dir(command)
        command.set_defaults(run=_needs_packages, action=globals()[f"_{name}"])
        return command

    train = action("train", "train a wake word from its text; an interrupted run continues")
    train.add_argument("phrase", help='the wake word, e.g. "hey computer"')
    train.add_argument("--language", default="en", help="language of the phrase, e.g. de (en)")
    train.add_argument(
        "--samples", type=Path, metavar="DIR", help="folder of recordings of the phrase; three help"
    )
    train.add_argument("--threads", type=int, default=0, help="threads; 0: one a core, at most 4")
    train.add_argument("--json", action="store_true", help="progress and result as JSON lines")
    check = action("check", "say whether a phrase is a good wake word, and suggest better ones")
    check.add_argument("phrase", help="the wake word")
    check.add_argument("--language", default="en", help="language of the phrase, e.g. de (en)")
    check.add_argument("--json", action="store_true", help="one JSON line")
    test = action("test", "show the scores of a wake word, of recordings or live")
    test.add_argument("word", help="name or file of a wake word")
    test.add_argument("files", nargs="*", type=Path, help="recordings; without them the microphone")
    test.add_argument("--mic", default="portaudio", help="microphone, as of parley-satellite")
    listing = action("list", "list the trained wake words")
    listing.add_argument("--json", action="store_true", help="one JSON line")
    export = action("export", "write a wake word as an ONNX model for openWakeWord")
    export.add_argument("word", help="name or file of a trained wake word")
    export.add_argument("output", type=Path, help="the .onnx file")


def _needs_packages(arguments: argparse.Namespace) -> int:
    try:
        status: int = arguments.action(arguments)
    except ModuleNotFoundError as err:
        raise MissingDependency(
            f"Wake words are trained with the package {err.name}: {how_to_install('wake-words')}"
        ) from err
    return status


def _data_dirs(arguments: argparse.Namespace) -> list[Path]:
    return [path.expanduser() for path in arguments.data_dir or [DEFAULT_DATA_DIR]]


def _train(arguments: argparse.Namespace) -> int:
    # Networks learn side by side; BLAS's own threads would wait busily for each other. It reads
    # this when NumPy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from parley.wake_word.workshop import Workshop

    workshop = Workshop(_data_dirs(arguments), arguments.threads or min(4, usable_cores()))
    judgement = workshop.judge(arguments.phrase, arguments.language)
    if arguments.json:
        print(json.dumps({"judgement": judgement.as_dict()}, ensure_ascii=False), flush=True)
    else:
        for remark in judgement.remarks:
            print(remark)
        if judgement.better:
            print(f"Likely better: {', '.join(judgement.better)}")
    with _json_lines() if arguments.json else _bar() as tell:
        path, word = workshop.train(judgement.phrase, arguments.language, arguments.samples, tell)
    facts = word.facts
    if arguments.json:
        print(json.dumps({"word": path.stem, "facts": facts}, ensure_ascii=False), flush=True)
        return 0
    print(
        f"{path}: hears {facts['recall']:.0%} of the held-out voices, "
        f"{facts['near_misses']:.0%} of near misses, {facts['false_accepts']} false accepts in "
        f"{facts['minutes_of_speech']:g} minutes of other speech"
    )
    if facts["speakers"] < _FEW_SPEAKERS:
        print(
            f"Only {facts['speakers']} voices spoke: more make it better, e.g. "
            f"`parley models pull kokoro-82m-ja-int8`, and so do recordings of yours (--samples)"
        )
    print(f"Use it: parley-satellite --wake {path.stem}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from parley.wake_word.workshop import Workshop

    judgement = Workshop(_data_dirs(arguments), 1).judge(arguments.phrase, arguments.language)
    if arguments.json:
        print(json.dumps(judgement.as_dict(), ensure_ascii=False))
        return 0
    if judgement.good:
        print(
            f"'{judgement.phrase}' is a good wake word: {judgement.syllables} syllables, and "
            f"nothing that is often said sounds like it."
        )
    for remark in judgement.remarks:
        print(remark)
    if judgement.better:
        print(f"Likely better: {', '.join(judgement.better)}")
    return 0


def _test(arguments: argparse.Namespace) -> int:
    import asyncio

    from satellite.cli import show_scores
    from satellite.config import SatelliteSettings
    from satellite.wake.scoring import score_recording

    directories = tuple(_data_dirs(arguments))
    if not arguments.files:
        settings = SatelliteSettings(
            mic=arguments.mic, wake=(arguments.word,), wake_engine="open", data_dir=directories
        )
        asyncio.run(show_scores(settings))
        return 0
    heard = 0
    for path in arguments.files:
        result = score_recording(arguments.word, path, directories)
        heard += bool(result.detections)
        at = ", ".join(f"{seconds:.1f} s" for seconds in result.detections)
        print(f"{path}: score {result.best:.2f}{f', heard at {at}' if at else ', not heard'}")
    print(f"{heard} of {len(arguments.files)} heard")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from satellite.wake.trained_words import read_word, trained_words

    words = [(path, read_word(path)) for path in trained_words(_data_dirs(arguments))]
    if arguments.json:
        rows = [
            {"word": path.stem, "phrase": word.phrase, "language": word.language, **word.facts}
            for path, word in words
        ]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    table = Table("Wake word", "Language", "Recall", "False accepts", "Recordings", "Made")
    for _, word in words:
        facts = word.facts
        table.add_row(
            word.phrase,
            word.language,
            f"{facts.get('recall', 0):.0%}",
            f"{facts.get('false_accepts', 0)} in {facts.get('minutes_of_speech', 0):g} min",
            str(facts.get("recordings", 0)),
            str(facts.get("made", ""))[:10],
        )
    Console().print(table if words else "No trained wake word yet: parley wake-word train PHRASE")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from parley.wake_word.export import write_onnx
    from satellite.wake.trained_words import find_word, read_word

    path = find_word(arguments.word, _data_dirs(arguments))
    if path is None:
        raise ConfigError(f"No trained wake word '{arguments.word}'; see parley wake-word list")
    write_onnx(read_word(path), arguments.output)
    print(f"{arguments.output}: for openWakeWord; its threshold is 0.5")
    return 0


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
    columns = (TextColumn("{task.description:<14}"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda stage, part: None  # noqa: ARG005
        return
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting", total=1.0)
        yield lambda stage, part: progress.update(task, description=stage, completed=part)


@contextmanager
def _json_lines() -> Iterator[Callable[[str, float], None]]:
    def tell(stage: str, part: float) -> None:
        sys.stdout.write(json.dumps({"stage": stage, "part": round(part, 3)}) + "\n")
        sys.stdout.flush()

    yield tell
