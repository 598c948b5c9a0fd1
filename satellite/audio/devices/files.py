"""Sound files in place of the microphone and of the speaker."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import numpy as np
import soundfile

from satellite.audio.devices.device import FRAME_BYTES, FRAME_SECONDS, SILENCE, Frame
from satellite.audio.devices.paced import PacedSpeaker
from satellite.audio.player import Player
from satellite.core.clock import RunClock
from wyoming_common.audio.pcm import read_audio
from wyoming_common.errors import ConfigError

_LOGGER = logging.getLogger(__name__)


class FileMicrophone:
    """Feeds a sound file in real time, and silence after it.

    Sample 0 is heard at the start of the run. Raises BadAudio for a file that cannot be read.
    """

    def __init__(self, path: Path, clock: RunClock) -> None:
        self._pcm, remark = read_audio(path)
        if remark:
            _LOGGER.warning("%s", remark)
        self._clock = clock
        self._frames = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    @property
    def ended(self) -> bool:
        """Whether the whole file has been heard."""
        return self._frames * FRAME_BYTES >= len(self._pcm)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield frames, each when its last sample would have been heard."""
        while True:
            begin = self._frames * FRAME_BYTES
            pcm = self._pcm[begin : begin + FRAME_BYTES]
            self._frames += 1
            at = self._frames * FRAME_SECONDS
            await self._clock.until(at)
            yield Frame(pcm + SILENCE[len(pcm) :], at)


class FileSpeaker(PacedSpeaker):
    """Records in real time; the format follows the file's name."""

    def __init__(self, path: Path, player: Player, clock: RunClock) -> None:
        super().__init__(player, clock)
        self._path = path

    async def __aenter__(self) -> Self:
        kinds = {kind.lower() for kind in soundfile.available_formats()}
        if self._path.suffix.removeprefix(".").lower() not in kinds:
            raise ConfigError(
                f"speaker: expected a name like reply.wav or reply.flac, got '{self._path}'"
            )
        if not self._path.parent.is_dir():
            raise ConfigError(f"speaker: the folder {self._path.parent} does not exist")
        try:
            self._file = soundfile.SoundFile(
                self._path, "w", samplerate=self.rate, channels=1, subtype="PCM_16"
            )
        except (soundfile.LibsndfileError, OSError, TypeError, ValueError) as err:
            raise ConfigError(f"speaker: cannot record to {self._path}: {_reason(err)}") from err
        await super().__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await super().__aexit__(*exc)
        finally:
            self._file.close()

    def play(self, pcm: bytes) -> None:
        """Write samples that are heard now. Raises ConfigError when the disk is full."""
        try:
            self._file.write(np.frombuffer(pcm, "<i2"))
        except (soundfile.LibsndfileError, OSError) as err:
            raise ConfigError(f"speaker: cannot record to {self._path}: {_reason(err)}") from err


def _reason(err: Exception) -> str:
    return str(err).rpartition(": ")[2].rstrip(".")
