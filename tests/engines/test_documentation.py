"""Every command of the documentation is run: here as it stands, or as a whole by another test.

A block below `<!-- needs hardware: ... -->` says so itself and is left out. Fixed ports become
free ones; nothing else of a command is changed.
"""

import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.cli.probe import QUESTION
from tests.homeassistant.machines import HOME, Program

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"(<!-- needs hardware[^\n]*-->\n)?```sh\n(.*?)```", re.DOTALL)

MODULES = {
    "wyoming-stt": "wyoming_stt",
    "wyoming-tts": "wyoming_tts",
    "wyoming-llm": "wyoming_llm",
    "parley-satellite": "satellite",
    "parley": "parley",
}
STAYS = re.compile(r"wyoming-(?!\w+ --help)|parley dashboard")
"""Commands that serve until they are told to stop."""
ELSEWHERE = {
    "haproxy -f deploy/haproxy.cfg": "tests/engines/test_haproxy.py",
    "sudo deploy/pi.sh": "tests/addons/test_images.py",
    "script/apps": "tests/addons/test_release.py",
    "script/demo": "tests/engines/test_loop.py",
    "script/test-homeassistant": "tests/homeassistant",
    "script/test-arm64": "tests/deploy/test_arm64.py",
    "parley run parley.yaml": "tests/engines/test_documentation.py",
    "parley bench": "tests/engines/test_documentation.py",
    # Steps before everything else, without which no test runs.
    "sudo apt install": "script/setup",
    "git clone": "script/setup",
    "script/setup": "script/setup",
    "cd ": "script/setup",
    ". .venv/bin/activate": "script/setup",
}
"""Beginnings of commands that other tests run as a whole, and where."""


def commands() -> Iterator[str]:
    for page in PAGES:
        for needs, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in [] if needs else block.replace("\\\n", " ").splitlines():
                if command := line.partition(" #")[0].strip():
                    yield command


def here() -> list[str]:
    """Return the commands that are run one by one."""
    return sorted({line for line in commands() if not line.startswith(tuple(ELSEWHERE))})


def free_uri() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A folder to run in, and an address of its own for each service; returns these."""
    monkeypatch.chdir(tmp_path)
    uris = {kind: free_uri() for kind in ("stt", "llm", "tts")}
    for kind, uri in uris.items():
        monkeypatch.setenv(f"PARLEY_{kind.upper()}_URI", uri)
        monkeypatch.setenv(f"PARLEY_{kind.upper()}_ZEROCONF", "off")
    monkeypatch.setenv("PARLEY_LLM_HTTP_URI", "off")
    return uris


def run(*words: str) -> str:
    """Run one of our commands to its end and return what it prints."""
    done = subprocess.run(
        [BIN / Path(words[0]).name, *words[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", here())
def test_a_command_of_the_documentation_works(command: str, tmp_path: Path) -> None:
    program, *words = shlex.split(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:0", command))
    if not STAYS.match(command):
        assert run(program, *words).strip()
        return
    if program == "parley":
        words += ["--uri", "http://127.0.0.1:0"]
    started = Program("program", HOME, [MODULES[program], *words], tmp_path)
    try:
        started.start()
    finally:
        started.stop()
    assert started.process is not None
    assert started.process.returncode == 0, started.tail()


@pytest.mark.timeout(300)
def test_the_readme_leads_to_services_that_answer(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(# parley\.yaml.*?)```", readme, re.DOTALL)
    assert found is not None
    (tmp_path / "parley.yaml").write_text(found[1], encoding="utf-8")
    together = Program("run", HOME, ["parley", "run", "parley.yaml"], tmp_path)
    there = [word for kind, uri in surroundings.items() for word in (f"--{kind}", uri)]
    try:
        together.start()
        asked = run("parley", "ask", str(QUESTION), *there)
        measured = run("parley", "bench", "--rounds", "1", *there)
    finally:
        together.stop()

    assert "ms from the last word" in asked
    assert "stt" in measured


def test_commands_run_by_other_tests_are_in_the_documentation() -> None:
    for beginning, place in ELSEWHERE.items():
        assert any(line.startswith(beginning) for line in commands()), beginning
        assert (ROOT / place).exists(), place
