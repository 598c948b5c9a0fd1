"""`wyoming-stt transcribe`: sound files, each a participant of one meeting, as one text."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from wyoming_common.audio import MODEL_RATE, PcmFormat
from wyoming_common.endpoint import Endpoint
from wyoming_common.errors import ConfigError
from wyoming_stt.config import SttSettings
from wyoming_stt.engine import Request, SttEngine
from wyoming_stt.languages import match
from wyoming_stt.listener import Listener, Pcm, Piece, Windows
from wyoming_stt.minutes import FORMATS, Said
from wyoming_stt.service import make_engine
from wyoming_stt.sound_files import Sound, open_sound, pcm_of
from wyoming_stt.vad import SileroModel, SpeechModel
from wyoming_stt.vocabulary import read_vocabulary, vocabulary

_WINDOWS = Windows(early_seconds=5.0, pause_seconds=0.5)
"""Utterances of a meeting: ended by a pause, unless somebody speaks for less than 5 s at a time."""


class TranscribeSettings(SttSettings):
    """Writes sound files down. Several files, or the channels of one, are merged by time."""

    model_config = SettingsConfigDict(cli_prog_name="wyoming-stt transcribe")

    files: CliPositionalArg[list[Path]] = Field(description="sound files")
    channels: Literal["mix", "split"] = Field(
        "mix", description="mix the channels of a file, or take each for a participant"
    )
    format: Literal["text", "json", "srt", "vtt"] = Field("text", description="how to write it")


def run(settings: TranscribeSettings, stopped: Callable[[], bool]) -> None:
    """Write the transcript of the files to standard output. Raises ServiceError.

    Ends early, and writes nothing, once `stopped` says so.
    """
    sounds = [open_sound(path) for path in settings.files]
    if not sounds:
        raise ConfigError("files: expected at least one sound file")
    engine = make_engine(settings, settings.model[0])()
    ears = SileroModel()
    language = match(settings.language, engine.languages, settings.model[0])
    words = read_vocabulary(settings.vocabulary) if settings.vocabulary is not None else ()
    request = Request(language=language, task=settings.task, words=words)
    if settings.task not in engine.tasks:
        raise ConfigError(f"task: {settings.model[0]} cannot {settings.task}")
    said: list[Said] = []
    with _progress() as progress:
        for number, sound in enumerate(sounds):
            bar = progress.add_task(sound.path.name, total=sound.seconds or None)
            for speaker, piece in _pieces(
                sound,
                _speakers(sounds, number, split=settings.channels == "split"),
                ears,
                lambda seconds, bar=bar: progress.advance(bar, seconds),  # type: ignore[misc]
            ):
                if stopped():
                    return
                said += _write_down(engine, request, speaker, piece)
    said.sort(key=lambda one: (one.start, one.end))
    sys.stdout.write(FORMATS[settings.format](said))


def _write_down(engine: SttEngine, request: Request, speaker: str, piece: Piece) -> Iterator[Said]:
    result = engine.transcribe(piece.audio, request)
    text = vocabulary(request.words).correct(result.text)
    if text:
        yield Said(
            start=round(piece.start / MODEL_RATE, 2),
            end=round(piece.end / MODEL_RATE, 2),
            speaker=speaker,
            text=text,
            language=result.language,
        )


def _speakers(sounds: list[Sound], number: int, *, split: bool) -> list[tuple[str, int | None]]:
    """Return a name and a channel for every participant in one file; None is all channels."""
    sound = sounds[number]
    name = sound.path.stem
    if split and sound.channels > 1:
        return [(f"{name} {channel + 1}", channel) for channel in range(sound.channels)]
    return [(name if len(sounds) > 1 else "", None)]


def _pieces(
    sound: Sound,
    speakers: list[tuple[str, int | None]],
    ears: SpeechModel,
    advance: Callable[[float], None],
) -> Iterator[tuple[str, Piece]]:
    """Yield the utterances of one file as they are found, those of each speaker in order."""
    source = PcmFormat(sound.rate)
    listeners = [
        Listener(ears.stream(), Endpoint(), may_end=False, windows=_WINDOWS) for _ in speakers
    ]
    for block in sound.blocks():
        for (name, channel), listener in zip(speakers, listeners, strict=True):
            listener.feed([Pcm(pcm_of(block, channel), source, 0.0)])
            yield from ((name, window) for window in listener.windows())
        advance(len(block) / sound.rate)
    for (name, _), listener in zip(speakers, listeners, strict=True):
        listener.finish()
        yield from ((name, window) for window in listener.windows())
        if (tail := listener.tail()) is not None:
            yield name, tail


def _progress() -> Progress:
    """Return a bar on standard error, which stays silent where that is not a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
