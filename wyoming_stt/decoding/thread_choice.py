"""Number of threads with which a Whisper model decodes commands fastest on this machine.

It is measured at the first start and remembered.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import ctranslate2
import numpy as np
import platformdirs

from wyoming_common.process.cpu import cpu_flags, usable_cores, vector_instructions

_LOGGER = logging.getLogger(__name__)

_MAX_MEASURED_BYTES: Final = 250_000_000
"""Larger models take long to load, and their products of matrices occupy every thread."""
_MAX_THREADS: Final = 4
"""Threads that CTranslate2 takes by itself, at most"""
_COMMAND_FRAMES: Final = 400
"""Mel frames of 10 ms of a command with its margin"""
_WINDOW_FRAMES: Final = 3000
_COMMAND_TOKENS: Final = 12
_END_OF_TEXT: Final = {False: 50256, True: 50257}
"""Token by whether the model is multilingual; the start of a transcript follows it
(https://github.com/openai/whisper/blob/main/whisper/tokenizer.py)."""
_RUNS: Final = 3
_TOLERANCE: Final = 1.05
"""A further thread has to save more than a twentieth: the turn model wants cores at that time."""
_MAX_SPREAD: Final = 1.5
"""Times that differ more are those of a busy machine"""
_MAX_DISTURBED: Final = 3
"""Measurements on a busy machine after which the last one counts"""


def fastest_threads(path: Path, compute_type: str, beams: int) -> int:
    """Return the number of threads for the model in folder `path` on a CPU.

    It is 0, which leaves the choice to CTranslate2, for large models.
    A step of a small decoder is over before several threads have met: on two cores of an AMD EPYC
    without VNNI, tiny.en takes 230 ms for a command with one thread and 290 with two.
    """
    status, cores = (path / "model.bin").stat(), usable_cores()
    if status.st_size > _MAX_MEASURED_BYTES:
        return 0
    return choose_threads(
        sorted({1, min(2, cores), min(_MAX_THREADS, cores)}),
        partial(_command_work, path, compute_type, beams),
        f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}:{compute_type}:{beams}:{cores}:"
        f"{vector_instructions(cpu_flags())}:{ctranslate2.__version__}",
        Path(platformdirs.user_cache_dir("parley")) / "threads",
    )


def _command_work(path: Path, compute_type: str, beams: int, threads: int) -> Callable[[], object]:
    """Return the work of decoding a command of usual length."""
    model = ctranslate2.models.Whisper(
        str(path), device="cpu", compute_type=compute_type, intra_threads=threads
    )
    # The decoder takes the same steps for silence as for words, and may not stop before the last.
    end = _END_OF_TEXT[model.is_multilingual]
    command, window = (
        ctranslate2.StorageView.from_array(np.zeros((1, model.n_mels, frames), np.float32))
        for frames in (_COMMAND_FRAMES, _WINDOW_FRAMES)
    )
    states = model.encode(window, to_cpu=True)

    def work() -> None:
        model.encode(command, to_cpu=True)
        model.generate(
            states,
            [[end + 1]],
            beam_size=beams,
            max_length=_COMMAND_TOKENS,
            suppress_tokens=[end],
        )

    return work


def choose_threads(
    candidates: Sequence[int],
    prepare: Callable[[int], Callable[[], object]],
    identity: str,
    folder: Path,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """Return the smallest of `candidates` with which the work takes hardly longer than with any.

    `prepare` returns the work for a number of threads; what it holds is freed before the next one
    is prepared. `identity` names the model and the machine. The choice is kept in `folder`; where
    other programs disturbed the measurement it is made again at the next starts, three times.
    """
    if len(candidates) == 1:
        return candidates[0]
    record = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:24]}.threads"
    known, disturbed = _remembered(record)
    if known in candidates and not 0 < disturbed < _MAX_DISTURBED:
        return known
    times = {count: _durations(prepare(count), clock) for count in candidates}
    usual = {count: median(runs) for count, runs in times.items()}
    fastest = min(usual.values())
    chosen = min(count for count, seconds in usual.items() if seconds <= _TOLERANCE * fastest)
    _LOGGER.debug("Threads: %d of %s", chosen, times)
    steady = all(max(runs) <= _MAX_SPREAD * min(runs) for runs in times.values())
    with suppress(OSError):  # measured again at the next start
        folder.mkdir(parents=True, exist_ok=True)
        record.write_text(f"{chosen}{'' if steady else '?' * (disturbed + 1)}", encoding="ascii")
    return chosen


def _remembered(record: Path) -> tuple[int, int]:
    """Return the number that `record` holds, and how many measurements were disturbed.

    Zeros where it holds none.
    """
    try:
        text = record.read_text(encoding="ascii")
        return int(text.rstrip("?")), text.count("?")
    except (OSError, ValueError):
        return 0, 0


def _durations(work: Callable[[], object], clock: Callable[[], float]) -> list[float]:
    """Return the seconds of each run; the first one prepares and does not count."""
    work()
    found = []
    for _ in range(_RUNS):
        began = clock()
        work()
        found.append(clock() - began)
    return found
