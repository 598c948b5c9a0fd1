"""Logging: a flood of messages fills no disk, and no client forges a line."""

import json
import logging

import pytest

from wyoming_common.process.logs import RateLimitFilter, set_up_logging


def line(number: int, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("test", level, "here.py", number, "refused %s", ("you",), None)


def test_a_place_in_the_code_logs_20_messages_a_minute_and_counts_the_others() -> None:
    now = 0.0
    limit = RateLimitFilter(lambda: now)

    passed = [record for record in (line(1) for _ in range(1000)) if limit.filter(record)]
    now = 61.0
    later = line(1)

    assert len(passed) == 20
    assert "left out" in passed[-1].getMessage()
    assert limit.filter(later)
    assert later.getMessage() == "refused you (and 980 more like it before)"


def test_a_flood_from_one_place_hides_no_other() -> None:
    limit = RateLimitFilter(lambda: 0.0)
    for _ in range(1000):
        limit.filter(line(1))

    assert limit.filter(line(2))


def test_debug_is_that_of_our_packages_alone() -> None:
    names = ("wyoming_common.net", "my_program.handler", "aiohttp.web")
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up_logging("text", debug=True, packages=["my_program"])
        debugged = [logging.getLogger(name).isEnabledFor(logging.DEBUG) for name in names]
    finally:
        root.handlers[:], root.level = before, level
        for name in ("wyoming_common", "my_program"):
            logging.getLogger(name).setLevel(logging.NOTSET)

    assert debugged == [True, True, False]


def test_debug_lines_are_not_bounded() -> None:
    limit = RateLimitFilter(lambda: 0.0)

    assert all(limit.filter(line(1, logging.DEBUG)) for _ in range(100))


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_message_of_a_client_is_one_line_of_bounded_length(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up_logging("json" if log_format == "json" else "text", debug=False)
        logging.getLogger("test").warning("voice %s", "x\n2026 ERROR forged " + "y" * 100_000)
    finally:
        root.handlers[:], root.level = before, level

    logged = capsys.readouterr().err
    assert logged.count("\n") == 1
    assert len(logged) < 5000
    if log_format == "json":
        assert json.loads(logged)["level"] == "WARNING"
