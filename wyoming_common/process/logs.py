"""Logging of every program: one line a message, bounded in length and in rate.

Defends against T5 of docs/threat-model.md.
"""

import json
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Literal

_MAX_MESSAGE_CHARACTERS: Final = 4000


class RateLimitFilter(logging.Filter):
    """Lets through a few messages a period from one place in the code, and counts the rest.

    A client then can fill no disk with what it sends, and hide nothing else. DEBUG is not bounded.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        max_messages: int = 20,
        period_seconds: float = 60.0,
        max_places: int = 500,
    ) -> None:
        """The last `max_places` places in the code are remembered."""
        super().__init__()
        self._clock = clock
        self._max_messages = max_messages
        self._period_seconds = period_seconds
        self._max_places = max_places
        self._places: OrderedDict[tuple[str, int], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO:
            return True
        now = self._clock()
        place = (record.pathname, record.lineno)
        since, count = self._places.pop(place, (now, 0))
        left_out = 0
        if now - since >= self._period_seconds:
            left_out, since, count = max(0, count - self._max_messages), now, 0
        self._places[place] = (since, count + 1)
        if len(self._places) > self._max_places:
            self._places.popitem(last=False)
        if count >= self._max_messages:
            return False
        if left_out:
            _append(record, f"(and {left_out} more like it before)")
        elif count == self._max_messages - 1:
            _append(record, f"(more like it are left out for {self._period_seconds:g} s)")
        return True


class _TextFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the base class
        record.message = _one_line(record.message)
        return super().formatMessage(record)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _one_line(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(
    log_format: Literal["text", "json"], *, debug: bool, packages: Sequence[str] = ()
) -> None:
    """Log to standard error; standard output belongs to the data of a command.

    `debug` logs more of the shared packages and of `packages`, and not of the libraries.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonFormatter()
        if log_format == "json"
        else _TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    handler.addFilter(RateLimitFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    if debug:
        for package in (__name__.partition(".")[0], *packages):
            logging.getLogger(package).setLevel(logging.DEBUG)


def _append(record: logging.LogRecord, remark: str) -> None:
    record.msg, record.args = f"{_one_line(record.getMessage())} {remark}", None


def _one_line(message: str) -> str:
    # Text of a client cannot pass for a line of our own.
    shown = message[:_MAX_MESSAGE_CHARACTERS].replace("\r", "\\r").replace("\n", "\\n")
    return shown + ("…" if len(message) > _MAX_MESSAGE_CHARACTERS else "")
