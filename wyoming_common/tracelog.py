"""Turns as JSON lines in a file that is rotated, written beside the event loop."""

import json
import logging
import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import Final

from wyoming_common.errors import ConfigError
from wyoming_common.telemetry import Listener, Record

_LOGGER = logging.getLogger(__name__)

_FILE_BYTES: Final = 5_000_000
_FILES: Final = 3
"""Full files that are kept beside the one being written: 20 MB in all."""
_WAITING: Final = 1000
"""Lines that may wait for a slow disk; further ones are dropped."""


class _Dropping(QueueHandler):
    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            _LOGGER.debug("The disk is too slow: a trace was dropped")


class _Lines(RotatingFileHandler):
    """Says once that a line cannot be written, and again when that was over meanwhile."""

    _failed = 0

    def emit(self, record: logging.LogRecord) -> None:
        before = self._failed
        super().emit(record)
        if self._failed == before:
            self._failed = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's
        self._failed += 1
        if self._failed == 1:
            _LOGGER.warning("trace_file: cannot write %s: %s", self.baseFilename, sys.exc_info()[1])

    def close(self) -> None:
        # What is left in its buffer may not fit either.
        with suppress(OSError):
            super().close()


@contextmanager
def open_trace_log(path: Path) -> Iterator[Listener]:
    """Yield what appends a record to the file; what waits is written before the block ends.

    Raises ConfigError for a file that cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _Lines(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    except OSError as err:
        raise ConfigError(f"trace_file: cannot write {path}: {err.strerror}") from err
    lines = _Dropping(queue.Queue(_WAITING))
    listener = QueueListener(lines.queue, handler)
    listener.start()

    def write(record: Record) -> None:
        text = json.dumps(record, separators=(",", ":"))
        lines.handle(logging.makeLogRecord({"msg": text}))

    try:
        yield write
    finally:
        listener.stop()
        handler.close()
