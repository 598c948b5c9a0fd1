"""Trace log: turns as JSON lines in a rotated file, written by a thread beside the event loop."""

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
from wyoming_common.telemetry.recorder import Listener, Record

_LOGGER = logging.getLogger(__name__)

_MAX_FILE_BYTES: Final = 5_000_000
_MAX_FULL_FILES: Final = 3
"""Full files that are kept beside the one being written: 20 MB in all."""
_MAX_WAITING_RECORDS: Final = 1000
"""Records that may wait for a slow disk; further ones are dropped."""


class _DroppingQueueHandler(QueueHandler):
    """Drops records while the disk is too slow for them."""

    def __init__(self, waiting: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(waiting)
        self._waiting = waiting

    def enqueue(self, record: logging.LogRecord) -> None:
        # Not a bound of the queue itself: at the end the listener has to put its own mark in.
        if self._waiting.qsize() < _MAX_WAITING_RECORDS:
            self._waiting.put_nowait(record)
        else:
            _LOGGER.debug("The disk is too slow: a trace was dropped")


class _TraceFile(RotatingFileHandler):
    """Warns once when a record cannot be written, and again after one could be."""

    _failures = 0

    def emit(self, record: logging.LogRecord) -> None:
        before = self._failures
        super().emit(record)
        if self._failures == before:
            self._failures = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's
        self._failures += 1
        if self._failures == 1:
            _LOGGER.warning("trace_file: cannot write %s: %s", self.baseFilename, sys.exc_info()[1])

    def close(self) -> None:
        # The rest of its buffer may not fit either.
        with suppress(OSError):
            super().close()


@contextmanager
def open_trace_log(path: Path) -> Iterator[Listener]:
    """Yield a function that appends a record to the file; all are written before the block ends.

    Raises ConfigError for a file that cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _TraceFile(
            path, maxBytes=_MAX_FILE_BYTES, backupCount=_MAX_FULL_FILES, encoding="utf-8"
        )
    except OSError as err:
        raise ConfigError(f"trace_file: cannot write {path}: {err.strerror}") from err
    waiting: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = _DroppingQueueHandler(waiting)
    listener = QueueListener(waiting, file)
    listener.start()

    def write(record: Record) -> None:
        text = json.dumps(record, separators=(",", ":"))
        handler.handle(logging.makeLogRecord({"msg": text}))

    try:
        yield write
    finally:
        listener.stop()
        file.close()
