"""Recordings of the last detections, made only when the user has asked for it.

The dashboard offers them for correction, and training learns from what the user has said of them.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import BoundedSemaphore

import soundfile

from satellite.wake.trained_words import FOLDER
from wyoming_common.audio.pcm import MODEL_RATE, to_float

_LOGGER = logging.getLogger(__name__)

HEARD = "heard"
"""Folder of the detections, among the trained words of a data folder."""
MAX_RECORDINGS = 50
RECORDED_SECONDS = 2.5
_MAX_WAITING = 4


class WakeRecorder:
    """Writes the sound before each detection to a file; the oldest are removed.

    The file's name is TIME-WORD.wav, with the time in milliseconds since 1970.
    """

    def __init__(self, data_dir: Path, now: Callable[[], float] = time.time) -> None:
        self._folder = data_dir.expanduser() / FOLDER / HEARD
        self._now = now
        self._thread = ThreadPoolExecutor(1, "wake-recorder")
        self._free = BoundedSemaphore(_MAX_WAITING)

    def record(self, word: str, pcm: bytes) -> None:
        """Write mono s16le PCM at 16 kHz soon; left out while the disk is too slow."""
        if self._free.acquire(blocking=False):
            self._thread.submit(self._write, word, pcm)

    def finish(self) -> None:
        """Wait until all is written that was kept so far."""
        self._thread.submit(int).result()

    def close(self) -> None:
        """Finish writing."""
        self._thread.shutdown()

    def _write(self, word: str, pcm: bytes) -> None:
        name = f"{int(self._now() * 1000)}-{Path(word).stem}.wav"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(self._folder / name, to_float(pcm), MODEL_RATE, "PCM_16")
            for path in sorted(self._folder.glob("*.wav"))[:-MAX_RECORDINGS]:
                path.unlink(missing_ok=True)
        except (OSError, soundfile.LibsndfileError) as err:
            _LOGGER.warning("A wake word was not kept: %s", err)
        finally:
            self._free.release()
