"""Sound files of any format, read in blocks by libsndfile or, for other formats, by PyAV."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from wyoming_common.audio.pcm import Samples
from wyoming_common.errors import BadAudio

_MAX_BLOCK_SECONDS = 10


@dataclass(frozen=True, slots=True)
class SoundFile:
    """Format, length and samples of a file."""

    path: Path
    rate: int
    """Hertz"""
    channels: int
    seconds: float
    """0 where the file does not tell"""
    blocks: Callable[[], Iterator[Samples]]
    """Yields the whole file in blocks of up to 10 s: int16, shape [samples, channels]"""


def open_sound(path: Path) -> SoundFile:
    """Read the header of a file. Raises BadAudio if it is missing, not sound, or empty."""
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
            yield from file.blocks(
                _MAX_BLOCK_SECONDS * info.samplerate, dtype="int16", always_2d=True
            )

    return SoundFile(path, info.samplerate, info.channels, info.duration, blocks)


def pcm_of(block: Samples, channel: int | None) -> bytes:
    """Return one channel of a block, or the mix of all if `channel` is None, as mono s16le."""
    one = block.mean(axis=1) if channel is None else block[:, channel]
    return one.astype("<i2").tobytes()


def _open_av(path: Path) -> SoundFile:
    try:
        import av
    except ModuleNotFoundError as err:
        raise BadAudio(
            f"{path}: not in a format that libsndfile reads; pip install av for more"
        ) from err
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise BadAudio(f"{path}: holds no audio")
            stream = container.streams.audio[0]
            rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
            seconds = float(container.duration or 0) / av.time_base
    except av.FFmpegError as err:
        raise BadAudio(f"{path}: not in a format that libsndfile or FFmpeg reads") from err

    def blocks() -> Iterator[Samples]:
        resampler = av.AudioResampler(format="s16", rate=rate)
        with av.open(str(path)) as container:
            try:
                for frame in container.decode(audio=0):
                    for part in resampler.resample(frame):
                        yield part.to_ndarray().reshape(-1, channels).astype(np.int16)
            except av.FFmpegError as err:
                raise BadAudio(f"{path}: cannot be read to its end: {err}") from err

    return SoundFile(path, rate, channels, seconds, blocks)
