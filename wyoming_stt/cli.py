"""`wyoming-stt transcribe`: transcript of sound files, each a participant of one meeting."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from wyoming_common.audio.endpointing import Endpointer
from wyoming_common.audio.pcm import MODEL_RATE, PcmFormat
from wyoming_common.errors import ConfigError
from wyoming_stt.audio.audio_queue import PcmChunk
from wyoming_stt.audio.segmenter import SegmentLimits, SpeechSegment, SpeechSegmenter
from wyoming_stt.audio.sound_files import SoundFile, open_sound, pcm_of
from wyoming_stt.audio.vad import SileroModel, VadModel
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.transcribe import transcribe
from wyoming_stt.engine import SttEngine, TranscriptionRequest
from wyoming_stt.home_sentences.sentences import NoHomeSentences
from wyoming_stt.service import make_engine
from wyoming_stt.text.languages import match_language
from wyoming_stt.text.names import read_vocabulary
from wyoming_stt.text.transcript_formats import FORMATS, TranscriptEntry

_LIMITS = SegmentLimits(early_seconds=5.0, pause_seconds=0.5)
"""Utterances of a meeting end at a pause, and shorter ones than 5 s are joined."""


class TranscribeSettings(SttSettings):
    """Transcribes sound files. Several files, or the channels of one, are merged by time."""

    model_config = SettingsConfigDict(cli_prog_name="wyoming-stt transcribe")

    files: CliPositionalArg[list[Path]] = Field(description="sound files")
    channels: Literal["mix", "split"] = Field(
        "mix", description="mix the channels of a file, or treat each as a participant"
    )
    format: Literal["text", "json", "srt", "vtt"] = Field(
        "text", description="format of the transcript"
    )


def run(settings: TranscribeSettings, stopped: Callable[[], bool]) -> None:
    """Write the transcript of the files to standard output. Raises ServiceError.

    Ends early, without output, once `stopped` returns true.
    """
    files = [open_sound(path) for path in settings.files]
    if not files:
        raise ConfigError("files: expected at least one sound file")
    engine = make_engine(settings, settings.model[0])
    engine.load()
    vad = SileroModel()
    language = match_language(settings.language, engine.languages, settings.model[0])
    words = read_vocabulary(settings.vocabulary) if settings.vocabulary is not None else ()
    request = TranscriptionRequest(language=language, task=settings.task, words=words)
    if settings.task not in engine.tasks:
        raise ConfigError(f"task: {settings.model[0]} cannot {settings.task}")
    entries: list[TranscriptEntry] = []
    with _progress() as progress:
        for number, file in enumerate(files):
            bar = progress.add_task(file.path.name, total=file.seconds or None)
            for speaker, segment in segments_of(
                file,
                speakers_of(files, number, split=settings.channels == "split"),
                vad,
                lambda seconds, bar=bar: progress.advance(bar, seconds),  # type: ignore[misc]
            ):
                if stopped():
                    return
                entries += _transcribe(engine, request, speaker, segment)
    engine.close()
    if not entries:
        print("No speech was found", file=sys.stderr)
    entries.sort(key=lambda entry: (entry.start, entry.end))
    sys.stdout.write(FORMATS[settings.format](entries))


def speakers_of(
    files: list[SoundFile], number: int, *, split: bool
) -> list[tuple[str, int | None]]:
    """Return name and channel of every participant in one file; None is all channels mixed."""
    file = files[number]
    name = file.path.stem
    if split and file.channels > 1:
        return [(f"{name} {channel + 1}", channel) for channel in range(file.channels)]
    return [(name if len(files) > 1 else "", None)]


def segments_of(
    file: SoundFile,
    speakers: list[tuple[str, int | None]],
    vad: VadModel,
    advance: Callable[[float], None],
) -> Iterator[tuple[str, SpeechSegment]]:
    """Yield speaker and speech segment as they are found, the ones of each speaker in order.

    `advance` is called with the seconds of audio read.
    """
    source = PcmFormat(file.rate)
    segmenters = [
        SpeechSegmenter(vad.stream(), Endpointer(), may_end=False, limits=_LIMITS) for _ in speakers
    ]
    for block in file.blocks():
        for (name, channel), segmenter in zip(speakers, segmenters, strict=True):
            snapshot = segmenter.feed([PcmChunk(pcm_of(block, channel), source, 0.0)])
            yield from ((name, segment) for segment in snapshot.completed)
        advance(len(block) / file.rate)
    for (name, _), segmenter in zip(speakers, segmenters, strict=True):
        snapshot = segmenter.finish()
        yield from ((name, segment) for segment in snapshot.completed)
        if snapshot.open_segment is not None:
            yield name, snapshot.open_segment


def _transcribe(
    engine: SttEngine, request: TranscriptionRequest, speaker: str, segment: SpeechSegment
) -> Iterator[TranscriptEntry]:
    result = transcribe(
        engine,
        segment.audio,
        request,
        NoHomeSentences(),
        certain_seconds=segment.certain_seconds,
    )
    if result.text:
        yield TranscriptEntry(
            start=round(segment.start / MODEL_RATE, 2),
            end=round(segment.end / MODEL_RATE, 2),
            speaker=speaker,
            text=result.text,
            language=result.language,
        )


def _progress() -> Progress:
    """Return a progress bar on standard error, shown only if that is a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
