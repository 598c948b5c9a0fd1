"""Programs of Parley as processes, the way a person runs them."""

import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from wyoming_common.models.defaults import SMALLEST_LLM

SERVICES = ("stt", "llm", "tts")
MAX_START_SECONDS = 90.0
"""Time to start everything on a busy machine."""


class Running:
    """A command whose standard error is read as it comes."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until a line of standard error matches, and return the match."""
        while True:
            line = self._queue.get(timeout=MAX_START_SECONDS)
            assert line, f"ended without '{pattern}': {''.join(self.lines)}"
            if match := re.search(pattern, line):
                return match

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(MAX_START_SECONDS)

    def children(self) -> list[int]:
        """Return the processes that it has started."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def close(self) -> None:
        """Let go of what the ended command has written."""
        self._reader.join(MAX_START_SECONDS)
        for stream in (self.process.stderr, self.process.stdout):
            assert stream is not None
            stream.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            self._queue.put(line)
        self._queue.put("")


@contextmanager
def running(*arguments: str) -> Iterator[Running]:
    """Run `python -m ARGUMENTS` until the block ends."""
    program = Running(arguments)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.end()
        program.close()


def write_config(path: Path, data_dir: Path, **sections: dict[str, object]) -> Path:
    """Write a file for `parley run`: services on free ports, not announced, and `sections`."""
    service: dict[str, object] = {"uri": "tcp://127.0.0.1:0", "zeroconf": "off"}
    llm = service | {"http_uri": "off", "max_tokens": 32, "model": SMALLEST_LLM}
    content: dict[str, object] = {"stt": service, "llm": llm, "tts": service}
    for name, section in sections.items():
        known = content.get(name)
        content[name] = (known if isinstance(known, dict) else {}) | section
    content["data_dir"] = [str(data_dir)]
    path.write_text(yaml.safe_dump(content))
    return path


def uris(program: Running) -> dict[str, str]:
    """Wait until `parley run` has said where each service is."""
    found: dict[str, str] = {}
    while len(found) < len(SERVICES):
        match = program.wait_for(r"(stt|llm|tts) is ready on (\S+)")
        found[match[1]] = match[2]
    return found
