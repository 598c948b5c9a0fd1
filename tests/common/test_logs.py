"""A flood of lines fills no disk, and no client writes a line of its own."""

import json
import logging

import pytest

from wyoming_common.logs import Flood, set_up_logging


def line(number: int, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("test", level, "here.py", number, "refused %s", ("you",), None)


def test_a_place_in_the_code_says_at_most_20_lines_a_minute_and_what_it_left_out() -> None:
    now = 0.0
    flood = Flood(lambda: now)

    passed = [record for record in (line(1) for _ in range(1000)) if flood.filter(record)]
    now = 61.0
    later = line(1)

    assert len(passed) == 20
    assert "left out" in passed[-1].getMessage()
    assert flood.filter(later)
    assert later.getMessage() == "refused you (and 980 more like it before)"


def test_a_flood_from_one_place_hides_no_other() -> None:
    flood = Flood(lambda: 0.0)
    for _ in range(1000):
        flood.filter(line(1))

    assert flood.filter(line(2))


def test_debug_lines_are_not_bounded() -> None:
    flood = Flood(lambda: 0.0)

    assert all(flood.filter(line(1, logging.DEBUG)) for _ in range(100))


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_a_client_sends_makes_one_line_of_bounded_length(
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
