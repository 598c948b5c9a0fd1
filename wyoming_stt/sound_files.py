"""Sound files of any kind, read in blocks: libsndfile where it can, PyAV for the rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from wyoming_common.audio import Samples
from wyoming_common.errors import BadAudio

_BLOCK_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Sound:
    """What a file holds."""

    path: Path
    rate: int
    """Hertz"""
    channels: int
    seconds: float
    """0 where the file does not say"""
    blocks: Callable[[], Iterator[Samples]]
    """Reads it from its beginning, in blocks of up to 10 s: int16, shape [samples, channels]"""


def open_sound(path: Path) -> Sound:
    """Look at a file. Raises BadAudio for one that is missing, is not sound, or holds none."""
    if path.is_dir():
        raise BadAudio(f"{path}: expected a sound file, got a folder")
    if not path.is_file():
        raise BadAudio(f"{path}: no such file")
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return _open_av(path)
    if info.frames == 0:
        raise BadAudio(f"{path}: holds no audio")

    def blocks() -> Iterator[Samples]:
        with soundfile.SoundFile(path) as file:
            yield from file.blocks(_BLOCK_SECONDS * info.samplerate, dtype="int16", always_2d=True)

    return Sound(path, info.samplerate, info.channels, info.duration, blocks)


def pcm_of(block: Samples, channel: int | None) -> bytes:
    """Return one channel of a block, or with None all of them mixed, as mono s16le."""
    one = block.mean(axis=1) if channel is None else block[:, channel]
    return one.astype("<i2").tobytes()


def _open_av(path: Path) -> Sound:
    try:
        import av
    except ModuleNotFoundError as err:
        raise BadAudio(f"{path}: not a sound file that libsndfile knows") from err
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise BadAudio(f"{path}: holds no audio")
            stream = container.streams.audio[0]
            rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
            seconds = float(container.duration or 0) / av.time_base
    except av.FFmpegError as err:
        raise BadAudio(f"{path}: not a sound file that libsndfile or FFmpeg knows") from err

    def blocks() -> Iterator[Samples]:
        resampler = av.AudioResampler(format="s16", rate=rate)
        with av.open(str(path)) as container:
            try:
                for frame in container.decode(audio=0):
                    for part in resampler.resample(frame):
                        yield part.to_ndarray().reshape(-1, channels).astype(np.int16)
            except av.FFmpegError as err:
                raise BadAudio(f"{path}: cannot be read to its end: {err}") from err

    return Sound(path, rate, channels, seconds, blocks)
