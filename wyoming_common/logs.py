"""One way to set up logging for every program."""

import json
import logging
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal

_AT_ONCE: Final = 20
_PER_SECONDS: Final = 60.0
_PLACES: Final = 500
_LONGEST: Final = 4000
"""Characters of a message"""


class Flood(logging.Filter):
    """Lets through 20 lines a minute from one place in the code, and says what it left out.

    What a client sends can then fill no disk, and hide nothing else. DEBUG is not bounded.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._places: OrderedDict[tuple[str, int], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO:
            return True
        now = self._clock()
        place = (record.pathname, record.lineno)
        since, count = self._places.pop(place, (now, 0))
        left_out = 0
        if now - since >= _PER_SECONDS:
            left_out, since, count = max(0, count - _AT_ONCE), now, 0
        self._places[place] = (since, count + 1)
        if len(self._places) > _PLACES:
            self._places.popitem(last=False)
        if count >= _AT_ONCE:
            return False
        if left_out:
            record.msg = f"{_bounded(record.getMessage())} (and {left_out} more like it before)"
            record.args = None
        elif count == _AT_ONCE - 1:
            record.msg = f"{_bounded(record.getMessage())} (more like it are left out for a minute)"
            record.args = None
        return True


class _TextFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of the base class
        record.message = _bounded(record.message)
        return super().formatMessage(record)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": _bounded(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(log_format: Literal["text", "json"], *, debug: bool) -> None:
    """Log to standard error; standard output belongs to the data of a command."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonFormatter()
        if log_format == "json"
        else _TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    handler.addFilter(Flood())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    if debug:
        for package in ("wyoming_common", "wyoming_stt", "wyoming_llm", "wyoming_tts", "satellite"):
            logging.getLogger(package).setLevel(logging.DEBUG)


def _bounded(message: str) -> str:
    # One line a message: what a client sent cannot pass for a line of ours.
    shown = message[:_LONGEST].replace("\r", "\\r").replace("\n", "\\n")
    return shown + ("…" if len(message) > _LONGEST else "")
