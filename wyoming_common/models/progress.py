"""Progress of a download, as log lines."""

import logging
import time
from collections.abc import Callable

_LOGGER = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with the model's name, the bytes there by now, and the bytes in all (0: not known)."""

_LOG_SECONDS = 10.0


def log_progress() -> Progress:
    """Return a progress that writes a log line every ten seconds."""
    last = time.monotonic()

    def log(name: str, done: int, total: int) -> None:
        nonlocal last
        if (instant := time.monotonic()) - last >= _LOG_SECONDS:
            last = instant
            _LOGGER.info("%s: %.0f of %.0f MB", name, done / 1e6, total / 1e6)

    return log
